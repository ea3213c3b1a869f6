"""Logistic regression with a ridge penalty and an offset, which scikit-learn's does not take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

PENALTIES = (10000.0, 1000.0, 100.0, 10.0)  # in rows: from hardly a model to hardly any smoothing
# Newton's method on a penalized logistic loss converges in a handful of steps.
MOST_STEPS = 12
PRECISION = 1e-4  # in log odds per standard deviation
# Beyond three standard deviations a column says no more; without the bound one wholesaler leads.
MOST_DEVIATIONS = 3.0
# The matrix is float32: a smaller spread of a log is the rounding of a constant.
LEAST_DEVIATION = 1e-6


@dataclass
class Ridge:
    """Differences from the offset, linear in the standardized signed logs of the columns."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    weights: NDArray[np.float64]

    @classmethod
    def fit(
        cls,
        matrix: NDArray,
        bought: NDArray,
        offset: NDArray,
        weight: NDArray,
        aside: NDArray,
    ) -> Ridge:
        """Fit by Newton's method on all rows, with the penalty that is best on the rows aside.

        matrix: (n, columns), NaN where missing; bought: 0 or 1, (n,); offset: log odds, (n,);
        weight: (n,); aside: boolean, (n,), the rows of customers kept aside for the choice.
        """
        model = cls(*_moments(matrix), np.zeros(matrix.shape[1]))
        z = model._standardized(matrix)
        kept = ~aside
        learn = (z[kept], bought[kept], offset[kept], weight[kept])
        test = (z[aside], bought[aside], offset[aside], weight[aside])
        best, weights = np.inf, model.weights
        for penalty in PENALTIES if aside.any() and kept.any() else PENALTIES[:1]:
            weights = _newton(*learn, penalty, start=weights)
            loss = _log_loss(*test, weights) if aside.any() else 0.0
            if loss < best:
                best, model.weights, chosen = loss, weights, penalty
        model.weights = _newton(z, bought, offset, weight, chosen, start=model.weights)
        return model

    def difference(self, matrix: NDArray) -> NDArray[np.float64]:
        """What to add to the offset, log odds, (n,)."""
        # Not by matrix product, whose order of summation depends on the number of rows: one
        # customer alone must get the same bits as among many.
        return np.einsum("ij,j->i", self._standardized(matrix), self.weights)

    def terms(self, matrix: NDArray) -> NDArray[np.float64]:
        """The parts of `difference` that come from each column, (n, columns)."""
        return self._standardized(matrix) * self.weights

    def _standardized(self, matrix: NDArray) -> NDArray[np.float64]:
        z = (_signed_logs(matrix) - self.mean) / self.deviation
        return np.clip(np.nan_to_num(z), -MOST_DEVIATIONS, MOST_DEVIATIONS)

    def to_dict(self) -> dict:
        """JSON-ready form."""
        return {name: getattr(self, name).tolist() for name in ("mean", "deviation", "weights")}

    @classmethod
    def from_dict(cls, stored: Mapping) -> Ridge:
        """The model that `to_dict` stored."""
        return cls(**{name: np.array(values) for name, values in stored.items()})


def _newton(
    z: NDArray,
    bought: NDArray,
    offset: NDArray,
    weight: NDArray,
    penalty: float,
    start: NDArray,
) -> NDArray[np.float64]:
    weights = start.copy()
    for _ in range(MOST_STEPS):
        p = expit(offset + z @ weights)
        gradient = z.T @ (weight * (bought - p)) - penalty * weights
        curvature = (z * (weight * p * (1 - p))[:, None]).T @ z + penalty * np.eye(z.shape[1])
        step = np.linalg.solve(curvature, gradient)
        weights += step
        if np.max(np.abs(step)) < PRECISION:
            break
    return weights


def _log_loss(
    z: NDArray, bought: NDArray, offset: NDArray, weight: NDArray, weights: NDArray
) -> float:
    log_odds = offset + z @ weights
    losses = np.logaddexp(0.0, np.where(bought > 0, -log_odds, log_odds))
    return float(np.average(losses, weights=weight))


def _moments(matrix: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of the signed logs; 0 and 1 for one without values."""
    logs = _signed_logs(matrix)
    logs = np.where(np.all(np.isnan(logs), axis=0), 0.0, logs)
    deviation = np.nanstd(logs, axis=0)
    return np.nanmean(logs, axis=0), np.where(deviation > LEAST_DEVIATION, deviation, 1.0)


def _signed_logs(matrix: NDArray) -> NDArray[np.float64]:
    values = matrix.astype(np.float64)
    return np.sign(values) * np.log1p(np.abs(values))
