"""What the next order of a customer is worth: gamma-gamma, and the shrunk order value."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln
from sklearn.exceptions import NotFittedError

from features.errors import UserError
from training.models.maximum_likelihood import most_likely
from training.models.purchase_history import FloatArray

# p, q - 1, gamma with the mean order as the unit of money: orders that spread like those of CDNOW;
# wild orders with a long tail of customers; even orders and customers alike.
STARTS = ((6.0, 2.7, 0.4), (1.0, 1.0, 1.0), (3.0, 10.0, 4.0))

# Added to what the search finds: it looks for q - 1, so that q stays above 1.
OFFSET = np.array([0.0, 1.0, 0.0])

# A prior never outweighs this many own orders, however alike the customers look ...
MOST_PRIOR_ORDERS = 20.0
# ... nor less than a trace of one, so that a customer without orders has the prior.
LEAST_PRIOR_ORDERS = 1e-6


@dataclass
class GammaGamma:
    """The gamma-gamma model: a customer's orders scatter about a mean of his own.

    The value of an order is Gamma(p, nu), and nu ~ Gamma(q, gamma) over customers. A customer
    without orders gets the mean of the population of repeat buyers, which is above what a one-time
    buyer is worth when loyal customers buy larger: a reference; prefer ShrunkOrderValue.

    Source: Fader, Hardie, Lee (2005), JMR 42(4); Fader, Hardie (2013), "The Gamma-Gamma Model of
    Monetary Value".

    Attributes:
        p, q, gamma: the paper's parameters, gamma in currency units, q above 1 so that the mean is
            finite; NaN until fitted.
    """

    p: float = np.nan
    q: float = np.nan
    gamma: float = np.nan

    def fit(self, orders: ArrayLike, mean_value: ArrayLike) -> Self:
        """Learn p, q, gamma by maximum likelihood from the customers with orders worth something.

        Args:
            orders: purchase days, (n,); the paper takes the repeat ones.
            mean_value: mean value of those days, currency units, (n,).

        Raises:
            UserError: when no customer has an order worth more than 0.
        """
        x, z = _orders_and_values(orders, mean_value)
        usable = (x > 0) & (z > 0)
        if not usable.any():
            raise UserError(
                f"Gamma-gamma was asked to learn order values from {len(x)} customers, but none "
                "of them has an order worth more than 0. Give customers with such orders."
            )
        x, z = x[usable], z[usable]
        unit = float(np.average(z, weights=x))
        p, q_above_1, gamma = most_likely(
            lambda params: float(np.mean(_log_density(params + OFFSET, x, z / unit))),
            STARTS,
        )
        self.p, self.q, self.gamma = float(p), float(q_above_1) + 1.0, float(gamma) * unit
        return self

    def log_likelihood(self, orders: ArrayLike, mean_value: ArrayLike) -> float:
        """Sum over customers with orders worth something. Source: Fader, Hardie (2013), eq. 1a."""
        x, z = _orders_and_values(orders, mean_value)
        usable = (x > 0) & (z > 0)
        return float(np.sum(_log_density(self._params(), x[usable], z[usable])))

    def expected_order_value(self, orders: ArrayLike, mean_value: ArrayLike) -> FloatArray:
        """Mean value of a customer's future orders, currency units, (n,).

        Args:
            orders: purchase days so far, (n,).
            mean_value: their mean value, (n,); below 0 counts as 0, without orders it is ignored.

        Source: Fader, Hardie (2013), eq. 5.
        """
        p, q, gamma = self._params()
        x, z = _orders_and_values(orders, mean_value)
        return p * (gamma + x * np.maximum(z, 0.0)) / (p * x + q - 1.0)

    def to_dict(self) -> dict[str, Any]:
        """The parameters, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """The model that `to_dict` saved."""
        return cls(**saved)

    def _params(self) -> FloatArray:
        return _fitted(self, self.p, self.q, self.gamma)


