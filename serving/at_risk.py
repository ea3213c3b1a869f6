"""The money at risk: how much of it stands in which value class, and for which cause."""

from __future__ import annotations

import numpy as np
import pandas as pd

from training.tasks import CHURN_TYPES, TIERS

UNKNOWN = "unknown"
COLUMNS = ("tier", "customers", *CHURN_TYPES, UNKNOWN, "expected_loss")


def money_at_risk(scores: pd.DataFrame) -> pd.DataFrame:
    """Expected loss by tier and cause, currency units: COLUMNS, one row per tier that occurs.

    A customer's expected loss is split by the shares of his type_*; where no cause of his can be
    known it stands under `unknown`. A cause that cannot be known of anybody is null, not 0.
    customers: those with a churn probability. The causes and `unknown` add up to expected_loss.
    """
    asked = scores[scores.churn_probability.notna()]
    loss = asked.expected_loss.to_numpy(dtype=np.float64)
    types = asked[[f"type_{cause}" for cause in CHURN_TYPES]].to_numpy(dtype=np.float64)
    known = np.nan_to_num(types, nan=0.0)
    total = known.sum(axis=1)
    shares = np.divide(known, total[:, None], out=np.zeros(known.shape), where=total[:, None] > 0)
    parts = pd.DataFrame(shares * loss[:, None], columns=list(CHURN_TYPES))
    parts[UNKNOWN] = np.where(total > 0.0, 0.0, loss)
    parts = parts.assign(tier=asked.tier.to_numpy(), customers=1, expected_loss=loss)
    found = parts.groupby("tier").sum().reindex([tier for tier in TIERS if tier in set(parts.tier)])
    for cause, column in zip(CHURN_TYPES, types.T, strict=True):
        if not np.isfinite(column).any():
            found[cause] = np.nan
    return found.rename_axis("tier").reset_index()[list(COLUMNS)]
