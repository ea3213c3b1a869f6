"""The buy-till-you-die forecast of each customer, as one member among others and as their offset.

Two models of a customer who buys at a rhythm until he silently leaves, Pareto/NBD (any rhythm) and
MBG/CNBD-k (regular rhythms), averaged, with the shrunk value of an order beside them. It learns
from the past alone: fitted on the customers as they stand at a moment, it needs no outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from features.columns import Rows, numbers_of
from training.models.bg_nbd import ModifiedBetaGeometricNBD
from training.models.order_value import ShrunkOrderValue
from training.models.pareto_nbd import ParetoNBD
from training.models.purchase_history import PurchaseHistory

# Forecasts are kept this far from 0 and 1, and above this many orders, so that logs stay finite.
LEAST_PROBABILITY = 1e-6
LEAST_ORDERS = 1e-6

COLUMNS = (
    "logit_purchase", "logit_purchase_pareto", "logit_purchase_regular", "log_orders",
    "logit_alive", "log_order_value", "log_value",
    "recency_in_horizons", "age_in_horizons", "log_rate",
)  # fmt: skip


@dataclass
class RepeatBuying:
    """Pareto/NBD, MBG/CNBD-k and the shrunk order value of one business at one moment.

    Claim: on customers who differ in nothing but their past purchases it is hard to beat, and it
    needs no history longer than the one it is given.
    """

    pareto: ParetoNBD
    regular: ModifiedBetaGeometricNBD
    order_value: ShrunkOrderValue

    @classmethod
    def fit(cls, rows: pd.DataFrame, near: RepeatBuying | None = None) -> RepeatBuying:
        """Fit on one row per customer, all at the same moment; see `forecast` for the columns.

        near: the fit of another moment, from which the search begins.
        """
        history = _history(rows)
        return cls(
            ParetoNBD().fit(history, near.pareto if near else None),
            ModifiedBetaGeometricNBD().fit(history, near.regular if near else None),
            ShrunkOrderValue().fit(*_order_values(rows)),
        )

    def forecast(self, rows: pd.DataFrame) -> pd.DataFrame:
        """What each customer is expected to do in the days of `horizon_days`; columns COLUMNS.

        rows: the features of the rhythm family and `horizon_days`. Natural logs and logits;
        `log_value` is the log of expected orders times the order value, currency units.
        """
        return pd.DataFrame(self.outlook(rows), index=rows.index)

    def outlook(self, rows: Rows) -> dict[str, NDArray[np.float64]]:
        """The same as arrays, each (n,)."""
        return self.outlooks(rows, [numbers_of(rows, "horizon_days")])[0]

    def outlooks(
        self, rows: Rows, horizons: Sequence[NDArray[np.float64]]
    ) -> list[dict[str, NDArray[np.float64]]]:
        """The same for several horizons, each (n,), for little more than the price of one."""
        found = self._found(rows, len(horizons), np.concatenate(horizons))
        ends = np.cumsum([len(horizon) for horizon in horizons])[:-1]
        parts = {name: np.split(values, ends) for name, values in found.items()}
        return [{name: part[at] for name, part in parts.items()} for at in range(len(horizons))]

    def _found(
        self, rows: Rows, times: int, horizon: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        """What is said of the rows, taken some times one after the other, over their horizons."""

        def repeated(name: str) -> NDArray[np.float64]:
            return np.tile(numbers_of(rows, name), times)

        age, recency = repeated("age"), repeated("recency")
        bought, money = repeated("purchase_days_total"), repeated("day_amount_sum")
        # The papers count recency from the first purchase.
        history = PurchaseHistory(bought - 1.0, age - recency, age, repeated("gap_log_sum"))
        pareto = self.pareto.outlook(history, horizon)
        regular = self.regular.outlook(history, horizon)
        chances = [_logit(pareto.chance), _logit(regular.chance)]
        logit_purchase = (chances[0] + chances[1]) / 2.0
        of_a_buyer = _orders_of_a_buyer(chances, [pareto.orders, regular.orders])
        order_value = self.order_value.expected_order_value(bought, money)
        log_orders = np.log(np.maximum(expit(logit_purchase) * of_a_buyer, LEAST_ORDERS))
        log_order_value = np.log(np.maximum(order_value, LEAST_ORDERS))
        return {
            "logit_purchase": logit_purchase,
            "logit_purchase_pareto": chances[0],
            "logit_purchase_regular": chances[1],
            "log_orders": log_orders,
            "logit_alive": _logit((pareto.alive + regular.alive) / 2.0),
            "log_order_value": log_order_value,
            "log_value": log_orders + log_order_value,
            "recency_in_horizons": recency / horizon,
            "age_in_horizons": age / horizon,
            "log_rate": np.log(bought / (age + horizon)),
        }

    def shares_within(
        self, rows: Rows, days: float, horizon: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Share of the orders of a horizon that its first days bring, by Pareto/NBD, (n,)."""
        return self.pareto.share_within(_history(rows), days, horizon)

    def to_dict(self) -> dict:
        """JSON-ready form."""
        return {
            "pareto": self.pareto.to_dict(),
            "regular": self.regular.to_dict(),
            "order_value": self.order_value.to_dict(),
        }

    @classmethod
    def from_dict(cls, stored: Mapping) -> RepeatBuying:
        """The models that `to_dict` stored."""
        return cls(
            ParetoNBD.from_dict(stored["pareto"]),
            ModifiedBetaGeometricNBD.from_dict(stored["regular"]),
            ShrunkOrderValue.from_dict(stored["order_value"]),
        )


def _history(rows: Rows) -> PurchaseHistory:
    age = numbers_of(rows, "age")
    return PurchaseHistory(
        frequency=numbers_of(rows, "purchase_days_total") - 1.0,
        recency=age - numbers_of(rows, "recency"),  # the papers count it from the first purchase
        age=age,
        log_gaps=numbers_of(rows, "gap_log_sum"),
    )


def _orders_of_a_buyer(
    chances: Sequence[NDArray[np.float64]], orders: Sequence[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Orders of who buys at all, at least one: the mean over the two members, (n,).

    chances: log odds of each member. Divided before they are averaged: where one member sees a
    customer as gone and the other does not, the mean of their orders over the mean of their log
    odds says hundreds of orders in a month.
    """
    each = [np.maximum(of / expit(chance), 1.0) for of, chance in zip(orders, chances, strict=True)]
    return (each[0] + each[1]) / 2.0


def _order_values(rows: Rows) -> tuple[NDArray[np.float64], ...]:
    """Purchase days, and the sum, log sum and squared log sum of their money, per customer."""
    names = ("purchase_days_total", "day_amount_sum", "day_amount_log_sum",
             "day_amount_log_square_sum")  # fmt: skip
    return tuple(numbers_of(rows, name) for name in names)


def _logit(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    return logit(np.clip(probability, LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY))
