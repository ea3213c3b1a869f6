"""How far two distributions stand apart, by hand."""

import numpy as np
import pytest

from training.drift import ks, ks_p_value, psi, psi_by_chance


def test_the_index_is_the_sum_by_class():
    # Half a customer more in each class: 60.5 and 40.5 of 101, then 40.5 and 60.5.
    apart = (60.5 - 40.5) / 101
    assert psi([60, 40], [40, 60]) == pytest.approx(2 * apart * np.log(60.5 / 40.5))


def test_the_same_shares_of_more_customers_are_no_change():
    assert psi([600, 400], [6, 4]) == pytest.approx(0.0, abs=1e-3)


def test_a_class_that_empties_is_far_and_not_infinite():
    assert 1.0 < psi([50, 50], [100, 0]) < 10.0


def test_chance_is_larger_for_fewer_customers_and_none_for_one_class():
    # One degree of freedom stays below 3.84 with 95 %.
    assert psi_by_chance(2, 100, 100, 0.95) == pytest.approx(3.8415 * 0.02, rel=1e-4)
    assert psi_by_chance(2, 10, 100, 0.95) > psi_by_chance(2, 100, 100, 0.95)
    assert psi_by_chance(1, 100, 100, 0.95) == 0.0


def test_the_index_of_samples_of_one_distribution_passes_chance_as_often_as_it_says():
    draw = np.random.default_rng(0)
    found = [psi(*(np.bincount(draw.integers(10, size=n), minlength=10) for n in (500, 800)))
             for _ in range(2_000)]  # fmt: skip
    beyond = np.mean(np.array(found) > psi_by_chance(10, 500, 800, 0.95))
    assert beyond == pytest.approx(0.05, abs=0.015)


def test_the_distance_is_the_largest_gap_of_the_shares():
    assert ks(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 4.0, 5.0, 6.0])) == 0.5
    assert np.isnan(ks(np.array([]), np.array([1.0])))


def test_a_distance_of_many_is_less_likely_chance():
    assert ks_p_value(0.1, 1_000, 1_000) < 0.001 < ks_p_value(0.1, 100, 100)
    assert np.isnan(ks_p_value(0.1, 0, 100))
