"""Choices within limits: by hand, by trying everything, and far from any limit."""

import itertools

import numpy as np
import pytest

from serving.assignment import NOTHING, assign, at_prices

FREE = np.array([np.inf])


def best_of_all(worth, use, limits):
    """The value of the best choice, by trying every one."""
    options = range(NOTHING, worth.shape[1])
    return max(
        sum(worth[i, option] for i, option in enumerate(choice) if option != NOTHING)
        for choice in itertools.product(options, repeat=len(worth))
        if (sum((use[:, o] for o in choice if o != NOTHING), np.zeros(len(use))) <= limits).all()
    )


def test_without_a_binding_limit_each_customer_gets_his_own_best():
    worth = np.array([[3.0, 5.0], [2.0, 1.0], [-1.0, -2.0]])
    found = assign(worth, np.array([[1.0, 1.0]]), FREE)
    assert found.choice.tolist() == [1, 0, NOTHING]
    assert (found.value, found.gap, found.prices.tolist()) == (7.0, 0.0, [0.0])


def test_a_budget_goes_where_it_earns_most():
    # One option that costs 1: the two best of three fit, and a third unit would be worth 2.
    found = assign(np.array([[9.0], [2.0], [4.0]]), np.array([[1.0]]), np.array([2.0]))
    assert found.choice.tolist() == [0, NOTHING, 0]
    assert found.value == 13.0
    assert 2.0 - 1e-3 <= found.prices[0] <= 4.0 + 1e-3


def test_a_full_channel_sends_customers_to_their_second_best():
    # Both want the first option, of which there is one: the second loses less by giving way.
    worth = np.array([[10.0, 2.0], [9.0, 8.0]])
    found = assign(worth, np.array([[1.0, 0.0]]), np.array([1.0]))
    assert found.choice.tolist() == [0, 1]


@pytest.mark.parametrize("seed", range(8))
def test_it_is_the_best_of_all_choices(seed):
    rng = np.random.default_rng(seed)
    worth, use = rng.normal(2.0, 4.0, (6, 3)), rng.uniform(0.2, 2.0, (2, 3))
    limits = rng.uniform(1.0, 4.0, 2)
    found = assign(worth, use, limits)
    assert found.value == pytest.approx(best_of_all(worth, use, limits))
    assert found.bound >= found.value - 1e-9


def test_many_customers_keep_to_the_limits_and_the_gap_is_small():
    rng = np.random.default_rng(1)
    worth = rng.lognormal(1.0, 1.0, (20_000, 3)) - 2.0
    use = np.array([[1.0, 2.0, 5.0], [0.0, 1.0, 1.0]])
    found = assign(worth, use, np.array([3_000.0, 400.0]))
    taken = np.bincount(found.choice[found.choice >= 0], minlength=3)
    assert (use @ taken <= [3_000.0, 400.0]).all()
    assert found.gap < 1e-4 * found.bound


def test_customers_who_are_alike_still_use_the_budget_up():
    found = assign(np.full((5_000, 1), 3.0), np.array([[2.0]]), np.array([4_001.0]))
    assert (found.choice == 0).sum() == 2_000
    assert found.gap <= 3.0  # the last unit buys no whole contact


def test_nobody_to_choose_for_and_no_money():
    assert assign(np.empty((0, 2)), np.ones((1, 2)), np.array([1.0])).value == 0.0
    found = assign(np.array([[4.0]]), np.array([[1.0]]), np.array([0.0]))
    assert found.choice.tolist() == [NOTHING]


def test_at_prices_what_costs_more_than_it_is_worth_is_left():
    worth = np.array([[5.0, 4.0], [2.0, 1.0]])
    chosen = at_prices(worth, np.array([[2.0, 1.0]]), np.array([1.5]))
    assert chosen.tolist() == [1, NOTHING]  # 5 - 3 < 4 - 1.5; 2 - 3 and 1 - 1.5 are below 0
