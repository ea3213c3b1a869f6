"""Pareto/NBD: customers buy at random at their own rate until, unseen, they leave at any moment."""

from dataclasses import asdict, dataclass
from functools import reduce
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, exprel, gammaln
from sklearn.exceptions import NotFittedError

from training.models.maximum_likelihood import most_likely_rhythm
from training.models.purchase_history import FloatArray, Outlook, PurchaseHistory

# r, alpha, s, beta in units of the mean age: a middling crowd; mostly one-time buyers who leave
# soon; loyal regulars.
STARTS = ((1.0, 0.5, 1.0, 1.0), (0.3, 0.1, 0.5, 0.1), (2.0, 0.3, 0.5, 3.0))

# Gauss-Legendre points and weights on 0..1 for the one integral. Over parameters and histories from
# e^-7 to e^7 the worst of 20,000 cases is 3e-12 off in its logarithm with 32 points, 5e-9 with 24.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)
POINTS, WEIGHTS = ((_NODES + 1.0) / 2.0)[:, None], (_WEIGHTS / 2.0)[:, None]

# The integrand is cut where it has fallen to e^-40, less than double precision can see.
NEGLIGIBLE = 40.0

# Newton steps to the place of the cut. The integrand is log-concave, so every step stays beyond
# that place and cuts nothing that counts; the accuracy above is with four.
CUTS = 4


