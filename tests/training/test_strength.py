"""The strength of a classifier: prior alone, as it is, or in between, by what later rows say."""

import numpy as np
import pytest

from training.models.strength import BOUNDS, measure, strengthened

PRIOR = np.log(np.array([[0.5, 0.5]]))
SURE = np.log(np.array([[0.9, 0.1]]))


@pytest.mark.parametrize(
    ("strength", "expected"), [(0.0, [0.5, 0.5]), (1.0, [0.9, 0.1]), (0.5, [0.75, 0.25])]
)
def test_strength_moves_from_the_prior_to_the_forecast(strength, expected):
    # Half way in logs: odds of 9 become odds of 3.
    np.testing.assert_allclose(strengthened(PRIOR, SURE, strength), [expected])


def rows(hits: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """100 forecasts of 0.9 for the first class, which is true in so many."""
    label = np.array([0] * hits + [1] * (100 - hits))
    return np.repeat(PRIOR, 100, axis=0), np.repeat(SURE, 100, axis=0), label


@pytest.mark.parametrize(
    ("hits", "expected"),
    [(90, 1.0), (75, 0.5), (50, BOUNDS[0]), (20, BOUNDS[0]), (99, BOUNDS[1])],
)
def test_the_strength_is_the_one_later_rows_ask_for(hits, expected):
    assert measure(*rows(hits)) == pytest.approx(expected, abs=1e-3)
