"""Business rules, frozen and versioned; no model inside.

Bands, tiers, spend caps and who may be retained follow from forecasts by these rules
alone, so a rule can change without a training, and every answer names the policy it was made with.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeVar, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Rows, numbers_of
from features.errors import UserError
from features.value import HOUSE_RATE
from serving.levers import LEVER_RULE, LeverRule
from serving.loyalty import LOYALTY, LoyaltyRule
from training import retention, value_tiers
from training.business_facts import numbers_if_any
from training.ladder import LADDER, LadderRule
from training.lifecycle import LIFECYCLE, LifecycleRule
from training.tasks import CHURN_TYPES
from training.value_tiers import TierCuts

BANDS = ("low", "medium", "high")
KEPT = f"kept: within {value_tiers.CLEARLY:.0%} of the cut".replace("%", " %")
_KEPT_GROWING = "kept: at most one purchase day fewer"
TierBasis = Literal["clv", "abc", "rfm"]
BASES: tuple[TierBasis, ...] = get_args(TierBasis)
Values = TypeVar("Values", pd.Series, NDArray[Any])


@dataclass(frozen=True)
class Policy:
    """The rules of one version.

    bands: lower edges of medium and high, on calibrated churn probability. margin_rate: margin per
    unit of net money. discount_rate: per year. save_rate: share of leavers saved by a contact.
    cost_to_serve: expected cost of a customer over the value horizon; cost_per_contact: of each
    contact, by which those whose contacts are known cost what they cost; None when not known.
    retention_cost: of an attempt to keep somebody, currency units; it is spent once, and
    expected of each by his churn probability; None when not known, and nothing is taken off.
    tier_basis: what the value classes follow: clv, abc or rfm (serving/tiering.py).
    currency: of all money, such as CNY; None when nobody has said it. rfm_weights: of recency,
    frequency and money in rfm_score; equal, since no study holds for all trades.
    stale_after_days: features older than that give no score. lifecycle, ladder, loyalty, levers:
    the thresholds of these rules, each beside its rule.
    """

    name: str = "policy"
    version: int = 3
    bands: tuple[float, float] = (0.33, 0.66)
    margin_rate: float = 1.0
    discount_rate: float = HOUSE_RATE
    save_rate: float = retention.SAVE_RATE
    cost_to_serve: float | None = None
    cost_per_contact: float | None = None
    retention_cost: float | None = None
    tier_basis: TierBasis = "clv"
    currency: str | None = None
    rfm_weights: tuple[float, float, float] = (1.0, 1.0, 1.0)
    stale_after_days: int = 7
    lifecycle: LifecycleRule = LIFECYCLE
    ladder: LadderRule = LADDER
    loyalty: LoyaltyRule = LOYALTY
    levers: LeverRule = LEVER_RULE

    def __post_init__(self) -> None:
        if self.tier_basis not in BASES:
            raise UserError(
                f"Tiers by {self.tier_basis!r} were asked for, but they follow {', '.join(BASES)}. "
                "Choose one of these."
            )

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
            "retention_cost": self.retention_cost is not None,
            "house_rate": self.discount_rate in (0.0, HOUSE_RATE),
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

    def historical(self, rows: Rows) -> NDArray[np.float64]:
        """Margin of a customer's money so far, (n,), currency units: the plain sum."""
        return numbers_of(rows, "spend_total") * self.margin_rate

    def historical_present(self, rows: Rows) -> NDArray[np.float64]:
        """The same with the interest of the years since, (n,): sum of m (1+d)^(days/365).

        PRODUCT 14. Null where the discount rate is neither 0 nor the one at which the features
        compound (value.HOUSE_RATE): the days of each order are not in the rows.
        """
        if self.discount_rate == 0.0:
            return self.historical(rows)
        if self.discount_rate != HOUSE_RATE:
            return np.full(len(rows), np.nan)
        return numbers_if_any(rows, "spend_compounded_10pct") * self.margin_rate

    def expected_retention(self, churn_probability: NDArray) -> NDArray[np.float64]:
        """The expected cost of an attempt to keep each customer, (n,); 0 where it is not known.

        Who has no churn probability is not tried to be kept.
        """
        return np.nan_to_num(churn_probability, nan=0.0) * (self.retention_cost or 0.0)

    def most_valuable(self, cuts: TierCuts, cost: NDArray, horizon_days: int) -> NDArray:
        """The forecast money from which each customer is MVC, (n,): PRODUCT 14.

        V is the margin less the cost to serve, and its cut the least V of those reference customers
        who together bring 80 % of it: in forecast money, what leaves so much after his own cost.
        Where his cost is not known V is the forecast. cost: as `cost` gives it.
        """
        found = np.full(len(cost), cuts.most_valuable)
        is_known = ~np.isnan(cost)
        if is_known.any():
            net = _net_cut(self, cuts, horizon_days)
            found[is_known] = (net + cost[is_known]) / self.margin_rate
        return found

    def tier(
        self,
        value: pd.Series | NDArray,
        rows: Rows,
        cuts: TierCuts,
        cost: NDArray | None = None,
        previous: NDArray | None = None,
        most_valuable: NDArray | None = None,
    ) -> NDArray[np.object_]:
        """The value class by the stored cuts; below_zero only where the cost to serve is known.

        cost: as `cost` gives it; None takes the cost_to_serve of everybody. previous: the tier of
        each row before, which is not left by a hair's breadth (value_tiers.assign). most_valuable:
        as `most_valuable` gives it; default: the stored cut.
        """
        known = self.cost_to_serve if cost is None else cost
        return value_tiers.assign(
            value, rows, cuts, known, self.margin_rate, previous, most_valuable
        )

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
        most_valuable: NDArray | None = None,
    ) -> Values:
        """The figures that decided the tier, in a few words.

        cost: as `cost` gives it. plain: the tier without a previous one; who has another keeps what
        he had. growth: the forecast up to which each is MGC (value_tiers.growable). most_valuable:
        as `most_valuable` gives it; default: the stored cut.
        """
        costs = np.full(len(value), self.cost_to_serve, np.float64) if cost is None else cost
        limits = np.full(len(value), np.nan) if growth is None else growth
        bare = tier if plain is None else plain
        best = np.full(len(value), cuts.most_valuable) if most_valuable is None else most_valuable

        def reason(
            forecast: float, code: str, other: str, spent: float, limit: float, most: float
        ) -> str:
            margin, decisive = forecast * self.margin_rate, {code, other}
            if "below_zero" in decisive:
                sign = "<=" if margin <= spent else ">"
                words = f"margin {margin:,.0f} {sign} cost to serve {spent:,.0f}"
            elif "mgc" in decisive and "mvc" not in decisive and limit == limit:
                sign = "<=" if forecast <= limit else ">"
                words = f"forecast {forecast:,.0f} {sign} growth cut {limit:,.0f}"
            else:
                sign = ">=" if forecast >= most else "<"
                words = f"forecast {forecast:,.0f} {sign} cut {most:,.0f}"
            if code == other:
                return words
            # Within the cut of growth it was not the cut that would have moved him.
            is_cut = code != "mgc" or not forecast <= limit
            return f"{words}; {KEPT if is_cut else _KEPT_GROWING}"

        figures = (costs.tolist(), limits.tolist(), best.tolist())
        each = zip(value.tolist(), tier, bare, *figures, strict=True)
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


