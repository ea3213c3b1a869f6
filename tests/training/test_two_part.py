"""The value model on a shop whose leavers complain before they go."""

import copy

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tests.training import known_truth
from training.metrics import capture, normalized_gini, spearman
from training.models.baseline import Baseline
from training.models.two_part import ANCHORS, MOST_WIDENING, TwoPart


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


def test_after_calibration_nine_in_ten_lie_within_the_interval(uncalibrated, shop):
    seen, unseen = shop.today.iloc[::2], shop.today.iloc[1::2]
    uncalibrated.calibrate(seen.join(uncalibrated.predict(seen)))
    found = uncalibrated.predict(unseen)
    inside = unseen.value.between(found.expected_value_low, found.expected_value_high)
    assert 0.86 <= inside.mean() <= 0.96


def test_an_interval_that_was_too_narrow_is_widened_on_the_side_that_was(uncalibrated):
    # All were to bring exactly 99; one in five brings 199: log1p(199) - log1p(99) more.
    value = np.where(np.arange(1000) % 5 == 0, 199.0, 99.0)
    uncalibrated.calibrate(held_out(0.9, 99.0, 99.0, value))
    assert uncalibrated.widening["likely"] == pytest.approx([0.0, np.log(2.0)])
    assert uncalibrated.widening["unlikely"] == [0.0, 0.0]


def test_an_interval_is_never_narrowed_nor_widened_without_end(uncalibrated):
    uncalibrated.calibrate(held_out(0.1, 0.0, 1000.0, np.full(100, 50.0)))
    assert uncalibrated.widening["unlikely"] == [0.0, 0.0]
    uncalibrated.calibrate(held_out(0.1, 0.0, 1.0, np.full(100, 1e6)))
    assert uncalibrated.widening["unlikely"] == [0.0, MOST_WIDENING]


def test_the_widening_moves_the_bounds_of_its_group_alone(uncalibrated, forecast, shop):
    uncalibrated.widening["likely"] = [0.0, 0.5]
    wider = uncalibrated.predict(shop.today)
    moved = wider.expected_value_high > forecast.expected_value_high
    assert (moved == (forecast.purchase_probability > 0.5)).all()
    assert moved.any()
    assert_frame_equal(
        wider.drop(columns="expected_value_high"), forecast.drop(columns="expected_value_high")
    )


def test_a_shop_in_which_nobody_buys_any_more_is_worth_next_to_nothing(shop):
    dead = shop.panel.assign(bought=0.0, value=0.0)
    model = TwoPart.fit(dead, shop.today, shop.as_of, known_truth.FEATURES)
    assert model.predict(shop.today).expected_value.sum() < 0.02 * shop.today.value.sum()


def test_saved_and_loaded_it_is_the_same(two_part, forecast, shop, tmp_path):
    two_part.save(tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".json", ".ubj"}
    assert_frame_equal(TwoPart.load(tmp_path).predict(shop.today), forecast, check_exact=True)


def held_out(chance, low, high, value):
    """Forecasts of everybody the same, beside what happened."""
    return pd.DataFrame(
        {
            "purchase_probability": chance,
            "expected_value_low": low,
            "expected_value_high": high,
            "bought": (np.arange(len(value)) % 2).astype(float),
            "value": value,
        }
    )
