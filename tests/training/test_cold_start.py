"""Given a business of three months and customers of one order, what can and cannot be said."""

from datetime import datetime, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from features.moment import END_OF_DAY
from features.store import FeatureStore
from features.workspace import Workspace, ingest
from tests.benchmarks.models import stationary
from training import card, train
from training.metrics import log_loss, roc_auc
from training.request import Request

DAYS = 90
AS_OF = datetime.fromisoformat(stationary.BEGIN) + timedelta(days=DAYS - 1) + END_OF_DAY
# A chance is a draw: of so many customers the buyers' number is known to about a tenth.
CUSTOMERS = 800


@pytest.fixture(scope="module")
def young(tmp_path_factory):
    """What was learnt from the first three months, the customers, and who bought in the next."""
    lines = stationary.purchases(CUSTOMERS, come_within=DAYS, days=2 * DAYS)
    known = lines[lines.happened_at <= AS_OF]
    space = Workspace(tmp_path_factory.mktemp("young"))
    ingest(space, {"transactions": ibis.memtable(known)})
    store = FeatureStore(space)
    learned = train.learn(store, Request(AS_OF, DAYS, DAYS))
    today = store.snapshot(AS_OF).assign(horizon_days=DAYS)
    later = lines[lines.happened_at > AS_OF]
    return learned, today, today.customer_id.isin(later.customer_id).to_numpy(dtype=float)


def test_it_is_tested_on_the_half_it_has_and_says_so(young):
    learned, _, _ = young
    assert learned.churn_test.origin.horizon_days == DAYS // 2 - 1
    text = card.write(learned.models, learned.metrics, learned.panel, None, None)
    assert "The history is short: horizons of 27 to 53 days were learnt" in text


def test_the_forecast_is_sensible_in_total_and_in_order(young):
    learned, today, bought = young
    chance = learned.models.churn.predict(today)
    assert chance.sum() == pytest.approx(bought.sum(), rel=0.25)
    assert roc_auc(bought, chance) > 0.7
    alone = learned.models.churn.offsets.repeat_buying.forecast(today).logit_purchase_pareto
    # The law of this shop is Pareto/NBD: what is learnt on top must not spoil it. The level, which
    # a real shop needs, costs most of what is allowed here.
    assert log_loss(bought, chance) < log_loss(bought, expit(alone)) + 0.02


def test_of_who_ordered_once_the_longer_silent_are_the_less_likely(young):
    learned, today, _ = young
    once = today[today.purchase_days_total == 1].reset_index(drop=True)
    chance = pd.Series(learned.models.churn.predict(once))
    assert chance.between(0.01, 0.9).all()  # alive for certain, say models of the textbook
    assert chance.corr(once.recency, method="spearman") < -0.5


def test_a_single_order_is_worth_less_than_a_rhythm(young):
    learned, today, _ = young
    value = learned.models.clv.predict(today).expected_value
    once = today.purchase_days_total == 1
    assert np.isfinite(value).all()
    assert value[once].mean() < 0.6 * value[~once].mean()
    whale = today[once & (today.day_amount_sum > today.day_amount_sum[once].quantile(0.95))]
    # One large order is believed in part: less than that money comes in a quarter.
    assert (learned.models.clv.predict(whale).expected_value < whale.day_amount_sum).all()


def test_who_ordered_today_for_the_first_time_has_an_answer(young):
    learned, today, _ = young
    newest = today.nsmallest(5, "age").assign(age=0.0, recency=0.0)
    forecast = learned.models.clv.predict(newest.reset_index(drop=True))
    assert np.isfinite(forecast.to_numpy(dtype=float)).all()
    assert forecast.purchase_probability.between(0.05, 0.9).all()
