"""Given raw rows, expected good rows and bad rows with their reasons."""

from datetime import date, datetime

import ibis
import pyarrow as pa
import pytest

from features import events
from features.events import CUSTOMERS, TABLES, TRANSACTIONS

NOW = datetime(2024, 6, 1, 12)


def check(table, rows, time_format=None, **types):
    """Good and bad rows of a table given as dictionaries; a column of no given type is text."""
    names = dict.fromkeys(name for row in rows for name in row)
    schema = pa.schema([(name, types.get(name, pa.string())) for name in names])
    raw = ibis.memtable(pa.Table.from_pylist(rows, schema=schema))
    checked = events.check(table, raw, NOW, time_format)
    return checked.good.to_pyarrow().to_pylist(), checked.bad.to_pyarrow().to_pylist()


def sale(customer_id="ann", happened_at="2024-01-03", amount="5", **more):
    return {"customer_id": customer_id, "happened_at": happened_at, "amount": amount, **more}


def times(texts, time_format=None, dtype=None):
    """What some spellings of a time are understood as; None for a bad row."""
    found = []
    for text in texts:
        types = {"happened_at": dtype} if dtype else {}
        good, _ = check(TRANSACTIONS, [sale(happened_at=text)], time_format, **types)
        found.append(good[0]["happened_at"] if good else None)
    return found


def ids(values, dtype=None):
    types = {"customer_id": dtype} if dtype else {}
    good, bad = check(TRANSACTIONS, [sale(customer_id=value) for value in values], **types)
    return [row["customer_id"] for row in good], [row["reason"] for row in bad]


def test_a_good_row_has_every_column_in_its_type():
    good, bad = check(TRANSACTIONS, [sale(quantity="2", colour="red")])
    nothing = dict.fromkeys(TRANSACTIONS.column_names())
    assert good == [
        nothing | {
            "customer_id": "ann", "happened_at": datetime(2024, 1, 3),
            "known_at": datetime(2024, 1, 3), "amount": 5.0, "quantity": 2.0,
        }
    ]  # fmt: skip
    assert bad == []


def test_the_stored_columns_are_those_of_the_schema():
    for table in TABLES.values():
        names = [column.name for column in table.columns if column.needed]
        rows = [dict.fromkeys(names, "1"), dict.fromkeys(names, "2024-01-01")]
        raw = ibis.memtable(pa.Table.from_pylist(rows))
        assert events.check(table, raw, NOW, None).good.schema() == table.schema()


def test_known_at_is_when_it_happened_unless_it_is_said():
    good, _ = check(TRANSACTIONS, [sale(known_at="2024-01-09"), sale(known_at="")])
    assert [row["known_at"] for row in good] == [datetime(2024, 1, 3), datetime(2024, 1, 9)]


BAD = {
    "no id": (sale(customer_id=None), "customer_id is missing"),
    "a blank id": (sale(customer_id="  "), "customer_id is missing"),
    "no time": (sale(happened_at=""), "happened_at is missing"),
    "an amount that no business has": (sale(amount="1e10"), "amount is 1e+10 or more"),
    "a word for a time": (sale(happened_at="soon"), "happened_at is not a time"),
    "a day that does not exist": (sale(happened_at="2024-02-30"), "happened_at is not a time"),
    "a future date": (sale(happened_at="2024-06-01T12:00:01"), "happened_at is in the future"),
    "an empty date of year 1": (sale(happened_at="0001-01-01"), "happened_at is before 1900"),
    "a time without beginning": (sale(happened_at="-infinity"), "happened_at is before 1900"),
    "no amount": (sale(amount=None), "amount is missing"),
    "NaN": (sale(amount="NaN"), "amount is missing"),
    "a word for a number": (sale(amount="five"), "amount is not a number"),
    "a comma in a number": (sale(amount="1,50"), "amount is not a number"),
    "infinity": (sale(amount="inf"), "amount is infinite"),
    "minus infinity": (sale(amount="-Infinity"), "amount is infinite"),
    "a bad value that was not needed": (sale(quantity="two"), "quantity is not a number"),
    "an infinite value that was not needed": (sale(quantity="inf"), "quantity is infinite"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_row_is_set_aside_as_given_with_the_reason(what):
    row, reason = BAD[what]
    good, bad = check(TRANSACTIONS, [sale(), row])
    assert len(good) == 1
    assert bad == [row | {"reason": reason}]


def test_nan_and_infinity_are_bad_in_numbers_as_well_as_in_text():
    amounts = [5.0, float("nan"), float("inf"), float("-inf"), None]
    rows = [sale(amount=amount) for amount in amounts]
    good, bad = check(TRANSACTIONS, rows, amount=pa.float64())
    assert [row["amount"] for row in good] == [5.0]
    assert [row["reason"] for row in bad] == [
        "amount is missing", "amount is infinite", "amount is infinite", "amount is missing",
    ]  # fmt: skip


def test_ids_lose_outer_blanks_and_keep_leading_zeros():
    assert ids(["4 2", "00042", " ann "]) == (["00042", "4 2", "ann"], [])


def test_ids_that_are_numbers_become_their_digits():
    assert ids([7, 12, 9007199254740993], pa.int64()) == (["12", "7", "9007199254740993"], [])


def test_ids_that_became_floats_because_of_a_hole_lose_the_point():
    found = ids([12345.0, None, float("nan"), 1.5], pa.float64())
    assert found == (["1.5", "12345"], ["customer_id is missing", "customer_id is missing"])


def test_times_are_read_as_utc_and_an_offset_is_honored():
    texts = [
        "2024-01-03", "2024-01-03 10:30", "2024-01-03T10:30:00.123456", " 2024-01-03 ",
        "2024-01-03T10:30:00Z", "2024-01-03T10:30:00+02:00", "2024-01-03 10:30:00-05",
        "03.01.2024", "20240103x",
    ]  # fmt: skip
    assert times(texts) == [
        datetime(2024, 1, 3), datetime(2024, 1, 3, 10, 30),
        datetime(2024, 1, 3, 10, 30, 0, 123456), datetime(2024, 1, 3),
        datetime(2024, 1, 3, 10, 30), datetime(2024, 1, 3, 8, 30), datetime(2024, 1, 3, 15, 30),
        None, None,
    ]  # fmt: skip


def test_a_time_format_is_for_all_times():
    texts = ["03.01.2024 10:30", " 03.01.2024 10:30 ", "2024-01-03"]
    day = datetime(2024, 1, 3, 10, 30)
    assert times(texts, "%d.%m.%Y %H:%M") == [day, day, None]


def test_a_time_format_may_have_an_offset():
    assert times(["03.01.2024 10:30 +0200"], "%d.%m.%Y %H:%M %z") == [datetime(2024, 1, 3, 8, 30)]


def test_a_number_is_a_time_only_in_a_format():
    assert times([20240103], dtype=pa.int64()) == [None]
    assert times([20240103], "%Y%m%d", pa.int64()) == [datetime(2024, 1, 3)]
    assert times([20240103.0], "%Y%m%d", pa.float64()) == [datetime(2024, 1, 3)]


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (pa.date32(), date(2024, 1, 3)),
        (pa.timestamp("ns"), datetime(2024, 1, 3)),
        (pa.timestamp("us", "UTC"), datetime(2024, 1, 3)),
        (pa.timestamp("us", "Europe/Berlin"), datetime(2024, 1, 3)),  # pyarrow takes it as UTC
    ],
)
def test_times_that_are_times_already_become_naive_utc(dtype, value):
    assert times([value], dtype=dtype) == [datetime(2024, 1, 3)]


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_nanoseconds_are_cut_off_so_that_the_end_of_a_day_stays_in_it(zone):
    last = pa.scalar(1704326399999999999, pa.timestamp("ns"))  # of 2024-01-03
    found = times([last.as_py(), None], dtype=pa.timestamp("ns", zone))
    assert found == [datetime(2024, 1, 3, 23, 59, 59, 999999), None]


