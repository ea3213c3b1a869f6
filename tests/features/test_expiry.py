"""Given events of some years, what a period leaves of them, and what goes with those that go."""

import shutil
from datetime import datetime

import ibis
import pandas as pd
import pyarrow.parquet as pq
import pytest

from features import expiry, journal
from features.errors import UserError
from features.events import TABLES
from features.expiry import PERIODS, starts
from features.store import FeatureStore
from features.workspace import Workspace, event_files, ingest, open_events
from tests.world import world

NOW = datetime(2024, 5, 1)
MARCH = datetime(2024, 3, 31, 23, 59, 59, 999999)
GIVEN = world(
    "ann  2023-12-03  10",
    "ann  2024-02-20  20",
    "bob  2023-11-25   5",
    "cid  2024-03-05   6",
    interactions=["ann  2024-03-01  complaint in phone c1", "bob  2023-11-26  visit in web"],
    customers=["ann  2023-12-01", "bob  2023-11-24", "dan  2023-10-01", "eve  2024-03-01"],
)
PUSHED = pd.DataFrame(
    {"customer_id": ["bob", "ann"], "happened_at": ["2023-12-30", "2024-04-01"], "amount": [7, 8]}
)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A moment built and online, then two events with ids, one of them old."""
    space = Workspace(tmp_path_factory.mktemp("original"))
    ingest(space, {name: getattr(GIVEN.events, name) for name in TABLES})
    store = FeatureStore(space)
    list(store.build([MARCH]))
    store.materialize(MARCH)
    store.push({"transactions": ibis.memtable(PUSHED)}, NOW, event_ids={"transactions": ["1", "2"]})
    for name in ("2023-01-31", "2024-03-31"):
        page = space.scores / f"as_of={name}" / "scores.parquet"
        page.parent.mkdir(parents=True)
        page.write_text("scores")
    return space


@pytest.fixture
def space(original, tmp_path):
    shutil.copytree(original.root, tmp_path / "w", symlinks=True)
    return Workspace(tmp_path / "w")


def expire(space, since, online=None):
    with journal.replacing(space.events):
        return expiry.expire(space, since, online)


def rows(space, table):
    read = [pq.read_table(path).to_pylist() for path in event_files(space, table)]
    return sorted((row["customer_id"], row.get("amount")) for some in read for row in some)


def test_what_happened_before_the_period_goes_and_the_rest_stays_as_it_is(space):
    gone = expire(space, starts(NOW, 122, {}))  # since 2023-12-31
    assert gone.rows == {"transactions": 3, "interactions": 1, "customers": 2}
    assert rows(space, "transactions") == [("ann", 8.0), ("ann", 20.0), ("cid", 6.0)]
    assert rows(space, "interactions") == [("ann", None)]
    assert [c for c, _ in rows(space, "customers")] == ["ann", "eve"]
    assert gone.customers == ["bob", "dan"]  # ann has events left, eve was first seen in the period
    assert gone.event_ids == 1


def test_features_counted_from_events_that_went_go_and_are_made_anew_without_them(space):
    before = FeatureStore(space).snapshot(MARCH, ["ann"]).spend_total.tolist()
    expire(space, starts(NOW, 122, {}))
    assert not list(space.features.glob("*/as_of=*"))
    store = FeatureStore(space)
    list(store.build([MARCH]))
    assert (before, store.snapshot(MARCH, ["ann"]).spend_total.tolist()) == ([30.0], [20.0])


def test_only_what_is_made_of_events_goes_when_they_are_kept(space):
    gone = expire(space, starts(NOW, None, {"scores": 365}))
    assert gone.rows == {"transactions": 0, "interactions": 0, "customers": 0}
    assert (gone.snapshots, gone.moments["scores"]) == (0, ["2023-01-31"])
    assert [path.name for path in space.scores.iterdir()] == ["as_of=2024-03-31"]
    assert FeatureStore(space).snapshot(MARCH, ["ann"]).spend_total.tolist() == [30.0]


def test_an_old_event_that_is_pushed_again_under_its_id_is_not_known_and_a_new_one_is(space):
    expire(space, starts(NOW, 122, {}), online=MARCH)
    again = FeatureStore(space).push(
        {"transactions": ibis.memtable(PUSHED)}, NOW, event_ids={"transactions": ["1", "2"]}
    )
    assert again.rows["transactions"] == ["taken", "repeated"]


def test_the_file_that_was_brought_in_does_not_come_back(space):
    expire(space, starts(NOW, 122, {}))
    ingest(space, {"transactions": GIVEN.events.transactions})
    assert len(rows(space, "transactions")) == 3


def test_looking_deletes_nothing_and_what_was_done_is_not_done_twice(space):
    since = starts(NOW, 122, {})
    seen = expiry.look(space, since)
    assert len(rows(space, "transactions")) == 6
    assert (expire(space, since), expire(space, since).found) == (seen, False)


def test_nothing_goes_when_the_change_cannot_be_written_down(space, monkeypatch):
    before = rows(space, "transactions")
    monkeypatch.setattr(journal.durable, "publish", _full_disk)
    with pytest.raises(OSError, match="full"):
        expire(space, starts(NOW, 122, {}))
    monkeypatch.undo()
    assert rows(space, "transactions") == before
    assert open_events(space).customers.count().execute() == 4
    assert list(space.features.glob("*/as_of=*"))


def _full_disk(*_):
    raise OSError("The disk is full.")


@pytest.mark.parametrize("period", PERIODS, ids=lambda period: period.name)
def test_every_period_can_be_given_and_says_why_it_is_so_long(period):
    assert starts(NOW, None, {period.name: 1})[period.name] == datetime(2024, 4, 30)
    assert period.why


def test_days_kept_shorten_what_is_made_of_events_and_never_lengthen_it():
    assert starts(NOW, 30, {})["scores"] == starts(NOW, 30, {})["transactions"]
    assert starts(NOW, 10_000, {})["scores"] == starts(NOW, None, {})["scores"]
    assert "transactions" not in starts(NOW, None, {})


@pytest.mark.parametrize(
    ("given", "said"), [({"thoughts": 3}, "thoughts"), ({"scores": 0}, "less than a day")]
)
def test_a_period_that_cannot_be_is_refused(given, said):
    with pytest.raises(UserError, match=said):
        starts(NOW, None, given)
