"""Given what a business has, the fields that stay blank and the data that would fill them."""

import numpy as np
import pandas as pd
import pytest

from features.columns import Columns
from serving import abstention, loyalty
from serving.abstention import NEEDS, UNKNOWN, Known
from serving.marketing import marketing_mode
from training.business_facts import KINDS, BusinessFacts

NOTHING = Known(BusinessFacts())
STATED = ("cost_to_serve", "currency", "history", "house_rate", "retention_cost")
ALL = Known(BusinessFacts(tuple(KINDS), 5.0, 0.5), frozenset(STATED))
# Two regular customers and a rare one; the first has answered a survey and referred somebody.
ROWS = pd.DataFrame(
    {
        "purchase_days_total": [5.0, 5.0, 1.0],
        "gap_variation": [0.5, 0.5, np.nan],
        "survey_mean_recent_365d": [4.0, np.nan, np.nan],
        "referrals": [1.0, 0.0, 0.0],
        "need_distance": [0.2, np.nan, 0.9],
    }
)


@pytest.mark.parametrize("unknown", UNKNOWN, ids=lambda unknown: f"{unknown.field}-{unknown.needs}")
def test_every_blank_names_data_that_would_fill_it(unknown):
    assert unknown.needs in NEEDS
    assert unknown.is_known(ROWS, ALL)[0]
    assert not unknown.is_known(ROWS.assign(referrals=0.0), NOTHING)[:2].any()


def test_every_kind_of_data_that_is_looked_for_is_one_that_is_spoken_of():
    assert set(KINDS) <= set(NEEDS)


def test_of_a_business_that_gives_all_only_what_a_customer_lacks_is_blank():
    first, second, third = abstention.unavailable(ROWS, ALL)
    surveyed = [{"field": f"loyalty_type.{name}", "needs": "surveys"}
                for name in ("monopoly", "inertia", "super_value")]  # fmt: skip
    assert first == []
    assert second == [
        {"field": "ladder.advocate", "needs": "surveys"}, {"field": "loyalty", "needs": "surveys"},
        *surveyed, {"field": "marketing_mode", "needs": "categories"},
    ]  # fmt: skip
    # Who buys too seldom to be a client needs no survey for his rung.
    assert third == [{"field": "loyalty", "needs": "surveys"}, *surveyed]


def test_of_a_business_that_gives_transactions_alone_the_blanks_say_what_to_bring():
    (blanks,) = abstention.unavailable(ROWS[["purchase_days_total", "gap_variation"]][:1], NOTHING)
    needs = {}
    for blank in blanks:
        needs.setdefault(blank["field"], []).append(blank["needs"])
    assert needs == {
        "churn.types.non_malicious": ["payments"], "churn.types.retaliatory": ["payments"],
        "churn.types.malicious": ["payments"], "churn.cause": ["reasons"],
        "churn.low": ["history"], "clv.margin": ["margin"], "clv.currency": ["currency"],
        "clv.historical_present": ["house_rate"], "clv.retention_cost": ["retention_cost"],
        "tier.below_zero": ["cost_to_serve"], "ladder.advocate": ["surveys", "referrals"],
        "ladder.partner": ["referrals"], "loyalty": ["surveys"],
        "loyalty_type.monopoly": ["alternatives", "surveys"], "loyalty_type.inertia": ["surveys"],
        "loyalty_type.convenience": ["channels"], "loyalty_type.price": ["discounts"],
        "loyalty_type.incentive": ["discounts", "contacts"],
        "loyalty_type.super_value": ["surveys", "discounts", "referrals"],
        "marketing_mode": ["categories"], "uplift": ["campaigns"],
    }  # fmt: skip


def test_a_class_is_blank_exactly_where_it_says_so():
    attitude = ALL.facts.attitude(ROWS)
    said = [{blank["field"] for blank in blanks} for blanks in abstention.unavailable(ROWS, ALL)]
    classes = loyalty.loyalty(ROWS, attitude)
    modes = marketing_mode(ROWS, np.full(3, "mvc", dtype=object), ALL.facts)
    assert [value is None for value in classes] == ["loyalty" in fields for fields in said]
    assert [value is None for value in modes] == ["marketing_mode" in fields for fields in said]


def test_one_row_is_as_many_in_any_order_and_as_arrays():
    order = [2, 0, 1]
    whole = abstention.unavailable(ROWS, ALL)
    shuffled = abstention.unavailable(Columns.of(ROWS.iloc[order]), ALL)
    singles = [abstention.unavailable(ROWS.iloc[[k]], ALL)[0] for k in order]
    assert shuffled == singles == [whole[k] for k in order]


def test_the_summary_has_the_most_often_blank_first():
    found = abstention.summary(ROWS, ALL)
    assert [(blank["field"], round(blank["share"] * 3)) for blank in found] == [
        ("loyalty", 2), ("loyalty_type.monopoly", 2), ("loyalty_type.inertia", 2),
        ("loyalty_type.super_value", 2), ("ladder.advocate", 1), ("marketing_mode", 1),
    ]  # fmt: skip
    assert abstention.summary(ROWS[:0], ALL) == []
