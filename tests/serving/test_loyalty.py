"""Given customers, their loyalty in deed and at heart, and what it rests on; by hand."""

import numpy as np
import pandas as pd
import pytest

from features.columns import Columns
from serving import abstention, loyalty
from serving.loyalty import CLASSES, TRIGGERS, TYPES, UNDETERMINED, LoyaltyRule
from training.business_facts import BusinessFacts

EVERYTHING = BusinessFacts(
    ("surveys", "discounts", "channels", "referrals", "contacts", "alternatives"), 5.0, 0.5
)
# Ten purchase days, as many of them in the last year as expected, of all kinds a little.
HABIT = {
    "purchase_days_total": 10.0, "behavioral_loyalty_365d": 1.0, "behavioral_loyalty_90d": 1.0,
    "gap_variation": 0.5, "categories_effective": 2.0, "products_effective": 4.0,
    "use_days_90d": 13.0, "count_email_open_90d": 0.0, "main_purchase_channel_share": 0.5,
    "weekday_share": 0.4, "discounted_share_365d": 0.5, "response_rate_365d": 0.5,
    "referrals": 0.0, "profile_alternatives": 5.0,
}  # fmt: skip


def customers(*changes):
    return pd.DataFrame([{**HABIT, **change} for change in changes])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, 1.0),
        ({"behavioral_loyalty_365d": 3.0}, 1.0),
        ({"behavioral_loyalty_365d": 0.4}, 0.4),
        ({"behavioral_loyalty_365d": np.nan, "behavioral_loyalty_90d": 0.3}, 0.3),
        ({"behavioral_loyalty_365d": np.nan, "behavioral_loyalty_90d": np.nan}, 1.0),
        ({"purchase_days_total": 2.0}, 0.0),  # no habit yet
    ],
)
def test_repeating_is_the_share_of_expected_purchases_that_were_made(given, expected):
    assert loyalty.repeat(customers(given)).tolist() == [expected]


LOYAL, LAPSING = {}, {"behavioral_loyalty_365d": 0.79}
BY_TWO = [
    (LOYAL, 0.9, "true"),
    (LAPSING, 0.9, "latent"),
    (LOYAL, 0.89, "spurious"),
    (LAPSING, 0.89, "none"),
    (LOYAL, np.nan, None),
    ({**LOYAL, "referrals": 1.0}, np.nan, "true"),  # who refers others is glad
    ({**LOYAL, "referrals": 1.0}, 0.2, "spurious"),  # but a survey knows better
]


def test_deed_and_heart_by_two():
    attitude = np.array([attitude for _, attitude, _ in BY_TWO])
    found = loyalty.loyalty(customers(*(given for given, *_ in BY_TWO)), attitude)
    assert found.tolist() == [expected for *_, expected in BY_TWO]
    assert set(found) - {None} == set(CLASSES)


# 0.75 is halfway between low (0.6) and high (0.9): neither for nor against.
SCORES = [
    ("monopoly", {"profile_alternatives": 1.0}, 0.6, 1.0),
    ("monopoly", {"profile_alternatives": 1.0}, 0.75, 0.5),
    ("monopoly", {"profile_alternatives": 2.0}, 0.6, 0.0),
    ("monopoly", {"profile_alternatives": np.nan}, 0.6, np.nan),
    ("inertia", {"categories_effective": 1.0, "use_days_90d": 0.0, "gap_variation": 0.1}, 0.75,
     0.9),
    ("inertia", {"categories_effective": 1.0, "use_days_90d": 0.0, "gap_variation": 0.1}, 0.6,
     0.0),
    ("inertia", {"use_days_90d": 0.0, "categories_effective": np.nan}, 0.75, 0.25),  # 4 products
    ("inertia", {"use_days_90d": 0.0, "count_email_open_90d": 6.5, "categories_effective": 1.0},
     0.75, 0.5),
    ("convenience", {"main_purchase_channel_share": 0.8}, np.nan, 1.0),
    ("convenience", {"main_purchase_channel_share": 0.65}, np.nan, 0.5),
    ("convenience", {"weekday_share": 0.8}, np.nan, 1.0),
    ("price", {"discounted_share_365d": 0.9, "response_rate_365d": np.nan}, np.nan, 0.9),
    ("price", {"discounted_share_365d": 0.9, "response_rate_365d": 0.75}, np.nan, 0.25),
    ("incentive", {"discounted_share_365d": 0.9, "response_rate_365d": 0.75}, np.nan, 0.75),
    ("incentive", {"response_rate_365d": np.nan}, np.nan, np.nan),
    ("super_value", {"categories_effective": 5.0, "referrals": 1.0, "discounted_share_365d": 0.1},
     0.9, 0.8),
    ("super_value", {"categories_effective": 5.0, "discounted_share_365d": 0.1}, 0.9, 0.0),
    ("super_value", {"categories_effective": 5.0, "referrals": 1.0, "discounted_share_365d": 0.1},
     0.75, 0.5),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "attitude", "expected"), SCORES)
