"""Business rules, frozen and versioned; no model inside.

Bands, tiers, stages, spend caps and who may be retained follow from forecasts by these rules
alone, so a rule can change without a training, and every answer names the policy it was made with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training import retention, value_tiers
from training.value_tiers import TierCuts


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

    def band(self, churn_probability: pd.Series) -> pd.Series:
        """low, medium or high; null where there is no churn probability."""
        codes = np.searchsorted(self.bands, churn_probability.fillna(-1.0), side="right")
        bands = pd.Series(np.array(["low", "medium", "high"])[codes], churn_probability.index)
        return bands.where(churn_probability.notna())

    def present_value(self, value: pd.Series, horizon_days: int) -> pd.Series:
        """Margin of a horizon's money, discounted month by month as if it came evenly."""
        months = max(round(horizon_days / 30.4), 1)
        factors = (1.0 + self.discount_rate) ** (-np.arange(1, months + 1) / 12.0)
        return value * self.margin_rate * float(factors.mean())

    def if_retained(self, future: pd.Series, purchase_probability: pd.Series) -> pd.Series:
        """Future value of a customer who does not leave: future / P(stays)."""
        return retention.value_if_retained(future, purchase_probability)

    def tier(self, value: pd.Series, rows: pd.DataFrame, cuts: TierCuts) -> pd.Series:
        """The value class by the stored cuts; below_zero only when the cost to serve is known."""
        return value_tiers.assign(value, rows, cuts, self.cost_to_serve, self.margin_rate)

    def tier_reason(self, value: pd.Series, tier: pd.Series, cuts: TierCuts) -> pd.Series:
        """The figures that decided the tier, in a few words."""
        cut = f"cut {cuts.most_valuable:,.0f}"
        sign = np.where(tier == "mvc", ">=", "<")
        texts = [f"forecast {v:,.0f} {s} {cut}" for v, s in zip(value, sign, strict=True)]
        reason = pd.Series(texts, value.index, dtype=object)
        for row in value.index[tier == "below_zero"]:
            margin = value[row] * self.margin_rate
            reason[row] = f"margin {margin:,.0f} <= cost to serve {self.cost_to_serve:,.0f}"
        return reason

    def stage(self, rows: pd.DataFrame, is_active: pd.Series) -> pd.Series:
        """The lifecycle stage, by precedence termination, decline, growth, maturity.

        Termination is no longer active with no case open; a customer with an open complaint or
        payment is still in decline. Acquisition (no purchase yet) is never scored.
        """
        is_new = (rows.purchase_days_total < 2) | (
            rows.age < self.growth_tenure_gaps * rows.gap_mean.fillna(0.0)
        )
        is_silent = rows.recency > self.decline_after * rows.gap_mean.fillna(np.inf)
        falls = rows.spend_trend_90d < -self.trend
        stage = pd.Series("maturity", rows.index, dtype=object)
        stage[(rows.spend_trend_90d > self.trend) | is_new] = "growth"
        stage[is_silent | (falls & ~is_new)] = "decline"
        stage[~is_active & ~_has_open_affairs(rows)] = "termination"
        stage[~is_active & _has_open_affairs(rows)] = "decline"
        return stage

    def retain_advised(self, types: pd.DataFrame, tier: pd.Series) -> pd.Series:
        """False for those whose likeliest cause is malicious and for below-zero customers."""
        known = types.fillna(0.0)
        is_malicious = known.idxmax(axis=1).str.removeprefix("type_") == "malicious"
        return ~(is_malicious & known.sum(axis=1).gt(0)) & (tier != "below_zero")


POLICY = Policy()


def _has_open_affairs(rows: pd.DataFrame) -> pd.Series:
    columns = [name for name in ("open_complaints", "payments_failed_unrecovered") if name in rows]
    return rows[columns].fillna(0.0).sum(axis=1) > 0
