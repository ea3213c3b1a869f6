"""Given the risk by cause and what is known of a customer, what to do, and the dated signs."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from features.columns import Columns
from serving import levers
from serving.levers import BY_CAUSE, LEVERS, LeverRule
from training.models.churn_type import SIGNS
from training.tasks import CHURN_TYPES

CALM = {
    "returned_share_365d": 0.0, "first_response_mean_recent_90d": np.nan, "open_complaints": 0.0,
    "count_price_check_90d": 0.0,
}  # fmt: skip


def types(**chances):
    return [[chances.get(cause, 0.0) for cause in CHURN_TYPES]]


@pytest.mark.parametrize(
    ("chances", "expected"),
    [
        (types(natural=0.1, fault=0.2), "fault"),
        (types(natural=0.2, fault=0.2), "natural"),  # of equals the first
        (types(competitive=0.1, malicious=np.nan), "competitive"),
        (types(), None),
        ([[np.nan] * 6], None),  # not active: no risk
    ],
)
def test_the_cause_is_the_likeliest(chances, expected):
    assert levers.cause(np.array(chances)).tolist() == [expected]


def test_each_cause_has_its_lever():
    chances = np.eye(len(CHURN_TYPES)) * 0.3
    rows = pd.DataFrame([CALM] * len(CHURN_TYPES))
    advised = np.array(CHURN_TYPES) != "malicious"
    found = levers.lever(chances, np.full(6, "mvc", dtype=object), advised, np.full(6, 9.0), rows)
    assert found.tolist() == [
        "let_go", "counter_offer", "repair", "remind", "complaint_desk", "let_go",
    ]  # fmt: skip
    assert set(BY_CAUSE) == set(CHURN_TYPES)


FAULT, RIVAL = types(fault=0.3), types(competitive=0.3)
EXAMPLES = [
    (FAULT, {}, "mvc", True, 9.0, "monopoly", "repair"),
    (FAULT, {"returned_share_365d": 0.2}, "mvc", True, 9.0, None, "quality"),
    (FAULT, {"returned_share_365d": 0.19}, "mvc", True, 9.0, None, "repair"),
    (FAULT, {"open_complaints": 1.0, "returned_share_365d": 0.5}, "mvc", True, 9.0, None,
     "service"),
    (FAULT, {"first_response_mean_recent_90d": 25.0}, "mvc", True, 9.0, None, "service"),
    (FAULT, {"first_response_mean_recent_90d": 24.0}, "mvc", True, 9.0, None, "repair"),
    (FAULT, {}, "mvc", True, 9.0, "price", "price"),
    (FAULT, {}, "mvc", True, 0.0, "price", "repair"),  # a price would not pay
    (FAULT, {"open_complaints": 1.0}, "mvc", True, 9.0, "price", "service"),  # no bribe for a fault
    (RIVAL, {}, "maintain", True, 9.0, None, "counter_offer"),
    (RIVAL, {"count_price_check_90d": 1.0}, "maintain", True, 9.0, None, "price"),
    (RIVAL, {"count_price_check_90d": 1.0}, "maintain", True, 0.0, None, "counter_offer"),
    (RIVAL, {}, "maintain", True, 9.0, "price", "price"),
    (types(non_malicious=0.3), {"open_complaints": 1.0}, "mvc", True, 9.0, "price", "remind"),
    (RIVAL, {}, "below_zero", False, 9.0, "price", "let_go"),
    (FAULT, {}, "below_zero", True, 9.0, None, "let_go"),  # whatever was advised
    (FAULT, {}, "mvc", False, 9.0, None, "let_go"),
    ([[np.nan] * 6], {"open_complaints": 1.0}, "mvc", True, 0.0, "price", "none"),
    ([[np.nan] * 6], {}, "below_zero", False, 0.0, None, "none"),
]  # fmt: skip


def together(which):
    """The arguments of `lever` for some examples at once."""
    chances, given, tier, advised, spend, loyalty, _ = zip(*(EXAMPLES[k] for k in which),
                                                           strict=True)  # fmt: skip
    rows = pd.DataFrame([{**CALM, **each} for each in given])
    return (np.concatenate([np.array(c, dtype=float) for c in chances]),
            np.array(tier, dtype=object), np.array(advised), np.array(spend), rows,
            np.array(loyalty, dtype=object))  # fmt: skip


def test_what_is_known_of_the_customer_sharpens_the_lever():
    found = levers.lever(*together(range(len(EXAMPLES))))
    assert found.tolist() == [expected for *_, expected in EXAMPLES]


def test_one_row_is_as_many_in_any_order_and_as_arrays():
    order = np.random.default_rng(4).permutation(len(EXAMPLES))
    chances, tier, advised, spend, rows, loyalty = together(order)
    shuffled = levers.lever(chances, tier, advised, spend, Columns.of(rows), loyalty)
    singles = [levers.lever(*together([k]))[0] for k in order]
    assert shuffled.tolist() == singles == [EXAMPLES[k][-1] for k in order]


def test_a_price_must_bring_more_than_a_contact_costs():
    arguments, rule = together([10]), LeverRule(contact_cost=9.0)
    assert levers.lever(*arguments, rule=rule).tolist() == ["counter_offer"]


def test_every_lever_that_can_be_said_is_listed_in_words():
    codes = [each.code for each in LEVERS]
    assert {expected for *_, expected in EXAMPLES} | set(BY_CAUSE.values()) == set(codes)
    assert len(codes) == len(set(codes))


def test_without_interactions_causes_have_their_plain_levers():
    rows = pd.DataFrame({"spend_total": [1.0]})
    found = levers.lever(np.array(FAULT), np.array(["mvc"]), np.array([True]), [9.0], rows)
    assert found.tolist() == ["repair"]


QUIET = {
    "as_of": datetime(2025, 3, 31, 23, 59, 59, 999999), "open_complaints": 0.0,
    "payments_failed_unrecovered": 0.0, "count_fraud_flag_365d": 0.0,
    "count_payment_failed_90d": 0.0, "count_chargeback_90d": 0.0, "count_life_event_90d": 0.0,
    "count_competitor_mention_90d": 0.0, "count_price_check_90d": 0.0, "count_complaint_90d": 0.0,
    **{name: np.nan for sign in SIGNS for name in sign.days},
}  # fmt: skip


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"count_complaint_90d": 1.0, "days_since_complaint": 11.0},
         ["a complaint on 2025-03-20"]),
        ({"days_since_complaint": 400.0}, []),  # too long ago to be a sign
        ({"count_competitor_mention_90d": 1.0, "days_since_competitor_mention": 40.0,
          "count_price_check_90d": 2.0, "days_since_price_check": 0.0},
         ["a look at prices or a competitor's name on 2025-03-31"]),
        # A newer failure was recovered; the one past due is the sign.
        ({"payments_failed_unrecovered": 1.0, "days_past_due": 31.0,
          "days_since_payment_failed": 3.0},
         ["a failed payment without a complaint on 2025-02-28"]),
        ({"complaints_at_refusal": 1.0, "count_chargeback_90d": 1.0, "days_since_chargeback": 1.0,
          "count_complaint_90d": 1.0, "days_since_complaint": 20.0},
         ["an unresolved complaint, then a payment refused on 2025-03-30",
          "a complaint on 2025-03-11"]),
        ({"count_fraud_flag_365d": 1.0}, ["a fraud sign"]),  # its day was not given
        ({"fraud_chargebacks_365d": 1.0, "ever_paid": 0.0, "payments_fell_due": 1.0},
         ["a payment charged back for fraud", "payments fell due, and none was ever paid"]),
        ({"survey_lowest_at_refusal": 0.2, "payments_failed_unrecovered": 1.0,
          "days_since_payment_failed": 5.0},
         ["a bad answer to a survey, then a payment refused on 2025-03-26"]),
    ],
)  # fmt: skip
def test_signs_have_the_day_of_their_newest_event(given, expected):
    assert levers.evidence(pd.DataFrame([{**QUIET, **given}])) == [expected]


def test_each_row_has_its_own_moment_and_signs():
    rows = pd.DataFrame([QUIET, QUIET, QUIET]).assign(
        as_of=pd.to_datetime(["2025-03-31", "2025-01-01", "2025-01-01"]).as_unit("us"),
        count_life_event_90d=[1.0, 1.0, 0.0],
        days_since_life_event=[1.0, 1.0, 1.0],
    )
    expected = [["a life event on 2025-03-30"], ["a life event on 2024-12-31"], []]
    assert levers.evidence(rows) == levers.evidence(Columns.of(rows)) == expected
    dates = levers.evidence_dates(rows)
    assert tuple(dates) == CHURN_TYPES
    assert np.isnat(dates["natural"]).tolist() == [False, False, True]


def test_without_interactions_there_is_no_evidence():
    rows = pd.DataFrame({"as_of": [datetime(2025, 3, 31)], "spend_total": [1.0]})
    assert levers.evidence(rows) == [[]]
