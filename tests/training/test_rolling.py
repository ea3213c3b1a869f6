"""Several origins: each of its own day, told together with the worst of them."""

from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from features.store import FeatureStore
from training import rolling
from training.models.boosting import Boosting


def backtest(as_of, chance, bought):
    """A churn test of some customers, all active, in which the baseline says 0.5 of everybody."""
    held_out = pd.DataFrame({"bought": bought, "purchase_probability": chance})
    held_out = held_out.assign(is_active=True, baseline_probability=0.5)
    held_out["customer_id"] = [f"{as_of} {number}" for number in range(len(held_out))]
    return SimpleNamespace(
        origin=SimpleNamespace(as_of=as_of), held_out=held_out.astype({"bought": float}), model=None
    )


@pytest.fixture
def two_origins():
    """A sure and right forecast, and one that said the opposite of what came."""
    return [
        backtest("2024-06-30", [0.9] * 50 + [0.1] * 50, [1] * 50 + [0] * 50),
        backtest("2024-03-31", [0.4] * 50 + [0.6] * 50, [1] * 50 + [0] * 50),
    ]


def test_each_metric_has_its_mean_its_deviation_and_its_worst(two_origins):
    found = rolling.summary(two_origins).set_index(["model", "metric"])
    brier = found.loc[("model", "brier")]
    assert (brier["mean"], brier.worst, brier.origins) == pytest.approx((0.185, 0.36, 2))
    assert brier.deviation == pytest.approx(np.std([0.01, 0.36], ddof=1))
    auc = found.loc[("model", "roc_auc")]
    assert (auc["mean"], auc.worst) == pytest.approx((0.5, 0.0))  # for an AUC the least is worst
    assert found.loc[("baseline", "brier"), "mean"] == pytest.approx(0.25)


def test_the_gain_is_that_of_the_same_customers_under_the_baseline(two_origins):
    gained = rolling.gains(two_origins[:1]).set_index("metric")
    assert gained.loc["brier", "gain"] == pytest.approx(0.25 - 0.01)
    assert gained.loc["log_loss", "gain"] == pytest.approx(np.log(0.9 / 0.5))
    both = rolling.gains(two_origins).set_index("metric")
    assert both.loc["brier", "gain"] == pytest.approx(0.25 - 0.185)
    assert (both.low < both.gain).all()
    assert (both.gain < both.high).all()


def test_a_customer_of_two_origins_is_one_customer():
    # The same origin twice tells nothing new: the interval stays as wide as that of one.
    origin = backtest("2024-06-30", [0.9] * 50 + [0.2] * 50, [1] * 50 + [0] * 50)
    once, twice = rolling.gains([origin]), rolling.gains([origin, origin])
    assert (once.low < once.high).all()
    pd.testing.assert_frame_equal(once, twice)


def test_without_a_test_it_says_so():
    assert rolling.in_words(rolling.summary([]), rolling.gains([])).startswith("Not tested")


def test_origins_are_half_a_horizon_apart_and_know_nothing_of_their_future(trained):
    request, store = trained.request, FeatureStore(trained.space)
    found = rolling.backtests(store, request.as_of, 60, Boosting, origins=2)
    moments = [test.origin.as_of for test in found]
    assert moments == [request.as_of - timedelta(days=60), request.as_of - timedelta(days=90)]
    for test in found:
        matured = test.panel.as_of + pd.to_timedelta(test.panel.horizon_days, unit="D")
        assert (matured <= test.origin.as_of).all()
    summary = rolling.summary(found)
    assert set(summary.origins) == {2}
    assert "Lead time" in rolling.in_words(summary, rolling.gains(found))
