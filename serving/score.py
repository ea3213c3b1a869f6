"""Feature rows + models + policy -> scores. Pure: one customer or all, the same numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from serving.policy import Policy
from training.model_set import ModelSet, is_active
from training.tasks import CHURN_TYPES, TIERS

# The columns of a score table, in order; DESIGN 8 fixes the names.
COLUMNS: tuple[str, ...] = (
    "customer_id", "as_of", "status",
    "purchase_probability", "churn_probability", "churn_percentile", "churn_band",
    "expected_orders", "expected_value", "expected_value_median", "expected_value_low",
    "expected_value_high",
    "clv_historical", "clv_future", "clv_total", "clv_if_retained",
    *(f"type_{cause}" for cause in CHURN_TYPES),
    "tier", "tier_reason", *(f"tier_next_{tier}" for tier in TIERS), "stage",
    "expected_loss", "max_spend", "retain_advised",
)  # fmt: skip


def score(rows: pd.DataFrame, models: ModelSet, policy: Policy) -> pd.DataFrame:
    """One row per given row: the columns COLUMNS.

    rows: customer_id, as_of and every feature, of customers with at least one purchase. Money is
    in currency units; expected_value is undiscounted, clv_* are margins, clv_future is discounted.
    churn_* and type_* are null for customers who were not active: they cannot leave again.
    """
    churn_task, value_task = models.tasks["churn"], models.tasks["clv"]
    active = is_active(rows, churn_task)
    purchase = models.churn.predict(rows.assign(horizon_days=churn_task.horizon_days))
    churn = pd.Series(1.0 - purchase, rows.index).where(active)
    value = models.clv.predict(rows.assign(horizon_days=value_task.horizon_days))
    answer = pd.DataFrame(
        {
            "customer_id": rows.customer_id,
            "as_of": rows.as_of,
            "status": np.where(active, "scored", "not_active"),
            "purchase_probability": purchase,
            "churn_probability": churn,
            "churn_percentile": _percentile(churn, models.reference.churn_percentiles),
            "churn_band": policy.band(churn),
        },
        index=rows.index,
    ).join(value.drop(columns="purchase_probability"))
    answer = answer.join(_money(answer, rows, value_task.horizon_days, policy))
    answer = answer.join(_types(rows, churn, models))
    answer = answer.join(_tiers(rows, answer, models, policy))
    answer["stage"] = policy.stage(rows, active)
    types = answer[[f"type_{cause}" for cause in CHURN_TYPES]]
    answer["retain_advised"] = policy.retain_advised(types, answer.tier)
    return answer[list(COLUMNS)]


def _money(
    answer: pd.DataFrame, rows: pd.DataFrame, horizon_days: int, policy: Policy
) -> pd.DataFrame:
    future = policy.present_value(answer.expected_value, horizon_days)
    if_retained = policy.if_retained(future, answer.purchase_probability)
    historical = rows.spend_total * policy.margin_rate
    loss = answer.churn_probability.fillna(0.0) * if_retained
    return pd.DataFrame(
        {
            "clv_historical": historical,
            "clv_future": future,
            "clv_total": historical + future,
            "clv_if_retained": if_retained,
            "expected_loss": loss,
            "max_spend": policy.save_rate * loss,
        }
    )


def _types(rows: pd.DataFrame, churn: pd.Series, models: ModelSet) -> pd.DataFrame:
    """Churn probability split over the causes; they sum to it, unknowable ones are null."""
    shares = models.churn_type.predict(rows)
    return shares.mul(churn, axis=0).add_prefix("type_")


def _tiers(
    rows: pd.DataFrame, answer: pd.DataFrame, models: ModelSet, policy: Policy
) -> pd.DataFrame:
    cuts = models.reference.tier_cuts
    tier = policy.tier(answer.expected_value, rows, cuts)
    found = models.tier.predict(rows.assign(tier=tier)).add_prefix("tier_next_")
    found["tier"] = tier
    found["tier_reason"] = policy.tier_reason(answer.expected_value, tier, cuts)
    return found


def _percentile(churn: pd.Series, knots: tuple[float, ...]) -> pd.Series:
    """Rank among the active customers of the reference snapshot, 0 to 100; null without risk."""
    rank = np.searchsorted(np.array(knots), churn.fillna(0.0).to_numpy(), side="right") - 1
    return pd.Series(np.clip(rank, 0, 100).astype(float), churn.index).where(churn.notna())