def test_a_score_is_the_lowest_of_its_parts(name, given, attitude, expected):
    found = loyalty.scores(customers(given), np.array([attitude]), EVERYTHING)[name]
    assert found[0] == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_no_habit_has_a_type(kind):
    rows = customers({"purchase_days_total": 1.0})
    assert loyalty.scores(rows, np.array([0.75]), EVERYTHING)[kind.name].tolist() == [0.0]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_a_type_whose_data_are_missing_has_no_score(kind):
    assert set(kind.needs) <= set(abstention.NEEDS)
    assert TRIGGERS[kind.name]
    for code in kind.needs:
        facts = BusinessFacts(tuple(set(EVERYTHING.given) - {code}), 5.0, 0.5)
        found = loyalty.scores(customers({}), np.array([0.75]), facts)[kind.name]
        assert np.isnan(found).all()


DISCOUNTS = BusinessFacts(("discounts",))
TYPED = [
    # Scores 0, 0, 1, .5, .5, 0: exp(5 * (score - 1)) sums to 1.184, so the best has 0.84.
    ({"main_purchase_channel_share": 0.9}, EVERYTHING, 0.9, "convenience"),
    # Scores 0, 0, .5, .5, .5, 0 are three of a kind: each a share of 0.30.
    ({"main_purchase_channel_share": 0.65}, EVERYTHING, 0.9, UNDETERMINED),
    ({"discounted_share_365d": 0.9}, DISCOUNTS, np.nan, "price"),
    # The only score there is, and it denies its type.
    ({"discounted_share_365d": 0.1}, DISCOUNTS, np.nan, UNDETERMINED),
    ({}, BusinessFacts(), np.nan, None),
]


@pytest.mark.parametrize(("given", "facts", "attitude", "expected"), TYPED)
def test_the_type_is_the_clear_first_of_the_known_scores(given, facts, attitude, expected):
    rows = customers({"response_rate_365d": np.nan if facts is DISCOUNTS else 0.5, **given})
    assert loyalty.loyalty_type(rows, np.array([attitude]), facts).tolist() == [expected]


def test_a_score_a_quarter_above_five_equal_ones_is_named():
    sharp = LoyaltyRule().sharpness
    assert 1 / (1 + 5 * np.exp(-sharp * 0.25)) >= LoyaltyRule().least_share
    assert 1 / (1 + 5 * np.exp(-sharp * 0.20)) < LoyaltyRule().least_share


def test_one_row_is_as_many_in_any_order_and_as_arrays():
    rows = customers(*(given for _, given, *_ in SCORES))
    attitude = np.array([attitude for _, _, attitude, _ in SCORES])
    order = np.random.default_rng(2).permutation(len(rows))
    for found in (
        lambda rows, attitude: loyalty.loyalty_type(rows, attitude, EVERYTHING),
        loyalty.loyalty,
    ):
        whole = found(rows, attitude)
        shuffled = found(Columns.of(rows.iloc[order]), attitude[order])
        singles = [found(rows.iloc[[k]], attitude[[k]])[0] for k in order]
        assert shuffled.tolist() == singles == whole[order].tolist()


def test_without_interactions_the_heart_is_unknown_and_price_may_still_be_a_type():
    rows = customers({"discounted_share_365d": 1.0})[
        ["purchase_days_total", "behavioral_loyalty_365d", "behavioral_loyalty_90d",
         "gap_variation", "discounted_share_365d"]
    ]  # fmt: skip
    attitude = DISCOUNTS.attitude(rows)
    assert loyalty.loyalty(rows, attitude).tolist() == [None]
    assert loyalty.loyalty_type(rows, attitude, DISCOUNTS).tolist() == ["price"]
