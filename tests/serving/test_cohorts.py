"""Given purchases, expected cohorts of first purchase and customers won, back and lost by month."""

import numpy as np
import pandas as pd
import pytest

from features.moment import parse_moment
from serving import cohorts
from tests.world import world

SHOP = world(
    "ann  2024-01-10  10",
    "ann  2024-05-05  10",
    "ann  2024-08-01  10",
    "bob  2024-02-01  10",
    "bob  2024-05-15  -5",  # a return is no purchase
    "bob  2024-09-01  10",
    "cid  2024-04-20  10",
    "dan  2024-03-02   0",  # nor is a gift
    "dan  2024-05-01   5",
    "eve  2024-03-03  10  known_at=2024-11-01",  # not known yet
    "fay  2024-08-08  10",
    "our  2024-01-01  10",
    customers=["our  2024-01-01  is_internal=true"],
)


def test_a_cohort_is_followed_quarter_by_quarter():
    table = cohorts.retention(SHOP.events, parse_moment("2024-09-30"))
    expected = pd.DataFrame(
        {
            "customers": [2, 2, 1],  # ann and bob; cid and dan; fay
            "0": [1.0, 1.0, 1.0],
            "1": [1 / 2, 0.0, np.nan],
            "2": [1.0, np.nan, np.nan],
        },
        index=["2024-Q1", "2024-Q2", "2024-Q3"],
    )
    pd.testing.assert_frame_equal(table, expected)


def test_a_quarter_that_is_not_over_is_not_shown():
    table = cohorts.retention(SHOP.events, parse_moment("2024-09-29"))
    assert list(table.columns) == ["customers", "0", "1"]
    assert table.loc["2024-Q3", "customers"] == 1
    assert table.loc["2024-Q3", ["0", "1"]].isna().all()


def test_before_the_first_purchase_there_is_no_cohort():
    assert len(cohorts.retention(SHOP.events, parse_moment("2023-12-31"))) == 0
    assert len(cohorts.by_month(SHOP.events, parse_moment("2023-12-31"), 60)) == 0


def test_customers_are_won_come_back_and_are_lost_in_the_month_it_happens():
    given = world(
        "ann  2024-01-01  10",
        "ann  2024-01-15  10",  # silent for 60 days on 15 March
        "ann  2024-05-20  10",  # and again on 19 July
        "bob  2024-03-10  10",  # on 9 May
        "cid  2024-06-01  10",  # on 31 July
        "our  2024-04-01  10",
        customers=["our  2024-01-01  is_internal=true"],
    )
    table = cohorts.by_month(given.events, parse_moment("2024-07-31"), active_days=60)
    unknown = np.nan
    expected = pd.DataFrame(
        [
            # month       bought  new      returned  lost
            ("2024-01-01", 1.0,   unknown, unknown,  unknown),
            ("2024-02-01", 0.0,   unknown, unknown,  unknown),
            ("2024-03-01", 1.0,   1.0,     0.0,      1.0),
            ("2024-04-01", 0.0,   0.0,     0.0,      0.0),
            ("2024-05-01", 1.0,   0.0,     1.0,      1.0),
            ("2024-06-01", 1.0,   1.0,     0.0,      0.0),
            ("2024-07-01", 0.0,   0.0,     0.0,      2.0),
        ],
        columns=["month", "bought", "new", "returned", "lost"],
    )  # fmt: skip
    pd.testing.assert_frame_equal(table, expected.assign(month=pd.to_datetime(expected.month)))


def test_a_month_that_is_not_over_is_left_out():
    table = cohorts.by_month(SHOP.events, parse_moment("2024-08-30"), active_days=60)
    assert table.month.max() == pd.Timestamp("2024-07-01")


@pytest.mark.parametrize(
    ("active_days", "expected"),
    [
        # Of ann, cid and dan only ann bought in the third quarter; bob came back, fay is new.
        (60, {"retention_rate": 1 / 3, "retention_net": 2 / 3}),
        # Until July nobody can be told to be new, so the base without newcomers is not known.
        (180, {"retention_rate": 1 / 3}),
    ],
)
def test_the_last_quarter_tells_who_was_kept(active_days, expected):
    as_of = parse_moment("2024-10-15")
    days = cohorts.known_days(SHOP.events, as_of)
    assert cohorts.last_quarter(days, as_of, active_days) == pytest.approx(expected)


def test_a_quarter_after_one_without_customers_tells_nothing():
    as_of = parse_moment("2024-03-31")
    assert cohorts.last_quarter(cohorts.known_days(SHOP.events, as_of), as_of, 60) == {}
