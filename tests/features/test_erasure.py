"""Given customers everywhere, what an erasure leaves of one of them, and of the others."""

import shutil
import sqlite3
from datetime import datetime

import ibis
import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

from features import compaction, journal
from features.events import TABLES
from features.store import FeatureStore
from features.workspace import Workspace, event_files, ingest, open_events
from tests.world import world

FEBRUARY = datetime(2024, 2, 29, 12, 30)
MARCH = datetime(2024, 3, 31, 23, 59, 59, 999999)
APRIL = datetime(2024, 4, 10, 15)

GIVEN = world(
    "ann  2024-01-03  10",
    "ann  2024-02-20  20",
    "bob  2024-02-25   5",
    "cid  2024-03-05   6",
    interactions=["ann  2024-03-01  complaint in phone c1", "bob  2024-03-02  visit in web"],
    customers=["ann  2024-01-01  kind=person", "bob  2024-02-24  kind=organisation"],
)


def as_tables(given):
    return {name: getattr(given.events, name) for name in TABLES if getattr(given, name)}


def push(store, ids, *rows):
    frame = pd.DataFrame(rows, columns=["customer_id", "happened_at", "amount"])
    table = {"transactions": ibis.memtable(frame)}
    return store.push(table, APRIL, event_ids={"transactions": ids})


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Two moments built, one of them online, then pushes with a row that was refused."""
    workspace = Workspace(tmp_path_factory.mktemp("original"))
    ingest(workspace, as_tables(GIVEN))
    store = FeatureStore(workspace)
    list(store.build([FEBRUARY, MARCH]))
    store.materialize(MARCH)
    push(store, ["e1", "e2", "e3"], ("ann", "2024-04-01", "7"), ("bob", "2024-04-01", "8"),
         ("ann", "2024-04-01", "?"))  # fmt: skip
    push(store, ["e4"], ("ann", "2024-04-02", "9"))
    return workspace


@pytest.fixture
def store(original, tmp_path):
    shutil.copytree(original.root, tmp_path / "w", symlinks=True)
    return FeatureStore(Workspace(tmp_path / "w"))


def holding(workspace, text):
    """The files of the rows set aside and of the ledger that hold a text."""
    paths = [*workspace.events.glob("rejected/*"), workspace.events / "ledger.db"]
    return [path.name for path in paths if text in path.read_bytes()]


def everyone(workspace):
    """Whom the rows of every event file and snapshot name."""
    paths = [*workspace.events.rglob("*.parquet"), *workspace.features.rglob("part.parquet")]
    return {c for path in paths for c in pq.read_table(path).column("customer_id").to_pylist()}


def test_an_erased_customer_is_nowhere_and_the_others_are_as_they_were(store):
    before = {moment: store.snapshot(moment, ["bob"]) for moment in (FEBRUARY, MARCH)}
    online = store.latest(["bob"]).values
    built = {p: p.stat().st_mtime_ns for p in store.workspace.features.rglob("part.parquet")}
    assert len(holding(store.workspace, b"ann")) == 2
    erased = store.erase("ann")
    assert dict(erased.rows) == {"customers": 1, "transactions": 4, "interactions": 1}
    assert (erased.rejected, erased.event_ids, erased.online) == (1, 2, True)
    assert erased.snapshots == len(built)
    assert list(erased.moments) == ["2024-02-29T12-30-00", "2024-03-31"]
    assert erased.found
    assert everyone(store.workspace) == {"bob", "cid"}
    assert holding(store.workspace, b"ann") == []
    assert store.latest(["ann", "bob"]).status.tolist() == ["missing", "present"]
    assert_frame_equal(store.latest(["bob"]).values, online)
    for moment, rows in before.items():
        assert_frame_equal(store.snapshot(moment, ["bob"]), rows)
    assert store.recent_events("ann", 5) == []


def test_the_snapshots_that_were_valid_stay_valid_and_no_other_becomes_so(store):
    families = store.snapshots.families
    ingest(store.workspace, as_tables(world("cid  2024-03-10  1")))
    valid = {f.name: [FeatureStore(store.workspace).snapshots.is_built(f, m)
                      for m in (FEBRUARY, MARCH)] for f in families}  # fmt: skip
    assert set(map(tuple, valid.values())) == {(True, False)}
    store.erase("ann")
    fresh = FeatureStore(store.workspace).snapshots
    after = {f.name: [fresh.is_built(f, m) for m in (FEBRUARY, MARCH)] for f in families}
    assert after == valid


def test_a_load_after_an_erasure_does_not_bring_him_back(store):
    store.erase("ann")
    again = FeatureStore(store.workspace)
    assert again.materialize(MARCH) == 2
    assert again.latest(["ann"]).status.tolist() == ["missing"]


def test_erasing_twice_is_harmless_and_who_is_unknown_is_said_to_be(store):
    store.erase("ann")
    files = {path: path.read_bytes() for path in store.workspace.events.rglob("*.parquet")}
    for customer in ("ann", "zoe", "o'hara"):
        erased = store.erase(customer)
        assert not erased.found
        assert dict(erased.rows) == {"customers": 0, "transactions": 0, "interactions": 0}
    assert {path: path.read_bytes() for path in store.workspace.events.rglob("*.parquet")} == files


def test_the_ids_of_the_others_stay_known_and_his_are_free(store):
    store.erase("ann")
    again = push(store, ["e2", "e1"], ("bob", "2024-04-01", "8"), ("dan", "2024-04-01", "1"))
    assert again.rows == {"transactions": ["repeated", "taken"]}
    assert store.latest(["bob"]).values.spend_total.tolist() == [13]


def test_a_file_that_is_ingested_again_after_an_erasure_is_not_stored_again(store):
    store.erase("ann")
    ingest(store.workspace, as_tables(GIVEN))
    assert everyone(store.workspace) == {"bob", "cid"}
    bob = open_events(store.workspace).transactions.filter(ibis._.customer_id == "bob")
    assert sorted(bob.amount.to_pyarrow().to_pylist()) == [5, 8]


class Killed(BaseException):
    """Stands for a process that ends here."""


@pytest.mark.parametrize("left", [0, 1, 5, 20])
def test_an_erasure_that_dies_half_way_is_finished_by_who_looks_next(store, left, monkeypatch):
    calls = iter(range(1_000))

    def publish(staged, final, publish=journal.durable.publish):
        if final.name != "replaced.json" and next(calls) == left:
            raise Killed
        publish(staged, final)

    with monkeypatch.context() as patch:
        patch.setattr(journal.durable, "publish", publish)
        with pytest.raises(Killed):
            store.erase("ann")
    fresh = FeatureStore(store.workspace)
    assert fresh.snapshots.is_built(fresh.snapshots.families[0], MARCH)
    assert everyone(store.workspace) == {"bob", "cid"}
    assert list(store.workspace.events.glob(".*")) == []
    assert fresh.erase("ann").online, "what is online is removed by the next call"
    assert fresh.latest(["ann"]).status.tolist() == ["missing"]


def test_an_erasure_that_fails_before_it_is_written_down_changes_nothing(store, monkeypatch):
    before = {p: p.read_bytes() for p in store.workspace.root.rglob("*.parquet")}

    def full(*_):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(journal.durable, "publish", full)
        with pytest.raises(OSError, match="no space"):
            store.erase("ann")
    assert {p: p.read_bytes() for p in store.workspace.root.rglob("*.parquet")} == before
    assert store.erase("ann").found


def test_the_others_rows_keep_their_order_and_equal_files_stay_two(store):
    for number in (1, 2):
        push(store, [f"x{number}", f"y{number}"], ("cid", "2024-04-03", "3"),
             ("ann", "2024-04-03", str(number)))  # fmt: skip
    store.erase("ann")
    cid = open_events(store.workspace).transactions.filter(ibis._.customer_id == "cid")
    assert sorted(cid.amount.to_pyarrow().to_pylist()) == [3, 3, 6]
    for path in event_files(store.workspace, "transactions"):
        ids = pq.read_table(path).column("customer_id").to_pylist()
        assert ids == sorted(ids)


def test_the_online_file_keeps_no_trace_in_its_free_pages(store):
    file = store.workspace.feast / "online.db"
    assert b"ann" in file.read_bytes()
    store.erase("ann")
    assert b"ann" not in file.read_bytes()
    assert sqlite3.connect(file).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_small_files_are_merged_and_nothing_else_changes(store, monkeypatch):
    monkeypatch.setattr(compaction, "MOST", 2)
    space, families = store.workspace, store.snapshots.families
    rows = open_events(space).transactions.order_by(["customer_id", "happened_at"]).to_pandas()
    assert len(event_files(space, "transactions")) == 3
    assert compaction.compact(space) == 3
    assert len(event_files(space, "transactions")) == 1
    merged = open_events(space).transactions.order_by(["customer_id", "happened_at"]).to_pandas()
    assert_frame_equal(merged, rows)
    fresh = FeatureStore(space)
    assert all(fresh.snapshots.is_built(f, m) for f in families for m in (FEBRUARY, MARCH))
    again = push(fresh, ["e1", "e9"], ("ann", "2024-04-01", "7"), ("ann", "2024-04-03", "1"))
    assert again.rows == {"transactions": ["repeated", "taken"]}
    assert fresh.latest(["ann"]).values.spend_total.tolist() == [47]
    assert compaction.compact(space) == 0


def test_a_push_without_ids_is_known_after_its_file_was_merged(store, monkeypatch):
    monkeypatch.setattr(compaction, "MOST", 2)
    order = as_tables(world("cid  2024-04-05  4"))
    store.push(order, APRIL)
    compaction.compact(store.workspace)
    assert store.push(order, APRIL).rows == {"transactions": ["repeated"]}
    assert store.latest(["cid"]).values.spend_total.tolist() == [10]


def test_a_store_that_saw_the_files_before_they_were_merged_builds_all_the_same(store, monkeypatch):
    monkeypatch.setattr(compaction, "MOST", 2)
    assert len(store.snapshots.events.transactions.to_pandas()) == 7
    compaction.compact(store.workspace)
    list(store.build([APRIL]))
    assert store.materialize(APRIL) == 3


def test_recent_events_are_the_newest_of_both_tables_with_what_they_say(store):
    assert store.recent_events("ann", 3) == [
        {"table": "transactions", "customer_id": "ann", "happened_at": datetime(2024, 4, 2),
         "known_at": datetime(2024, 4, 2), "amount": 9.0},
        {"table": "transactions", "customer_id": "ann", "happened_at": datetime(2024, 4, 1),
         "known_at": datetime(2024, 4, 1), "amount": 7.0},
        {"table": "interactions", "customer_id": "ann", "happened_at": datetime(2024, 3, 1),
         "known_at": datetime(2024, 3, 1), "kind": "complaint", "channel": "phone",
         "direction": "in", "case_id": "c1"},
    ]  # fmt: skip
    assert store.recent_events("o'hara", 3) == []
