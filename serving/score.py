"""Feature rows + models + policy -> scores. Pure: one customer or all, the same numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from features.columns import Columns, Rows, numbers_of, with_columns
from serving import causes, levers, loyalty, marketing
from serving.policy import Policy
from serving.tiering import Bounds, bounds, tiers
from training import ladder, lifecycle
from training.business_facts import numbers_if_any
from training.definitions import Definition
from training.leaving import Whereabouts, leaving, saveable_loss, survival
from training.lifecycle import STAGES
from training.model_set import ModelSet, Reference, is_active
from training.models.boosting import Boosting, Forecast
from training.models.churn_type import reasons_told
from training.models.offsets import Outlook
from training.tasks import CHURN_TYPES, TIERS

# The columns of a score table, in order; DESIGN 8 fixes the names.
COLUMNS: tuple[str, ...] = (
    "customer_id", "as_of", "status", "left_for",
    "purchase_probability", "churn_probability", "churn_percentile", "churn_percentile_in_stage",
    "churn_band", "leaving_probability",
    "expected_orders", "expected_value", "expected_value_median", "expected_value_low",
    "expected_value_high",
    "clv_historical", "clv_historical_present", "clv_future", "clv_total", "clv_if_retained",
    "abc", "rfm_recency", "rfm_frequency", "rfm_monetary", "rfm_score", "rfm_class",
    "value_now", "value_quadrant",
    *(f"type_{cause}" for cause in CHURN_TYPES),
    "tier", "tier_previous", "tier_reason", "below_zero_certainty",
    *(f"tier_next_{tier}" for tier in TIERS),
    "stage", *(f"stage_next_{stage}" for stage in STAGES), "lifetime_days", "remaining_days",
    "ladder", "loyalty", "loyalty_type", "days_past_due",
    *(f"loyalty_{kind.name}" for kind in loyalty.TYPES),
    "expected_loss", "max_spend", "saveable_loss", "retain_advised",
    "cause", "cause_source", "cause_confidence", "fault_evidence", "competitive_over", "lever",
    "marketing_mode",
)  # fmt: skip

# Times the most purchase days of anybody when the models were made: customers grow meanwhile, but
# one of three times as many is another kind, such as a till or a test account.
MOST_BEYOND = 3.0
# Models made for somebody as new as that know newcomers; a few days more or less are luck.
NEWCOMER_DAYS = 30.0

Scores = dict[str, NDArray[Any]]


class Scored(NamedTuple):
    """Scores as arrays, each (n,), and the churn forecast they stand on, which can be explained.

    limits: what decides the tiers. retention: the expected cost of an attempt to keep each, (n,).
    """

    scores: Scores
    churn: Forecast
    limits: Bounds
    retention: NDArray[np.float64]


def score(rows: pd.DataFrame, models: ModelSet, policy: Policy) -> pd.DataFrame:
    """One row per given row: the columns COLUMNS.

    rows: customer_id, as_of and every feature, of customers with at least one purchase; and
    tier_previous where there are scores before. Money is in currency units; expected_value is
    undiscounted, clv_* and value_now are margins. clv_future is discounted and, where they are
    known, net of the cost to serve and of that of an attempt to keep the customer;
    clv_historical_present has the interest of the time since, and no part in clv_total. churn_*,
    type_* and leaving_probability are null unless the status is scored: who is not active, or has
    told that he leaves, cannot leave again. cause_source of who has told is reason_code.
    """
    found = score_columns(Columns.of(rows), models, policy).scores
    return pd.DataFrame({name: found[name] for name in COLUMNS}, rows.index)


def score_columns(rows: Columns, models: ModelSet, policy: Policy) -> Scored:
    """The same as arrays."""
    churn_task, value_task = models.tasks["churn"], models.tasks["clv"]
    reference = models.reference
    active, told = np.asarray(is_active(rows, churn_task)), reasons_told(rows)
    status = _status(rows, active, told, reference, churn_task.rule)
    of_churn, of_value = models.outlooks(rows)
    forecast = models.churn.forecast(_over(rows, churn_task.horizon_days), of_churn)
    stays = models.churn.chances(forecast.log_odds)
    buyer, buying = _buyer(models), forecast
    if buyer is not models.churn:
        buying = buyer.forecast(_over(rows, churn_task.horizon_days), of_churn)
    purchase = buyer.chances(buying.log_odds)
    churn = np.where(status == "scored", 1.0 - stays, np.nan)
    alive = expit(of_churn["logit_alive"])
    stage = lifecycle.stage(rows, active, policy.lifecycle, alive)
    found = {
        **models.clv.forecast(_over(rows, value_task.horizon_days), of_value),
        "customer_id": np.asarray(rows["customer_id"]),
        "as_of": np.asarray(rows["as_of"]),
        "status": status,
        "left_for": _only(told, status == "already_churned"),
        "purchase_probability": purchase,
        "churn_probability": churn,
        "churn_percentile": _percentile(churn, reference.churn_percentiles),
        "churn_percentile_in_stage": _percentile_in_stage(churn, stage, reference),
        "churn_band": policy.band(churn),
        **_relationship(rows, stage, alive, models, policy),
        "days_past_due": numbers_if_any(rows, "days_past_due"),
    }
    limits, retention = bounds(rows, models, policy), policy.expected_retention(churn)
    to_stay = np.where(status == "scored", stays, purchase)  # of who has left none is forecast
    found |= _money(found, rows, limits.cost, retention, to_stay, models, policy)
    found |= _saveable(rows, of_churn, buying, found, retention, models)
    found |= _classes(rows, found["expected_value"], limits, reference, policy)
    found |= tiers(rows, found, limits, models, policy)
    # The parts of the churn probability sum to it, unknowable ones are null.
    shares = models.churn_type.shares_of(rows)
    found |= {f"type_{cause}": share * churn for cause, share in shares.items()}
    types = np.column_stack([found[f"type_{cause}"] for cause in CHURN_TYPES])
    found["retain_advised"] = policy.retain_advised(types, found["tier"], found["left_for"])
    found |= _causes(rows, types, shares, found, models, policy)
    found |= _decisions(rows, types, found, models, policy)
    return Scored(found, forecast, limits, retention)


def _status(
    rows: Rows,
    active: NDArray[np.bool_],
    told: NDArray[np.object_],
    reference: Reference,
    rule: Definition,
) -> NDArray[np.object_]:
    """Why a customer has no churn probability, else scored; the last reason here that holds.

    Beyond the youngest and far beyond the most frequent of those the models were made for, nothing
    was learnt that an answer could stand on; the value is given all the same, as a continuation.
    told: the cause for which a customer said, after his last purchase, that he leaves; or null.
    rule: the churn definition, which may not ask about newcomers.
    """
    status = np.full(len(rows), "scored", dtype=object)
    most = MOST_BEYOND * reference.most_purchase_days
    status[numbers_of(rows, "purchase_days_total") > most] = "out_of_range"
    status[rule.is_excluded(rows)] = "insufficient_history"
    if reference.youngest_days > NEWCOMER_DAYS:
        status[numbers_of(rows, "age") < reference.youngest_days] = "insufficient_history"
    status[told != None] = "already_churned"  # noqa: E711 (element by element)
    status[~active] = "not_active"
    return status


def _only(texts: NDArray[np.object_], where: NDArray[np.bool_]) -> NDArray[np.object_]:
    """The texts of some rows, null in the others."""
    found = np.full(len(texts), None, dtype=object)
    found[where] = texts[where]
    return found


def _over(rows: Rows, horizon_days: int) -> Any:
    return with_columns(rows, {"horizon_days": horizon_days})


def _buyer(models: ModelSet) -> Boosting:
    """The model of a purchase in the churn horizon; churn has its own if it is something else."""
    asks_for_purchase = models.tasks["churn"].rule.asks_for_purchase
    return models.churn if asks_for_purchase else models.purchase or models.churn


def _money(
    found: Scores,
    rows: Rows,
    cost: NDArray,
    retention: NDArray,
    to_stay: NDArray,
    models: ModelSet,
    policy: Policy,
) -> Scores:
    horizon_days = models.tasks["clv"].horizon_days
    margin = policy.present_value(found["expected_value"], horizon_days)
    spent = policy.present_cost(cost, horizon_days)
    future = margin - spent - retention
    # The cost is that of who stays as well, and not to be raised by the chance to stay. An attempt
    # to keep him is not in it: whether that pays is what the value of who stays is asked for.
    if_retained = policy.if_retained(margin, to_stay) - spent
    historical = policy.historical(rows)
    loss = (np.nan_to_num(found["churn_probability"], nan=0.0) * if_retained).clip(min=0.0)
    return {
        "clv_historical": historical,
        "clv_historical_present": policy.historical_present(rows),
        "clv_future": future,
        "clv_total": historical + future,
        "clv_if_retained": if_retained,
        "expected_loss": loss,
        "max_spend": policy.save_rate * loss,
    }


def _saveable(
    rows: Rows,
    outlook: Outlook,
    forecast: Forecast,
    found: Scores,
    retention: NDArray,
    models: ModelSet,
) -> Scores:
    """Who is still there and leaves within the churn horizon, and the money that goes with him."""
    offsets, is_scored = _buyer(models).offsets, found["status"] == "scored"
    lasting = survival(rows, offsets.repeat_buying.pareto, models.tasks["churn"].horizon_days)
    rhythm = outlook["logit_purchase"] + offsets.level.odds
    before = found["clv_future"] + retention  # what is at stake before anything is tried
    where = leaving(expit(outlook["logit_alive"]), lasting, rhythm, forecast.log_odds)
    if models.tasks["churn"].rule.is_observed:
        where = Whereabouts(found["churn_probability"], 1.0 - found["churn_probability"])
    return {
        "leaving_probability": np.where(is_scored, where.leaves, np.nan),
        "saveable_loss": np.where(is_scored, saveable_loss(where, before), 0.0),
    }


def _relationship(
    rows: Rows, stage: NDArray[np.object_], alive: NDArray, models: ModelSet, policy: Policy
) -> Scores:
    """Where the customer stands, how long he has and will, and what his loyalty rests on."""
    reference, pareto = models.reference, models.churn.offsets.repeat_buying.pareto
    facts, attitude = reference.facts, reference.facts.attitude(rows)
    following = lifecycle.next_stage(stage, reference.stage_moves)
    rests_on = loyalty.scores(rows, attitude, facts)
    return {
        "stage": stage,
        **{f"stage_next_{name}": chance for name, chance in following.items()},
        "lifetime_days": lifecycle.lifetime_days(rows, stage),
        "remaining_days": lifecycle.remaining_days(rows, alive, pareto, policy.lifecycle, stage),
        "ladder": ladder.rung(rows, attitude, policy.ladder),
        "loyalty": loyalty.loyalty(rows, attitude, policy.loyalty),
        "loyalty_type": loyalty.strongest(rests_on, policy.loyalty),
        **{f"loyalty_{name}": each for name, each in rests_on.items()},
    }


def _decisions(
    rows: Rows, types: NDArray, found: Scores, models: ModelSet, policy: Policy
) -> Scores:
    """What fits the cause, and how to speak to the customer."""
    tier, facts = found["tier"], models.reference.facts
    return {
        "lever": levers.lever(
            types, tier, found["retain_advised"], found["max_spend"], rows,
            found["loyalty_type"], policy.levers,
        ),
        "marketing_mode": marketing.marketing_mode(rows, tier, facts),
    }  # fmt: skip


def _causes(
    rows: Rows, types: NDArray, shares: Scores, found: Scores, models: ModelSet, policy: Policy
) -> Scores:
    """The likeliest cause, how it is known and how surely, and what speaks for it."""
    cause, left_for, facts = levers.cause(types), found["left_for"], models.reference.facts
    known = np.column_stack([shares[name] for name in CHURN_TYPES])
    return {
        "cause": cause,
        "cause_source": causes.source(cause, left_for, models.churn_type.source == "model"),
        "cause_confidence": causes.confidence(cause, left_for, known),
        "fault_evidence": causes.fault_evidence(cause, rows, facts, policy.levers),
        "competitive_over": causes.competitive_over(cause, rows, policy.levers),
    }


def _classes(
    rows: Rows, forecast: NDArray, limits: Bounds, reference: Reference, policy: Policy
) -> Scores:
    """ABC, RFM, and the value of now beside that to come."""
    cuts = reference.value_cuts
    rfm = cuts.rfm(rows)
    weighted = zip(policy.rfm_weights, rfm.values(), strict=True)
    return {
        "abc": cuts.abc(rows),
        **rfm,
        "rfm_score": np.add.reduce([weight * score for weight, score in weighted]),
        "rfm_class": cuts.rfm_class(rfm),
        "value_now": cuts.now(rows, policy.margin_rate),
        "value_quadrant": cuts.quadrant(rows, forecast, limits.most_valuable),
    }


def _percentile_in_stage(
    churn: NDArray, stage: NDArray[np.object_], reference: Reference
) -> NDArray[np.float64]:
    """Rank among the active of one's lifecycle stage in the reference snapshot; null without."""
    ranks = np.full(len(churn), np.nan)
    for name, knots in reference.churn_percentiles_by_stage.items():
        is_in = stage == name
        if is_in.any():
            ranks[is_in] = _percentile(churn[is_in], knots)
    return ranks


def _percentile(churn: NDArray, knots: tuple[float, ...]) -> NDArray[np.float64]:
    """Rank among the active customers of the reference snapshot, 0 to 100; null without risk."""
    rank = np.searchsorted(np.array(knots), np.nan_to_num(churn, nan=0.0), side="right") - 1
    return np.where(np.isnan(churn), np.nan, np.clip(rank, 0, 100).astype(float))
