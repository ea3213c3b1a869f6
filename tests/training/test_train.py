"""The recipe: what it refuses, and what a training leaves behind."""

import logging
from datetime import datetime, timedelta

import pytest

from features.errors import UserError
from features.events import TABLES
from features.store import FeatureStore
from features.workspace import ingest
from tests.world import world
from training import train
from training.request import Request

AS_OF = datetime(2024, 3, 31, 23, 59, 59, 999999)


@pytest.fixture
def store_of(workspace):
    """A store over purchases written as lines."""

    def make(*purchases):
        given = world(*purchases)
        ingest(workspace, {name: getattr(given.events, name) for name in TABLES})
        return FeatureStore(workspace)

    return make


def refusal(call, *arguments):
    with pytest.raises(UserError) as refused:
        call(*arguments)
    return str(refused.value)


def test_a_moment_before_the_first_purchase(store_of):
    store = store_of("ann  2024-05-02  10")
    assert refusal(train.check, store, Request(AS_OF, 30, 30)) == (
        "Scores were asked for as of 2024-03-31, but the first purchase happened on 2024-05-02. "
        "Use a later moment."
    )


def test_a_horizon_longer_than_the_history(store_of):
    store = store_of("ann  2024-03-02  10")
    assert refusal(train.check, store, Request(AS_OF, 31, 31)) == (
        "A horizon of 31 days was asked for, but there are only 30 days of history before "
        "2024-03-31. Use a horizon of at most 30 days, or bring more history."
    )
    train.check(store, Request(AS_OF, 30, 30))


def test_a_horizon_that_no_cutoff_has_seen_is_allowed_with_a_warning(store_of, caplog):
    store = store_of("ann  2024-03-02  10")
    with caplog.at_level(logging.WARNING):
        train.check(store, Request(AS_OF, 30, 365))
    assert caplog.messages == [
        "churn over 30 days is extrapolated from 30 days of history",
        "value over 365 days is extrapolated from 30 days of history",
    ]


def test_too_few_customers(store_of):
    store = store_of(*(f"C{k}  2024-0{m}-02  10" for k in range(49) for m in (1, 2)))
    assert refusal(train.build, store, Request(AS_OF, 30, 30)) == (
        "Models were asked for as of 2024-03-31, but only 49 customers had bought by then. Bring "
        "at least 50 customers."
    )


def test_nobody_came_back(store_of):
    lines = [f"C{k}  2024-01-02  10" for k in range(50)]
    store = store_of(*lines, *(f"C{k}  2024-02-02  10" for k in range(9)))
    assert refusal(train.build, store, Request(AS_OF, 30, 30)) == (
        "Models were asked for as of 2024-03-31, but only 9 of 50 customers had bought on a second "
        "day: all are new, and nothing tells yet who will return. Wait for repeat purchases, or "
        "bring a longer history."
    )


def test_the_value_horizon_is_that_of_clv_alone():
    tasks = Request(AS_OF, 30, 365).tasks
    assert {name: task.horizon_days for name, task in tasks.items()} == {
        "churn": 30, "churn_type": 30, "clv": 365, "tier": 30,
    }  # fmt: skip


def test_progress_is_told_in_steps(trained):
    assert trained.steps == [
        "features of past moments",
        "test of the value forecast at an earlier moment",
        "churn, value, cause and tier models",
        "model card and registration",
    ]


def test_the_panel_is_of_matured_cutoffs(trained):
    panel = trained.learned.panel
    assert panel.as_of.nunique() > 1
    assert (panel.as_of.max() + timedelta(days=60)).to_pydatetime() <= trained.request.as_of


def test_the_models_are_calibrated_ranked_and_named(trained):
    models = trained.learned.models
    assert models.reference.trained_as_of == trained.request.as_of
    ranks = models.reference.churn_percentiles
    assert len(ranks) == 101
    assert list(ranks) == sorted(ranks)
    assert dict(models.versions) == {
        "churn": "churn@1", "churn_type": "churn_type@1", "clv": "clv@1", "tier": "tier@1",
    }  # fmt: skip


def test_metrics_name_question_model_and_metric(trained):
    metrics = trained.learned.metrics
    assert list(metrics.columns) == ["task", "model", "metric", "value"]
    assert {"model", "baseline", "model (median)"} == set(metrics.model)
    assert {"churn", "clv", "tier"} <= set(metrics.task)
    assert not metrics.duplicated(["task", "model", "metric"]).any()


def test_two_horizons_make_two_purchase_models(trained):
    # The churn question is asked 30 days ahead; without tests, which take most of the time.
    request = Request(trained.request.as_of, 30, 60)
    store = FeatureStore(trained.space)
    today = train.build(store, request)
    models, panel, _ = train.fit(store, request, today, None, None)
    assert models.churn is not models.clv.purchase
    assert set(panel.horizon_days) == {30}
    near = models.churn.predict(today.assign(horizon_days=30))
    far = models.clv.purchase.predict(today.assign(horizon_days=60))
    assert near.mean() < far.mean()
