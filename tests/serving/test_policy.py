"""The business rules by example."""

import json
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from features.errors import UserError
from serving.policy import POLICY, Policy
from training.tasks import CHURN_TYPES
from training.value_tiers import TierCuts

CUTS = TierCuts(most_valuable=500.0, possible=(100.0, 100.0, 100.0))


def test_the_label_names_version():
    assert replace(POLICY, version=3).label == "policy@3"


@pytest.mark.parametrize(
    ("churn", "expected"),
    [(0.0, "low"), (0.3299, "low"), (0.33, "medium"), (0.6599, "medium"), (0.66, "high"),
     (1.0, "high")],
)  # fmt: skip
def test_a_band_begins_at_its_edge(churn, expected):
    assert POLICY.band(pd.Series([churn])).tolist() == [expected]


def test_without_a_risk_there_is_no_band():
    assert POLICY.band(pd.Series([np.nan, 0.5])).isna().tolist() == [True, False]


def test_money_of_a_month_is_discounted_by_one_month():
    value = POLICY.present_value(pd.Series([100.0]), 30)
    assert value[0] == pytest.approx(100 / 1.10 ** (1 / 12))


def test_money_of_a_year_comes_evenly_month_by_month():
    policy = Policy(margin_rate=0.5, discount_rate=0.10)
    expected = 0.5 * sum(100.0 / 1.10 ** (month / 12) for month in range(1, 13))
    assert policy.present_value(pd.Series([1200.0]), 365)[0] == pytest.approx(expected)


def test_without_discount_the_present_value_is_the_margin():
    policy = Policy(margin_rate=0.3, discount_rate=0.0)
    assert policy.present_value(pd.Series([1000.0]), 365)[0] == pytest.approx(300.0)


def test_if_retained_divides_by_the_chance_to_stay_but_not_by_next_to_nothing():
    found = POLICY.if_retained(pd.Series([60.0, 60.0, 60.0]), pd.Series([0.6, 0.05, 0.001]))
    assert found.tolist() == pytest.approx([100.0, 1200.0, 1200.0])


def tier_rows(count):
    return pd.DataFrame(
        {
            "age": [200.0] * count,
            "purchase_trend_90d": 0.0,
            "purchase_days_recent_90d": 1.0,
        }
    )


def test_nobody_is_below_zero_while_the_cost_to_serve_is_not_known():
    value = pd.Series([600.0, 10.0, 90.0, 0.0])
    assert POLICY.tier(value, tier_rows(4), CUTS).tolist() == ["mvc", "mgc", "maintain", "mgc"]


def test_below_zero_is_margin_that_does_not_cover_the_cost():
    value = pd.Series([600.0, 10.0, 90.0, 91.0])
    policy = Policy(cost_to_serve=9.0, margin_rate=0.1)
    assert policy.tier(value, tier_rows(4), CUTS).tolist() == [
        "mvc", "below_zero", "below_zero", "maintain",
    ]  # fmt: skip


def test_the_reason_names_the_figures_that_decided():
    value = pd.Series([1600.0, 120.0, 700.0], index=[7, 3, 5])
    tier = pd.Series(["mvc", "maintain", "below_zero"], value.index)
    policy = Policy(cost_to_serve=90.0, margin_rate=0.1)
    assert policy.tier_reason(value, tier, CUTS).to_dict() == {
        7: "forecast 1,600 >= cut 500",
        3: "forecast 120 < cut 500",
        5: "margin 70 <= cost to serve 90",
    }


def test_the_reason_says_that_a_tier_was_kept():
    value, tier = (
        np.array([460.0, 77.0, 52.0]),
        np.array(["mvc", "mgc", "below_zero"], dtype=object),
    )
    plain = np.array(["maintain", "maintain", "maintain"], dtype=object)
    cost, growth = np.array([0.0, 0.0, 50.0]), np.array([75.0, 75.0, 75.0])
    assert POLICY.tier_reason(value, tier, CUTS, cost, plain, growth).tolist() == [
        "forecast 460 < cut 500; kept: within 10 % of the cut",
        "forecast 77 > growth cut 75; kept: within 10 % of the cut",
        "margin 52 > cost to serve 50; kept: within 10 % of the cut",
    ]


def test_who_is_growable_is_told_the_cut_of_growth():
    one = POLICY.tier_reason(np.array([70.0]), np.array(["mgc"]), CUTS, growth=np.array([75.0]))
    assert one.tolist() == ["forecast 70 <= growth cut 75"]


def test_who_stays_growable_with_a_day_fewer_is_told_so():
    one = POLICY.tier_reason(np.array([70.0]), np.array(["mgc"]), CUTS, None,
                             np.array(["maintain"]), np.array([75.0]))  # fmt: skip
    assert one.tolist() == ["forecast 70 <= growth cut 75; kept: at most one purchase day fewer"]


# Five customers bring 100; net of 5 a contact and half of it margin: 15, 5, 5, -5, 0.
FIVE = TierCuts(30.0, (0.0,) * 3, (50.0, 30.0, 10.0, 10.0, 0.0), (2.0, 2.0, 0.0, 2.0, 0.0))


