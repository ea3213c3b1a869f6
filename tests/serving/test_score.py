"""Feature rows and models in, a table of scores out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from features.store import FeatureStore
from serving.policy import POLICY, Policy
from serving.score import COLUMNS, score
from tests.serving import stub_models
from tests.serving.conftest import AS_OF
from training import champion
from training.tasks import CHURN_TYPES, TIERS

TYPES = [f"type_{cause}" for cause in CHURN_TYPES]
PLAIN = Policy(discount_rate=0.0, margin_rate=0.5, save_rate=0.1)


@pytest.fixture(scope="module")
def models(trained_workspace):
    return champion.load(trained_workspace)


@pytest.fixture(scope="module")
def rows(trained_workspace):
    snapshot = FeatureStore(trained_workspace).snapshot(AS_OF)
    return snapshot[snapshot.purchase_days_total > 0].reset_index(drop=True)


@pytest.fixture(scope="module")
def scores(rows, models):
    return score(rows, models, POLICY)


def test_the_columns_are_exactly_these_in_this_order(scores, rows):
    assert tuple(scores.columns) == COLUMNS
    assert scores.customer_id.tolist() == rows.customer_id.tolist()
    assert scores.index.equals(rows.index)


def test_the_arithmetic_of_one_customer():
    # Stays with 0.6, is expected to bring 120; half of it is margin.
    one = score(stub_models.rows({}), stub_models.models(stays=0.6), PLAIN).iloc[0]
    assert (one.status, one.churn_band, one.tier) == ("scored", "medium", "maintain")
    assert one.churn_probability == pytest.approx(0.4)
    assert one.churn_percentile == 40
    assert one.purchase_probability == 0.6  # that of the churn question, not of the value model
    assert one.clv_historical == pytest.approx(125)  # half of 250
    assert one.clv_future == pytest.approx(60)
    assert one.clv_total == pytest.approx(185)
    assert one.clv_if_retained == pytest.approx(100)
    assert one.expected_loss == pytest.approx(40)
    assert one.max_spend == pytest.approx(4)
    # There with 0.6, and lasts 90 days with sqrt(500 / 590); both models say the same.
    lasting = np.sqrt(500 / 590)
    assert one.leaving_probability == pytest.approx(0.6 * (1 - lasting))
    assert one.saveable_loss == pytest.approx(0.6 * (1 - lasting) * 60 / (0.6 * lasting))
    assert one.type_competitive == pytest.approx(0.4 * 0.5)
    assert np.isnan(one.type_malicious)


def test_past_and_future_money_are_taken_at_the_same_rate_whatever_the_lines_say():
    given = stub_models.rows({"margin_total": 70.0}, {"spend_total": -20.0})
    assert score(given, stub_models.models(), PLAIN).clv_historical.tolist() == [125.0, -10.0]


def test_who_is_not_active_cannot_leave_again():
    given = stub_models.rows({"recency": 179.0}, {"recency": 180.0})
    found = score(given, stub_models.models(), PLAIN)
    assert found.status.tolist() == ["scored", "not_active"]
    gone = found.iloc[1]
    assert gone[["churn_probability", "churn_percentile", "churn_band", *TYPES]].isna().all()
    assert (gone.expected_loss, gone.max_spend, gone.saveable_loss) == (0.0, 0.0, 0.0)
    assert np.isnan(gone.leaving_probability)
    assert gone.purchase_probability == 0.6
    assert gone.clv_future == pytest.approx(60)


def test_what_he_has_brought_makes_his_classes():
    one = score(stub_models.rows({}), stub_models.models(), PLAIN).iloc[0]
    assert (one.abc, one.value_now, one.value_quadrant) == ("A", 100.0, "high_low")
    rfm = one[["rfm_recency", "rfm_frequency", "rfm_monetary", "rfm_score", "rfm_class"]]
    assert rfm.tolist() == [4.0, 3.0, 3.0, 10.0, "general_value"]
    heavy = replace(PLAIN, rfm_weights=(0.5, 0.25, 1.0))
    assert score(stub_models.rows({}), stub_models.models(), heavy).rfm_score[0] == 5.75


def test_the_rank_within_the_stage_is_by_the_customers_of_that_stage():
    given = stub_models.rows({}, {"age": 89.0, "gap_mean": 30.0})
    found = score(given, stub_models.models(stays=0.6), PLAIN)
    assert found.stage.tolist() == ["maturity", "growth"]
    assert found.churn_percentile_in_stage[0] == 80
    assert np.isnan(found.churn_percentile_in_stage[1])  # nobody was there to be ranked among


TOLD = {"days_since_closure_fault": 5.0, "days_since_closure_natural": 80.0}
UNTOLD = {f"days_since_closure_{cause}": None for cause in CHURN_TYPES}


@pytest.mark.parametrize(
    ("change", "status", "left_for"),
    [
        ({}, "already_churned", "fault"),
        ({"recency": 4.0}, "scored", None),  # bought since
        ({"recency": 300.0}, "not_active", None),
        ({"purchase_days_total": 151.0}, "already_churned", "fault"),
    ],
)
def test_who_has_told_that_he_leaves_has_left(change, status, left_for):
    given = stub_models.rows({**UNTOLD, **TOLD, **change})
    found = score(given.astype(dict.fromkeys(UNTOLD, float)), stub_models.models(), PLAIN).iloc[0]
    assert (found.status, found.left_for) == (status, left_for)
    assert np.isnan(found.churn_probability) == (status != "scored")
    assert found[TYPES].isna().all() == (status != "scored")
    assert found.clv_future == 60.0


def test_what_a_customer_costs_is_taken_off_what_he_will_bring():
    policy = replace(PLAIN, cost_per_contact=2.0)
    given = stub_models.rows({"contacts_365d": 10.0}, {"contacts_365d": 40.0}, {})
    found = score(given, stub_models.models(stays=0.6), policy)
    assert found.clv_future.tolist() == [40.0, -20.0, 60.0]  # 60, less 20 and less 80
    assert found.clv_total.tolist() == [165.0, 105.0, 185.0]
    assert found.clv_if_retained.tolist() == pytest.approx([80.0, 20.0, 100.0])
    assert found.expected_loss.tolist() == pytest.approx([32.0, 8.0, 40.0])
    assert found.tier.tolist() == ["maintain", "below_zero", "maintain"]
    # The upper bound is 300, half of it margin: more than the cost.
    assert found.below_zero_certainty.tolist() == [None, "watch", None]
    assert found.retain_advised.tolist() == [True, False, True]


def test_an_attempt_to_keep_a_customer_is_taken_off_the_future_alone():
    given, models = stub_models.rows({}, {"recency": 300.0}), stub_models.models(stays=0.6)
    found = score(given, models, replace(PLAIN, retention_cost=10.0))
    plain = score(given, models, PLAIN)
    assert found.clv_future.tolist() == [56.0, 60.0]  # 60 less 0.4 of 10; nobody tries the silent
    assert found.clv_total.tolist() == [181.0, 185.0]
    same = ["clv_if_retained", "expected_loss", "max_spend", "saveable_loss", "tier"]
    assert_frame_equal(found[same], plain[same])


def test_past_money_has_the_interest_of_its_years():
    given = stub_models.rows({"spend_compounded_10pct": 300.0})
    house = replace(PLAIN, discount_rate=0.10)
    one = score(given, stub_models.models(), house).iloc[0]
    assert (one.clv_historical, one.clv_historical_present) == (125.0, 150.0)
    other = score(given, stub_models.models(), replace(PLAIN, discount_rate=0.08)).iloc[0]
    assert np.isnan(other.clv_historical_present)
    assert other.clv_historical == 125.0


def test_the_cause_says_how_it_is_known_and_how_surely():
    given = stub_models.rows({}, {"count_complaint_90d": 1.0}, {"recency": 300.0})
    found = score(given, stub_models.models(), PLAIN)
    assert found.cause.tolist() == ["competitive", "competitive", None]
    assert found.cause_source.tolist() == ["model", "model", None]
    assert found.cause_confidence.tolist()[:2] == [0.5, 0.5]
    assert np.isnan(found.cause_confidence[2])
    assert found.competitive_over.tolist() == [None, "service", None]
    assert found.fault_evidence.tolist() == [None, None, None]
    faults = score(given, stub_models.models(shares={"fault": 0.9, "natural": 0.1}), PLAIN)
    assert faults.fault_evidence.tolist() == ["unexplained", "evidenced", None]


def test_a_reason_that_was_told_is_known_by_its_code():
    given = stub_models.rows({**UNTOLD, **TOLD}).astype(dict.fromkeys(UNTOLD, float))
    one = score(given, stub_models.models(), PLAIN).iloc[0]
    assert (one.left_for, one.cause, one.cause_source) == ("fault", None, "reason_code")


def test_who_costs_more_than_he_brings_if_he_stays_is_no_loss():
    given = stub_models.rows({"contacts_365d": 100.0})
    one = score(given, stub_models.models(), replace(PLAIN, cost_per_contact=2.0)).iloc[0]
    assert one.clv_if_retained == pytest.approx(-100.0)
    assert (one.expected_loss, one.max_spend, one.below_zero_certainty) == (0.0, 0.0, "certain")


def test_the_former_tier_is_passed_on_and_kept_within_a_tenth_of_the_cut():
    models = stub_models.models()
    cuts = replace(models.reference.tier_cuts, most_valuable=130.0)
    models.reference = replace(models.reference, tier_cuts=cuts)
    given = stub_models.rows({}, {}, {}).assign(tier_previous=["mvc", None, np.nan])
    found = score(given, models, PLAIN)
    assert found.tier.tolist() == ["mvc", "maintain", "maintain"]
    assert found.tier_previous.tolist() == ["mvc", None, None]
    assert found.tier_reason[0] == "forecast 120 < cut 130; kept: within 10 % of the cut"


def test_types_sum_to_the_churn_probability(scores):
    active = scores[scores.status == "scored"]
    assert 0 < len(active) < len(scores)
    np.testing.assert_allclose(active[TYPES].sum(axis=1), active.churn_probability)
    assert scores[scores.status != "scored"][[*TYPES, "churn_probability"]].isna().all(axis=None)


def test_churn_is_the_complement_of_a_purchase(scores):
    active = scores[scores.status == "scored"]
    np.testing.assert_allclose(active.churn_probability + active.purchase_probability, 1.0)


def test_who_leaves_and_what_can_be_saved_are_there_for_whoever_has_a_risk(scores):
    active = scores.status == "scored"
    assert (scores.leaving_probability.notna() == active).all()
    assert scores.leaving_probability[active].between(0.0, 1.0).all()
    assert (scores.saveable_loss[active & (scores.clv_future > 0)] > 0.0).all()
    assert (scores.saveable_loss[~active] == 0.0).all()


def test_the_expected_loss_is_the_risk_times_the_value_if_retained(scores):
    expected = scores.churn_probability.fillna(0.0) * scores.clv_if_retained
    np.testing.assert_allclose(scores.expected_loss, expected)
    np.testing.assert_allclose(scores.max_spend, POLICY.save_rate * expected)


def test_next_tiers_sum_to_one_and_ranks_are_percentiles(scores):
    np.testing.assert_allclose(scores[[f"tier_next_{tier}" for tier in TIERS]].sum(axis=1), 1.0)
    assert set(scores.tier) <= set(TIERS) - {"below_zero"}
    assert scores.churn_percentile.dropna().between(0, 100).all()
    by_risk = scores.dropna(subset="churn_probability").sort_values("churn_probability")
    assert by_risk.churn_percentile.is_monotonic_increasing


def test_one_row_is_the_same_alone_and_among_many_bit_for_bit(rows, models, scores):
    for place in range(0, len(rows), 17):
        alone = score(rows.iloc[[place]], models, POLICY)
        assert_frame_equal(alone, scores.iloc[[place]], check_exact=True, check_dtype=False)


def test_the_order_and_the_index_of_the_rows_change_nothing(rows, models, scores):
    shuffled = rows.sample(frac=1, random_state=0)
    found = score(shuffled, models, POLICY).sort_index()
    assert_frame_equal(found, scores, check_exact=True)


def test_the_rows_are_left_as_they_were(rows, models):
    before = rows.copy(deep=True)
    score(rows, models, POLICY)
    pd.testing.assert_frame_equal(rows, before)


@pytest.mark.parametrize(
    ("change", "youngest", "expected"),
    [
        ({"age": 10.0, "recency": 10.0, "purchase_days_total": 1.0}, 200.0, "insufficient_history"),
        ({"age": 10.0, "recency": 10.0, "purchase_days_total": 1.0}, 20.0, "scored"),
        ({"age": 400.0}, 200.0, "scored"),
        ({"purchase_days_total": 151.0}, 0.0, "out_of_range"),
        ({"purchase_days_total": 150.0}, 0.0, "scored"),
        ({"purchase_days_total": 151.0, "recency": 300.0}, 0.0, "not_active"),
    ],
)
def test_who_is_unlike_all_the_models_were_made_for_has_no_risk_but_a_value(
    change, youngest, expected
):
    models = stub_models.models()
    models.reference = replace(models.reference, youngest_days=youngest)
    one = score(stub_models.rows(change), models, PLAIN).iloc[0]
    assert one.status == expected
    assert np.isnan(one.churn_probability) == (expected != "scored")
    assert one.expected_value == 120.0
