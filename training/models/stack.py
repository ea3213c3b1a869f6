"""How much each member of a stack counts: what was believed before, and a test at a later moment.

Members of a stack that differ are worth more together than the best of them, and equal shares are
hard to beat with few tests. So the shares begin near equal and move as far as a test of many
customers asks; where one member alone is right, as buy-till-you-die is on a stationary business, it
may get everything. Of few customers little can be learnt that the rhythm does not say, so the fewer
they are, the more the first member has to begin with.

Source of the combination: Wolpert (1992), "Stacked generalization"; Breiman (1996), "Stacked
regressions", for shares that are not negative and sum to 1.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logit, softmax

# Of so many customers the first member has half of what is not certain yet, beside its equal share.
FEW = 500
# Log-loss, of all tested customers together, that a whole unit of squared distance from what was
# believed must gain: shares are known to a fifth or so before any test. Over six past moments of
# two businesses a half to four times as much changed the mean log-loss by less than a
# ten-thousandth; with none, one lucky test of a few hundred customers cost a hundredth.
INERTIA = 10.0


def believed(count: int, customers: int) -> NDArray[np.float64]:
    """The shares of `count` members before any test, for a business of some customers, (count,)."""
    known = customers / (customers + FEW)
    shares = np.full(count, known / count)
    shares[0] += 1.0 - known
    return shares


def shares(members: NDArray[np.float64], happened: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shares of each member that suit customers no member had seen; they sum to 1, (k,).

    members: log odds of each member, (n, k); happened: 0 or 1, (n,). The level is free: it belongs
    to its own season (training/level.py).
    """
    count = members.shape[1]
    centered = members - members.mean(axis=0)
    rate = float(np.clip(happened.mean(), 1e-4, 1.0 - 1e-4))
    before = believed(count, len(happened))

    def loss(free: NDArray) -> float:
        chosen = softmax(free[:count])
        log_odds = free[count] + centered @ chosen
        fit = np.mean(np.logaddexp(0.0, np.where(happened > 0, -log_odds, log_odds)))
        return float(fit + INERTIA / len(happened) * np.sum((chosen - before) ** 2))

    start = np.append(np.log(before), logit(rate))
    return softmax(minimize(loss, start, method="L-BFGS-B").x[:count])
