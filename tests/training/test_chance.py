"""What chance does to sums, to a difference and to a calibration error."""

import numpy as np
import pytest

from features.errors import UserError
from training import chance


def test_a_customer_is_drawn_with_all_of_his_rows():
    drawn = chance.resampled_sums([[1.0, 2.0, 10.0], [1, 1, 1]], ["ann", "ann", "bob"], rounds=50)
    # Two customers are drawn: ann twice, each once, or bob twice.
    assert set(map(tuple, drawn)) == {(6.0, 4.0), (13.0, 3.0), (20.0, 2.0)}


def test_many_customers_in_random_groups_vary_as_single_ones_do(monkeypatch):
    rng = np.random.default_rng(2)
    value, whose = rng.lognormal(sigma=1.5, size=20_000), np.arange(20_000)
    single = chance.resampled_sums([value, np.ones(20_000)], whose)
    monkeypatch.setattr(chance, "MOST_DRAWN", 2_000)
    grouped = chance.resampled_sums([value, np.ones(20_000)], whose)
    assert grouped[:, 0].mean() == pytest.approx(single[:, 0].mean(), rel=0.005)
    assert grouped[:, 0].std() == pytest.approx(single[:, 0].std(), rel=0.1)
    np.testing.assert_array_equal(grouped[:, 1], 20_000)


def test_all_rows_of_a_customer_are_in_one_group(monkeypatch):
    monkeypatch.setattr(chance, "MOST_DRAWN", 5)
    drawn = chance.resampled_sums([np.ones(30), -np.ones(30)], np.arange(30) // 2, rounds=20)
    assert set(drawn.sum(axis=1)) == {0.0}
    assert set(drawn[:, 0] % 6) == {0.0}  # groups of three customers with two rows each


def test_the_order_of_the_rows_does_not_matter():
    forward = chance.resampled_sums([[1.0, 2.0, 10.0]], ["ann", "cid", "bob"], rounds=20)
    backward = chance.resampled_sums([[10.0, 2.0, 1.0]], ["bob", "cid", "ann"], rounds=20)
    np.testing.assert_array_equal(forward, backward)


def test_no_customers_and_columns_of_another_length_are_refused():
    with pytest.raises(UserError, match="asked of no customers"):
        chance.resampled_sums([[]], [])
    with pytest.raises(UserError, match="Sums of 2 rows were asked for"):
        chance.resampled_sums([[1.0]], ["ann", "bob"])


def test_the_bootstrap_finds_a_real_difference_and_no_false_one():
    rng = np.random.default_rng(1)
    loss, whose = rng.exponential(size=500), np.arange(500)
    noise = rng.normal(scale=0.1, size=500)

    difference, low, high = chance.paired_bootstrap(loss - 0.05 + noise, loss, whose, seed=7)
    assert difference == pytest.approx(np.mean(noise) - 0.05)
    assert low < difference < high < 0
    assert high - low == pytest.approx(2 * 1.96 * 0.1 / np.sqrt(500), rel=0.2)

    _, low, high = chance.paired_bootstrap(loss + noise - noise.mean(), loss, whose, seed=7)
    assert low < 0 < high


def test_the_bootstrap_is_the_same_for_the_same_seed():
    given = np.arange(20.0), np.arange(20.0)[::-1], np.arange(20)

    assert chance.paired_bootstrap(*given, seed=3) == chance.paired_bootstrap(*given, seed=3)
    assert chance.paired_bootstrap(*given, seed=3) != chance.paired_bootstrap(*given, seed=4)


def test_an_interval_leaves_out_draws_that_divide_by_nothing():
    draws = chance.ratio([1.0, 2.0, 3.0], [1.0, 0.0, 1.0])
    assert np.isnan(draws[1])
    assert chance.interval(draws) == pytest.approx((1.05, 2.95))
    assert np.isnan(chance.interval([np.nan])).all()


def test_a_right_forecast_of_few_has_a_larger_calibration_error_by_chance():
    few = chance.calibration_by_chance(np.full(100, 0.5), np.arange(100))
    many = chance.calibration_by_chance(np.full(10_000, 0.5), np.arange(10_000))
    # One bin of n fair coins: 1.96 standard deviations of a share.
    assert few == pytest.approx(1.96 * 0.5 / np.sqrt(100), rel=0.2)
    assert many == pytest.approx(1.96 * 0.5 / np.sqrt(10_000), rel=0.2)


def test_rows_of_one_customer_are_no_new_evidence():
    p, whose = np.full(400, 0.5), np.repeat(np.arange(100), 4)
    alone = chance.calibration_by_chance(np.full(100, 0.5), np.arange(100))
    assert chance.calibration_by_chance(p, whose) == pytest.approx(alone)