@dataclass
class ParetoNBD:
    """The Pareto/NBD model of repeat buying.

    While alive a customer buys at random at rate lambda ~ Gamma(r, alpha), and leaves unseen at
    rate mu ~ Gamma(s, beta), both per day. One-time buyers can have left like anybody.

    Source: Schmittlein, Morrison, Colombo (1987), Management Science 33(1); the formulas follow
    Fader, Hardie (2005), "A Note on Deriving the Pareto/NBD Model and Related Expressions".

    Attributes:
        r, alpha: shape and rate (days) of the buying rates; NaN until fitted.
        s, beta: shape and rate (days) of the leaving rates; NaN until fitted.
        seed: draws the customers to fit on when there are more than MOST_CUSTOMERS.
    """

    r: float = np.nan
    alpha: float = np.nan
    s: float = np.nan
    beta: float = np.nan
    seed: int = 0

    def fit(self, history: PurchaseHistory, near: Self | None = None) -> Self:
        """Learn the four parameters by maximum likelihood.

        near: a fit of the same business at another moment, where the search then begins instead
        of at several starts.

        Raises:
            UserError: when no customer has bought on a second day.
        """
        unit = history.time_unit()
        best = most_likely_rhythm(
            lambda params, rows: _log_parts(params, rows)[0],
            history.in_units_of(unit),
            [tuple(near._params() / (1.0, unit, 1.0, unit))] if near else STARTS,
            self.seed,
            rough=near is not None,
        )
        r, alpha, s, beta = (float(value) for value in best)
        self.r, self.alpha, self.s, self.beta = r, alpha * unit, s, beta * unit
        return self

    def log_likelihood(self, history: PurchaseHistory) -> float:
        """Sum over customers of the log density of their purchase times, in days.

        Source: Fader, Hardie (2005), section 3.
        """
        return float(np.sum(_log_parts(self._params(), history)[0]))

    def probability_alive(self, history: PurchaseHistory) -> FloatArray:
        """P(the customer has not left by as_of), (n,). Source: Fader, Hardie (2005), eq. 36."""
        return _log_parts(self._params(), history)[1]

    def expected_orders(self, history: PurchaseHistory, horizon_days: ArrayLike) -> FloatArray:
        """Purchase days expected in the next `horizon_days`, a scalar or (n,); returns (n,).

        Source: Fader, Hardie (2005), eq. 41; at s = 1 its limit.
        """
        return self.probability_alive(history) * self._orders_if_alive(history, horizon_days)

    def probability_of_order(self, history: PurchaseHistory, horizon_days: ArrayLike) -> FloatArray:
        """P(at least one purchase day in the next `horizon_days`), scalar or (n,); returns (n,).

        Exact: it equals 1 - L(T + h) / L(T) with the likelihood L of the unchanged purchases, but
        is computed as P(alive) times the integral of the next purchase's density, which keeps its
        digits when it is small.
        """
        return self.probability_alive(history) * self._chance_if_alive(history, horizon_days)

    def outlook(self, history: PurchaseHistory, horizon_days: ArrayLike) -> Outlook:
        """The three above for one horizon, for little more than the price of one."""
        alive = self.probability_alive(history)
        chance = alive * self._chance_if_alive(history, horizon_days)
        return Outlook(alive, chance, alive * self._orders_if_alive(history, horizon_days))

    def share_within(
        self, history: PurchaseHistory, days: float, horizon_days: ArrayLike
    ) -> FloatArray:
        """Share of the purchase days of a horizon that its first days bring, (n,).

        Whether the customer is alive concerns both alike: it is the same for all who are as old.
        """
        part, whole = (self._orders_if_alive(history, d) for d in (days, horizon_days))
        return part / whole

    def _orders_if_alive(self, history: PurchaseHistory, horizon_days: ArrayLike) -> FloatArray:
        r, alpha, s, beta = self._params()
        x, T, t = history.frequency, history.age, history.horizon(horizon_days)
        lasting = np.log1p(t / (beta + T))
        # (1 - e^-(s-1)u) / (s-1) without the hole at s = 1
        alive_days = (beta + T) * lasting * exprel(-(s - 1.0) * lasting)
        return (r + x) / (alpha + T) * alive_days

    def _chance_if_alive(self, history: PurchaseHistory, horizon_days: ArrayLike) -> FloatArray:
        r, alpha, s, beta = self._params()
        x, T, t = history.frequency, history.age, history.horizon(horizon_days)
        log_order_if_alive = (
            np.log(r + x)
            + (r + x) * np.log(alpha + T)
            + s * np.log(beta + T)
            + _log_integral(alpha, r + x + 1.0, beta, s, T, T + t)
        )
        return np.exp(np.minimum(log_order_if_alive, 0.0))

    def to_dict(self) -> dict[str, Any]:
        """The parameters, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """The model that `to_dict` saved."""
        return cls(**saved)

    def _params(self) -> FloatArray:
        params = np.array([self.r, self.alpha, self.s, self.beta])
        if np.isnan(params).any():
            raise NotFittedError("This ParetoNBD has no parameters yet. Call fit(history) first.")
        return params


def _log_parts(params: FloatArray, history: PurchaseHistory) -> tuple[FloatArray, FloatArray]:
    """Log-likelihood of each customer and P(alive), both (n,)."""
    r, alpha, s, beta = params
    x, t_x, T = history.frequency, history.recency, history.age
    alive = -(r + x) * np.log(alpha + T) - s * np.log(beta + T)
    left = np.log(s) + _log_integral(alpha, r + x, beta, s + 1.0, t_x, T)
    scale = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    return scale + np.logaddexp(alive, left), expit(alive - left)


def _log_integral(
    alpha: float,
    alpha_power: ArrayLike,
    beta: float,
    beta_power: ArrayLike,
    start: FloatArray,
    end: FloatArray,
) -> FloatArray:
    """Log of the integral of (alpha + t)^-alpha_power (beta + t)^-beta_power over start..end, (n,).

    The paper writes it as a difference of two 2F1 (its A_0), which cancels and overflows for long
    histories. Here it is one positive sum: with v = log((m + t) / (m + start)), m the smaller
    of alpha and beta, the integrand is log-concave and smooth in v, so few points are enough.
    """
    (m, m_power), (M, M_power) = sorted(
        [(alpha, np.asarray(alpha_power)), (beta, np.asarray(beta_power))], key=lambda pair: pair[0]
    )
    fall = m_power + M_power - 1.0
    kappa = (M - m) / (M + start)

    def log_integrand(v: FloatArray) -> FloatArray:
        return -fall * v - M_power * np.log1p(kappa * np.expm1(-v))

    width = np.log1p((end - start) / (m + start))
    for _ in range(CUTS):
        excess = -NEGLIGIBLE - log_integrand(width)
        slope = -fall + M_power * kappa / (kappa + (1.0 - kappa) * np.exp(width))
        width += np.divide(excess, slope, out=np.zeros_like(width), where=excess > 0)
    # Term by term, because NumPy's own sums are ordered by the number of customers.
    area = reduce(np.add, WEIGHTS * np.exp(log_integrand(width * POINTS)))
    with np.errstate(divide="ignore"):  # an empty interval has log-integral -inf
        log_area = np.log(width * area)
    return log_area - (m_power - 1.0) * np.log(m + start) - M_power * np.log(M + start)
