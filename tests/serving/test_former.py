"""What earlier scores said of a customer's tier, at each row's own moment."""

import shutil
import time
from datetime import datetime, timedelta

import anyio
import numpy as np
import pandas as pd
import pytest

from features.columns import Columns
from features.store import FeatureStore
from features.workspace import Workspace
from serving.batch import score_path
from serving.erasure import erase
from serving.following import Following
from serving.former import Former, stamps, stamps_before
from tests.serving import made_scores
from tests.serving.made_scores import APRIL, MARCH

MAY = datetime(2025, 5, 31, 23, 59, 59, 999999)
NOON = datetime(2025, 4, 30, 12)


@pytest.fixture
def space(workspace):
    """March called ann most valuable and bob growable, April the reverse; carl is new in April."""
    said = {MARCH: {"ann": "mvc", "bob": "mgc"},
            APRIL: {"ann": "mgc", "bob": "mvc", "carl": "maintain"}}  # fmt: skip
    for as_of, tiers in said.items():
        rows = {name: {"tier": tier} for name, tier in tiers.items()}
        made_scores.write(score_path(workspace, as_of), as_of, **rows)
    return workspace


def tiers(former, as_of, *customer_ids):
    moments = np.array([as_of] * len(customer_ids), dtype="datetime64[us]")
    return former.tiers(customer_ids, moments).tolist()


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (MAY, ["mgc", "mvc", "maintain"]),
        (APRIL + timedelta(microseconds=1), ["mgc", "mvc", "maintain"]),
        (APRIL, ["mvc", "mgc", None]),  # its own scores are not before it
        (NOON, ["mvc", "mgc", None]),
        (MARCH, [None, None, None]),
        (None, [None, None, None]),  # a customer who is not known has no moment
    ],
)
def test_the_newest_before_the_rows_own_moment(space, as_of, expected):
    assert tiers(Former.newest(space), as_of, "ann", "bob", "carl") == expected


def test_each_row_has_its_own_moment(space):
    moments = np.array([MAY, APRIL, MARCH], dtype="datetime64[us]")
    assert Former.newest(space).tiers(["ann"] * 3, moments).tolist() == ["mgc", "mvc", None]


def test_ids_that_are_part_of_others_are_others(space):
    given = ("an", "ann", "annette", "", "äñ", "zoe", None)
    found = tiers(Former.newest(space), MAY, *given)
    assert found == [None, "mgc", None, None, None, None, None]


def test_a_batch_of_a_moment_needs_the_one_before_alone(space):
    made_scores.write(score_path(space, MAY), MAY, ann={})
    (stamp,) = stamps_before(space, MAY)
    assert (stamp.moment, stamp.path) == (APRIL, score_path(space, APRIL))
    assert tiers(Former.of((stamp,)), MAY, "ann", "bob") == ["mgc", "mvc"]
    assert stamps_before(space, MARCH) == ()


def test_within_a_day_the_later_moment_is_the_newer(space):
    made_scores.write(score_path(space, NOON), NOON, ann={"tier": "mvc"})
    assert [stamp.moment for stamp in stamps(space)] == [APRIL, NOON, MARCH]


def test_without_scores_nobody_has_a_former_tier(workspace):
    former = Former.newest(workspace)
    assert tiers(former, MAY, "ann") == [None]
    assert former.is_current(workspace)


def test_rows_of_either_kind_are_joined(space):
    rows = pd.DataFrame({"customer_id": ["bob", "nobody"], "as_of": [pd.Timestamp(MAY)] * 2})
    rows["recency"] = 1.0
    former = Former.newest(space)
    assert former.joined(rows).tier_previous.tolist() == ["mvc", None]
    assert former.joined(Columns.of(rows))["tier_previous"].tolist() == ["mvc", None]


def test_scores_that_cannot_be_read_tell_nothing_and_are_logged(space, caplog):
    score_path(space, APRIL).write_bytes(b"no table")
    assert tiers(Former.newest(space), MAY, "ann") == ["mvc"]
    assert "former tiers are not known" in caplog.text


def test_a_file_in_the_place_of_another_is_noticed(space):
    former = Former.newest(space)
    assert former.is_current(space)
    made_scores.write(score_path(space, APRIL), APRIL, ann={"tier": "maintain"})
    assert not former.is_current(space)


def test_very_many_customers_are_found_at_once_and_take_little_room(space):
    count = 200_000
    ids = [f"C{number:07d}" for number in range(count)]
    frame = pd.DataFrame({"customer_id": ids, "tier": "mvc"})
    score_path(space, MAY).parent.mkdir(parents=True)
    frame.to_parquet(score_path(space, MAY))
    former, later = Former.newest(space), MAY + timedelta(days=1)
    file = former._files[0]
    assert file.ids.nbytes + file.codes.nbytes == 9 * count  # 9 MB of a million
    begun = time.thread_time()  # without what others of this machine take
    for _ in range(100):
        assert tiers(former, later, "C0100000") == ["mvc"]
    assert (time.thread_time() - begun) / 100 < 0.001  # seconds; it takes some 0.00001


def test_the_service_takes_over_new_scores_and_forgets_who_was_erased(trained_workspace, tmp_path):
    space = Workspace(shutil.copytree(trained_workspace.root, tmp_path / "workspace"))
    notes = []
    following = Following(space, notes.append)
    first = following.loaded
    assert tiers(first.former, MAY, "C000005") == [None]

    said = {"C000005": {"tier": "mvc"}, "C000007": {"tier": "mgc"}}
    made_scores.write(score_path(space, MARCH), MARCH, **said)
    anyio.run(following.look)
    assert tiers(following.loaded.former, MAY, "C000005", "C000007") == ["mvc", "mgc"]

    erase(space, FeatureStore(space), "C000005", MAY)
    anyio.run(following.look)
    assert tiers(following.loaded.former, MAY, "C000005", "C000007") == [None, "mgc"]
    assert not any(b"C000005" in file.ids.tobytes() for file in following.loaded.former._files)
    assert following.loaded.models is first.models  # the champion is the same
    assert notes == []
