"""Given forecast values, the class of each customer."""

import json

import numpy as np
import pandas as pd
import pytest

from training.value_tiers import TierCuts, assign, growable

# Ages 60, 200 and 900 days: one customer of each tenure band could bring 100.
CUTS = TierCuts(most_valuable=500.0, possible=(100.0, 100.0, 400.0))


# The trend of two purchase days after three, and after four.
LESS, LEAST = np.log(3 / 4), np.log(3 / 5)


def tier(value, age=60.0, trend=0.1, recent=2.0, cost=None, margin_rate=1.0, was=None):
    rows = pd.DataFrame(
        {"age": [age], "purchase_trend_90d": [trend], "purchase_days_recent_90d": [recent]}
    )
    return assign(pd.Series([value]), rows, CUTS, cost, margin_rate, pd.Series([was]))[0]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"value": 500.0}, "mvc"),
        ({"value": 499.0}, "maintain"),
        ({"value": 75.0}, "mgc"),  # exactly a quarter below what is possible
        ({"value": 76.0}, "maintain"),
        ({"value": 75.0, "trend": -0.1}, "maintain"),
        ({"value": 75.0, "recent": 0.0}, "maintain"),
        ({"value": 76.0, "age": 366.0}, "mgc"),  # among the old customers 400 is possible
        ({"value": 76.0, "age": 365.0}, "maintain"),
    ],
)
def test_the_class_by_value_and_growth(given, expected):
    assert tier(**given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"value": 0.0, "recent": 0.0}, "maintain"),  # revenue alone cannot tell
        ({"value": 50.0, "cost": 50.0}, "below_zero"),
        ({"value": 50.0, "cost": 49.0}, "mgc"),
        ({"value": 600.0, "cost": 700.0}, "below_zero"),  # before everything else
        ({"value": 600.0, "cost": 100.0, "margin_rate": 0.1}, "below_zero"),
        ({"value": 600.0, "cost": 50.0, "margin_rate": 0.1}, "mvc"),
    ],
)
def test_below_zero_needs_the_cost_to_serve(given, expected):
    assert tier(**given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"value": 451.0, "was": "mvc"}, "mvc"),
        ({"value": 449.0, "was": "mvc"}, "maintain"),  # clearly below the cut of 500
        ({"value": 499.0, "was": "mgc"}, "maintain"),
        ({"value": 500.0, "was": "maintain"}, "mvc"),  # he rises at the cut itself
        ({"value": 77.0, "was": "mgc"}, "mgc"),  # a gap of 22.5 of 100 is enough for him
        ({"value": 78.0, "was": "mgc"}, "maintain"),
        ({"value": 77.0, "was": "mvc"}, "maintain"),
        ({"value": 77.0, "was": "mgc", "trend": LESS}, "mgc"),  # two days after three
        ({"value": 75.0, "was": "maintain", "trend": LESS}, "maintain"),
        ({"value": 75.0, "was": None, "trend": LESS}, "maintain"),
        ({"value": 77.0, "was": "mgc", "trend": LEAST}, "maintain"),  # two days after four
        ({"value": 77.0, "was": "mgc", "recent": 1.0, "trend": np.log(2 / 3)}, "mgc"),
        ({"value": 77.0, "was": "mgc", "recent": 0.0, "trend": np.log(1 / 2)}, "maintain"),
        ({"value": 50.0, "cost": 50.0, "was": "maintain", "recent": 0.0}, "below_zero"),
        ({"value": 51.0, "cost": 50.0, "was": "maintain", "recent": 0.0}, "maintain"),
        ({"value": 500.0, "cost": 500.0, "was": "mvc"}, "below_zero"),  # before everything else
        ({"value": 54.0, "cost": 50.0, "was": "below_zero", "recent": 0.0}, "below_zero"),
        ({"value": 56.0, "cost": 50.0, "was": "below_zero", "recent": 0.0}, "maintain"),
    ],
)
def test_a_tier_is_not_left_by_a_hairs_breadth(given, expected):
    assert tier(**given) == expected


