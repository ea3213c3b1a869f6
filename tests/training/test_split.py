"""Given a history's length and a horizon, the moments a model may learn from."""

from datetime import datetime, timedelta

import pytest

from features.errors import UserError
from training.split import CutOff, is_season_matched, test_origin, training_cutoffs

test_origin.__test__ = False  # a function of the room, not a test
NOW = datetime(2024, 6, 30, 23, 59, 59, 999999)


def first(span):
    return NOW - timedelta(days=span)


def days_ago(cutoffs):
    return [(NOW - cutoff.as_of).days for cutoff in cutoffs]


def test_a_long_history_gives_four_newest_moments_and_those_of_last_year():
    cutoffs = training_cutoffs(first(1000), NOW, 90)
    assert days_ago(cutoffs) == [90, 112, 134, 156, 350, 365, 380]
    assert {cutoff.horizon_days for cutoff in cutoffs} == {90}


@pytest.mark.parametrize(
    ("horizon", "expected"),
    [
        (20, [20, 27, 34, 41, 350, 365, 380]),  # a quarter of it would be 5 days: a week at least
        (365, [365, 380, 395, 425, 455]),  # a quarter of it would be 91 days: a month at most
    ],
)
def test_the_steps_are_between_a_week_and_a_month(horizon, expected):
    assert days_ago(training_cutoffs(first(2000), NOW, horizon)) == expected


def test_a_moment_with_too_little_history_before_it_is_left_out():
    # The customer's history before the cut-off must be a quarter of the horizon, 22.5 days.
    assert days_ago(training_cutoffs(first(135), NOW, 90)) == [90, 112]


def test_a_short_history_is_divided_and_the_horizons_are_what_is_left():
    cutoffs = training_cutoffs(first(100), NOW, 90)
    assert days_ago(cutoffs) == [30, 40, 50, 60]
    assert [cutoff.horizon_days for cutoff in cutoffs] == [30, 40, 50, 60]


@pytest.mark.parametrize(("span", "horizon"), [(14, 1), (14, 7), (30, 20)])
def test_a_short_horizon_in_a_short_history_still_has_cutoffs(span, horizon):
    cutoffs = training_cutoffs(first(span), NOW, horizon)
    assert cutoffs
    assert all(cutoff.as_of > first(span) for cutoff in cutoffs)


@pytest.mark.parametrize("span", [14, 15, 40, 100, 134, 135, 364, 400, 1500])
@pytest.mark.parametrize("horizon", [7, 30, 90, 365])
def test_all_are_matured_and_newest_first(span, horizon):
    cutoffs = training_cutoffs(first(span), NOW, horizon)
    assert cutoffs
    assert all(cutoff.matured_at <= NOW for cutoff in cutoffs)
    moments = [cutoff.as_of for cutoff in cutoffs]
    assert moments == sorted(set(moments), reverse=True)


def test_less_than_two_weeks_are_refused():
    with pytest.raises(UserError) as refused:
        training_cutoffs(first(13), NOW, 90)
    assert str(refused.value) == (
        "Training was asked for as of 2024-06-30, but the events begin on 2024-06-17, 13 days "
        "before. Bring at least 14 days of history, better two horizons."
    )


def test_the_test_stands_one_horizon_ago_when_a_horizon_lies_before_it():
    assert test_origin(first(180), NOW, 90) == CutOff(NOW - timedelta(days=90), 90)


def test_else_the_test_stands_in_the_middle_and_asks_about_the_other_half():
    assert test_origin(first(179), NOW, 90) == CutOff(NOW - timedelta(days=89), 89)


@pytest.mark.parametrize("span", [60, 180, 400, 1500])
@pytest.mark.parametrize("horizon", [30, 90, 365])
def test_no_training_label_reaches_into_the_test_window(span, horizon):
    origin = test_origin(first(span), NOW, horizon)
    assert origin.matured_at <= NOW
    cutoffs = training_cutoffs(first(span), origin.as_of, origin.horizon_days)
    assert max(cutoff.matured_at for cutoff in cutoffs) <= origin.as_of


@pytest.mark.parametrize(
    ("days", "expected"), [(349, False), (350, True), (365, True), (380, True), (381, False)]
)
def test_a_season_is_about_a_year_ago(days, expected):
    assert is_season_matched(CutOff(NOW - timedelta(days=days), 90), NOW) is expected
