"""Given what arrives late, is corrected or comes back, what is seen at which moment."""

from datetime import datetime

import pytest

from tests.world import world


def seen(given, feature, *moments):
    """Ann's value at some moments."""
    return [given.feature(feature, moment).get("ann") for moment in moments]


LATE = world(
    "ann  2024-01-03  10",
    "ann  2024-02-10  20  known_at=2024-02-25T08:00",
)


def test_what_is_known_late_is_seen_from_then_on_at_the_time_it_happened():
    before, after = "2024-02-25T07:59:59.999999", "2024-02-25T08:00"
    assert seen(LATE, "spend_total", before, after) == [10, 30]
    assert seen(LATE, "recency", before, after) == [53, 15]
    assert seen(LATE, "spend_7d", before, after) == [0, 0]


def test_an_appointment_is_seen_when_it_happens_and_not_when_it_is_made():
    given = world("ann  2024-03-20T15:00  10  known_at=2024-03-01")
    assert seen(given, "spend_total", "2024-03-20T14:59:59.999999", "2024-03-20T15:00") == [
        None,
        10,
    ]


def test_a_customer_is_nobody_until_his_first_event_is_known():
    given = world("ann  2024-01-03  10  known_at=2024-02-01")
    assert seen(given, "tenure", "2024-01-31", "2024-02-01") == [None, 29]


RESTATED = world(
    "ann  2024-01-03  100  order_id=o1",
    # On 2024-02-05 the books are put right: it had been 80.
    "ann  2024-01-03 -100  order_id=o1 known_at=2024-02-05",
    "ann  2024-01-03   80  order_id=o1 known_at=2024-02-05",
)


def test_a_restatement_leaves_the_old_figure_to_the_moments_before_it():
    moments = "2024-01-03", "2024-02-04", "2024-02-05"
    assert seen(RESTATED, "spend_total", *moments) == [100, 100, 80]
    assert seen(RESTATED, "orders_total", *moments) == [1, 1, 1]
    assert seen(RESTATED, "purchase_days_total", *moments) == [1, 1, 1]
    # Lines do not say why: what is taken back is a return, whatever the reason.
    assert seen(RESTATED, "return_amount_total", *moments) == [0, 0, 100]


def test_a_cancellation_within_minutes_takes_back_the_money_and_not_the_visit():
    given = world(
        "ann  2024-03-01T10:00  40  order_id=o1",
        "ann  2024-03-01T10:07 -40  order_id=o1",
    )
    moments = "2024-03-01T10:06:59.999999", "2024-03-01T10:07"
    assert seen(given, "spend_total", *moments) == [40, 0]
    assert seen(given, "return_amount_total", *moments) == [0, 40]
    assert seen(given, "return_share", *moments) == [0, 1]
    assert seen(given, "orders_total", *moments) == [1, 1]
    assert seen(given, "recency", *moments) == [0, 0]


@pytest.mark.parametrize("turn", [1, -1])
def test_a_return_may_stand_before_its_purchase_in_the_file(turn):
    lines = ["ann  2024-03-09  -15  order_id=o1", "ann  2024-03-01  40  order_id=o1"]
    given = world(*lines[::turn])
    assert seen(given, "spend_total", "2024-03-05", "2024-03-10") == [40, 25]
    assert seen(given, "days_since_return", "2024-03-05", "2024-03-10") == [None, 1]


def test_who_has_only_brought_back_has_not_bought():
    given = world("ann  2024-03-01  -15")
    assert seen(given, "spend_total", "2024-03-10") == [-15]
    assert seen(given, "orders_total", "2024-03-10") == [0]
    assert seen(given, "recency", "2024-03-10") == [None]
    assert seen(given, "return_share", "2024-03-10") == [None]
    assert seen(given, "tenure", "2024-03-10") == [9]


def test_who_has_only_been_in_contact_is_known_and_has_not_bought():
    given = world(interactions=["ann  2024-03-01  visit"])
    assert seen(given, "tenure", "2024-03-10") == [9]
    assert seen(given, "spend_total", "2024-03-10") == [0]
    assert seen(given, "recency", "2024-03-10") == [None]


def test_an_order_id_that_comes_twice_is_one_order():
    given = world("ann  2024-03-01  10  order_id=o1", "ann  2024-03-08  10  order_id=o1")
    assert seen(given, "orders_total", "2024-03-10") == [1]
    assert seen(given, "orders_7d", "2024-03-10") == [1]
    assert seen(given, "purchase_days_total", "2024-03-10") == [2]


def test_a_line_that_stands_twice_counts_twice():
    given = world("ann  2024-03-01  10  order_id=o1", "ann  2024-03-01  10  order_id=o1")
    assert seen(given, "spend_total", "2024-03-10") == [20]
    assert seen(given, "orders_total", "2024-03-10") == [1]


def test_before_everything_nobody_is_known():
    assert LATE.feature("spend_total", datetime(1990, 1, 1)) == {}
