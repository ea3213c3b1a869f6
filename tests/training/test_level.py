"""Given a forecast and what happened, the shift that makes the forecast right in total."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from training.level import MOST_SHIFT, Level, expect, measure
from training.split import CutOff

NOW = datetime(2024, 6, 30)
LONG_AGO = datetime(2020, 1, 1)


def forecast(chances, values):
    chances = np.array(chances)
    return pd.DataFrame(
        {"logit_purchase": np.log(chances / (1 - chances)), "log_value": np.log(values)}
    )


def ago(days, horizon_days=90):
    return CutOff(NOW - timedelta(days=days), horizon_days)


def test_the_shift_of_a_made_example_is_found():
    # Half were expected to buy and three quarters did: odds 3. Twice the money came in: log 2.
    found = measure(
        forecast([0.5] * 4, [10.0] * 4), np.array([1, 1, 1, 0]), np.array([50.0, 20, 10, 0])
    )
    assert found.odds == pytest.approx(np.log(3))
    assert found.money == pytest.approx(np.log(2))


def test_after_the_shift_as_many_are_expected_as_bought():
    given = forecast([0.1, 0.4, 0.7, 0.9, 0.2], [1.0, 2, 3, 4, 5])
    shift = measure(given, np.array([1, 0, 1, 0, 0]), np.array([3.0, 0, 9, 0, 0])).odds
    assert (1 / (1 + np.exp(-(given.logit_purchase + shift)))).sum() == pytest.approx(2)


def test_who_stands_for_three_counts_as_three():
    # The treated, who stand for nobody, all stayed away: of the four that count three bought.
    found = measure(
        forecast([0.5] * 4, [10.0] * 4), np.array([1, 0, 0, 0]), np.array([80 / 3, 0, 0, 0]),
        stands_for=np.array([3.0, 1.0, 0.0, 0.0]),
    )  # fmt: skip
    assert found.odds == pytest.approx(np.log(3))
    assert found.money == pytest.approx(np.log(2))


def test_nobody_and_everybody_buying_are_bounded():
    given = forecast([0.3, 0.6], [10.0, 20.0])
    assert measure(given, np.zeros(2), np.zeros(2)) == Level(-MOST_SHIFT, -MOST_SHIFT)
    assert measure(given, np.ones(2), np.array([1e6, 1e6])) == Level(MOST_SHIFT, MOST_SHIFT)


def test_more_sent_back_than_bought_is_bounded():
    assert measure(forecast([0.5], [10.0]), np.zeros(1), np.array([-5.0])).money == -MOST_SHIFT


def test_last_years_season_beats_the_newest():
    levels = {ago(90): Level(-1, -1), ago(350): Level(1, 3), ago(365): Level(2, 5)}
    expected = expect(levels, LONG_AGO, NOW)
    assert (expected.odds, expected.money) == pytest.approx((0.9 * 1.5, 0.9 * 4))


def test_a_season_in_the_first_weeks_of_a_record_does_not_count():
    levels = {ago(90): Level(4, 8), ago(365): Level(1, 3)}
    begun = NOW - timedelta(days=365 + 89)  # one day less than a horizon before that season
    expected = expect(levels, begun, NOW)
    assert (expected.odds, expected.money) == pytest.approx((0.25 * 2.5, 0.25 * 5.5))


def test_without_a_season_a_quarter_of_the_two_newest_is_carried():
    levels = {ago(134): Level(9, 9), ago(90): Level(1, 2), ago(112): Level(3, 4)}
    expected = expect(levels, LONG_AGO, NOW)
    assert (expected.odds, expected.money) == pytest.approx((0.25 * 2, 0.25 * 3))


def test_divisions_of_a_short_span_count_like_the_newest_cutoffs():
    levels = {ago(30, 30): Level(1, 1), ago(40, 40): Level(2, 2), ago(60, 60): Level(6, 6)}
    expected = expect(levels, LONG_AGO, NOW)
    assert (expected.odds, expected.money) == pytest.approx((0.375, 0.375))
