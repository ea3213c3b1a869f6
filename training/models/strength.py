"""How far a classifier of several classes may move from its prior: one number, measured later.

log p = log prior + strength * (log forecast - log prior), then normalized. 0 is the prior alone, 1
the forecast as it is. With one number in place of a temperature per class it is calibration and
shrinkage at once.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

# Below 0 a forecast would be turned round; above 1.25 it would be surer than it was learnt.
BOUNDS = (0.0, 1.25)


def strengthened(
    prior_logs: NDArray[np.float64], logs: NDArray[np.float64], strength: float
) -> NDArray[np.float64]:
    """Probabilities, (n, k), that sum to 1 in each row.

    prior_logs, logs: logs of prior and forecast, (n, k), up to a constant per row.
    """
    moved = prior_logs + strength * (logs - prior_logs)
    odds = np.exp(moved - moved.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def measure(
    prior_logs: NDArray[np.float64], logs: NDArray[np.float64], label: NDArray[Any]
) -> float:
    """The strength with the least log-loss on rows the forecast had not seen.

    label: position of the true class, (n,).
    """
    forecast = logs - logsumexp(logs, axis=1, keepdims=True)
    prior = prior_logs - logsumexp(prior_logs, axis=1, keepdims=True)
    rows = np.arange(len(label))

    def loss(strength: float) -> float:
        moved = prior + strength * (forecast - prior)
        return float(np.mean(logsumexp(moved, axis=1) - moved[rows, label]))

    return float(minimize_scalar(loss, bounds=BOUNDS, method="bounded").x)
