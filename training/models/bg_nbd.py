"""The BG/NBD family: customers buy at their own rhythm and may leave only right after a purchase.

With r, alpha, a, b and k as in the papers: the days between two orders of a customer are
Erlang-k(lambda), that is every k-th event of a Poisson process of rate lambda ~ Gamma(r, alpha);
after an order a customer leaves with probability p ~ Beta(a, b). k = 1 buys at random, a larger k
more regularly.
"""

import logging
from dataclasses import asdict, dataclass
from functools import reduce
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betainc, betaln, expit, gammaln, xlogy
from sklearn.exceptions import NotFittedError

from features.errors import UserError
from training.models.maximum_likelihood import most_likely_rhythm
from training.models.purchase_history import FloatArray, Outlook, PurchaseHistory

log = logging.getLogger(__name__)

# r, alpha, a, b in units of the mean age: a middling crowd; mostly one-time buyers; loyal regulars.
STARTS = ((1.0, 0.5, 1.0, 2.0), (0.3, 0.1, 0.8, 1.5), (2.0, 0.3, 0.5, 5.0))

# BTYDplus looks no further either; the gaps of a 12-fold Erlang spread by 29 % of their mean.
MOST_REGULARITY = 12

# The series of expected orders ends where a term times its number is below this share of the sum,
# or after more orders than one an hour through a whole year: a guard against a broken fit.
PRECISION = 1e-7
TERMS, MANY = 8, 100  # most customers need two or three times as many terms
MOST_ORDERS = 10_000


