"""The purchase model on a shop whose leavers complain before they go."""

import copy

import numpy as np
import pytest
from scipy.special import expit

from training.metrics import log_loss
from training.models.baseline import Baseline
from training.models.boosting import (
    LEAST_PROBABILITY,
    SLOPES,
    Boosting,
    _slope,
)
from training.models.stack import shares


@pytest.fixture(scope="module")
def boosting(two_part):
    return two_part.purchase


def test_it_beats_the_baseline_and_the_offset_alone(boosting, shop):
    happened = shop.today.bought
    model = log_loss(happened, boosting.predict(shop.today))
    offset = log_loss(happened, expit(boosting.offsets.columns(shop.today).offset_odds))
    rule = log_loss(happened, Baseline.fit(shop.panel).predict(shop.today).purchase_probability)
    assert model < 0.9 * offset < rule


def test_it_is_right_in_total(boosting, shop):
    assert boosting.predict(shop.today).mean() == pytest.approx(shop.today.bought.mean(), abs=0.05)


def test_a_complaint_lowers_the_chance_of_the_same_customer(boosting, shop):
    quiet = boosting.predict(shop.today.assign(count_complaint_90d=0.0))
    loud = boosting.predict(shop.today.assign(count_complaint_90d=1.0))
    assert (loud <= quiet).all()
    assert (quiet - loud)[shop.today.recency.to_numpy() < 60].mean() > 0.2


def test_no_chance_is_certain(boosting, shop):
    certain = copy.copy(boosting)
    certain.slope = 1000.0
    chance = certain.predict(shop.today)
    assert (chance.min(), chance.max()) == (LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)


@pytest.mark.parametrize(
    ("true_slope", "expected"), [(1.1, 1.1), (5.0, SLOPES[1]), (0.1, SLOPES[0])]
)
def test_the_slope_is_measured_within_its_bounds(true_slope, expected):
    rng = np.random.default_rng(0)
    log_odds = rng.normal(0, 1.5, 20_000)
    bought = (rng.random(len(log_odds)) < expit(true_slope * log_odds)).astype(float)
    assert _slope(log_odds, bought) == pytest.approx(expected, abs=0.04)


def test_the_slope_of_skewed_log_odds_at_another_level_is_still_right():
    # A third who buy and many as good as gone: the mean log odds are far from those of the rate.
    rng = np.random.default_rng(0)
    log_odds = np.concatenate([rng.normal(1, 1, 10_000), rng.normal(-5, 2, 20_000)])
    bought = (rng.random(len(log_odds)) < expit(0.3 + log_odds)).astype(float)
    assert _slope(log_odds, bought) == pytest.approx(1.0, abs=0.04)


def test_the_slope_turns_about_the_middle_and_keeps_the_ranking(boosting, shop):
    steeper = copy.copy(boosting)
    steeper.slope = 1.2
    before, after = boosting.predict(shop.today), steeper.predict(shop.today)
    middle = expit(boosting.middle)
    assert ((after > before) == (before > middle))[np.abs(before - middle) > 1e-3].all()


def test_the_total_is_that_of_the_level_whatever_the_members_say(boosting, shop):
    columns = boosting.offsets.columns(shop.today)
    total = expit(columns.offset_odds).sum()
    assert boosting.predict(shop.today).sum() == pytest.approx(total, rel=1e-4)
    moved = copy.copy(boosting)
    moved.weights, moved.slope = [0.0, 0.0, 0.0, 1.0], 1.2
    moved.settle(columns)
    assert moved.predict(shop.today).sum() == pytest.approx(total, rel=1e-4)


def test_where_one_member_alone_is_right_it_may_get_everything(boosting, shop):
    model = copy.copy(boosting)
    model.weights = [1.0, 0.0, 0.0, 0.0]
    columns = model.offsets.columns(shop.today)
    model.settle(columns)
    assert model.predict(shop.today) == pytest.approx(
        expit(columns.offset_odds).to_numpy(), abs=LEAST_PROBABILITY
    )


def test_calibration_takes_the_weights_and_the_slope_of_the_tested_model(boosting, shop):
    model = copy.copy(boosting)
    model.calibrate(boosting, shop.today, shop.today)
    members = boosting._members(boosting.offsets.columns(shop.today))
    assert model.weights == shares(members, shop.today.bought.to_numpy(float)).tolist()
    assert sum(model.weights) == pytest.approx(1.0)
    assert SLOPES[0] < model.slope < SLOPES[1]


def test_saved_and_loaded_it_is_the_same(boosting, shop, tmp_path):
    boosting.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".ubj"}
    again = Boosting.load(tmp_path)
    np.testing.assert_array_equal(again.predict(shop.today), boosting.predict(shop.today))
