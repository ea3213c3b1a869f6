"""Nothing with some probability, else a payment: quantiles of both together."""

import numpy as np
import pytest
from scipy.stats import lognorm

from training.models.value_distribution import LEVELS, ValueDistribution

# Payments of a buyer that are lognormal with median 20 and standard deviation 1 of the logs.
PAYMENT = lognorm(s=1.0, scale=20.0)


@pytest.fixture
def customers():
    """Four customers with the same payments and different chances to buy."""
    chance = np.array([0.02, 0.4, 0.9, 1.0])
    logs = np.tile(np.log(PAYMENT.ppf(LEVELS)), (4, 1))
    return ValueDistribution.of(chance, logs)


def test_up_to_the_chance_of_no_purchase_the_value_is_nothing(customers):
    assert customers.quantile(0.05)[:3].tolist() == [0.0, 0.0, 0.0]
    assert customers.quantile(0.5)[:2].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("level", [0.3, 0.5, 0.9, 0.99])
def test_above_it_the_value_is_a_quantile_of_the_payment(customers, level):
    # With chance 0.9, the level 0.5 of the value is the level (0.5 - 0.1) / 0.9 of the payment.
    expected = PAYMENT.ppf([(level - 0.1) / 0.9, level])
    assert customers.quantile(level)[2:] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("level", [0.05, 0.62, 0.97])
def test_the_level_of_a_quantile_is_the_level(customers, level):
    low, high = customers.levels_of(customers.quantile(level))
    paid = level > 1.0 - customers.chance
    assert low[paid] == pytest.approx(level)
    assert high[paid] == pytest.approx(level)


def test_nothing_lies_between_the_level_0_and_the_chance_of_no_purchase(customers):
    low, high = customers.levels_of(np.zeros(4))
    assert low.tolist() == [0.0] * 4
    assert high == pytest.approx([0.98, 0.6, 0.1, 0.0])


def test_crossed_quantiles_are_sorted():
    crossed = ValueDistribution.of(np.ones(1), np.array([[3.0, 2.0, 2.0, 1.0, 5.0]]))
    values = [float(crossed.quantile(level)[0]) for level in (0.05, 0.25, 0.5, 0.75, 0.95)]
    assert values == sorted(values)
    assert values == pytest.approx(np.exp([1.0, 2.0, 2.0, 3.0, 5.0]), rel=1e-5)
