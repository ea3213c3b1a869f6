"""Whether a forecast of effects ranks customers by their effect: the Qini curve and its area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training import chance

FloatArray = NDArray[np.float64]

BINS = 20  # steps of the curve: five per cent of the customers each


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval over customers drawn anew."""

    value: float
    low: float
    high: float

    @property
    def has_zero(self) -> bool:
        """Whether 0 may be what it really is; an interval that is not known leaves out nothing."""
        return not (self.low > 0.0 or self.high < 0.0)

    def __str__(self) -> str:
        return f"{self.value:.4f}, {self.low:.4f} to {self.high:.4f}"


def curve(
    forecast: ArrayLike, outcome: ArrayLike, treated: ArrayLike, propensity: ArrayLike
) -> FloatArray:
    """Outcomes gained per customer if the first share of customers by forecast is treated.

    At shares 0, 1/BINS, ..., 1: the share times (mean of the treated in it - mean of the control),
    each weighted by 1 / its chance to be in its group. forecast: of the effect, (n,); outcome,
    treated: (n,), 0 or 1; propensity: chance to be treated. Returns (BINS + 1,).
    Source: Radcliffe (2007), Using control groups to target on predicted lift, DMA Analytics
    Journal; with one propensity for all it is his curve.
    """
    return _curves(_sums(forecast, outcome, treated, propensity)[:, :, None])[:, 0]


def qini(
    forecast: ArrayLike,
    outcome: ArrayLike,
    treated: ArrayLike,
    propensity: ArrayLike,
    customer: ArrayLike,
) -> Estimate:
    """Area between the Qini curve and the straight line of a random order, per customer.

    0: no better than chance. The interval is over customers drawn anew; ranks stay as they are.
    """
    columns = _columns(forecast, outcome, treated, propensity)
    drawn = chance.resampled_sums(list(columns.T), customer)
    told = _area(_curves(_by_bin(columns.sum(axis=0)[None, :])))
    return Estimate(float(told[0]), *chance.interval(_area(_curves(_by_bin(drawn)))))


def share_above(above: FloatArray, below: FloatArray, customer: ArrayLike) -> Estimate:
    """The sum of one column over the sum of another, with its interval over customers."""
    drawn = chance.resampled_sums([above, below], customer)
    value = float(above.sum() / below.sum()) if below.sum() > 0 else np.nan
    return Estimate(value, *chance.interval(chance.ratio(drawn[:, 0], drawn[:, 1])))


_KINDS = 5  # what is added up in each bin


def _columns(
    forecast: ArrayLike, outcome: ArrayLike, treated: ArrayLike, propensity: ArrayLike
) -> FloatArray:
    """(n, _KINDS x BINS): rows, weights of both groups and their outcomes, in the row's bin."""
    effect, y, t = (np.asarray(given, dtype=np.float64) for given in (forecast, outcome, treated))
    e = np.broadcast_to(np.asarray(propensity, dtype=np.float64), y.shape)
    # Whom the forecast holds for alike stands in no order, of time or of ids.
    order = np.lexsort((np.random.default_rng(0).permutation(len(effect)), -effect))
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order)) * BINS // max(len(order), 1)
    in_t, in_c = t / e, (1.0 - t) / (1.0 - e)
    found = np.zeros((len(y), _KINDS, BINS))
    for kind, values in enumerate((np.ones(len(y)), in_t, in_t * y, in_c, in_c * y)):
        found[np.arange(len(y)), kind, place] = values
    return found.reshape(len(y), -1)


def _sums(
    forecast: ArrayLike, outcome: ArrayLike, treated: ArrayLike, propensity: ArrayLike
) -> FloatArray:
    columns = _columns(forecast, outcome, treated, propensity)
    return columns.sum(axis=0).reshape(_KINDS, BINS)


def _by_bin(sums: FloatArray) -> FloatArray:
    """(draws, _KINDS x BINS) -> (_KINDS, BINS, draws)."""
    return np.moveaxis(sums.reshape(len(sums), _KINDS, BINS), 0, -1)


def _curves(sums: FloatArray) -> FloatArray:
    """(_KINDS, BINS, draws) -> (BINS + 1, draws)."""
    rows, in_t, y_t, in_c, y_c = np.cumsum(sums, axis=1)
    # Until both groups have somebody nothing is told, and nothing gained.
    gap = np.nan_to_num(chance.ratio(y_t, in_t) - chance.ratio(y_c, in_c), nan=0.0)
    return np.vstack([np.zeros((1, rows.shape[1])), gap * rows / rows[-1]])


def _area(curves: FloatArray) -> FloatArray:
    """Mean height above the straight line to the end, by trapezoids, (draws,)."""
    above = curves - np.linspace(0.0, 1.0, BINS + 1)[:, None] * curves[-1]
    return (above[1:] + above[:-1]).sum(axis=0) / (2.0 * BINS)