def test_profile_columns_are_kept_whatever_they_are_called():
    row = {"customer_id": "ann", "reason": " new ", "raw_x": "1", "is_internal": "no", "empty": " "}
    good, bad = check(CUSTOMERS, [row])
    assert good == [
        {
            "customer_id": "ann", "first_seen_at": None, "kind": None, "is_internal": False,
            "reason": "new", "raw_x": "1", "empty": None,
        }
    ]  # fmt: skip
    assert bad == []


@pytest.mark.parametrize(
    ("text", "meant"), [("yes", True), ("no", False), ("TRUE", True), ("0", False), ("", None)]
)
def test_yes_and_no_are_read(text, meant):
    good, _ = check(CUSTOMERS, [{"customer_id": "ann", "is_internal": text}])
    assert good[0]["is_internal"] is meant


def test_bad_rows_of_customers():
    rows = [
        {"customer_id": "ann", "first_seen_at": "2024-01-01", "is_internal": "no"},
        {"customer_id": "bob", "first_seen_at": "2024-06-02", "is_internal": "no"},
        {"customer_id": "cid", "first_seen_at": "never", "is_internal": "no"},
        {"customer_id": "dan", "first_seen_at": "2024-01-01", "is_internal": "perhaps"},
        {"customer_id": "", "first_seen_at": "2024-01-01", "is_internal": "no"},
    ]
    good, bad = check(CUSTOMERS, rows)
    assert [row["customer_id"] for row in good] == ["ann"]
    assert {row["customer_id"]: row["reason"] for row in bad} == {
        "bob": "first_seen_at is in the future",
        "cid": "first_seen_at is not a time",
        "dan": "is_internal is not a yes or no",
        "": "customer_id is missing",
    }


def test_of_two_rows_of_one_customer_the_same_is_kept_in_any_order():
    rows = [{"customer_id": "ann", "plan": "gold"}, {"customer_id": " ann", "plan": "iron"}]
    good, bad = check(CUSTOMERS, rows)
    assert (good, bad) == check(CUSTOMERS, rows[::-1])
    assert [row["plan"] for row in good + bad] == ["iron", "gold"]
    assert bad[0]["reason"] == "a second row of the same customer_id"


def test_customers_are_stored_in_the_order_of_their_ids():
    good, _ = check(CUSTOMERS, [{"customer_id": name} for name in ("cid", "ann", "bob")])
    assert [row["customer_id"] for row in good] == ["ann", "bob", "cid"]


def test_rows_are_stored_in_the_order_of_all_their_columns_whatever_order_they_come_in():
    lines = [sale(amount=str(1 + number % 7), product_id=f"p{number}") for number in range(3000)]
    stored, _ = check(TRANSACTIONS, lines)
    again, _ = check(TRANSACTIONS, lines[::-1])
    assert stored == again
    assert [row["amount"] for row in stored] == sorted(row["amount"] for row in stored)
