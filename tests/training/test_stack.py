"""Shares of members: what was believed before, unless a test objects clearly."""

import numpy as np
import pytest
from scipy.special import expit

from training.models.stack import FEW, believed, shares


def outcomes(members, truth):
    """Log odds of some members, and outcomes of the true log odds."""
    rng = np.random.default_rng(0)
    return np.column_stack(members), (rng.random(len(truth)) < expit(truth)).astype(float)


def test_the_first_member_has_more_the_fewer_the_customers():
    assert believed(4, 0).tolist() == [1.0, 0.0, 0.0, 0.0]
    assert believed(4, FEW).tolist() == [0.625, 0.125, 0.125, 0.125]
    assert believed(4, 10**9) == pytest.approx([0.25] * 4, abs=1e-6)


def test_members_that_say_the_same_keep_what_was_believed():
    truth = np.random.default_rng(1).normal(0, 1, 5000)
    assert shares(*outcomes([truth] * 4, truth)) == pytest.approx(believed(4, 5000), abs=1e-4)


def test_one_lucky_test_of_few_customers_moves_little():
    rng = np.random.default_rng(6)
    truth = rng.normal(0, 1, 200)
    members, happened = outcomes([truth, truth + rng.normal(0, 1, 200)], truth)
    assert shares(members, happened) == pytest.approx(believed(2, 200), abs=0.1)


def test_a_member_that_alone_is_right_gets_nearly_everything():
    rng = np.random.default_rng(2)
    truth, noise = rng.normal(0, 2, 5000), rng.normal(0, 2, (5000, 2))
    found = shares(*outcomes([truth, noise[:, 0], noise[:, 1]], truth))
    assert found[0] > 0.9
    assert found.sum() == pytest.approx(1.0)


def test_two_members_with_a_half_each_keep_a_half_each():
    rng = np.random.default_rng(3)
    one, other, noise = rng.normal(0, 2, (3, 5000))
    found = shares(*outcomes([one, other, noise], (one + other) / 2))
    assert found == pytest.approx([0.5, 0.5, 0.0], abs=0.1)


def test_the_level_of_a_member_says_nothing_about_its_share():
    rng = np.random.default_rng(4)
    truth, noise = rng.normal(0, 2, 5000), rng.normal(0, 2, 5000)
    members, happened = outcomes([truth, noise], truth)
    moved = shares(np.add(members, [5.0, 0.0]), happened)
    assert moved == pytest.approx(shares(members, happened), abs=1e-4)


def test_a_test_in_which_everybody_bought_moves_nothing():
    members = np.random.default_rng(5).normal(0, 1, (200, 3))
    assert shares(members, np.ones(200)) == pytest.approx(believed(3, 200), abs=0.15)