@dataclass
class ShrunkOrderValue:
    """The mean of a customer's own orders, drawn to the population's the fewer they are.

    (total + m * prior) / (orders + m): the credibility formula of Bühlmann and Straub (1970), with
    m the variance of orders within customers over the variance between them, in logarithms, so
    that single huge orders do not decide it.

    Attributes:
        prior: mean order value of the population, currency units; NaN until fitted.
        m: how many own orders the prior outweighs, at most MOST_PRIOR_ORDERS; NaN until fitted.
    """

    prior: float = np.nan
    m: float = np.nan

    def fit(
        self, orders: ArrayLike, total: ArrayLike, log_sum: ArrayLike, log_square_sum: ArrayLike
    ) -> Self:
        """Learn the prior and its weight.

        Args:
            orders: purchase days with a value above 0, (n,).
            total: sum of their values, currency units, (n,).
            log_sum: sum of the natural logarithms of their values, (n,).
            log_square_sum: sum of the squares of those logarithms, (n,).

        Raises:
            UserError: when no customer has an order.
        """
        n, value = _orders_and_values(orders, total)
        _, logs = _orders_and_values(orders, log_sum)
        _, squares = _orders_and_values(orders, log_square_sum)
        some = n > 0
        if not some.any():
            raise UserError(
                f"The order value was asked to learn from {len(n)} customers, but none of them "
                "has an order. Give customers with orders."
            )
        n, value, logs, squares = n[some], value[some], logs[some], squares[some]
        self.m = _prior_orders(n, logs, squares)
        self.prior = float(np.average(value / n, weights=n / (n + self.m)))
        return self

    def expected_order_value(self, orders: ArrayLike, total: ArrayLike) -> FloatArray:
        """Mean value of a customer's future orders, currency units, (n,).

        Args:
            orders: purchase days so far, (n,).
            total: sum of their values, (n,); below 0 counts as 0.
        """
        prior, m = _fitted(self, self.prior, self.m)
        n, value = _orders_and_values(orders, total)
        return (np.maximum(value, 0.0) + m * prior) / (n + m)

    def to_dict(self) -> dict[str, Any]:
        """The parameters, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> Self:
        """The model that `to_dict` saved."""
        return cls(**saved)


def _log_density(params: FloatArray, x: FloatArray, z: FloatArray) -> FloatArray:
    p, q, gamma = params
    return (
        gammaln(p * x + q)
        - gammaln(p * x)
        - gammaln(q)
        + q * np.log(gamma)
        + (p * x - 1.0) * np.log(z)
        + p * x * np.log(x)
        - (p * x + q) * np.log(gamma + x * z)
    )


def _prior_orders(n: FloatArray, logs: FloatArray, squares: FloatArray) -> float:
    """Variance within over variance between customers of log order values, within its limits.

    Analysis of variance with one random effect and unequal groups: Searle, Casella, McCulloch
    (1992), "Variance Components", section 3.6.
    """
    customers, orders = len(n), float(np.sum(n))
    if orders == customers or customers == 1:
        return MOST_PRIOR_ORDERS  # nobody has two orders to compare, or there is nobody to compare
    means = logs / n
    within = max(float(np.sum(squares - n * means**2)), 0.0) / (orders - customers)
    spread = float(np.sum(n * (means - np.average(means, weights=n)) ** 2))
    effective = orders - float(np.sum(n**2)) / orders
    between = (spread - (customers - 1) * within) / effective
    if between <= within / MOST_PRIOR_ORDERS:
        return MOST_PRIOR_ORDERS
    return max(within / between, LEAST_PRIOR_ORDERS)


def _orders_and_values(orders: ArrayLike, values: ArrayLike) -> tuple[FloatArray, FloatArray]:
    n, value = np.asarray(orders, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if n.ndim != 1 or n.shape != value.shape or not np.all(np.isfinite(n) & np.isfinite(value)):
        raise UserError(
            f"Order counts of shape {n.shape} came with values of shape {value.shape}, or one is "
            "missing or infinite. Give one finite count and one finite value for each customer."
        )
    if np.any(n < 0):
        raise UserError("An order count is negative. Count purchase days, from 0 upward.")
    return n, value


def _fitted(model: object, *params: float) -> FloatArray:
    if np.isnan(params).any():
        name = type(model).__name__
        raise NotFittedError(f"This {name} has no parameters yet. Call fit first.")
    return np.array(params)