@dataclass
class _BetaGeometric:
    """What the members share; they differ in whether the first purchase can be the last, and in k.

    Attributes:
        r, alpha: shape and rate (days) of the buying rates; NaN until fitted.
        a, b: of the chance to leave after an order; NaN until fitted.
        k: regularity of the orders, 1 is none.
        seed: draws the customers to fit on when there are more than MOST_CUSTOMERS.
    """

    r: float = np.nan
    alpha: float = np.nan
    a: float = np.nan
    b: float = np.nan
    k: int = 1
    seed: int = 0

    leaves_after_first: ClassVar[bool]

    def fit(self, history: PurchaseHistory, near: Self | None = None) -> Self:
        """Learn r, alpha, a, b, and k where it is open, by maximum likelihood.

        near: a fit of the same business at another moment, where the search then begins instead
        of at several starts; its k is taken over.

        Raises:
            UserError: when no customer has bought on a second day, or k is open and the history
                has no log_gaps.
        """
        unit = history.time_unit()
        scaled, best = history.in_units_of(unit), -np.inf
        starts: tuple[tuple[float, ...], ...] = STARTS
        if near:
            starts = (tuple(near._params() / (1.0, unit, 1.0, 1.0)),)
        for k in [near.k] if near else self._regularities(history):
            params = self._search(k, scaled, starts, rough=near is not None)
            likelihood = float(np.sum(self._log_density(params, k, scaled)))
            log.debug("%s k=%d log-likelihood %.1f", type(self).__name__, k, likelihood)
            if likelihood <= best:
                break
            r, alpha, a, b = (float(value) for value in params)
            self.r, self.alpha, self.a, self.b, self.k = r, alpha * unit, a, b, k
            starts, best = ((r, alpha * (k + 1) / k, a, b),), likelihood
        return self

    def log_likelihood(self, history: PurchaseHistory) -> float:
        """Sum over customers of the log density of their purchase times, in days.

        Raises:
            UserError: when k is above 1 and the history has no log_gaps.

        Source: Fader, Hardie, Lee (2005), eq. 6; with Erlang-k gaps Reutterer, Platzer, Schröder
        (2021).
        """
        return float(np.sum(self._log_density(self._params(), self.k, history)))

    def probability_alive(self, history: PurchaseHistory) -> FloatArray:
        """P(the customer has not left by as_of), (n,).

        Source: Fader, Hardie, Lee (2008), "Computing P(alive) using the BG/NBD model".
        """
        return expit(-self._log_odds_left(self._params(), self.k, history))

    def expected_orders(self, history: PurchaseHistory, horizon_days: ArrayLike) -> FloatArray:
        """Purchase days expected in the next `horizon_days`, a scalar or (n,); returns (n,).

        For k = 1 equal to Fader, Hardie, Lee (2005), eq. 10, but without its 2F1 and its hole at
        a = 1; exact for every k, where Reutterer, Platzer, Schröder (2021) approximate.
        """
        steps = self._next_steps(history, horizon_days)
        return self.probability_alive(history) * self._orders(history, steps)

    def probability_of_order(self, history: PurchaseHistory, horizon_days: ArrayLike) -> FloatArray:
        """P(at least one purchase day in the next `horizon_days`), scalar or (n,); returns (n,).

        Exact for every k: it equals 1 - L(T + h) / L(T) with the likelihood L of the unchanged
        purchases, since a silence until T + h is what L(T + h) is the density of. Computed as
        P(alive) times the chance of the next order, which keeps its digits when it is small.
        """
        chance = _chance_of_order(1, *self._next_steps(history, horizon_days))
        return self.probability_alive(history) * chance

    def outlook(self, history: PurchaseHistory, horizon_days: ArrayLike) -> Outlook:
        """The three above for one horizon, for little more than the price of one."""
        alive, steps = self.probability_alive(history), self._next_steps(history, horizon_days)
        orders = self._orders(history, steps)
        return Outlook(alive, alive * _chance_of_order(1, *steps), alive * orders)

    def _orders(
        self, history: PurchaseHistory, steps: tuple[FloatArray, FloatArray, FloatArray]
    ) -> FloatArray:
        """Expected orders of customers who are alive, (n,)."""
        _, _, a, b = self._params()
        return _orders_if_alive(*steps, a, b + history.frequency + self.leaves_after_first)

    def to_dict(self) -> dict[str, Any]:
        """The parameters, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """The model that `to_dict` saved."""
        return cls(**saved)

    def _search(
        self,
        k: int,
        history: PurchaseHistory,
        starts: tuple[tuple[float, ...], ...],
        rough: bool,
    ) -> FloatArray:
        """The most likely r, alpha, a, b for one k, in the unit of time of `history`."""
        return most_likely_rhythm(
            lambda params, rows: self._log_density(params, k, rows),
            history,
            starts,
            self.seed,
            rough,
        )

    def _regularities(self, history: PurchaseHistory) -> range:
        """The k to try, in rising order."""
        raise NotImplementedError

    def _params(self) -> FloatArray:
        params = np.array([self.r, self.alpha, self.a, self.b])
        if np.isnan(params).any():
            name = type(self).__name__
            raise NotFittedError(f"This {name} has no parameters yet. Call fit(history) first.")
        return params

    def _log_density(self, params: FloatArray, k: int, history: PurchaseHistory) -> FloatArray:
        """Log density of each customer's purchase times, (n,)."""
        r, alpha, a, b = params
        x, T = history.frequency, history.age
        chances_to_leave = x + self.leaves_after_first
        return (
            _log_gap_shape(k, history)
            + betaln(a, b + chances_to_leave)
            - betaln(a, b)
            + gammaln(r + k * x)
            - gammaln(r)
            + r * np.log(alpha)
            - (r + k * x) * np.log(alpha + T)
            + _log_total(_log_phases(r, alpha, k, history))
            + np.logaddexp(0.0, self._log_odds_left(params, k, history))
        )

    def _log_odds_left(self, params: FloatArray, k: int, history: PurchaseHistory) -> FloatArray:
        """Log of P(left) / P(alive) at as_of, (n,); -inf where there was no chance to leave."""
        r, alpha, a, b = params
        x, t_x, T = history.frequency, history.recency, history.age
        chances_to_leave = x + self.leaves_after_first
        log_odds = (
            np.log(a)
            - np.log(b + np.maximum(chances_to_leave, 1.0) - 1.0)
            + (r + k * x) * (np.log(alpha + T) - np.log(alpha + t_x))
            - _log_total(_log_phases(r, alpha, k, history))
        )
        return np.where(chances_to_leave > 0, log_odds, -np.inf)

    def _next_steps(
        self, history: PurchaseHistory, horizon_days: ArrayLike
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """What decides the orders of those alive: see `_chance_of_order`."""
        r, alpha, _, _ = self._params()
        T, t = history.age, history.horizon(horizon_days)
        phases = _log_phases(r, alpha, self.k, history)
        phases = np.exp(phases - _log_total(phases))
        return r + self.k * history.frequency, phases, t / (alpha + T + t)


@dataclass
class BetaGeometricNBD(_BetaGeometric):
    """BG/NBD: random buying (k is 1), and nobody leaves before the first repeat purchase.

    So P(alive) is 1 for every one-time buyer, however long ago: known nonsense, and the reason why
    this model is a reference to compare with and ModifiedBetaGeometricNBD the one to use.

    Source: Fader, Hardie, Lee (2005), "Counting Your Customers the Easy Way", Marketing Science
    24(2).
    """

    leaves_after_first: ClassVar[bool] = False

    def _regularities(self, history: PurchaseHistory) -> range:
        return range(1, 2)


@dataclass
class ModifiedBetaGeometricNBD(_BetaGeometric):
    """MBG/CNBD-k: customers may leave right after their first purchase, and may buy regularly.

    Sources: Batislam, Denizel, Filiztekin (2007), IJRM 24(3) for k = 1, the MBG/NBD; Platzer,
    Reutterer (2016), Marketing Science 35(5) and Reutterer, Platzer, Schröder (2021), IJRM 38(1)
    for regularity.

    Attributes:
        regularity: the k to fit; None raises it while the likelihood rises, up to MOST_REGULARITY.
    """

    regularity: int | None = None

    leaves_after_first: ClassVar[bool] = True

    def _regularities(self, history: PurchaseHistory) -> range:
        if self.regularity is not None:
            return range(self.regularity, self.regularity + 1)
        if history.log_gaps is None:
            raise UserError(
                "The MBG/CNBD-k was asked to find the regularity k, but the histories have no "
                "log_gaps to see it in. Give log_gaps, or set regularity=1 for the MBG/NBD."
            )
        return range(1, MOST_REGULARITY + 1)


def _log_gap_shape(k: int, history: PurchaseHistory) -> FloatArray | float:
    """The part of the log density of Erlang-k gaps that no parameter touches, (n,)."""
    if k == 1:
        return 0.0
    if history.log_gaps is None:
        raise UserError(
            f"The likelihood of a model with regularity k = {k} was asked for, but the histories "
            "have no log_gaps. Give the sum of the logarithms of each customer's gaps in days."
        )
    return (k - 1) * history.log_gaps - history.frequency * gammaln(k)


def _log_phases(r: float, alpha: float, k: int, history: PurchaseHistory) -> FloatArray:
    """Weights of 0 .. k-1 hidden steps made towards the next order since the last, log, (k, n).

    An Erlang-k gap is k steps of a Poisson process. Mixed over lambda, the weight of j steps is
    Gamma(R + j) / Gamma(R) * (silence / (alpha + T))^j / j! with R = r + k x.
    """
    R = r + k * history.frequency
    T, silence = history.age, history.age - history.recency
    j = np.arange(k)[:, None]
    return gammaln(R + j) - gammaln(R) - gammaln(j + 1.0) + xlogy(j, silence / (alpha + T))


def _log_total(log_phases: FloatArray) -> FloatArray:
    """Log of the sum over the phases, (n,).

    Term by term, because NumPy's own sums are ordered by the number of customers: one customer
    alone must get the same bits as among many.
    """
    return reduce(np.logaddexp, log_phases)


def _chance_of_order(
    n: FloatArray | int, shape: FloatArray, phases: FloatArray, share: FloatArray
) -> FloatArray:
    """P(at least n further orders in the horizon) if alive and never leaving, (m,) or (terms, m).

    Given j steps made, the steps in the horizon are negative binomial with shape R + j, and n
    orders take n k - j of them; the tail of that distribution is an incomplete beta function.

    Args:
        n: number of the further order, from 1; or several, (terms, 1).
        shape: R = r + k x, (m,).
        phases: P(j steps made | alive), (k, m), or (k, 1, m) for several.
        share: horizon / (alpha + T + horizon), (m,).
    """
    k = len(phases)
    j = np.arange(k).reshape(-1, *[1] * (phases.ndim - 1))
    chance = reduce(np.add, phases * betainc(n * k - j, shape + j, share))
    return np.minimum(chance, 1.0)  # the phases sum to 1 but for rounding


def _orders_if_alive(
    shape: FloatArray, phases: FloatArray, share: FloatArray, a: float, b_now: FloatArray
) -> FloatArray:
    """Expected further orders of customers who are alive, (m,).

    The sum over n of P(the n-th order falls into the horizon) times P(the customer stayed after
    each of the n - 1 before it); p and lambda are independent for those alive.
    """
    orders, rows, staying = np.zeros_like(share), np.arange(len(share)), np.ones_like(share)
    # A call costs as much as a few customers: of few, several terms are computed at a time.
    terms = TERMS if len(rows) < MANY else 1
    for first in range(1, MOST_ORDERS + 1, terms):
        n = np.arange(first, first + terms, dtype=np.float64)[:, None]
        chances = _chance_of_order(n, shape, phases[:, None], share)
        stays = (b_now + n - 1.0) / (a + b_now + n - 1.0)
        found, goes_on = orders[rows], np.ones(len(rows), dtype=bool)
        for term in range(terms):
            gain = staying * chances[term]
            found = found + np.where(goes_on, gain, 0.0)
            goes_on &= gain * n[term] > PRECISION * found
            staying = staying * stays[term]
        orders[rows] = found
        if not goes_on.any():
            break
        rows, shape, phases, share = (
            rows[goes_on],
            shape[goes_on],
            phases[:, goes_on],
            share[goes_on],
        )
        b_now, staying = b_now[goes_on], staying[goes_on]
    return orders
