"""The distribution of a customer's value: nothing, or a payment of which quantiles are known.

With P(buys) = p the value is 0 up to the level 1 - p; above it, level q is the quantile
(q - (1 - p)) / p of the payments of a buyer. So median and interval follow the chance to buy, its
level of the season included, and an interval begins at 0 for whoever may well buy nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

# Levels at which the logs of a buyer's payment are learnt; between and beyond them a log payment
# goes on as that of a normal distribution would.
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
_KNOTS = ndtri(np.array(LEVELS))
# Two equal quantiles would leave the levels between them undefined.
_LEAST_STEP = 1e-6
# Beyond these levels of a buyer's payment nothing was learnt that an extrapolation could stand on.
_OUTERMOST = (0.001, 0.999)


@dataclass(frozen=True)
class ValueDistribution:
    """Values of n customers in a horizon.

    chance: P(buys), (n,). logs: natural logs of a buyer's payment at LEVELS, (n, len(LEVELS)).
    """

    chance: NDArray[np.float64]
    logs: NDArray[np.float64]

    @classmethod
    def of(cls, chance: NDArray, logs: NDArray) -> ValueDistribution:
        """The distribution of forecasts whose quantiles may cross; crossed ones are sorted."""
        steps = _LEAST_STEP * np.arange(len(LEVELS))
        return cls(chance, np.sort(logs, axis=1) + steps)

    def quantile(self, level: ArrayLike) -> NDArray[np.float64]:
        """The value that is not exceeded with probability `level`, a scalar or (n,); (n,), >= 0."""
        of_a_buyer = (np.broadcast_to(level, self.chance.shape) - (1.0 - self.chance)) / self.chance
        z = ndtri(np.clip(of_a_buyer, *_OUTERMOST))
        left = np.clip(np.searchsorted(_KNOTS, z, side="right") - 1, 0, len(LEVELS) - 2)
        rows = np.arange(len(z))
        slope = self.logs[rows, left + 1] - self.logs[rows, left]
        slope /= _KNOTS[left + 1] - _KNOTS[left]
        payment = np.exp(self.logs[rows, left] + slope * (z - _KNOTS[left]))
        return np.where(of_a_buyer > 0.0, payment, 0.0)

    def levels_of(self, value: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Between which levels a value lies, two (n,); they differ at 0, which has many."""
        nothing = 1.0 - self.chance
        logs = np.log(np.where(value > 0.0, value, 1.0))
        left = np.clip(np.sum(self.logs <= logs[:, None], axis=1) - 1, 0, len(LEVELS) - 2)
        rows = np.arange(len(logs))
        slope = _KNOTS[left + 1] - _KNOTS[left]
        slope /= self.logs[rows, left + 1] - self.logs[rows, left]
        of_a_buyer = ndtr(_KNOTS[left] + slope * (logs - self.logs[rows, left]))
        level = nothing + self.chance * of_a_buyer
        paid = value > 0.0
        return np.where(paid, level, 0.0), np.where(paid, level, nothing)
