"""What holds for every model of repeat buying, whatever its assumptions."""

import json

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from features.errors import UserError
from tests.training.simulated_customers import simulate
from training.models.bg_nbd import BetaGeometricNBD, ModifiedBetaGeometricNBD
from training.models.pareto_nbd import ParetoNBD
from training.models.purchase_history import PurchaseHistory

MODELS = {
    "pareto": ParetoNBD(r=0.6, alpha=40, s=0.7, beta=60),
    "bg": BetaGeometricNBD(r=0.6, alpha=40, a=0.8, b=2.4),
    "mbg": ModifiedBetaGeometricNBD(r=0.6, alpha=40, a=0.8, b=2.4),
    "mbg_2": ModifiedBetaGeometricNBD(r=0.9, alpha=20, a=0.8, b=2.4, k=2),
    "mbg_5": ModifiedBetaGeometricNBD(r=0.9, alpha=10, a=1.0, b=2.4, k=5),
    # What a fit can end in when nobody leaves, everybody leaves, or all are alike.
    "pareto_nobody_leaves": ParetoNBD(r=0.6, alpha=40, s=5e-5, beta=1e6),
    "pareto_soon_gone": ParetoNBD(r=2e-3, alpha=0.1, s=5, beta=0.01),
    "mbg_nobody_leaves": ModifiedBetaGeometricNBD(r=0.6, alpha=40, a=5e-5, b=2e4, k=3),
    "mbg_all_alike": ModifiedBetaGeometricNBD(r=2e4, alpha=2e6, a=2e4, b=2e4, k=2),
}

every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
every_likely_model = pytest.mark.parametrize(
    "model", list(MODELS.values())[:5], ids=list(MODELS)[:5]
)

EXTREME = PurchaseHistory(
    frequency=[0, 0, 0, 500, 500, 500, 1, 300, 1, 1],
    recency=[0, 0, 0, 4000, 2000, 600, 1, 310, 5000, 5],
    age=[0, 1, 5000, 4000, 4000, 4000, 5000, 5000, 5000, 5],
    log_gaps=[0, 0, 0, 1000, 600, 80, 0, 5, np.log(5000), np.log(5)],
)
HORIZONS = (0, 0.01, 1, 30, 365, 3650)


@every_model
def test_probabilities_are_probabilities_and_all_is_finite_for_extreme_customers(model):
    assert np.isfinite(model.log_likelihood(EXTREME))
    alive = model.probability_alive(EXTREME)
    assert np.all((alive >= 0) & (alive <= 1))
    for horizon in HORIZONS:
        chance = model.probability_of_order(EXTREME, horizon)
        assert np.all((chance >= 0) & (chance <= alive))
        assert np.all(np.isfinite(model.expected_orders(EXTREME, horizon)))


@every_model
def test_a_longer_horizon_never_brings_less(model):
    chances = np.array([model.probability_of_order(EXTREME, horizon) for horizon in HORIZONS])
    orders = np.array([model.expected_orders(EXTREME, horizon) for horizon in HORIZONS])

    assert np.all(chances[0] == 0)
    assert np.all(orders[0] == 0)
    assert np.all(np.diff(chances, axis=0) >= -1e-12)
    assert np.all(np.diff(orders, axis=0) >= -1e-12)


@every_model
def test_orders_are_expected_at_least_as_much_as_a_first_one(model):
    for horizon in HORIZONS:
        chance = model.probability_of_order(EXTREME, horizon)
        assert np.all(model.expected_orders(EXTREME, horizon) >= chance - 1e-12)


@every_likely_model
def test_the_chance_of_an_order_is_one_minus_the_likelihood_of_further_silence(model):
    for x, t_x, T in [(0, 0, 10), (1, 20, 90), (4, 80, 100), (12, 200, 210)]:
        log_gaps = x * np.log(max(t_x, 1) / max(x, 1))
        now = PurchaseHistory([x], [t_x], [T], [log_gaps])
        still_silent = PurchaseHistory([x], [t_x], [T + 60], [log_gaps])

        silence = np.exp(model.log_likelihood(still_silent) - model.log_likelihood(now))

        assert model.probability_of_order(now, 60) == pytest.approx(1 - silence, rel=1e-9)


@every_likely_model
def test_forecasts_hold_on_average_for_customers_who_live_by_the_model(model):
    history, orders = simulate(model, customers=40_000, horizon_days=100, seed=1)

    expected = model.expected_orders(history, 100)
    chance = model.probability_of_order(history, 100)

    x, silence = history.frequency, history.age - history.recency
    for group in (x == 0, x == 1, x >= 2, (x >= 1) & (silence > 100)):
        error = 4 * orders[group].std() / np.sqrt(group.sum())  # four standard errors
        assert expected[group].mean() == pytest.approx(orders[group].mean(), abs=error)
        error = 4 * 0.5 / np.sqrt(group.sum())
        assert chance[group].mean() == pytest.approx((orders[group] > 0).mean(), abs=error)


@every_likely_model
def test_each_customer_can_have_a_horizon_of_their_own(model):
    both = model.expected_orders(EXTREME, np.arange(10.0, 20.0))

    assert both[3] == pytest.approx(model.expected_orders(EXTREME, 13)[3])
    assert both[9] == pytest.approx(model.expected_orders(EXTREME, 19)[9])


@every_model
def test_a_model_comes_back_from_json_as_it_was(model):
    assert type(model).from_dict(json.loads(json.dumps(model.to_dict()))) == model


@pytest.mark.parametrize("kind", [ParetoNBD, BetaGeometricNBD, ModifiedBetaGeometricNBD])
def test_the_unit_of_time_does_not_matter(kind):
    history, _ = simulate(MODELS["mbg"], customers=400, horizon_days=1)

    in_days, in_hours = kind().fit(history), kind().fit(history.in_units_of(1 / 24))

    assert in_hours.alpha == pytest.approx(24 * in_days.alpha, rel=1e-3)
    assert in_hours.r == pytest.approx(in_days.r, rel=1e-3)


@pytest.mark.parametrize("kind", [ParetoNBD, BetaGeometricNBD, ModifiedBetaGeometricNBD])
def test_many_customers_alike_teach_the_same_as_one_of_each(kind):
    history, _ = simulate(MODELS["mbg"], customers=300, horizon_days=1)
    columns = (history.frequency, history.recency, history.age, history.log_gaps)
    tenfold = PurchaseHistory(*(np.tile(column, 10) for column in columns))

    once, ten_times = kind().fit(history), kind().fit(tenfold)

    assert ten_times.r == pytest.approx(once.r, rel=1e-3)
    assert ten_times.log_likelihood(tenfold) == pytest.approx(10 * once.log_likelihood(history))


@pytest.mark.parametrize("kind", [ParetoNBD, BetaGeometricNBD, ModifiedBetaGeometricNBD])
def test_a_model_cannot_learn_from_one_time_buyers_alone(kind):
    with pytest.raises(UserError) as refusal:
        kind().fit(PurchaseHistory([0, 0], [0, 0], [0, 0], [0, 0]))

    assert str(refusal.value) == (
        "A model of repeat buying was asked to learn from 2 customers, but none of them has "
        "bought on a second day. Take a longer history or more customers."
    )


@pytest.mark.parametrize("kind", [ParetoNBD, BetaGeometricNBD, ModifiedBetaGeometricNBD])
def test_a_model_without_parameters_says_so(kind):
    with pytest.raises(NotFittedError, match=f"This {kind.__name__} has no parameters yet"):
        kind().expected_orders(EXTREME, 30)
