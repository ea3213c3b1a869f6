"""Given what stands online for a customer, which row stands there after another is put."""

import threading
from datetime import datetime

import pyarrow as pa
import pytest

from features.errors import UserError
from features.online import load, put, writing
from features.packing import Layout, Stamp, headers, nothing
from tests.waiting import PATIENCE

MORNING, NOON = datetime(2024, 4, 1, 8), datetime(2024, 4, 1, 12)
MARCH, APRIL = datetime(2024, 3, 31), datetime(2024, 4, 30)
LAYOUT = Layout(("spend",), ())


class Dictionary:
    """An online store in memory; it loses whom it is told to lose."""

    def __init__(self, loses=()):
        self.rows, self.loses = {}, loses

    def read(self, customer_ids):
        return [self.rows.get(customer) for customer in customer_ids]

    def write(self, customer_ids, rows):
        given = zip(customer_ids, rows, strict=True)
        self.rows |= {customer: row for customer, row in given if customer not in self.loses}


def row(stamp, layout=LAYOUT):
    values = {"customer_id": ["ann"], **{name: [1.0] for name in layout.numbers}}
    return layout.pack([pa.RecordBatch.from_pydict(values)], stamp)[0]


def stands_after(first, second, layout=LAYOUT):
    """The moment and the time of computing of ann's row after two stamps were put."""
    store = Dictionary()
    put(store, ["ann"], [row(first, layout)], first)
    put(store, ["ann"], [row(second)], second)
    return Stamp(*headers(store.read(["ann"]))[["as_of", "computed_at"]].tolist()[0])


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        (Stamp(APRIL, MORNING), Stamp(MARCH, NOON)),
        (Stamp(APRIL, NOON), Stamp(APRIL, MORNING)),
    ],
    ids=["of a later moment", "of the same moment, computed later"],
)
def test_the_newer_row_stands_whichever_comes_first(newer, older):
    assert stands_after(older, newer) == newer
    assert stands_after(newer, older) == newer


def test_a_row_that_cannot_be_read_any_more_is_replaced_whatever_its_moment():
    older = Stamp(MARCH, MORNING)
    assert stands_after(Stamp(APRIL, NOON), older, layout=Layout(("value",), ())) == older


def test_an_older_row_does_not_bring_back_who_has_nothing_to_say():
    store, later = Dictionary(), Stamp(APRIL, NOON)
    put(store, ["ann"], [nothing(later)], later)
    put(store, ["ann"], [row(Stamp(MARCH, NOON))], Stamp(MARCH, NOON))
    assert LAYOUT.unpack(store.read(["ann"])).status.tolist() == ["missing"]


def test_rows_that_do_not_arrive_are_counted():
    stamp = Stamp(MARCH, NOON)
    with pytest.raises(UserError, match=r"^2 customers were given .*, and 1 of them stand in it"):
        put(Dictionary(loses=["bob"]), ["ann", "bob"], [row(stamp)] * 2, stamp)


def test_a_push_finds_its_turn_between_two_chunks_of_a_load(tmp_path):
    store, lock = Dictionary(), tmp_path / "online.lock"
    loading, pushed = Stamp(MARCH, MORNING), Stamp(APRIL, NOON)
    turn = threading.Event()

    def push():
        with writing(lock):
            put(store, ["bob"], [row(pushed)], pushed)
        turn.set()

    def chunks():
        for customer in ("ann", "bob"):
            if customer == "bob":
                threading.Thread(target=push).start()
                assert turn.wait(PATIENCE), "the load holds the lock between its chunks"
            yield [pa.RecordBatch.from_pydict({"customer_id": [customer], "spend": [5.0]})]

    assert load(store, lock, chunks(), LAYOUT, loading) == 2
    stand = headers(store.read(["ann", "bob"]))["as_of"].tolist()
    assert stand == [MARCH, APRIL]
