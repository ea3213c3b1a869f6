import numpy as np
import pytest

from tests.training.simulated_customers import simulate
from training.models import maximum_likelihood
from training.models.maximum_likelihood import LOG_BOUND, most_likely
from training.models.pareto_nbd import ParetoNBD


def test_the_top_of_the_likelihood_is_found():
    found = most_likely(lambda p: -((np.log(p[0]) - 1) ** 2) - (np.log(p[1]) + 2) ** 2, [(1, 1)])

    assert found == pytest.approx([np.exp(1), np.exp(-2)], rel=1e-4)


def test_the_best_of_several_hills_is_taken():
    def two_hills(params):
        u = float(np.log(params[0]))
        return float(np.exp(-((u + 2) ** 2)) + 2 * np.exp(-((u - 2) ** 2)))

    assert most_likely(two_hills, [(np.exp(-2.5),)]) == pytest.approx([np.exp(-2)], rel=1e-3)
    starts = [(np.exp(-2.5),), (np.exp(2.5),)]
    assert most_likely(two_hills, starts) == pytest.approx([np.exp(2)], rel=1e-3)


def test_a_likelihood_that_always_rises_ends_at_the_bound():
    assert most_likely(lambda p: float(np.log(p[0])), [(1.0,)]) == pytest.approx(np.exp(LOG_BOUND))


def test_a_large_crowd_is_learned_from_a_sample_of_it_drawn_by_the_seed(monkeypatch):
    monkeypatch.setattr(maximum_likelihood, "MOST_CUSTOMERS", 300)
    history, _ = simulate(ParetoNBD(r=0.8, alpha=30, s=0.7, beta=80), 600, horizon_days=1)

    fitted, again, otherwise = (ParetoNBD(seed=seed).fit(history) for seed in (0, 0, 1))

    assert fitted == again
    assert fitted.r != otherwise.r
    drawn = history.sample(300, seed=0)
    assert fitted.r == pytest.approx(ParetoNBD().fit(drawn).r, rel=1e-3)
