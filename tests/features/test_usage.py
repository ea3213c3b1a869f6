"""Given visits and use, expected days of use, their rhythm, the amount and its slope."""

from datetime import datetime, timedelta
from math import log
from statistics import linear_regression, mean, stdev

import pytest

from features.usage import usage
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    interactions=[
        "ann  2024-03-28        visit  in  web",  # 3 days ago
        "ann  2024-03-26T10:00  usage  -   -  -  value=10",  # 5 days ago, twice
        "ann  2024-03-26T18:00  usage  -   -  -  value=20  detail=list",
        "ann  2024-03-01        visit  in  web",  # 30 days ago
        "ann  2024-02-10        usage  -   -  -  value=20  detail=map",  # 50 days ago
        "ann  2023-12-22        usage  -   -  -  value=5   detail=map",  # 100 days ago
        "ann  2024-03-30        contact in phone",
        "bob  2024-03-31        usage  -   -  -  value=8",
    ]
)
GAPS = [2, 25, 20, 50]


def slope(**weeks_ago):
    """Least squares over 12 weeks, given the weeks that are not 0 by how long they are gone."""
    weeks = [weeks_ago.get(f"w{age}", 0) for age in range(11, -1, -1)]
    return linear_regression(range(12), weeks).slope


EXPECTED = {
    #                           ann                        bob
    "days_since_use":          (3,                         0),
    "use_days_7d":             (2,                         1),
    "use_days_30d":            (2,                         1),
    "use_days_90d":            (4,                         1),
    "use_days_365d":           (5,                         1),
    "use_gap_mean":            (mean(GAPS),                None),
    "use_gap_variation":       (stdev(GAPS) / mean(GAPS),  None),
    "use_silence_ratio":       (3 / mean(GAPS),            None),
    "active_weeks_share":      (4 / 15,                    1),
    "features_used_30d":       (1,                         0),
    "features_used_90d":       (2,                         0),
    "features_used_365d":      (2,                         0),
    "usage_value_30d":         (30,                        8),
    "usage_value_90d":         (50,                        8),
    "usage_value_per_day_30d": (30 / 2,                    8),
    "usage_value_per_day_90d": (50 / 4,                    8),
    "usage_trend_30d":         (log(4 / 3),                log(2 / 1)),
    "usage_trend_90d":         (log(6 / 2),                log(2 / 1)),
    "usage_slope":             (slope(w0=3, w4=1, w7=1),   slope(w0=1)),
    "usage_value_slope":       (slope(w0=30, w7=20),       slope(w0=8)),
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(usage, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_usage_is_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann)
    assert values["bob"][name] == pytest.approx(bob)


def test_use_that_stays_the_same_has_no_slope():
    today = datetime(2024, 3, 31)
    days = [f"{today - timedelta(weeks=age):%Y-%m-%d}" for age in range(12)]
    given = world(interactions=[f"ann  {day}  usage - - - value=5" for day in days])
    assert given.feature("usage_slope", AS_OF) == {"ann": 0}
    assert given.feature("usage_value_slope", AS_OF) == {"ann": 0}


def test_use_before_the_twelve_weeks_does_not_bend_the_slope():
    given = world(interactions=["ann  2024-01-07  usage - - - value=5"])  # 84 days ago
    assert given.feature("usage_slope", AS_OF) == {"ann": 0}
    assert given.feature("usage_value_slope", AS_OF) == {"ann": 0}
