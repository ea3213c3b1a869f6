"""Given events and a moment, expected past, future and windows."""

from datetime import datetime, timedelta

import pytest

from features import moment
from features.errors import UserError
from features.moment import known_customers, parse_moment
from tests.world import world

AS_OF = datetime(2024, 3, 31, 12)
MICROSECOND = timedelta(microseconds=1)


def amounts(rows):
    return sorted(rows.amount.to_pyarrow().to_pylist())


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2024-03-31", datetime(2024, 3, 31, 23, 59, 59, 999999)),
        (" 2024-03-31 ", datetime(2024, 3, 31, 23, 59, 59, 999999)),
        ("2024-03-31T00:00", datetime(2024, 3, 31)),
        ("2024-03-31 10:30:00", datetime(2024, 3, 31, 10, 30)),
        ("2024-03-31T10:30:00Z", datetime(2024, 3, 31, 10, 30)),
        ("2024-03-31T10:30:00+02:00", datetime(2024, 3, 31, 8, 30)),
        ("2024-03-31T10-30-00.000005", datetime(2024, 3, 31, 10, 30, 0, 5)),  # a folder's name
        ("2024-03-31T10:30:00-02:00", datetime(2024, 3, 31, 12, 30)),
    ],
)
def test_a_moment_is_utc_and_a_date_alone_is_the_end_of_its_day(text, meant):
    assert parse_moment(text) == meant


@pytest.mark.parametrize("text", ["31.03.2024", "yesterday", "", "2024-02-30"])
def test_a_moment_that_cannot_be_read_is_refused(text):
    with pytest.raises(UserError) as refused:
        parse_moment(text)
    assert str(refused.value) == (
        f"The moment {text!r} cannot be read. Write it as 2025-03-31 or 2025-03-31T23:59:59."
    )


def test_the_past_is_what_had_happened_and_was_known():
    given = world(
        "ann  2024-03-31T12:00                1",  # exactly then
        "ann  2024-03-31T12:00:00.000001      2",  # a microsecond later
        "ann  2024-03-30                      4  known_at=2024-03-31T12:00",
        "ann  2024-03-30                      8  known_at=2024-03-31T12:00:00.000001",
        "ann  2024-04-02                     16  known_at=2024-03-01",  # announced, not happened
    )
    assert amounts(moment.past(given.events.transactions, AS_OF)) == [1, 4]


def test_the_age_of_an_event_is_counted_between_calendar_days():
    given = world(
        "ann  2024-03-31T00:00  1", "ann  2024-03-30T23:59  2", "ann  2024-02-29T13:00  3"
    )
    past = moment.past(given.events.transactions, AS_OF)
    ages = {row["amount"]: row["days_ago"] for row in past.to_pyarrow().to_pylist()}
    assert ages == {1: 0, 2: 1, 3: 31}


def test_the_future_is_the_horizon_after_the_moment_as_known_at_training():
    given = world(
        "ann  2024-03-31T12:00                1",  # still the past
        "ann  2024-03-31T12:00:00.000001      2",
        "ann  2024-04-10T12:00                4",  # exactly at its end
        "ann  2024-04-10T12:00:00.000001      8",
        "ann  2024-04-05                     16  known_at=2024-05-01",
        "ann  2024-04-05                     32  known_at=2024-05-02",
    )
    future = moment.future(given.events.transactions, AS_OF, 10, known_by=datetime(2024, 5, 1))
    assert amounts(future) == [2, 4, 16]


def test_recent_and_before_are_two_windows_that_touch():
    given = world(
        "ann  2024-03-31T12:00                1",
        "ann  2024-03-21T12:00:00.000001      2",
        "ann  2024-03-21T12:00                4",  # exactly ten days: no longer recent
        "ann  2024-03-11T12:00:00.000001      8",
        "ann  2024-03-11T12:00               16",  # exactly twenty days: in neither
    )
    past = moment.past(given.events.transactions, AS_OF)
    assert amounts(past.filter(moment.recent(past, AS_OF, 10))) == [1, 2]
    assert amounts(past.filter(moment.before(past, AS_OF, 10))) == [4, 8]


def test_the_season_follows_the_moment_365_days_ago():
    given = world(
        "ann  2023-04-01T12:00                1",
        "ann  2023-04-01T12:00:00.000001      2",
        "ann  2023-04-11T12:00                4",
        "ann  2023-04-11T12:00:00.000001      8",
    )
    past = moment.past(given.events.transactions, AS_OF)
    assert amounts(past.filter(moment.season(past, AS_OF, 10))) == [2, 4]


def test_known_customers_have_an_event_or_are_listed_as_seen_and_appear_once():
    given = world(
        "ann  2024-03-01  10",
        "ann  2024-03-02  10",
        "eve  2024-04-01  10",
        interactions=["ann  2024-02-01  visit", "bob  2024-03-30  visit"],
        customers=[
            "ann  2024-03-01  plan=gold",
            "cid  2024-03-31  plan=iron",
            "dan  2024-04-01",
            "fay  -",  # listed, but nobody says since when
        ],
    )
    rows = known_customers(given.events, AS_OF).order_by("customer_id").to_pyarrow().to_pylist()
    assert [(r["customer_id"], r["first_seen_at"], r["days_ago"], r["plan"]) for r in rows] == [
        ("ann", datetime(2024, 2, 1), 59, "gold"),
        ("bob", datetime(2024, 3, 30), 1, None),
        ("cid", datetime(2024, 3, 31), 0, "iron"),
    ]


def test_internal_customers_are_left_out():
    given = world(
        "ann  2024-03-01  10",
        "bob  2024-03-01  10",
        "cid  2024-03-01  10",
        customers=["ann  2024-01-01  is_internal=true", "bob  2024-01-01  is_internal=false"],
    )
    ids = known_customers(given.events, AS_OF).customer_id.to_pyarrow().to_pylist()
    assert sorted(ids) == ["bob", "cid"]
