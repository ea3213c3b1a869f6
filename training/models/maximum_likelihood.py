"""Maximum likelihood for a handful of positive parameters."""

import logging
from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize

from features.errors import UserError
from training.models.purchase_history import FloatArray, PurchaseHistory

log = logging.getLogger(__name__)

# Parameters stay within e^-10 .. e^10 of the data's own unit: at either end the likelihood is flat
# (nobody leaves, everybody is alike), so a bound loses nothing and keeps the search finite.
LOG_BOUND = 10.0

# Stop when a step gains less per customer: far less than a parameter's standard error can matter.
PRECISION = 1e-10
# Enough where the fit is only an offset for learners: the forecasts move by less than 1 in 1,000.
ROUGH_PRECISION = 1e-7

# With so many the standard errors of the parameters are 2 to 5 %; more only take longer.
MOST_CUSTOMERS = 20_000

# So many repeat buyers tell which start is the best; the rest is one search from there.
PILOT_BUYERS = 500


def most_likely(
    log_likelihood: Callable[[FloatArray], float],
    starts: Sequence[Sequence[float]],
    precision: float = PRECISION,
) -> FloatArray:
    """The positive parameters, (k,), under which the data are most likely.

    L-BFGS-B on the logarithms of the parameters, once from every start; the best end wins.

    Args:
        log_likelihood: mean log-likelihood of a customer, for parameters (k,).
        starts: parameters to start from, each (k,), about 1 in size.
        precision: gain below which a search stops.
    """
    searches = [
        minimize(
            lambda logs: -log_likelihood(np.exp(logs)),
            np.clip(np.log(start), -LOG_BOUND / 2, LOG_BOUND / 2),  # off the flat ends
            method="L-BFGS-B",
            bounds=[(-LOG_BOUND, LOG_BOUND)] * len(start),
            options={"ftol": precision, "gtol": 1e-7, "maxiter": 500},
        )
        for start in starts
    ]
    best = min(searches, key=lambda search: float(search.fun))
    log.debug("mean log-likelihood of each search: %s", [-search.fun for search in searches])
    return np.exp(best.x)


def most_likely_rhythm(
    log_density: Callable[[FloatArray, PurchaseHistory], FloatArray],
    history: PurchaseHistory,
    starts: Sequence[Sequence[float]],
    seed: int,
    rough: bool = False,
) -> FloatArray:
    """The parameters, (k,), of a model of purchase histories, in the unit of time of `history`.

    At most MOST_CUSTOMERS customers are used, drawn by `seed`; equal rows are computed once.
    Several starts are tried on the few that hold PILOT_BUYERS repeat buyers, and the best end is
    where the search among all begins.

    Args:
        log_density: log density of each row, (n,), for parameters (k,) and histories of n rows.
        history: the customers to learn from; a unit of time near the mean age suits the starts.
        starts: parameters to start from, each (k,).
        seed: draws the customers.
        rough: whether ROUGH_PRECISION is enough.

    Raises:
        UserError: when no customer has bought on a second day.
    """
    customers = history.sample(MOST_CUSTOMERS, seed)
    if not np.any(customers.frequency > 0):
        raise UserError(
            f"A model of repeat buying was asked to learn from {len(customers)} customers, but "
            "none of them has bought on a second day. Take a longer history or more customers."
        )

    def search(customers: PurchaseHistory, starts: Sequence[Sequence[float]]) -> FloatArray:
        rows, counts = customers.unique()
        return most_likely(
            lambda params: float(np.average(log_density(params, rows), weights=counts)),
            starts,
            ROUGH_PRECISION if rough else PRECISION,
        )

    pilot_size = int(np.ceil(PILOT_BUYERS / np.mean(customers.frequency > 0)))
    if len(starts) == 1 or len(customers) <= pilot_size:
        return search(customers, starts)
    pilot = search(customers.sample(pilot_size, seed), starts)
    return search(customers, [tuple(pilot)])
