"""A grade needs a margin and more than chance."""

import numpy as np
import pandas as pd
import pytest

from serving.report_parts.grades import Comparison, compare_risk, compare_value


def series(*values):
    return pd.Series(values, dtype=float)


@pytest.mark.parametrize(
    ("gain", "clear", "grade"),
    [
        (0.05, True, "A"),
        (0.05, False, "B"),
        (0.049, True, "B"),
        (0.0, False, "C"),
        (-0.2, False, "C"),
    ],
)
def test_the_grade_follows_the_gain_and_the_doubt(gain, clear, grade):
    assert Comparison(1000, 0.0, 0.0, gain, clear).grade == grade


def test_risks_are_compared_by_their_squared_errors():
    found = compare_risk(series(0.9, 0.1), series(0.5, 0.5), series(1, 0))

    assert (found.model, found.baseline) == pytest.approx((0.01, 0.25))
    assert found.gain == pytest.approx(0.96)


def test_an_advantage_by_luck_is_not_clear():
    draw = np.random.default_rng(0)
    happened = pd.Series(draw.integers(0, 2, 50), dtype=float)
    one, other = (pd.Series(draw.random(50)) for _ in range(2))

    assert not compare_risk(one, other, happened).clear
    assert not compare_risk(other, one, happened).clear


def test_values_are_compared_by_what_the_top_fifth_brought():
    value = series(60, 20, 10, 5, 5)

    found = compare_value(series(5, 4, 3, 2, 1), series(1, 2, 3, 4, 5), value)

    assert (found.model, found.baseline) == pytest.approx((0.60, 0.05))


def test_a_baseline_that_ties_everybody_finds_a_fifth():
    found = compare_value(series(5, 4, 3, 2, 1), series(7, 7, 7, 7, 7), series(60, 20, 10, 5, 5))

    assert found.baseline == pytest.approx(0.2)


def test_nothing_to_compare_is_no_comparison():
    assert compare_risk(series(0.5), series(np.nan), series(1)) is None
    assert compare_value(series(1, 2), series(1, 2), series(0, 0)) is None
