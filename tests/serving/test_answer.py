"""Feature rows in, the nested answer of an application out."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from serving.answer import Call, answer
from serving.answer_schema import Answer
from serving.loyalty import TRIGGERS
from serving.policy import Policy
from tests.serving.stub_models import AS_OF, FACTORS, ROW, models, rows
from training.tasks import CHURN_TYPES

POLICY = Policy(discount_rate=0.0)
CALL = Call(POLICY, now=AS_OF + timedelta(hours=5))


def one(change=None, call=CALL, given=None, as_of=AS_OF):
    (found,) = answer(rows(change or {}, as_of=as_of), given or models(), call)
    return found


def test_an_active_customer_is_answered_in_full():
    found = one({"count_complaint_90d": 1.0, "days_since_complaint": 12.0})
    unavailable = found.pop("unavailable")
    assert {"field": "tier.below_zero", "needs": "cost_to_serve"} in unavailable
    assert found == {
        "customer_id": "C0",
        "as_of": "2025-06-30",
        "status": "scored",
        "left_for": None,
        "churn": {
            "probability": 0.4,
            "low": pytest.approx(0.32),
            "high": pytest.approx(0.49),
            "percentile": 40.0,
            "percentile_in_stage": 80.0,
            "band": "medium",
            # There with 0.6, of whom sqrt(500 / 590) stay; all that is known is the rhythm.
            "leaving_probability": pytest.approx(0.6 * (1 - math.sqrt(500 / 590))),
            "horizon_days": 90,
            "definition": "churn-90d@1",
            "types": [
                {"type": "competitive", "p": 0.2},
                {"type": "fault", "p": pytest.approx(0.16)},
                {"type": "natural", "p": pytest.approx(0.04)},
                {"type": "non_malicious", "p": "unavailable"},
                {"type": "retaliatory", "p": "unavailable"},
                {"type": "malicious", "p": "unavailable"},
            ],
            "cause": "competitive",
            "cause_source": "model",
            "cause_confidence": 0.5,
            "fault_evidence": None,
            "competitive_over": "service",
            "evidence": ["a complaint on 2025-06-18"],
            "lever": "counter_offer",
            "retain_advised": True,
        },
        "clv": {
            "historical": 250.0,
            "historical_present": 250.0,  # at no rate the money of the past is what it was
            "future": 120.0,
            "future_low": 0.0,
            "future_high": 300.0,
            "future_if_retained": 200.0,
            "total": 370.0,
            "now": 200.0,
            "quadrant": "high_low",
            "horizon_days": 365,
            "value_basis": "revenue",
            "currency": None,
        },
        "abc": "A",
        "rfm": {
            "recency": 4.0,
            "frequency": 3.0,
            "monetary": 3.0,
            "score": 10.0,
            "code": "general_value",
        },
        "purchase_probability": 0.6,
        "expected_orders": 3.0,
        "expected_value": 120.0,
        "expected_value_median": 100.0,
        "expected_value_low": 0.0,
        "expected_value_high": 300.0,
        "tier": {
            "code": "maintain",
            "previous": None,
            "policy": "policy@3",
            "cuts": {
                "basis": "clv",
                "mvc": 500.0,
                "mgc": 112.5,
                "below_zero": None,
                "policy": "policy@3",
            },
            "reason": "forecast 120 < cut 500",
            "below_zero": "unavailable",
            "next": {"mvc": 0.25, "mgc": 0.25, "maintain": 0.25, "below_zero": 0.25},
        },
        "stage": "maturity",
        "relationship": {
            "stage_next": {
                "acquisition": 0.0,
                "growth": 0.1,
                "maturity": 0.6,
                "decline": 0.3,
                "termination": 0.0,
            },
            "lifetime_days": 400.0,
            # 0.6 alive; the area of sqrt(500 / (500 + u)) over five years
            "remaining_days": pytest.approx(0.6 * 2 * (math.sqrt(500 * 2326) - 500)),
            "ladder": "client",
            "loyalty": None,
            "loyalty_type": None,
            "loyalty_scores": dict.fromkeys(TRIGGERS),
            "breaks_when": None,
        },
        "marketing_mode": None,
        "days_past_due": None,
        "expected_loss": 80.0,
        "save_rate": 0.1,
        "max_spend": 8.0,
        "saveable_loss": pytest.approx((1 / math.sqrt(500 / 590) - 1) * 120),
        "factors": [factor._asdict() for factor in FACTORS],
        "features": {"age_hours": 5.0, "stale": [], "missing": []},
        "what_if": [],
        "model": {
            "churn": "churn@12",
            "clv": "clv@7",
            "churn_type": "churn_type@1",
            "tier": "tier@3",
            "alias": "champion",
        },
        "policy": "policy@3",
        "request_id": "r1",
    }


@pytest.mark.parametrize("change", [{}, {"recency": 300.0}, {"purchase_days_total": 0.0}])
def test_every_answer_has_the_keys_of_its_schema(change):
    assert set(one(change)) == set(Answer.__annotations__)


def test_a_long_silent_customer_has_a_value_but_no_risk_to_leave_again():
    found = one({"recency": 181.0})
    assert found["status"] == "not_active"
    assert found["churn"] is None
    assert found["clv"]["future"] == 120.0
    assert found["purchase_probability"] == 0.6


def test_who_never_bought_is_a_prospect_without_a_score():
    found = one({"purchase_days_total": 0.0, "recency": None, "age": None})
    assert found["status"] == "prospect"
    assert (found["churn"], found["clv"], found["tier"]) == (None,) * 3
    assert found["stage"] == "acquisition"
    assert found["features"] == {"age_hours": 5.0, "stale": [], "missing": []}


def test_an_unknown_customer_is_named_and_nothing_is_said_of_him():
    found = one(dict.fromkeys(ROW), as_of=None)
    assert found["customer_id"] == "C0"
    assert found["status"] == "unknown"
    assert found["as_of"] is None
    assert found["features"] == {"age_hours": None, "stale": [], "missing": []}


def test_features_older_than_the_policy_allows_give_no_score_but_their_age():
    found = one(call=replace(CALL, now=AS_OF + timedelta(days=7, hours=1)))
    assert found["status"] == "stale_features"
    assert found["clv"] is None
    assert found["features"]["age_hours"] == 169.0
    assert found["features"]["stale"] == ["purchase_days_total", "recency", "age", "spend_total"]


def test_features_of_exactly_the_age_allowed_are_scored():
    assert one(call=replace(CALL, now=AS_OF + timedelta(days=7)))["status"] == "scored"


def test_whether_a_stale_row_is_a_prospect_is_not_known():
    call = replace(CALL, now=AS_OF + timedelta(days=30))
    assert one({"purchase_days_total": 0.0}, call)["status"] == "stale_features"


def test_a_row_stored_under_former_features_is_stale_however_young():
    assert one({"purchase_days_total": None, "recency": None})["status"] == "stale_features"


def test_a_caller_who_chose_the_moment_is_not_told_that_it_is_old():
    call = replace(CALL, now=AS_OF + timedelta(days=30), refuses_stale=False)
    assert one(call=call)["status"] == "scored"
    assert one(call=call)["features"]["age_hours"] == 720.0


def test_a_moment_within_a_day_is_written_with_its_time():
    moment = AS_OF.replace(hour=12, minute=0, second=0, microsecond=0)
    assert one(as_of=moment)["as_of"] == "2025-06-30T12:00:00"


def test_missing_names_what_models_read_and_nobody_knows():
    found = one({"survey_mean": None, "profile_plan": None, "days_since_complaint": None})
    assert found["features"]["missing"] == ["survey_mean", "profile_plan"]


def test_without_a_test_a_probability_has_no_interval():
    given = models()
    given.reference = replace(given.reference, reliability=None)
    churn = one(given=given)["churn"]
    assert (churn["probability"], churn["low"], churn["high"]) == (0.4, None, None)


def test_the_interval_is_discounted_like_the_value():
    call = replace(CALL, policy=Policy(discount_rate=0.10))
    value = one(call=call)["clv"]
    assert value["future_high"] / value["future"] == pytest.approx(300.0 / 120.0)
    assert value["future_high"] < 300.0


@pytest.mark.parametrize(
    ("change", "policy", "basis"),
    [
        ({}, POLICY, "revenue"),
        ({}, replace(POLICY, margin_rate=0.4), "margin"),
        ({"margin_total": 90.0}, POLICY, "revenue"),
    ],
)
def test_value_is_called_margin_only_when_margins_are_in_it(change, policy, basis):
    assert one(change, replace(CALL, policy=policy))["clv"]["value_basis"] == basis


def test_retaining_is_not_advised_against_likely_malice():
    found = one(given=models(shares={"fault": 0.2, "malicious": 0.8}))
    assert found["churn"]["types"][0] == {"type": "malicious", "p": pytest.approx(0.32)}
    assert found["churn"]["retain_advised"] is False


def test_who_has_told_that_he_leaves_is_named_with_his_cause_and_has_no_risk():
    closures = {f"days_since_closure_{cause}": np.nan for cause in CHURN_TYPES}
    found = one({**closures, "days_since_closure_competitive": 5.0})
    assert (found["status"], found["left_for"]) == ("already_churned", "competitive")
    assert found["churn"] is None
    assert found["clv"]["future"] == 120.0


def test_a_known_cost_is_in_the_bounds_in_the_cuts_and_in_the_tier():
    policy = replace(POLICY, cost_to_serve=70.0, margin_rate=0.5, currency="CNY")
    found = one(call=replace(CALL, policy=policy))
    value = found["clv"]
    assert [value[name] for name in ("future_low", "future", "future_high")] == [-70, -10, 80]
    assert value["currency"] == "CNY"
    assert found["tier"]["code"] == "below_zero"
    assert found["tier"]["below_zero"] == "watch"
    assert found["tier"]["cuts"]["below_zero"] == 140.0  # of money, half of which is margin


def test_a_tier_that_nobody_can_reach_has_no_cut():
    given = models()
    cuts = replace(given.reference.tier_cuts, most_valuable=float("inf"))
    given.reference = replace(given.reference, tier_cuts=cuts)
    assert one(given=given)["tier"]["cuts"]["mvc"] is None


def test_what_was_not_given_is_null_and_not_nothing():
    found = one({"spend_365d": None, "purchase_days_recent_365d": None})
    assert (found["abc"], found["rfm"]) == (None, None)
    assert (found["clv"]["now"], found["clv"]["quadrant"]) == (None, None)


def test_answers_keep_the_order_of_the_rows_whatever_their_status():
    changes = [{"recency": 300.0}, {"purchase_days_total": 0.0}, {}]
    found = answer(rows(*changes), models(), CALL)
    assert [(a["customer_id"], a["status"]) for a in found] == [
        ("C0", "not_active"),
        ("C1", "prospect"),
        ("C2", "scored"),
    ]


def test_nobody_asked_for_is_nobody_answered():
    assert answer(rows({})[:0], models(), CALL) == []
