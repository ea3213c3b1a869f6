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
    assert (gone.expected_loss, gone.max_spend) == (0.0, 0.0)
    assert gone.purchase_probability == 0.6
    assert gone.clv_future == pytest.approx(60)


def test_types_sum_to_the_churn_probability(scores):
    active = scores[scores.status == "scored"]
    assert 0 < len(active) < len(scores)
    np.testing.assert_allclose(active[TYPES].sum(axis=1), active.churn_probability)
    assert scores[scores.status != "scored"][[*TYPES, "churn_probability"]].isna().all(axis=None)


def test_churn_is_the_complement_of_a_purchase(scores):
    active = scores[scores.status == "scored"]
    np.testing.assert_allclose(active.churn_probability + active.purchase_probability, 1.0)


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
