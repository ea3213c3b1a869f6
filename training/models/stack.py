"""How much each member of a stack counts: equal shares, unless a test at a later moment objects.

Members of a stack that differ are worth more together than the best of them, and equal shares are
hard to beat with few tests. So the shares begin equal and move only for a gain in log-loss; where
one member alone is right, as buy-till-you-die is on a stationary business, it may get everything.

Source of the combination: Wolpert (1992), "Stacked generalization"; Breiman (1996), "Stacked
regressions", for shares that are not negative and sum to 1.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logit, softmax

# Log-loss per customer that a whole unit of squared distance from equal shares must gain. On six
# past moments of two businesses, a third of it let one lucky test move the shares for the worse.
INERTIA = 0.01


def shares(members: NDArray[np.float64], happened: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shares of each member that suit customers no member had seen; they sum to 1, (k,).

    members: log odds of each member, (n, k); happened: 0 or 1, (n,). The level is free: it belongs
    to its own season (training/level.py).
    """
    count = members.shape[1]
    centered = members - members.mean(axis=0)
    rate = float(np.clip(happened.mean(), 1e-4, 1.0 - 1e-4))

    def loss(free: NDArray) -> float:
        chosen = softmax(free[:count])
        log_odds = free[count] + centered @ chosen
        fit = np.mean(np.logaddexp(0.0, np.where(happened > 0, -log_odds, log_odds)))
        return float(fit + INERTIA * np.sum((chosen - 1.0 / count) ** 2))

    start = np.append(np.zeros(count), logit(rate))
    return softmax(minimize(loss, start, method="L-BFGS-B").x[:count])
