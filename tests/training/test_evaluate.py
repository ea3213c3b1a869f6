"""The test of a procedure at an earlier moment, and its numbers by hand."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from features.store import FeatureStore
from tests.training import known_truth
from training import evaluate
from training.exposure import BY_CONTROL
from training.models.boosting import Boosting
from training.models.churn_type import ChurnType
from training.models.two_part import TAIL_ABOVE, TAILS, TwoPart
from training.split import CutOff

HELD_OUT = pd.DataFrame(
    {
        "is_active": [True, True, True, False],
        "bought": [1.0, 0.0, 1.0, 0.0],
        "purchase_probability": [0.9, 0.2, 0.8, 0.99],
        "baseline_probability": [0.5, 0.5, 0.5, 0.99],
        "value": [100.0, 0.0, 50.0, 0.0],
        "expected_value": [80.0, 10.0, 40.0, 20.0],
        "expected_value_median": [70.0, 0.0, 40.0, 0.0],
        "expected_value_low": [10.0, 0.0, 10.0, 1.0],
        "expected_value_high": [200.0, 5.0, 49.0, 60.0],
        "baseline_value": [0.0, 0.0, 50.0, 50.0],
    }
)


def numbers(table):
    return {(m.task, m.model, m.metric): m.value for m in table.itertuples()}


def test_churn_metrics_are_those_of_active_customers():
    found = numbers(evaluate.purchase_metrics(HELD_OUT))
    assert found["churn", "model", "brier"] == pytest.approx((0.01 + 0.04 + 0.04) / 3)
    assert found["churn", "baseline", "brier"] == pytest.approx(0.25)
    # Churn is the event: the one who left has the highest risk.
    assert found["churn", "model", "roc_auc"] == 1.0


def test_without_active_customers_there_are_no_churn_metrics():
    assert evaluate.purchase_metrics(HELD_OUT.assign(is_active=False)).empty


def test_value_metrics_are_those_of_all_customers():
    found = numbers(evaluate.value_metrics(HELD_OUT))
    assert found["clv", "model", "mae"] == pytest.approx((20 + 10 + 10 + 20) / 4)
    assert found["clv", "model (median)", "mae"] == pytest.approx((30 + 0 + 10 + 0) / 4)
    assert found["clv", "baseline", "mae"] == pytest.approx((100 + 0 + 0 + 50) / 4)
    assert found["clv", "model", "coverage_90"] == 0.5  # the third lies above, the fourth below


def test_type_metrics_are_those_of_active_leavers_beside_the_whole_businesss_shares():
    features = list(known_truth.leavers(1).columns.drop(["customer_id", "cause", "closure_reason"]))
    model = ChurnType.fit(known_truth.leavers(400, seed=1), features)
    held_out = known_truth.leavers(200, seed=2).assign(is_active=True)
    found = numbers(evaluate.type_metrics(model, held_out))
    metric = next(iter(evaluate.TYPE_METRICS))
    assert ("churn_type", "model", metric) in found
    assert ("churn_type", "baseline", metric) in found
    few = held_out.head(evaluate.LEAST_TYPED - 1)
    assert evaluate.type_metrics(model, few).empty
    assert evaluate.type_metrics(model, held_out.assign(is_active=False)).empty


def test_a_history_too_short_for_a_test_gives_none(trained):
    store = FeatureStore(trained.space)
    soon = datetime(2024, 1, 25)
    assert evaluate.backtest(store, soon, 60, TwoPart) is None


@pytest.mark.parametrize(("built", "seconds"), [(0, 6.0), (1, 9.0), (3, np.nan)])
def test_snapshots_that_were_there_are_taken_to_cost_what_the_others_took(
    built, seconds, monkeypatch
):
    cutoffs = [CutOff(datetime(2024, 1, day), 90) for day in (1, 2, 3)]
    there = {cutoff.as_of for cutoff in cutoffs[:built]}
    store = SimpleNamespace(
        snapshots=SimpleNamespace(families=["rhythm"], is_built=lambda family, at: at in there),
        build=lambda moments: [("rhythm", at) for at in moments],
        apply=lambda: None,
    )
    clock = iter([10.0, 16.0])
    monkeypatch.setattr(evaluate, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    assert evaluate._prepared(store, cutoffs) == pytest.approx(seconds, nan_ok=True)


def test_the_test_stands_one_horizon_ago_and_knows_what_happened(trained):
    test = trained.learned.value_test
    assert test.origin.as_of == trained.request.as_of - timedelta(days=60)
    held_out = test.held_out
    assert set(held_out.as_of) == {pd.Timestamp(test.origin.as_of)}
    assert held_out.customer_id.is_unique
    assert 0 < held_out.bought.mean() < 1
    assert (held_out.value[held_out.bought == 0] <= 0).all()
    assert (held_out.is_active == (held_out.recency < 120)).all()
    chances = held_out[["purchase_probability", "baseline_probability"]].to_numpy(dtype=float)
    assert ((chances > 0) & (chances < 1)).all()
    assert np.isfinite(held_out[["expected_value", "baseline_value"]].to_numpy(float)).all()


def test_by_control_the_treated_are_neither_learnt_nor_tested(trained):
    as_they_are = trained.learned.value_test.held_out
    test = evaluate.backtest(
        FeatureStore(trained.space), trained.request.as_of, 60, Boosting, treated=BY_CONTROL
    )
    assert as_they_are.is_treated.any()
    untreated = as_they_are[~as_they_are.is_treated].customer_id
    assert test.held_out.customer_id.tolist() == untreated.tolist()
    assert (test.panel[test.panel.is_treated].weight == 0.0).all()
    assert (test.panel[test.panel.is_control].stands_for > 1.0).all()


def test_the_tested_model_had_learnt_nothing_of_the_days_it_is_tested_on(trained):
    # Its own forecasts are those of its moment: uncalibrated, since nothing newer was known.
    test = trained.learned.value_test
    assert test.model.purchase.slope == 1.0
    assert set(map(tuple, test.model.tails.values())) == {TAILS, TAIL_ABOVE}
    assert trained.learned.models.clv.purchase.slope != 1.0
