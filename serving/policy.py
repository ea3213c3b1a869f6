"""Business rules, frozen and versioned; no model inside.

Bands, tiers, stages, spend caps and who may be retained follow from forecasts by these rules
alone, so a rule can change without a training, and every answer names the policy it was made with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Rows, numbers_of
from training import retention, value_tiers
from training.tasks import CHURN_TYPES
from training.value_tiers import TierCuts

BANDS = ("low", "medium", "high")
Values = TypeVar("Values", pd.Series, NDArray[Any])


@dataclass(frozen=True)
class Policy:
    """The rules of one version.

    bands: lower edges of medium and high, on calibrated churn probability. margin_rate: margin per
    unit of net money. discount_rate: per year. save_rate: share of leavers saved by a contact.
    cost_to_serve: expected cost of a customer over the value horizon, None when not known.
    stale_after_days: features older than that give no score. decline_after: multiples of the own
    mean gap in silence from which a customer is in decline. trend: change in log spend that counts.
    """

    name: str = "policy"
    version: int = 1
    bands: tuple[float, float] = (0.33, 0.66)
    margin_rate: float = 1.0
    discount_rate: float = 0.10
    save_rate: float = retention.SAVE_RATE
    cost_to_serve: float | None = None
    stale_after_days: int = 7
    decline_after: float = 2.0
    trend: float = 0.25
    growth_tenure_gaps: float = 3.0

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

    def present_value(self, value: Values, horizon_days: int) -> Values:
        """Margin of a horizon's money, discounted month by month as if it came evenly."""
        months = max(round(horizon_days / 30.4), 1)
        factors = (1.0 + self.discount_rate) ** (-np.arange(1, months + 1) / 12.0)
        return value * self.margin_rate * float(factors.mean())

    def if_retained(self, future: Values, purchase_probability: Values) -> Values:
        """Future value of a customer who does not leave: future / P(stays)."""
        return retention.value_if_retained(future, purchase_probability)

    def tier(self, value: pd.Series | NDArray, rows: Rows, cuts: TierCuts) -> NDArray[np.object_]:
        """The value class by the stored cuts; below_zero only when the cost to serve is known."""
        return value_tiers.assign(value, rows, cuts, self.cost_to_serve, self.margin_rate)

    def tier_reason(
        self, value: Values, tier: pd.Series | NDArray[np.object_], cuts: TierCuts
    ) -> Values:
        """The figures that decided the tier, in a few words."""
        cut = f"cut {cuts.most_valuable:,.0f}"

        def reason(forecast: float, code: str) -> str:
            if code == "below_zero":
                margin = forecast * self.margin_rate
                return f"margin {margin:,.0f} <= cost to serve {self.cost_to_serve:,.0f}"
            return f"forecast {forecast:,.0f} {'>=' if code == 'mvc' else '<'} {cut}"

        reasons = [reason(*each) for each in zip(value.tolist(), tier, strict=True)]
        return _as_given(value, np.array(reasons, dtype=object))

    def stage(self, rows: Rows, is_active: pd.Series | NDArray[np.bool_]) -> NDArray[np.object_]:
        """The lifecycle stage, (n,), by precedence termination, decline, growth, maturity.

        Termination is no longer active with no case open; a customer with an open complaint or
        payment is still in decline. Acquisition (no purchase yet) is never scored.
        """
        gap, trend = numbers_of(rows, "gap_mean"), numbers_of(rows, "spend_trend_90d")
        # A customer without a gap of his own has no rhythm to fall silent against.
        is_new = (numbers_of(rows, "purchase_days_total") < 2) | (
            numbers_of(rows, "age") < self.growth_tenure_gaps * np.nan_to_num(gap, nan=0.0)
        )
        is_silent = numbers_of(rows, "recency") > self.decline_after * gap
        has_left = ~np.asarray(is_active, dtype=bool)
        stage = np.full(len(rows), "maturity", dtype=object)
        stage[(trend > self.trend) | is_new] = "growth"
        stage[is_silent | ((trend < -self.trend) & ~is_new)] = "decline"
        stage[has_left] = np.where(_has_open_affairs(rows)[has_left], "decline", "termination")
        return stage

    def retain_advised(
        self, types: pd.DataFrame | NDArray, tier: pd.Series | NDArray[np.object_]
    ) -> NDArray[np.bool_]:
        """False for those whose likeliest cause is malicious and for below-zero customers, (n,).

        types: P(churn by each of CHURN_TYPES), (n, 6), null where it cannot be known.
        """
        known = np.nan_to_num(np.asarray(types, dtype=np.float64), nan=0.0)
        is_malicious = known.argmax(axis=1) == CHURN_TYPES.index("malicious")
        is_likely = known.max(axis=1) > 0
        return ~(is_malicious & is_likely) & (np.asarray(tier) != "below_zero")


POLICY = Policy()


def _has_open_affairs(rows: Rows) -> NDArray[np.bool_]:
    affairs = [name for name in ("open_complaints", "payments_failed_unrecovered") if name in rows]
    some = np.zeros(len(rows), dtype=bool)
    for name in affairs:
        some |= numbers_of(rows, name) > 0
    return some


def _as_given(given: Values, values: NDArray[Any]) -> Any:
    """Values in the form of those they were made from: a series with its index, or an array."""
    return pd.Series(values, given.index) if isinstance(given, pd.Series) else values
