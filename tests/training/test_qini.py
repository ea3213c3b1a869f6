"""The Qini curve on made-up effects: none without a rank, much with the true one."""

import numpy as np
import pytest

from training.qini import BINS, Estimate, curve, qini, share_above

N = 8_000


def world(seed=0):
    """Half of the customers gain 20 points by a treatment, half nothing; half are treated."""
    rng = np.random.default_rng(seed)
    effect = np.where(np.arange(N) % 2 == 0, 0.2, 0.0)
    treated = (rng.random(N) < 0.5).astype(float)
    bought = (rng.random(N) < 0.3 + effect * treated).astype(float)
    return effect, bought, treated


def test_the_curve_of_a_few_customers_by_hand():
    # The first two thirds by forecast: treated buy all, control none; the last third is no better.
    forecast = np.repeat([3.0, 2.0, 1.0], 20)
    treated = np.tile([1.0, 0.0], 30)
    bought = np.r_[treated[:40], np.ones(20)]
    found = curve(forecast, bought, treated, 0.5)
    assert len(found) == BINS + 1
    assert found[0] == 0.0
    assert found[10] == pytest.approx(0.5 * 1.0)
    assert found[-1] == pytest.approx(40 / 60)


def test_a_true_rank_is_beyond_chance_and_bends_the_curve():
    effect, bought, treated = world()
    found = qini(effect, bought, treated, 0.5, np.arange(N))
    # Everything is gained in the first half: a triangle of height 0.05 above the line to 0.1.
    assert found.value == pytest.approx(0.025, abs=0.008)
    assert found.low > 0.0


def test_a_rank_without_sense_is_within_chance_and_so_is_no_rank():
    _, bought, treated = world()
    nonsense = np.random.default_rng(9).random(N)
    for forecast in (nonsense, np.zeros(N)):
        assert qini(forecast, bought, treated, 0.5, np.arange(N)).has_zero


def test_the_wrong_way_round_is_below_chance():
    effect, bought, treated = world()
    assert qini(-effect, bought, treated, 0.5, np.arange(N)).high < 0.0


def test_unequal_chances_to_be_treated_are_weighed():
    rng = np.random.default_rng(3)
    # Better customers are treated more often; a treatment does nothing.
    good = np.arange(N) % 2 == 0
    chance = np.where(good, 0.8, 0.2)
    treated = (rng.random(N) < chance).astype(float)
    bought = (rng.random(N) < np.where(good, 0.8, 0.2)).astype(float)
    assert abs(curve(np.zeros(N), bought, treated, chance)[-1]) < 0.04
    assert curve(np.zeros(N), bought, treated, 0.5)[-1] > 0.2


def test_rows_of_one_customer_are_drawn_together():
    effect, bought, treated = world()
    alone = qini(effect, bought, treated, 0.5, np.arange(N))
    shared = qini(effect, bought, treated, 0.5, np.arange(N) // 100)
    assert shared.high - shared.low != alone.high - alone.low


def test_a_share_has_its_interval_and_one_of_nothing_is_not_known():
    found = share_above(np.array([1.0, 2.0]), np.array([4.0, 8.0]), np.arange(2))
    assert (found.value, found.low, found.high) == (0.25, 0.25, 0.25)
    unknown = share_above(np.zeros(2), np.zeros(2), np.arange(2))
    assert np.isnan(unknown.value)
    assert unknown.has_zero
    assert not Estimate(0.2, 0.1, 0.3).has_zero
    assert str(Estimate(0.2, 0.1, 0.3)) == "0.2000, 0.1000 to 0.3000"
