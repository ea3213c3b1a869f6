"""Business rules, frozen and versioned; no model inside.

Bands, tiers, spend caps and who may be retained follow from forecasts by these rules
alone, so a rule can change without a training, and every answer names the policy it was made with.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Rows, numbers_of
from serving.levers import LEVER_RULE, LeverRule
from serving.loyalty import LOYALTY, LoyaltyRule
from training import retention, value_tiers
from training.ladder import LADDER, LadderRule
from training.lifecycle import LIFECYCLE, LifecycleRule
from training.tasks import CHURN_TYPES
from training.value_tiers import TierCuts

BANDS = ("low", "medium", "high")
_KEPT = f"kept: within {value_tiers.CLEARLY:.0%} of the cut".replace("%", " %")
Values = TypeVar("Values", pd.Series, NDArray[Any])


@dataclass(frozen=True)
class Policy:
    """The rules of one version.

    bands: lower edges of medium and high, on calibrated churn probability. margin_rate: margin per
    unit of net money. discount_rate: per year. save_rate: share of leavers saved by a contact.
    cost_to_serve: expected cost of a customer over the value horizon; cost_per_contact: of each
    contact, by which those whose contacts are known cost what they cost; None when not known.
    currency: of all money, such as CNY; None when nobody has said it. rfm_weights: of recency,
    frequency and money in rfm_score; equal, since no study holds for all trades.
    stale_after_days: features older than that give no score. lifecycle, ladder, loyalty, levers:
    the thresholds of these rules, each beside its rule.
    """

    name: str = "policy"
    version: int = 2
    bands: tuple[float, float] = (0.33, 0.66)
    margin_rate: float = 1.0
    discount_rate: float = 0.10
    save_rate: float = retention.SAVE_RATE
    cost_to_serve: float | None = None
    cost_per_contact: float | None = None
    currency: str | None = None
    rfm_weights: tuple[float, float, float] = (1.0, 1.0, 1.0)
    stale_after_days: int = 7
    lifecycle: LifecycleRule = LIFECYCLE
    ladder: LadderRule = LADDER
    loyalty: LoyaltyRule = LOYALTY
    levers: LeverRule = LEVER_RULE

    @property
    def label(self) -> str:
        """name@version, as answers carry it."""
        return f"{self.name}@{self.version}"

    def band(self, churn_probability: Values) -> Values:
        """low, medium or high; null where there is no churn probability."""
        churn = np.asarray(churn_probability, dtype=np.float64)
        names = np.array([*BANDS, None], dtype=object)
        codes = np.searchsorted(self.bands, churn, side="right")  # of NaN beyond the last edge
        return _as_given(churn_probability, names[np.where(np.isnan(churn), len(BANDS), codes)])

    def discount(self, horizon_days: int) -> float:
        """What a unit of money is worth today that comes evenly, month by month, over a horizon."""
        return _discount(self.discount_rate, horizon_days)

    def present_value(self, value: Values, horizon_days: int) -> Values:
        """Margin of a horizon's money, discounted month by month as if it came evenly."""
        return value * self.margin_rate * self.discount(horizon_days)

    @property
    def stated(self) -> frozenset[str]:
        """What it tells of a business that no feature can, by the codes of abstention.NEEDS."""
        told = {
            "cost_to_serve": self.cost_to_serve is not None or self.cost_per_contact is not None,
            "margin": self.margin_rate != 1.0,
            "currency": self.currency is not None,
        }
        return frozenset(code for code, is_told in told.items() if is_told)

    def if_retained(self, future: Values, purchase_probability: Values) -> Values:
        """Future value of a customer who does not leave: future / P(stays)."""
        return retention.value_if_retained(future, purchase_probability)

    def cost(self, rows: Rows, horizon_days: int) -> NDArray[np.float64]:
        """Expected cost to serve each customer over a horizon, (n,); null where it is not known.

        Contacts cost what those of the last year did, at their pace; where contacts or their cost
        are not known it is the cost_to_serve of everybody.
        """
        flat = np.nan if self.cost_to_serve is None else self.cost_to_serve
        everybody = np.full(len(rows), flat, dtype=np.float64)
        if self.cost_per_contact is None or "contacts_365d" not in rows:
            return everybody
        own = numbers_of(rows, "contacts_365d") * self.cost_per_contact * horizon_days / 365.0
        return np.where(np.isnan(own), everybody, own)

    def present_cost(self, cost: NDArray[np.float64], horizon_days: int) -> NDArray[np.float64]:
        """The cost of a horizon discounted like its margin, (n,); 0 where it is not known."""
        return np.nan_to_num(cost, nan=0.0) * self.discount(horizon_days)

    def tier(
        self,
        value: pd.Series | NDArray,
        rows: Rows,
        cuts: TierCuts,
        cost: NDArray | None = None,
        previous: NDArray | None = None,
    ) -> NDArray[np.object_]:
        """The value class by the stored cuts; below_zero only where the cost to serve is known.

        cost: as `cost` gives it; None takes the cost_to_serve of everybody. previous: the tier of
        each row before, which is not left by a hair's breadth (value_tiers.assign).
        """
        known = self.cost_to_serve if cost is None else cost
        return value_tiers.assign(value, rows, cuts, known, self.margin_rate, previous)

    def below_zero_certainty(
        self, tier: NDArray[np.object_], value_high: NDArray, cost: NDArray
    ) -> NDArray[np.object_]:
        """Of those below zero: certain when the upper bound of their forecast is too, else watch.

        value_high: upper bound of the forecast money. Null for all others, (n,).
        """
        found = np.full(len(tier), None, dtype=object)
        is_below = tier == "below_zero"
        found[is_below] = "watch"
        found[is_below & (value_high * self.margin_rate <= cost)] = "certain"
        return found

    def tier_reason(
        self,
        value: Values,
        tier: pd.Series | NDArray[np.object_],
        cuts: TierCuts,
        cost: NDArray | None = None,
        plain: NDArray[np.object_] | None = None,
        growth: NDArray | None = None,
    ) -> Values:
        """The figures that decided the tier, in a few words.

        cost: as `cost` gives it. plain: the tier without a previous one; who has another keeps what
        he had. growth: the forecast up to which each is MGC (value_tiers.growable).
        """
        costs = np.full(len(value), self.cost_to_serve, np.float64) if cost is None else cost
        limits = np.full(len(value), np.nan) if growth is None else growth
        bare = tier if plain is None else plain

        def reason(forecast: float, code: str, other: str, spent: float, limit: float) -> str:
            margin, decisive = forecast * self.margin_rate, {code, other}
            if "below_zero" in decisive:
                sign = "<=" if margin <= spent else ">"
                words = f"margin {margin:,.0f} {sign} cost to serve {spent:,.0f}"
            elif "mgc" in decisive and "mvc" not in decisive and limit == limit:
                sign = "<=" if forecast <= limit else ">"
                words = f"forecast {forecast:,.0f} {sign} growth cut {limit:,.0f}"
            else:
                sign = ">=" if forecast >= cuts.most_valuable else "<"
                words = f"forecast {forecast:,.0f} {sign} cut {cuts.most_valuable:,.0f}"
            return words if code == other else f"{words}; {_KEPT}"

        each = zip(value.tolist(), tier, bare, costs.tolist(), limits.tolist(), strict=True)
        return _as_given(value, np.array([reason(*one) for one in each], dtype=object))

    def retain_advised(
        self,
        types: pd.DataFrame | NDArray,
        tier: pd.Series | NDArray[np.object_],
        left_for: NDArray[np.object_] | None = None,
    ) -> NDArray[np.bool_]:
        """False for those whose cause is malicious and for below-zero customers, (n,).

        types: P(churn by each of CHURN_TYPES), (n, 6), null where it cannot be known; the likeliest
        counts. left_for: the cause for which somebody has left already, null otherwise.
        """
        known = np.nan_to_num(np.asarray(types, dtype=np.float64), nan=0.0)
        is_malicious = known.argmax(axis=1) == CHURN_TYPES.index("malicious")
        is_malicious &= known.max(axis=1) > 0
        if left_for is not None:
            is_malicious |= left_for == "malicious"
        return ~is_malicious & (np.asarray(tier) != "below_zero")


POLICY = Policy()


@lru_cache(maxsize=64)  # asked several times for each score, always of a few horizons
def _discount(yearly_rate: float, horizon_days: int) -> float:
    months = max(round(horizon_days / 30.4), 1)
    factors = (1.0 + yearly_rate) ** (-np.arange(1, months + 1) / 12.0)
    return float(factors.mean())


def _as_given(given: Values, values: NDArray[Any]) -> Any:
    """Values in the form of those they were made from: a series with its index, or an array."""
    return pd.Series(values, given.index) if isinstance(given, pd.Series) else values
