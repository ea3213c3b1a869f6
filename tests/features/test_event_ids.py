"""Given events with ids, what a repeated, a changed and a broken push store, and what they say."""

import ibis
import pandas as pd
import pytest

from features import durable, taking
from features.errors import UserError
from features.ledger import Ledger
from features.taking import take
from features.workspace import Workspace, event_files, ingest, open_events
from tests.world import world

APRIL = "2024-04-09"
OTHER = "event_id was taken before with other content"


@pytest.fixture
def space(tmp_path):
    return Workspace(tmp_path)


def orders(*amounts, customer="ann"):
    rows = [{"customer_id": customer, "happened_at": APRIL, "amount": a} for a in amounts]
    return ibis.memtable(pd.DataFrame(rows))


def push(space, table, *ids):
    return take(space, {"transactions": table}, None, {"transactions": list(ids)})


def amounts(space):
    return sorted(open_events(space).transactions.amount.to_pyarrow().to_pylist())


def outcome(space, table, *ids):
    return list(push(space, table, *ids).rows["transactions"])


def test_an_id_with_the_same_content_is_stored_once(space):
    assert outcome(space, orders(7.0, 8.0), "e1", "e2") == ["taken", "taken"]
    again = push(space, orders(8.0, 9.0), "e2", "e3")
    assert again.rows == {"transactions": ["repeated", "taken"]}
    assert [(r.good, r.known) for r in again.reports] == [(1, 1)]
    assert again.reports[0].sentence() == "transactions: 1 rows taken; 1 were taken before"
    assert amounts(space) == [7, 8, 9]


def test_an_id_with_other_content_is_refused_and_its_neighbors_are_taken(space):
    push(space, orders(7.0), "e1")
    assert outcome(space, orders(70.0, 8.0), "e1", "e2") == [OTHER, "taken"]
    assert amounts(space) == [7, 8]


def test_an_id_that_stands_twice_in_one_push_is_stored_once(space):
    assert outcome(space, orders(7.0, 7.0, 9.0), "e1", "e1", "e1") == ["taken", "repeated", OTHER]
    assert amounts(space) == [7]


def test_two_equal_events_under_two_ids_are_two(space):
    push(space, orders(7.0), "e1")
    assert outcome(space, orders(7.0), "e2") == ["taken"]
    assert outcome(space, orders(7.0, 7.0), "e3", "e4") == ["taken", "taken"]
    assert amounts(space) == [7, 7, 7, 7]


def test_each_row_that_cannot_be_used_has_its_reason_and_its_id_stays_free(space):
    rows = orders("seven", "8", "9", "10")
    assert outcome(space, rows, "e1", "e2", None, "") == [
        "amount is not a number", "taken", "event_id is missing", "event_id is missing",
    ]  # fmt: skip
    assert outcome(space, orders(7.0), "e1") == ["taken"]
    (aside, *_) = (space.events / "rejected").glob("*.csv")
    assert "ann,2024-04-09,seven,amount is not a number\n" in aside.read_text()


def test_ids_count_for_their_own_table_alone(space):
    visit = world(interactions=["ann  2024-04-09  visit"]).events.interactions
    push(space, orders(7.0), "e1")
    taken = take(space, {"interactions": visit}, None, {"interactions": ["e1"]})
    assert taken.rows == {"interactions": ["taken"]}


def test_without_ids_a_push_repeated_as_a_whole_is_stored_once(space):
    for expected in ("taken", "repeated"):
        taken = take(space, {"transactions": orders(7.0, 7.0)}, None)
        assert taken.rows == {"transactions": [expected] * 2}
        assert taken.customer_ids == ["ann"]
    assert amounts(space) == [7, 7]


def test_a_push_without_ids_leaves_the_file_that_an_ingest_of_the_same_rows_leaves(space, tmp_path):
    rows = world("bob  2024-04-01  3  order_id=b", "ann  2024-04-09  7").events.transactions
    take(space, {"transactions": rows}, None)
    other = Workspace(tmp_path / "other")
    ingest(other, {"transactions": rows})
    names = [[path.name for path in event_files(w, "transactions")] for w in (space, other)]
    assert names[0] == names[1]


