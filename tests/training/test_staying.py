"""A training by another definition than a purchase, tested and saved, and what it refuses."""

from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace

import ibis
import numpy as np
import pytest

from features import workspace as workspaces
from features.datasets.simulated import simulate
from features.errors import UserError
from features.store import FeatureStore
from features.workspace import Workspace
from training import evaluate, probes, staying, train
from training.definitions import chosen
from training.model_set import ModelSet
from training.models.boosting import Boosting
from training.request import Request
from training.tasks import TASKS, churn_by

AS_OF = datetime(2024, 12, 31, 23, 59, 59, 999999)
RULE = chosen("interaction", gap_days=7, active_days=90, newcomer_days=20)


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """300 simulated customers of one year; who does nothing for 60 days after a week has left."""
    space = Workspace(tmp_path_factory.mktemp("staying") / "workspace")
    made = simulate(customers=300, start=datetime(2024, 1, 1), end=AS_OF)
    names = ("customers", "transactions", "interactions")
    workspaces.ingest(space, {name: ibis.memtable(getattr(made, name)) for name in names})
    store, request = FeatureStore(space), Request(AS_OF, 60, 60, RULE)
    today = train.build(store, request)
    churn = request.tasks["churn"]
    test = evaluate.backtest(store, AS_OF, 60, Boosting, churn)
    models, panel, _ = train.fit(store, request, today, test, None)
    return SimpleNamespace(store=store, churn=churn, test=test, models=models, panel=panel,
                           today=today)  # fmt: skip


def test_the_question_of_churn_is_not_that_of_value():
    assert Request(AS_OF, 60, 60).is_one_question
    assert not Request(AS_OF, 60, 60, RULE).is_one_question
    definitions = {n: t.definition for n, t in Request(AS_OF, 60, 365, RULE).tasks.items()}
    assert definitions == {
        "churn": "churn-interaction-60d-active90-gap7-new20@1",
        "churn_type": "churn_type-interaction-60d-active90-gap7-new20@1",
        "clv": "clv-365d@1",
        "tier": "tier-60d@1",
    }


def test_the_panel_is_of_those_asked_about_and_matured_after_gap_and_horizon(learned):
    panel = learned.panel
    assert panel.as_of.max().to_pydatetime() == AS_OF - timedelta(days=67)
    assert (panel.age >= 20).all()
    assert learned.churn.is_asked(panel).all()
    assert set(panel.bought) == {0.0, 1.0}


def test_the_test_stands_before_gap_and_horizon_and_is_of_those_asked_about(learned):
    test = learned.test
    assert test.origin.as_of == AS_OF - timedelta(days=67)
    assert test.origin.matured_at == AS_OF
    assert test.panel.as_of.max().to_pydatetime() <= test.origin.as_of - timedelta(days=67)
    held_out = test.held_out
    assert (held_out.is_active == learned.churn.is_asked(held_out)).all()
    assert 0 < held_out.is_active.sum() < len(held_out)
    assert not evaluate.purchase_metrics(held_out).empty
    assert "Leakage probes" in probes.check(test, learned.store.feature_names, learned.churn)


def test_the_level_is_that_of_who_stays_and_not_of_who_buys(learned):
    models, rows = learned.models, learned.today.assign(horizon_days=60)
    asked = rows[learned.churn.is_asked(rows)]
    stays, buys = (model.predict(asked).mean() for model in (models.churn, models.purchase))
    assert stays == pytest.approx(learned.panel.bought.mean(), abs=0.1)
    assert stays > buys  # whoever buys does something himself


def test_the_chance_of_a_purchase_is_that_of_the_value_model_of_the_same_days(learned):
    assert learned.models.purchase is learned.models.clv.purchase


def test_models_come_back_with_their_definition_and_the_purchase_model(learned, tmp_path):
    learned.models.save(tmp_path)
    loaded = ModelSet.load({name: tmp_path / name for name in TASKS}, {})
    assert loaded.tasks == learned.models.tasks
    rows = learned.today.assign(horizon_days=60)
    for name in ("churn", "purchase"):
        model, before = getattr(loaded, name), getattr(learned.models, name)
        assert np.array_equal(model.predict(rows), before.predict(rows))


def test_too_few_who_left_are_refused(learned):
    panel = learned.panel.assign(stays=1.0, bought=1.0)
    with pytest.raises(UserError) as refused:
        staying.fit(panel, learned.today.assign(horizon_days=60), AS_OF, [], learned.churn)
    assert str(refused.value) == (
        "Churn by interaction was asked for, but at the past moments to learn from 0 left and "
        f"{len(panel)} stayed, and 30 of each are needed. Bring a longer history, or use a longer "
        "horizon or another definition."
    )


def test_a_history_without_room_for_gap_and_grace_is_refused(learned):
    request = Request(AS_OF, 300, 60, replace(RULE, gap_days=70))
    with pytest.raises(UserError) as refused:
        train.check(learned.store, request)
    assert str(refused.value) == (
        "A horizon of 300 days with 70 days of gap and grace was asked for, but there are only "
        "366 days of history before 2024-12-31. Use fewer days, or bring more history."
    )


def test_a_purchase_needs_no_other_panel(learned):
    plain = churn_by(chosen(), 60)
    assert staying.asking(learned.panel, plain) is learned.panel
