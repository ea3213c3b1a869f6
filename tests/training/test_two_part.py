"""The value model on a shop whose leavers complain before they go."""

import copy

import numpy as np
import pytest
from pandas.testing import assert_frame_equal

from tests.training import known_truth
from training.metrics import capture, normalized_gini, spearman
from training.models.baseline import Baseline
from training.models.two_part import (
    ANCHORS,
    HORIZONS,
    TAIL_ABOVE,
    TAILS,
    WIDEST_TAILS,
    TwoPart,
    _tails,
)


@pytest.fixture(scope="module")
def forecast(two_part, shop):
    return two_part.predict(shop.today)


@pytest.fixture
def uncalibrated(two_part):
    """A copy that a test may calibrate."""
    return copy.deepcopy(two_part)


@pytest.mark.parametrize("metric", [spearman, normalized_gini, capture], ids=lambda m: m.__name__)
def test_it_ranks_customers_better_than_the_baseline(forecast, shop, metric):
    baseline = Baseline.fit(shop.panel).predict(shop.today).expected_value
    assert metric(shop.today.value, forecast.expected_value) > 1.05 * metric(
        shop.today.value, baseline
    )


def test_it_is_right_in_total(forecast, shop):
    assert forecast.expected_value.sum() == pytest.approx(shop.today.value.sum(), rel=0.2)
    assert forecast.expected_orders.sum() > forecast.purchase_probability.sum()


def test_the_total_is_that_of_the_level(two_part, forecast, shop):
    leveled = np.exp(two_part.purchase.offsets.columns(shop.today).offset_money).sum()
    assert ANCHORS[0] < two_part.anchor < ANCHORS[1]
    assert forecast.expected_value.sum() == pytest.approx(leveled)


def test_the_bounds_stand_about_mean_and_median(forecast):
    assert (forecast.expected_value_low >= 0).all()
    assert (forecast.expected_value_low <= forecast.expected_value_median).all()
    assert (forecast.expected_value_median <= forecast.expected_value_high).all()
    assert forecast.expected_value.between(
        forecast.expected_value_low, forecast.expected_value_high
    ).all()
    assert np.isfinite(forecast).all(axis=None)


def test_after_calibration_nine_in_ten_lie_within_the_interval(uncalibrated, two_part, shop):
    seen, unseen = shop.today.iloc[::2], shop.today.iloc[1::2]
    uncalibrated.calibrate(two_part, seen, shop.today)
    found = uncalibrated.predict(unseen)
    inside = unseen.value.between(found.expected_value_low, found.expected_value_high)
    assert 0.86 <= inside.mean() <= 0.97


def test_who_may_well_buy_nothing_has_an_interval_from_nothing(forecast):
    unsure = forecast.purchase_probability < 0.9
    assert unsure.any()
    assert (forecast.expected_value_low[unsure] == 0.0).all()
    assert (forecast.expected_value_median[forecast.purchase_probability < 0.5] == 0.0).all()


def test_the_levels_of_a_group_are_those_that_held_nine_in_ten_of_its_values():
    # A hundred values at the levels 0.005, 0.015, ... 0.995: the interval claims what it holds.
    even = (np.arange(100) + 0.5) / 100
    assert _tails(even, even, TAILS) == pytest.approx(list(TAILS), abs=0.011)
    # All high: one in five lay beyond the level 0.99.
    high = np.where(np.arange(100) % 5 == 0, 0.992, 0.5)
    assert _tails(high, high, TAILS) == [TAILS[0], pytest.approx(0.992)]
    assert _tails(high, high, TAIL_ABOVE) == [0.0, pytest.approx(0.992)]


def test_an_interval_is_never_narrowed_nor_widened_without_end():
    middle = np.full(100, 0.5)
    assert _tails(middle, middle, TAILS) == list(TAILS)
    assert _tails(middle, middle, TAIL_ABOVE) == list(TAIL_ABOVE)
    assert _tails(np.ones(100), np.ones(100), TAILS) == [TAILS[0], WIDEST_TAILS[1]]
    assert _tails(np.zeros(100), np.zeros(100), TAILS) == [WIDEST_TAILS[0], TAILS[1]]


def test_the_levels_of_a_group_move_its_own_bounds_alone(uncalibrated, forecast, shop):
    uncalibrated.tails["likely others"] = [0.0, 0.99]
    wider = uncalibrated.predict(shop.today)
    moved = wider.expected_value_high > forecast.expected_value_high
    is_rich = forecast.expected_value > uncalibrated.rich
    is_likely = forecast.purchase_probability.between(0.5, 0.95)
    assert (moved == (is_likely & ~is_rich)).all()
    assert moved.any()
    assert_frame_equal(
        wider.drop(columns="expected_value_high"), forecast.drop(columns="expected_value_high")
    )


def test_a_longer_horizon_is_never_worth_less(two_part, forecast, shop):
    value = two_part.by_horizon(shop.today, forecast.expected_value)
    asked = int(shop.today.horizon_days.iloc[0])
    known = [f"expected_value_{days}d" for days in HORIZONS if days <= asked]
    assert len(known) > 1
    assert list(value) == known
    assert (value.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    assert (value[known[-1]] <= forecast.expected_value).all()


def test_the_whole_horizon_is_worth_what_it_was(two_part, forecast, shop):
    month = shop.today.assign(horizon_days=30)
    value = two_part.by_horizon(month, forecast.expected_value)
    assert list(value) == ["expected_value_30d"]
    assert value.expected_value_30d.to_numpy() == pytest.approx(forecast.expected_value)


def test_a_shop_in_which_nobody_buys_any_more_is_worth_next_to_nothing(shop):
    dead = shop.panel.assign(bought=0.0, value=0.0)
    model = TwoPart.fit(dead, shop.today, shop.as_of, known_truth.FEATURES)
    assert model.predict(shop.today).expected_value.sum() < 0.02 * shop.today.value.sum()


def test_saved_and_loaded_it_is_the_same(two_part, forecast, shop, tmp_path):
    two_part.save(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".json", ".ubj"}
    assert_frame_equal(TwoPart.load(tmp_path).predict(shop.today), forecast, check_exact=True)