@lru_cache(maxsize=16)  # a policy, the cuts of one or two champions, and their value horizon
def _net_cut(policy: Policy, cuts: TierCuts, horizon_days: int) -> float:
    """The least margin less cost to serve of who is MVC, among the customers the cuts keep.

    Where they keep nobody, as of models made before, it is the margin of the stored cut.
    """
    if not cuts.values:
        return cuts.most_valuable * policy.margin_rate
    contacts = np.array(cuts.contacts, dtype=np.float64)
    cost = policy.cost(pd.DataFrame({"contacts_365d": contacts}), horizon_days)
    net = np.array(cuts.values) * policy.margin_rate - np.nan_to_num(cost, nan=0.0)
    return value_tiers.pareto_boundary(net)


@lru_cache(maxsize=64)  # asked several times for each score, always of a few horizons
def _discount(yearly_rate: float, horizon_days: int) -> float:
    months = max(round(horizon_days / 30.4), 1)
    factors = (1.0 + yearly_rate) ** (-np.arange(1, months + 1) / 12.0)
    return float(factors.mean())


def _as_given(given: Values, values: NDArray[Any]) -> Any:
    """Values in the form of those they were made from: a series with its index, or an array."""
    return pd.Series(values, given.index) if isinstance(given, pd.Series) else values
