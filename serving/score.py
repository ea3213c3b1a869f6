"""Feature rows + models + policy -> scores. Pure: one customer or all, the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Columns, Rows, numbers_of, with_columns
from serving.policy import Policy
from training.model_set import ModelSet, Reference, is_active
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

# Times the most purchase days of anybody when the models were made: customers grow meanwhile, but
# one of three times as many is another kind, such as a till or a test account.
MOST_BEYOND = 3.0
# Models that were made for somebody as new as that know newcomers; a few days more or less are luck.
NEWCOMER_DAYS = 30.0

Scores = dict[str, NDArray[Any]]


def score(rows: pd.DataFrame, models: ModelSet, policy: Policy) -> pd.DataFrame:
    """One row per given row: the columns COLUMNS.

    rows: customer_id, as_of and every feature, of customers with at least one purchase. Money is
    in currency units; expected_value is undiscounted, clv_* are margins, clv_future is discounted.
    churn_* and type_* are null unless the status is scored: who is not active cannot leave again.
    """
    found = score_columns(Columns.of(rows), models, policy)
    return pd.DataFrame({name: found[name] for name in COLUMNS}, rows.index)


def score_columns(rows: Rows, models: ModelSet, policy: Policy) -> Scores:
    """The same as arrays, each (n,)."""
    churn_task, value_task = models.tasks["churn"], models.tasks["clv"]
    active = np.asarray(is_active(rows, churn_task))
    status = _status(rows, active, models.reference)
    purchase = models.churn.predict(_over(rows, churn_task.horizon_days))
    churn = np.where(status == "scored", 1.0 - purchase, np.nan)
    found = {
        **models.clv.forecast(_over(rows, value_task.horizon_days)),
        "customer_id": np.asarray(rows["customer_id"]),
        "as_of": np.asarray(rows["as_of"]),
        "status": status,
        "purchase_probability": purchase,
        "churn_probability": churn,
        "churn_percentile": _percentile(churn, models.reference.churn_percentiles),
        "churn_band": policy.band(churn),
        "stage": policy.stage(rows, active),
    }
    found |= _money(found, rows, value_task.horizon_days, policy)
    found |= _tiers(rows, found["expected_value"], models, policy)
    types = _types(rows, churn, models)
    advised = policy.retain_advised(np.column_stack(list(types.values())), found["tier"])
    return found | types | {"retain_advised": advised}


def _status(rows: Rows, active: NDArray[np.bool_], reference: Reference) -> NDArray[np.object_]:
    """Why a customer has no churn probability, else scored; the first reason that holds.

    Beyond the youngest and far beyond the most frequent of those the models were made for, nothing
    was learnt that an answer could stand on; the value is given all the same, as a continuation.
    """
    status = np.full(len(rows), "scored", dtype=object)
    most = MOST_BEYOND * reference.most_purchase_days
    status[numbers_of(rows, "purchase_days_total") > most] = "out_of_range"
    if reference.youngest_days > NEWCOMER_DAYS:
        status[numbers_of(rows, "age") < reference.youngest_days] = "insufficient_history"
    status[~active] = "not_active"
    return status


def _over(rows: Rows, horizon_days: int) -> Any:
    return with_columns(rows, {"horizon_days": horizon_days})


def _money(found: Scores, rows: Rows, horizon_days: int, policy: Policy) -> Scores:
    future = policy.present_value(found["expected_value"], horizon_days)
    if_retained = policy.if_retained(future, found["purchase_probability"])
    historical = numbers_of(rows, "spend_total") * policy.margin_rate
    loss = np.nan_to_num(found["churn_probability"], nan=0.0) * if_retained
    return {
        "clv_historical": historical,
        "clv_future": future,
        "clv_total": historical + future,
        "clv_if_retained": if_retained,
        "expected_loss": loss,
        "max_spend": policy.save_rate * loss,
    }


def _types(rows: Rows, churn: NDArray, models: ModelSet) -> Scores:
    """Churn probability split over the causes; they sum to it, unknowable ones are null."""
    shares = models.churn_type.shares_of(rows)
    return {f"type_{cause}": share * churn for cause, share in shares.items()}


def _tiers(rows: Rows, value: NDArray, models: ModelSet, policy: Policy) -> Scores:
    cuts = models.reference.tier_cuts
    tier = policy.tier(value, rows, cuts)
    following = models.tier.chances(with_columns(rows, {"tier": tier}))
    return {
        "tier": tier,
        "tier_reason": policy.tier_reason(value, tier, cuts),
        **{f"tier_next_{name}": chance for name, chance in following.items()},
    }


def _percentile(churn: NDArray, knots: tuple[float, ...]) -> NDArray[np.float64]:
    """Rank among the active customers of the reference snapshot, 0 to 100; null without risk."""
    rank = np.searchsorted(np.array(knots), np.nan_to_num(churn, nan=0.0), side="right") - 1
    return np.where(np.isnan(churn), np.nan, np.clip(rank, 0, 100).astype(float))
