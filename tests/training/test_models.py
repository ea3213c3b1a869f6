"""Whatever is in the list of models fits, answers with numbers, and is the same after storing."""

import json

import numpy as np
import pandas as pd
import pytest

from tests.training import known_truth
from training.models import MODELS, RIVALS
from training.models.baseline import Baseline
from training.models.churn_type import ChurnType
from training.models.tier import TierTransition
from training.tasks import TASKS

SIGNS = known_truth.leavers(1).columns.drop(
    ["customer_id", "bought", "weight", "cause", "closure_reason"]
)


@pytest.fixture
def fitted(request, shop, two_part):
    """A model by its name in the list, and rows to answer for."""
    causes, tiers = known_truth.leavers(200), known_truth.moving_tiers(200)
    return {
        "baseline": lambda: (Baseline.fit(shop.panel), shop.today),
        "churn": lambda: (two_part.purchase, shop.today),
        "clv": lambda: (two_part, shop.today),
        "churn_type": lambda: (ChurnType.fit(causes, list(SIGNS)), causes),
        "tier": lambda: (TierTransition.fit(tiers, ["health", "age"]), tiers),
    }[request.param]()


def test_every_question_has_a_model_and_there_is_a_baseline():
    assert set(MODELS) == {*TASKS, "baseline"}


@pytest.mark.parametrize(("name", "fitted"), [(n, n) for n in MODELS], indirect=["fitted"])
def test_it_answers_with_numbers_and_is_the_same_after_storing(name, fitted, tmp_path):
    model, rows = fitted
    assert type(model) is MODELS[name]
    answer = pd.DataFrame(model.predict(rows))
    assert len(answer) == len(rows)
    assert np.isfinite(answer.to_numpy(dtype=float)).all()
    np.testing.assert_array_equal(stored(model, tmp_path).predict(rows), model.predict(rows))
    assert {path.suffix for path in tmp_path.rglob("*.*")} <= {".json", ".ubj"}


@pytest.mark.parametrize(("name", "fitted"), [(n, n) for n in MODELS], indirect=["fitted"])
def test_a_row_has_the_same_answer_alone_and_among_others(name, fitted):
    model, rows = fitted
    together = np.asarray(model.predict(rows))
    for row in range(0, len(rows), 29):
        alone = np.asarray(model.predict(rows.iloc[[row]]))
        np.testing.assert_array_equal(alone, together[[row]])


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_answers_with_chances_and_money_alone_as_among_others(name, shop):
    rival = RIVALS[name].fit(shop.panel)
    answer = rival.predict(shop.today)
    assert answer.purchase_probability.between(0.0, 1.0).all()
    assert np.isfinite(answer.expected_value).all()
    pd.testing.assert_frame_equal(rival.predict(shop.today.iloc[[3]]), answer.iloc[[3]])


def stored(model, folder):
    """The model as it comes back from where it is stored."""
    if hasattr(model, "save"):
        model.save(folder)
        return type(model).load(folder)
    return type(model).from_dict(json.loads(json.dumps(model.to_dict())))