def test_each_has_his_own_cost_and_who_has_none_known_is_not_below_zero():
    rows = pd.DataFrame(
        {"age": [60.0] * 3, "purchase_trend_90d": -1.0, "purchase_days_recent_90d": 1.0}
    )
    cost = np.array([9.0, 11.0, np.nan])
    assert assign(np.array([10.0, 10.0, 0.0]), rows, CUTS, cost).tolist() == [
        "maintain", "below_zero", "maintain",
    ]  # fmt: skip


def test_who_has_a_cut_of_his_own_is_most_valuable_from_it_on():
    rows = pd.DataFrame(
        {"age": [60.0] * 3, "purchase_trend_90d": -1.0, "purchase_days_recent_90d": 1.0}
    )
    own = np.array([500.0, 620.0, 600.0])
    found = assign(np.full(3, 600.0), rows, CUTS, None, most_valuable=own)
    assert found.tolist() == ["mvc", "maintain", "mvc"]


def test_the_cuts_keep_what_costs_are_taken_from():
    value, contacts = pd.Series([30.0, 10.0, 20.0]), np.array([3.0, 1.0, np.nan])
    cuts = TierCuts.of(value, pd.Series([5.0] * 3), contacts)
    assert (cuts.values, cuts.contacts) == ((10.0, 20.0, 30.0), (1.0, None, 3.0))
    assert TierCuts.of(value, pd.Series([5.0] * 3)).contacts == (None, None, None)
    assert TierCuts.from_dict(json.loads(json.dumps(cuts.to_dict()))) == cuts


def test_of_many_customers_some_are_kept_evenly():
    value = pd.Series(np.arange(5_000.0))
    kept = TierCuts.of(value, value).values
    assert (len(kept), kept[0], kept[-1]) == (1_000, 0.0, 4_999.0)
    assert np.diff(kept).max() <= 6.0


def test_the_cut_of_growth_is_three_quarters_of_what_is_possible():
    assert growable(pd.DataFrame({"age": [60.0, 366.0]}), CUTS).tolist() == [75.0, 300.0]


def test_the_most_valuable_together_bring_four_fifths():
    value = pd.Series([5.0, 50.0, 15.0, 30.0])
    cuts = TierCuts.of(value, pd.Series([10.0] * 4))
    assert cuts.most_valuable == 30.0  # 50 and 30 of 100


def test_possible_is_the_best_fifth_of_a_tenure_band_or_of_all_where_it_is_empty():
    value = pd.Series([0.0, 10, 20, 30, 40, 50, 100.0, 200.0])
    age = pd.Series([90.0] * 6 + [400.0] * 2)
    possible = TierCuts.of(value, age).possible
    assert possible == pytest.approx((40.0, value.quantile(0.8), 180.0))


def test_nobody_is_most_valuable_where_nothing_is_worth_anything():
    assert TierCuts.of(pd.Series([0.0, 0.0]), pd.Series([5.0, 5.0])).most_valuable == float("inf")


def test_where_nothing_is_possible_nobody_is_growable():
    rows = pd.DataFrame({"age": [60.0], "purchase_trend_90d": 0.0, "purchase_days_recent_90d": 1.0})
    nothing = TierCuts(float("inf"), (0.0, 0.0, 0.0))
    assert assign(pd.Series([0.0]), rows, nothing, None).tolist() == ["maintain"]


def test_stored_cuts_are_used_as_they_are():
    again = TierCuts.from_dict(json.loads(json.dumps(CUTS.to_dict())))
    assert again == CUTS
    rows = pd.DataFrame(
        {"age": [60.0] * 3, "purchase_trend_90d": -1.0, "purchase_days_recent_90d": 1.0}
    )
    # All are poor beside the reference: cuts fitted on them would call the first the best.
    assert assign(pd.Series([90.0, 5.0, 5.0]), rows, again, None).tolist() == ["maintain"] * 3