class Killed(BaseException):
    """Stands for a process that ends here."""


def killed(*_):
    raise Killed


STEPS = {
    "before the file is written": (taking.backend, "write_rows"),
    "before the ids are entered": (Ledger, "enter"),
    "before the file is published": (taking, "publish"),
    "before the file is on disk": (durable, "sync"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_push_that_dies_at_any_step_can_be_made_again(step, space, monkeypatch):
    push(space, orders(1.0), "e0")
    with monkeypatch.context() as patch:
        patch.setattr(*STEPS[step], killed)
        with pytest.raises(Killed):
            push(space, orders(7.0, 8.0), "e1", "e2")
    assert amounts(space) == [1], "nothing half-written"
    assert outcome(space, orders(8.0, 9.0), "e2", "e3") == ["taken", "taken"], "another batch"
    assert outcome(space, orders(7.0, 8.0), "e1", "e2") == ["taken", "repeated"]
    assert amounts(space) == [1, 7, 8, 9]


def test_a_push_that_dies_after_its_file_is_published_was_taken(space, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(taking, "_set_aside", killed)
        with pytest.raises(Killed):
            push(space, orders(7.0), "e1")
    assert outcome(space, orders(7.0), "e1") == ["repeated"]
    assert amounts(space) == [7]


@pytest.mark.parametrize("step", ["before the ids are entered", "before the file is published"])
def test_a_full_disk_is_a_sentence_and_loses_nothing(step, space, monkeypatch):
    push(space, orders(1.0), "e0")

    def full(*_):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(*STEPS[step], full)
        with pytest.raises(UserError) as refused:
            push(space, orders(7.0), "e1")
    assert str(refused.value) == (
        "The events cannot be stored: no space left on device. Look whether the disk has room, and "
        "push them again: what was stored already is not stored twice."
    )
    assert [path.name for path in space.events.iterdir() if path.name.startswith(".")] == []
    assert amounts(space) == [1]
    assert outcome(space, orders(1.0, 7.0), "e0", "e1") == ["repeated", "taken"]


def test_ids_that_do_not_fit_the_rows_are_refused(space):
    with pytest.raises(UserError) as refused:
        push(space, orders(7.0, 8.0), "e1")
    assert str(refused.value) == (
        "1 event ids were given for 2 rows of transactions. "
        "Give one id for each row, in the order of the rows."
    )
    listed = world(customers=["ann  2024-01-01"]).events.customers
    with pytest.raises(UserError, match="Event ids were given for customers, but only"):
        take(space, {"customers": listed}, None, {"customers": ["e1"]})
    assert not space.events.exists() or event_files(space, "transactions") == []


def test_the_outcomes_stand_in_the_order_of_the_rows(space):
    rows = [{"customer_id": f"c{n % 7}", "happened_at": APRIL, "amount": str(n)} for n in range(50)]
    rows[13]["amount"], rows[31]["happened_at"] = "x", "soon"
    taken = push(space, ibis.memtable(pd.DataFrame(rows)), *map(str, range(50)))
    found = {i: o for i, o in enumerate(taken.rows["transactions"]) if o != "taken"}
    assert found == {13: "amount is not a number", 31: "happened_at is not a time"}


def test_many_ids_are_looked_up(space):
    many = [float(n) for n in range(1_200)]
    ids = [f"e{n}" for n in range(1_200)]
    assert set(outcome(space, orders(*many), *ids)) == {"taken"}
    assert set(outcome(space, orders(*many), *ids)) == {"repeated"}


def test_rows_that_cannot_be_read_at_all_are_a_sentence(space):
    broken = orders("seven").mutate(amount=ibis._.amount.cast("int64"))
    with pytest.raises(UserError, match=r"^The pushed transactions cannot be read: Conversion Err"):
        push(space, broken, "e1")
    assert event_files(space, "transactions") == []
