"""Given purchase days, expected counts, gaps, money of a day and silence."""

from math import log
from statistics import mean, stdev

import pytest

from features.rhythm import rhythm
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    "ann  2023-06-05        45",  # a Monday, 300 days ago
    "ann  2023-12-22T09:00  10",  # a Friday, 100 days ago, twice
    "ann  2023-12-22T15:00  30",
    "ann  2024-02-10        20",  # a Saturday, 50 days ago
    "ann  2024-02-20        -5",  # a return is no purchase
    "ann  2024-03-21        35",  # a Thursday, 10 days ago
    "bob  2024-03-31T10:00  12",  # today, a Sunday
    "bob  2024-03-31T18:00   3",
)
GAPS = [200, 50, 40]
MONEY = [45, 40, 20, 35]
ENTROPY = -sum(days / 300 * log(days / 300) for days in (*GAPS, 10))

EXPECTED = {
    #                             ann                               bob
    "recency":                   (10,                               0),
    "age":                       (300,                              0),
    "purchase_days_total":       (4,                                1),
    "purchase_days_recent_7d":   (0,                                1),
    "purchase_days_recent_30d":  (1,                                1),
    "purchase_days_recent_90d":  (2,                                1),
    "purchase_days_recent_180d": (3,                                1),
    "purchase_days_recent_365d": (4,                                1),
    "purchase_trend_30d":        (log(2 / 2),                       log(2 / 1)),
    "purchase_trend_90d":        (log(3 / 2),                       log(2 / 1)),
    "purchase_trend_180d":       (log(4 / 2),                       log(2 / 1)),
    "purchase_days_season_90d":  (1,                                0),
    "purchase_days_season_180d": (1,                                0),
    "season_share":              (1 / 4,                            1),
    "gap_mean":                  (mean(GAPS),                       None),
    "gap_std":                   (stdev(GAPS),                      None),
    "gap_max":                   (200,                              None),
    "gap_last":                  (40,                               None),
    "gap_log_sum":               (log(200 * 50 * 40),               0),
    "gap_variation":             (stdev(GAPS) / mean(GAPS),         None),
    "clumpiness":                (1 - ENTROPY / log(4),             None),
    "purchase_days_center":      ((300 + 100 + 50 + 10) / 4 / 300,  None),
    "silence_ratio":             (10 / mean(GAPS),                  None),
    "silence_share":             (10 / 300,                         None),
    "day_amount_sum":            (140,                              15),
    "day_amount_mean":           (35,                               15),
    "day_amount_std":            (stdev(MONEY),                     None),
    "day_amount_log_sum":        (log(45 * 40 * 20 * 35),           log(15)),
    "day_amount_log_square_sum": (sum(log(x) ** 2 for x in MONEY),  log(15) ** 2),
    "day_amount_max":            (45,                               15),
    "day_amount_first":          (45,                               15),
    "day_amount_last":           (35,                               15),
    "weekend_share":             (1 / 4,                            1),
    "weekday_share":             (1 / 4,                            1),
    "daypart_share":             (3 / 4,                            1),
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(rhythm, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_rhythm_is_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann)
    assert values["bob"][name] == pytest.approx(bob)


def test_two_purchases_of_one_day_are_one_day_and_no_gap():
    given = world("ann  2024-01-03T00:00  10", "ann  2024-01-03T23:59  10")
    assert given.feature("purchase_days_total", as_of="2024-01-31") == {"ann": 1}
    assert given.feature("gap_mean", as_of="2024-01-31") == {"ann": None}


def test_equal_gaps_are_not_clumped_and_days_in_a_row_are():
    given = world(
        *[f"ann  2024-01-{day:02}  1" for day in (1, 11, 21)],
        *[f"bob  {day}  1" for day in ("2023-01-01", "2023-01-02", "2023-01-03")],
    )
    clumpiness = given.feature("clumpiness", as_of="2024-01-31")
    assert clumpiness["ann"] == pytest.approx(0, abs=1e-8)
    assert clumpiness["bob"] > 0.9


def test_the_gap_is_between_neighbouring_days_of_one_customer():
    given = world("ann  2024-01-01  1", "bob  2024-01-11  1", "ann  2024-01-31  1")
    assert given.feature("gap_max", as_of="2024-02-10") == {"ann": 30, "bob": None}


def test_the_season_is_what_followed_this_moment_a_year_ago():
    given = world(
        "ann  2023-04-01T23:59:59.999999  1",  # exactly a year ago: not after it
        "bob  2023-04-02                  1",
        "cid  2023-06-30T23:59:59.999999  1",  # the last moment of the 90 days
        "dan  2023-07-01                  1",
    )
    season = given.feature("purchase_days_season_90d", as_of="2024-03-31")
    assert season == {"ann": 0, "bob": 1, "cid": 1, "dan": 0}


def test_the_time_of_the_year_wraps_around_its_end():
    given = world(
        "ann  2023-03-31  1",  # 366 days ago
        "ann  2023-04-06  1",  # 360 days ago
        "ann  2023-10-01  1",  # half a year ago
        "bob  2023-05-16  1",  # 320 days ago
        "cid  2023-05-17  1",  # 319 days ago
    )
    share = given.feature("season_share", as_of="2024-03-31")
    assert share == {"ann": pytest.approx(2 / 3), "bob": 1, "cid": 0}


def test_the_parts_of_the_day_begin_at_0_6_12_and_18():
    given = world(
        "ann  2024-01-01T05:59  1", "ann  2024-01-02T06:00  1", "ann  2024-01-03T11:59  1"
    )
    assert given.feature("daypart_share", as_of="2024-01-31") == {"ann": pytest.approx(2 / 3)}
