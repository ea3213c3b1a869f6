"""The interval of a churn probability holds what its forecasts came to at a test."""

import json

import numpy as np
import pytest

from training.reliability import LEAST_TESTED, Reliability

NAN = float("nan")


def outcomes(leavers, count):
    """So many leavers among the customers, spread evenly over them."""
    return np.diff(np.arange(count + 1) * leavers // count).astype(float)


def test_of_99_told_40_percent_of_whom_40_left_the_interval_is_that_of_a_share():
    found = Reliability.of(np.full(99, 0.4), outcomes(40, 99))
    low, high = found.interval(np.array([0.4]))
    # Jeffreys' for 40 of 99, around 0.404.
    assert (low[0], high[0]) == (pytest.approx(0.326, abs=1e-3), pytest.approx(0.486, abs=1e-3))


def test_a_group_that_left_more_than_it_was_told_has_its_room_above():
    found = Reliability.of(np.full(1000, 0.2), outcomes(300, 1000))
    low, high = found.interval(np.array([0.2]))
    assert low[0] == 0.2
    assert high[0] == pytest.approx(0.380, abs=2e-3)  # of 30 among 100


def test_each_group_has_its_own_and_bounds_stay_chances():
    told = np.concatenate([np.full(500, 0.02), np.full(500, 0.98)])
    found = Reliability.of(told, np.repeat([0.0, 1.0], 500))
    low, high = found.interval(np.array([0.001, 0.999, NAN]))
    assert (low[0], high[1]) == (0.0, 1.0)
    assert 0.9 < low[1] <= 0.999
    assert np.isnan([low[2], high[2]]).all()


def test_forecasts_a_fifth_too_high_are_found_out():
    draw = np.random.default_rng(0)
    chance = draw.uniform(0.05, 0.8, 5_000)
    found = Reliability.of(chance * 1.25, draw.random(5_000) < chance)
    low, high = found.interval(np.array([0.75]))
    assert low[0] < 0.6 < high[0]  # what 0.75 stands for
    right = Reliability.of(chance, draw.random(5_000) < chance)
    assert right.interval(np.array([0.75]))[0][0] > 0.65


def test_too_few_tested_say_nothing():
    assert Reliability.of([0.5] * (LEAST_TESTED - 1), [1.0] * (LEAST_TESTED - 1)) is None


def test_stored_and_read_it_is_the_same():
    found = Reliability.of(np.linspace(0, 1, 500), np.arange(500) % 2)
    assert Reliability.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    assert Reliability.from_dict(None) is None
