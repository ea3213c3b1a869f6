"""Given readers of event files and one who replaces them, who waits for whom."""

import json
import threading

import pytest

from features import compaction, journal
from features.journal import Change, commit, reading, replacing, settle, staging
from features.workspace import Workspace, event_files, ingest
from tests.waiting import PATIENCE
from tests.world import world


@pytest.fixture
def events(tmp_path):
    return tmp_path / "events"


def test_readers_read_side_by_side_and_who_replaces_is_alone(events):
    with reading(events), reading(events), replacing(events, wait=False) as is_alone:
        assert not is_alone
    with replacing(events, wait=False) as is_alone:
        assert is_alone


def test_who_replaces_waits_for_readers_and_they_for_him(events):
    order, begun = [], threading.Event()

    def replace():
        begun.set()
        with replacing(events):
            order.append("replaced")

    with reading(events):
        thread = threading.Thread(target=replace)
        thread.start()
        assert begun.wait(PATIENCE)
        thread.join(0.2)
        order.append("read")
    thread.join(PATIENCE)
    with reading(events):
        order.append("read again")
    assert order == ["read", "replaced", "read again"]


def put_one(events):
    """A change that puts a new file in the place of two."""
    (events / "transactions").mkdir(parents=True, exist_ok=True)
    for name in ("a", "b"):
        (events / "transactions" / f"{name}.parquet").write_text(name)
    with replacing(events), staging(events) as folder:
        (folder / "ab").write_text("ab")
        commit(events, Change(
            put={"events/transactions/ab.parquet": f"events/{folder.name}/ab"},
            remove=["events/transactions/a.parquet", "events/transactions/b.parquet"],
        ))  # fmt: skip


def names(events):
    return sorted(path.name for path in (events / "transactions").iterdir())


def test_a_change_puts_and_removes_and_leaves_nothing_else(events):
    put_one(events)
    assert names(events) == ["ab.parquet"]
    assert sorted(path.name for path in events.iterdir()) == ["events.lock", "transactions"]


def test_an_error_while_files_are_put_is_made_good_by_who_looks_next(events, monkeypatch):
    """An error is not a crash: the block that failed must not clean up what is still to be put."""
    publish = journal.durable.publish

    def fail(staged, final):
        if final.name == "ab.parquet":
            raise OSError("input/output error")
        publish(staged, final)

    with monkeypatch.context() as patch:
        patch.setattr(journal.durable, "publish", fail)
        with pytest.raises(OSError, match="input/output"):
            put_one(events)
    assert names(events) == ["a.parquet", "b.parquet"]
    settle(events)
    assert names(events) == ["ab.parquet"]


def test_nothing_is_removed_when_what_is_to_be_put_is_gone(events):
    put_one(events)
    change = {"put": {"events/transactions/c.parquet": "events/nowhere/c"},
              "remove": ["events/transactions/ab.parquet"]}  # fmt: skip
    (events / "replaced.json").write_text(json.dumps(change))
    with pytest.raises(FileNotFoundError, match="is gone"):
        settle(events)
    assert names(events) == ["ab.parquet"]


def test_files_are_not_merged_in_passing_while_somebody_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(compaction, "MOST", 1)
    space = Workspace(tmp_path)
    for amount in (1, 2):
        ingest(space, {"transactions": world(f"ann  2024-01-03  {amount}").events.transactions})
    assert len(event_files(space, "transactions")) == 2
    with reading(space.events):
        compaction.compact_in_passing(space)
    assert len(event_files(space, "transactions")) == 2
    compaction.compact_in_passing(space)
    assert len(event_files(space, "transactions")) == 1
