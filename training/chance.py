"""What chance alone does: customers drawn anew, outcomes drawn anew from their forecasts.

A customer who stands in several rows, one per origin, is drawn with all of them: his rows tell much
the same. Chance here is which customers were met. That another season would have come out otherwise
is in no interval of this file.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import UserError
from training.metrics import equal_bins

FloatArray = NDArray[np.float64]

INTERVAL = 0.95
ROUNDS = 1000  # the ends of a 95 % interval rest on 25 draws each
# One end alone, the 95 % quantile, rests on 10 draws of these.
OUTCOME_ROUNDS = 200
# More customers are drawn in so many groups made at random: sums of groups vary as those of single
# customers do, their variance is known to 0.6 %, and a million costs no more than these.
MOST_DRAWN = 50_000


def resampled_sums(
    columns: Sequence[ArrayLike], customer: ArrayLike, seed: int = 0, rounds: int = ROUNDS
) -> FloatArray:
    """Sums of each column over as many customers as there are, drawn with replacement.

    columns: k columns of (n,). customer: whose row it is, (n,). Returns (rounds, k); the order of
    the rows does not matter. Raises UserError for no rows or columns of another length.
    Source: Field, Welsh (2007), Bootstrapping clustered data, JRSS B 69(3); for the groups Wolter
    (2007), Introduction to Variance Estimation, chapter 2 (random groups).
    """
    whose, count = _customers(customer)
    values = [np.asarray(column, dtype=np.float64) for column in columns]
    if any(column.shape != whose.shape for column in values):
        raise UserError(
            f"Sums of {len(whose)} rows were asked for, but a column has another length. Give one "
            "value for each row."
        )
    rng = np.random.default_rng(seed)
    if count > MOST_DRAWN:
        whose, count = (rng.permutation(count) % MOST_DRAWN)[whose], MOST_DRAWN
    each = np.column_stack([np.bincount(whose, column, count) for column in values])
    # How often each is drawn times what he has: six times as fast as to bring the rows together.
    drawn = (np.bincount(rng.integers(count, size=count), minlength=count) for _ in range(rounds))
    return np.stack([times @ each for times in drawn])


def paired_bootstrap(
    loss_a: ArrayLike, loss_b: ArrayLike, customer: ArrayLike, seed: int = 0
) -> tuple[float, float, float]:
    """Whether A beats B on the same customers: mean loss of A minus mean loss of B.

    loss_a, loss_b: loss of each row under A and under B, (n,). customer: whose row it is, (n,).
    Returns the difference, below 0 when A is better, and its 95 % interval (low, high).
    """
    difference = np.asarray(loss_a, dtype=np.float64) - np.asarray(loss_b, dtype=np.float64)
    drawn = resampled_sums([difference, np.ones(len(difference))], customer, seed)
    return float(difference.mean()), *interval(drawn[:, 0] / drawn[:, 1])


def interval(draws: ArrayLike) -> tuple[float, float]:
    """The 95 % interval of draws; missing ones (nothing to divide by) are left out."""
    draws = np.asarray(draws, dtype=np.float64)
    known = draws[np.isfinite(draws)]
    if not len(known):
        return np.nan, np.nan
    tail = (1.0 - INTERVAL) / 2.0
    low, high = np.quantile(known, [tail, 1.0 - tail])
    return float(low), float(high)


def ratio(above: ArrayLike, below: ArrayLike) -> FloatArray:
    """One column over another, NaN where there is nothing to divide by."""
    above, below = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)
    return np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)


def calibration_by_chance(
    p: ArrayLike, customer: ArrayLike, seed: int = 0, rounds: int = OUTCOME_ROUNDS
) -> float:
    """The expected calibration error that right probabilities stay below 95 times of 100.

    It is never 0: of a few customers some group always comes out otherwise. All rows of a customer
    share one draw, as if he did the same at every origin; that errs on the side of chance.
    Source: Broecker, Smith (2007), Increasing the reliability of reliability diagrams, Weather and
    Forecasting 22(3).
    """
    p = np.asarray(p, dtype=np.float64)
    whose, count = _customers(customer)
    which = equal_bins(p)
    expected = np.bincount(which, p)
    rng = np.random.default_rng(seed)
    drawn = (rng.random(count)[whose] < p for _ in range(rounds))
    errors = [np.abs(np.bincount(which, happened) - expected).sum() / len(p) for happened in drawn]
    return float(np.quantile(errors, INTERVAL))


def _customers(customer: ArrayLike) -> tuple[NDArray[np.intp], int]:
    known, whose = np.unique(np.asarray(customer), return_inverse=True)
    if not len(known):
        raise UserError("An interval was asked of no customers. Give at least one row.")
    return whose, len(known)
