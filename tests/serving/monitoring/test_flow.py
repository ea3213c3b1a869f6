"""How scores move from file to file, and what is known of the files."""

import json
from datetime import datetime, timedelta

import pandas as pd

from features.workspace import Workspace
from serving.monitoring import flow, made

FIRST = datetime(2025, 1, 31)


def written(space, days, bands, tiers, told=None):
    """A score file of some days after FIRST."""
    as_of = FIRST + timedelta(days=days)
    folder = space.scores / f"as_of={as_of:%Y-%m-%d}"
    folder.mkdir(parents=True)
    pd.DataFrame({
        "customer_id": [f"k{i}" for i in range(len(bands))], "as_of": as_of, "status": "scored",
        "churn_probability": 0.5, "churn_band": bands, "expected_value": 1.0, "tier": tiers,
    }).to_parquet(folder / "scores.parquet")  # fmt: skip
    if told is not None:
        (folder / "made_of.json").write_text(told)


def files(space):
    return made.until(space, datetime(2026, 1, 1))


def moved(count):
    return ["mvc"] * count + ["mgc"] * (100 - count)


def test_bands_that_hold_ring_not_and_those_that_shift_do(tmp_path):
    calm, shifted = Workspace(tmp_path / "a"), Workspace(tmp_path / "b")
    for space, high in ((calm, 22), (shifted, 60)):
        written(space, 0, ["high"] * 20 + ["low"] * 80, moved(0))
        written(space, 30, ["high"] * high + ["low"] * (100 - high), moved(0))
    assert [r.rings for r in flow.bands(files(calm))] == [False]
    (found,) = flow.bands(files(shifted))
    assert found.rings
    assert (found.facts["high"], found.facts["before"]) == (0.6, 0.2)


def test_tiers_ring_when_more_change_than_ever_before(tmp_path):
    space = Workspace(tmp_path)
    bands = ["low"] * 100
    for month, count in enumerate([0, 5, 0, 5, 45]):
        written(space, 30 * month, bands, moved(count))
    (found,) = flow.tiers(files(space))
    assert (found.figure, found.limit, found.rings) == (0.4, 0.1, True)
    (before,) = flow.tiers([*files(space)[1:], files(space)[-1]])
    assert not before.rings


def test_of_one_file_nothing_is_said(tmp_path):
    space = Workspace(tmp_path)
    written(space, 0, ["low"] * 10, moved(0)[:10])
    assert list(flow.bands(files(space))) == []
    assert list(flow.tiers(files(space))) == []


def test_what_a_file_was_made_of_is_read_where_it_was_written(tmp_path):
    space = Workspace(tmp_path)
    written(space, 0, ["low"], ["mvc"], json.dumps({"definitions": {"churn": "churn-60d@1"}}))
    written(space, 7, ["low"], ["mvc"])
    written(space, 14, ["low"], ["mvc"], "{half of")
    newest, middle, oldest = files(space)
    assert oldest.horizon_days("churn", 90) == 60
    assert oldest.horizon_days("clv", 365) == 365
    assert (middle.horizon_days("churn", 90), newest.told) == (90, {})
    assert [one.as_of for one in made.until(space, FIRST + timedelta(days=7))] == [
        FIRST + timedelta(days=7), FIRST,
    ]  # fmt: skip
