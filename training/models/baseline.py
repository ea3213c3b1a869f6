"""The baseline every model must beat: a recency rule and each customer's own history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from training.sampling import counted, standing

# A customer's own rate needs some time to be a rate at all.
LEAST_AGE_DAYS = 30.0


@dataclass
class Baseline:
    """P(purchase) from the days of silence alone; value from the customer's own spend per day.

    Claim: needs two numbers, and is what a careful analyst would try first.
    """

    slope: float
    intercept: float

    @classmethod
    def fit(cls, panel: pd.DataFrame) -> Baseline:
        """Fit on a training panel: recency, horizon_days and the outcome `bought`."""
        panel = counted(panel)
        bought = panel.bought.to_numpy(dtype=float)
        if bought.min() == bought.max():
            rate = float(np.clip(bought.mean(), 0.01, 0.99))  # one outcome only: near certainty
            return cls(0.0, float(np.log(rate / (1 - rate))))
        rule = LogisticRegression(C=1e6).fit(_silence(panel), bought, standing(panel))
        return cls(float(rule.coef_[0, 0]), float(rule.intercept_[0]))

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """One row per row: purchase_probability and expected_value (currency units)."""
        log_odds = self.intercept + self.slope * _silence(rows)[:, 0]
        days = np.maximum(rows.age.to_numpy(dtype=float), LEAST_AGE_DAYS)
        per_day = rows.spend_total.to_numpy(dtype=float).clip(min=0.0) / days
        return pd.DataFrame(
            {
                "purchase_probability": 1.0 / (1.0 + np.exp(-log_odds)),
                "expected_value": per_day * rows.horizon_days.to_numpy(dtype=float),
            },
            index=rows.index,
        )

    def to_dict(self) -> dict:
        """JSON-ready form."""
        return {"slope": self.slope, "intercept": self.intercept}

    @classmethod
    def from_dict(cls, stored: Mapping) -> Baseline:
        """The rule that `to_dict` stored."""
        return cls(stored["slope"], stored["intercept"])


def _silence(rows: pd.DataFrame) -> np.ndarray:
    days, horizon = rows.recency.to_numpy(dtype=float), rows.horizon_days.to_numpy(dtype=float)
    return np.log((days + 1.0) / horizon).reshape(-1, 1)