@pytest.mark.parametrize(
    ("policy", "cost", "expected"),
    [
        (Policy(), [np.nan, np.nan], [30.0, 30.0]),  # no cost known: the stored cut
        # Margins 25, 15, 5, 5, 0 less 10 of each: 15 and 5 are all there is.
        (Policy(cost_to_serve=10.0, margin_rate=0.5), [10.0, 10.0], [30.0, 30.0]),
        # Less 20: only the first brings anything, and 5 more than his cost.
        (Policy(cost_to_serve=20.0, margin_rate=0.5), [20.0, 20.0], [50.0, 50.0]),
        # The least net of 15, 5 and 5 is 5, and each has his own cost to bring beside it.
        (Policy(cost_per_contact=5.0, margin_rate=0.5), [10.0, 0.0], [30.0, 10.0]),
        (Policy(cost_per_contact=5.0, margin_rate=0.5), [10.0, np.nan], [30.0, 30.0]),
        (Policy(cost_to_serve=99.0), [99.0, 99.0], [np.inf, np.inf]),  # nobody brings anything
    ],
)
def test_the_cut_of_the_most_valuable_is_of_what_is_left_after_cost(policy, cost, expected):
    assert policy.most_valuable(FIVE, np.array(cost), 365).tolist() == expected


def test_of_models_made_before_the_stored_cut_is_taken_as_margin():
    policy = Policy(cost_to_serve=10.0, margin_rate=0.5)
    assert policy.most_valuable(CUTS, np.array([10.0]), 365).tolist() == [520.0]


PAST = pd.DataFrame({"spend_total": [100.0], "spend_compounded_10pct": [110.0]})


@pytest.mark.parametrize(
    ("rate", "expected", "is_stated"),
    [(0.10, 55.0, True), (0.0, 50.0, True), (0.08, None, False)],
)
def test_past_money_is_compounded_at_the_rate_of_the_house_or_not_at_all(rate, expected, is_stated):
    policy = Policy(discount_rate=rate, margin_rate=0.5)
    found = policy.historical_present(PAST)[0]
    assert (None if np.isnan(found) else found) == expected
    assert ("house_rate" in policy.stated) == is_stated


def test_an_attempt_to_keep_somebody_is_expected_with_his_churn_probability():
    churn = np.array([0.4, np.nan])
    assert Policy(retention_cost=10.0).expected_retention(churn).tolist() == [4.0, 0.0]
    assert Policy().expected_retention(churn).tolist() == [0.0, 0.0]
    assert "retention_cost" in Policy(retention_cost=0.0).stated


def test_tiers_follow_one_of_three_and_nothing_else():
    with pytest.raises(UserError, match="Tiers by 'age' were asked for, but they follow clv, abc"):
        Policy(tier_basis="age")


def test_the_policy_is_written_as_plain_values():
    assert json.loads(json.dumps(asdict(POLICY)))["tier_basis"] == "clv"


@pytest.mark.parametrize(
    ("policy", "contacts", "expected"),
    [
        (Policy(), 12.0, None),
        (Policy(cost_to_serve=20.0), 12.0, 20.0),
        (Policy(cost_per_contact=5.0), 12.0, 30.0),  # six contacts in half a year
        (Policy(cost_per_contact=5.0), 0.0, 0.0),
        (Policy(cost_per_contact=5.0), None, None),
        (Policy(cost_per_contact=5.0, cost_to_serve=20.0), 12.0, 30.0),  # his own before all's
        (Policy(cost_per_contact=5.0, cost_to_serve=20.0), None, 20.0),
    ],
)
def test_the_cost_to_serve_is_that_of_the_own_contacts(policy, contacts, expected):
    rows = pd.DataFrame({"contacts_365d": [contacts]}, dtype=float)
    found = policy.cost(rows, horizon_days=365 // 2 + 0.5)[0]
    assert (None if np.isnan(found) else found) == expected


def test_a_business_without_interactions_has_no_cost_by_contact():
    assert np.isnan(Policy(cost_per_contact=5.0).cost(pd.DataFrame({"age": [1.0]}), 365)).all()


def test_below_zero_is_certain_when_the_best_case_is_too():
    tier = np.array(["below_zero", "below_zero", "maintain"], dtype=object)
    high, cost = np.array([100.0, 101.0, 50.0]), np.array([50.0, 50.0, np.nan])
    found = Policy(margin_rate=0.5).below_zero_certainty(tier, high, cost)
    assert found.tolist() == ["certain", "watch", None]


def test_who_has_left_in_malice_is_not_to_be_won_back():
    nothing = pd.DataFrame([[np.nan] * 6] * 3)
    left_for = np.array(["malicious", "fault", None], dtype=object)
    found = POLICY.retain_advised(nothing, pd.Series(["mvc"] * 3), left_for)
    assert found.tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("types", "tier", "expected"),
    [
        ({"malicious": 0.3, "fault": 0.2}, "mvc", False),
        ({"malicious": 0.2, "fault": 0.3}, "mvc", True),
        ({"malicious": None, "fault": 0.3}, "maintain", True),
        ({"fault": 0.3}, "below_zero", False),
        ({}, "mvc", True),  # not active: no causes at all
    ],
)
def test_neither_the_malicious_nor_those_below_zero_are_retained(types, tier, expected):
    given = {f"type_{cause}": [types.get(cause)] for cause in CHURN_TYPES}
    frame = pd.DataFrame(given, dtype=float)
    assert POLICY.retain_advised(frame, pd.Series([tier])).tolist() == [expected]
