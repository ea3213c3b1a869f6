"""Given times with their zones, the UTC moments and days that they are counted by."""

from datetime import datetime

import pytest

from features.events import TRANSACTIONS
from features.reading import ColumnMapping, read
from features.workspace import ingest, open_events
from tests.world import World, world

# Local times as a shop writes them; in UTC some fall on another day.
FILE = """customer_id,happened_at,amount
late,2024-03-30T23:30:00-04:00,1
early,2024-03-31T00:30:00+02:00,2
autumn,2024-10-27T02:30:00+02:00,4
autumn,2024-10-27T02:30:00+01:00,8
spring,2024-03-31T01:59:59.999999+01:00,16
spring,2024-03-31T03:00:00+02:00,32
kathmandu,2024-03-31T00:00:00+05:45,64
"""


@pytest.fixture
def shop(workspace, tmp_path):
    """The file as it is stored."""
    (tmp_path / "sales.csv").write_text(FILE)
    ingest(workspace, {"transactions": read(tmp_path / "sales.csv", TRANSACTIONS, ColumnMapping())})
    rows = open_events(workspace).transactions.to_pyarrow().to_pylist()
    return World((), tuple(rows), ())


def times(shop, customer):
    return [row["happened_at"] for row in shop.transactions if row["customer_id"] == customer]


def test_half_past_eleven_at_night_in_new_york_is_the_next_day(shop):
    assert times(shop, "late") == [datetime(2024, 3, 31, 3, 30)]
    assert times(shop, "early") == [datetime(2024, 3, 30, 22, 30)]
    recency = shop.feature("recency", "2024-03-31")
    assert (recency["late"], recency["early"]) == (0, 1)


def test_the_hour_that_comes_twice_in_autumn_is_two_hours(shop):
    assert times(shop, "autumn") == [datetime(2024, 10, 27, 0, 30), datetime(2024, 10, 27, 1, 30)]
    assert shop.feature("spend_total", "2024-10-27T03:00:00+02:00")["autumn"] == 4
    assert shop.feature("spend_total", "2024-10-27T02:30:00+01:00")["autumn"] == 12


def test_the_hour_that_is_left_out_in_spring_has_no_length(shop):
    assert times(shop, "spring") == [
        datetime(2024, 3, 31, 0, 59, 59, 999999), datetime(2024, 3, 31, 1),
    ]  # fmt: skip


def test_an_offset_need_not_be_whole_hours(shop):
    assert times(shop, "kathmandu") == [datetime(2024, 3, 30, 18, 15)]


@pytest.mark.parametrize(
    ("as_of", "age"),
    [("2024-02-29", 0), ("2024-03-01", 1), ("2024-03-28", 28), ("2025-02-28", 365)],
)
def test_a_leap_day_is_a_day(as_of, age):
    given = world("ann  2024-02-29T12:00  10")
    assert given.feature("recency", as_of) == {"ann": age}


def test_a_day_turns_at_midnight_utc_and_a_window_does_not():
    given = world("ann  2024-03-01T23:59:59.999999  10")
    midnight = datetime(2024, 3, 2)
    assert given.feature("recency", midnight) == {"ann": 1}
    assert given.feature("spend_7d", datetime(2024, 3, 8, 23, 59, 59, 999998)) == {"ann": 10}
    assert given.feature("spend_7d", datetime(2024, 3, 8, 23, 59, 59, 999999)) == {"ann": 0}
