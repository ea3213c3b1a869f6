"""Phases of a long work: each is done once, and what was ended in the middle is not there."""

import pandas as pd
import pytest

from features.store import FeatureStore
from training import phases
from training.phases import Phases


def test_a_finished_phase_is_read_and_not_made_again(tmp_path):
    told, made = [], []
    work = Phases(tmp_path, told.append)
    for _ in range(2):
        assert work.facts("count", lambda: made.append(1) or {"rows": 3}) == {"rows": 3}
    assert made == [1]
    assert told == ["count", "count: was finished before"]
    assert set(work.seconds) == {"count"}


def test_a_phase_that_was_ended_is_made_again(tmp_path):
    work = Phases(tmp_path, lambda _: None)

    def half(_, folder):
        (folder / "half").write_text("")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work.step("table", lambda: 1, half, lambda _: 2)
    assert not (tmp_path / "table").exists()
    assert work.facts("table", lambda: {"rows": 1}) == {"rows": 1}
    assert [path.name for path in (tmp_path / "table").iterdir()] == ["facts.json"]


def test_a_test_is_read_as_it_was(trained, tmp_path):
    test = trained.learned.value_test
    phases.save_test(test, tmp_path)
    found = phases.load_test(tmp_path, FeatureStore(trained.space))
    assert found.origin == test.origin
    assert_equal(found.held_out, test.held_out)
    assert_equal(found.panel, test.panel)
    rows = test.held_out
    pd.testing.assert_frame_equal(found.model.predict(rows), test.model.predict(rows))


def assert_equal(found, expected):
    """To the last bit; a text that is missing may be None or NaN, which nobody tells apart."""
    assert found.dtypes.to_dict() == expected.dtypes.to_dict()
    pair = [rows.astype(object).where(rows.notna(), None) for rows in (found, expected)]
    pd.testing.assert_frame_equal(*pair)


def test_that_there_was_no_test_is_kept_too(tmp_path):
    phases.save_test(None, tmp_path)
    assert phases.load_test(tmp_path, store=None) is None
