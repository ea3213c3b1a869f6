"""Where customers will be a horizon from now, when it is known what moves them."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tests.training import known_truth
from training.models.tier import TierTransition
from training.tasks import TIERS

FEATURES = ["health", "age"]


@pytest.fixture(scope="module")
def model():
    return TierTransition.fit(known_truth.moving_tiers(1500, seed=1), FEATURES)


@pytest.fixture(scope="module")
def others():
    return known_truth.moving_tiers(1000, seed=2)


def loss(chances, truth):
    position = truth.map(list(chances.columns).index).to_numpy()
    return float(-np.log(chances.to_numpy()[np.arange(len(truth)), position]).mean())


def test_probabilities_sum_to_one_and_a_tier_never_seen_has_none(model, others):
    chances = model.predict(others)
    assert list(chances.columns) == list(TIERS)
    np.testing.assert_allclose(chances.sum(axis=1), 1.0)
    assert (chances.below_zero == 0).all()


def test_it_beats_the_transition_matrix(model, others):
    baseline = loss(model.baseline(others.tier), others.tier_next)
    assert loss(model.predict(others), others.tier_next) < 0.85 * baseline


def test_without_a_moving_feature_it_is_the_transition_matrix(others):
    untold = known_truth.moving_tiers(1500, seed=1, is_told=False)
    model = TierTransition.fit(untold, FEATURES)
    after = known_truth.moving_tiers(1000, seed=2, is_told=False)
    baseline = loss(model.baseline(after.tier), after.tier_next)
    assert loss(model.predict(after), after.tier_next) < 1.02 * baseline


def test_the_matrix_is_the_counted_shares_with_one_more_customer_spread_over_them():
    rows = pd.DataFrame(
        {
            "customer_id": [f"C{k}" for k in range(8)],
            "health": np.arange(8.0),
            "tier": ["mvc"] * 4 + ["maintain"] * 4,
            "tier_next": ["mvc", "mvc", "mvc", "maintain"] + ["maintain"] * 4,
            "weight": 1.0,
        }
    )
    matrix = TierTransition.fit(rows, ["health"]).matrix
    assert matrix["mvc"] == pytest.approx({"mvc": 3.5 / 5, "maintain": 1.5 / 5})
    assert matrix["maintain"] == pytest.approx({"mvc": 0.5 / 5, "maintain": 4.5 / 5})
    assert matrix["mgc"] == pytest.approx({"mvc": 0.5, "maintain": 0.5})  # nobody was there


def test_one_tier_alone_is_forecast_for_all():
    rows = known_truth.moving_tiers(200, seed=3).assign(tier="mvc", tier_next="mvc")
    model = TierTransition.fit(rows, FEATURES)
    assert model.predict(rows).mvc.tolist() == [1.0] * 200
    assert (model.baseline(rows.tier).mvc == 1).all()


def test_saved_and_loaded_it_is_the_same(model, others, tmp_path):
    model.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".ubj"}
    again = TierTransition.load(tmp_path)
    assert_frame_equal(again.predict(others), model.predict(others), check_exact=True)
    assert_frame_equal(again.baseline(others.tier), model.baseline(others.tier))
