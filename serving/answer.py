"""Feature rows -> the nested answers that applications get; pure.

The numbers are those of `score`, unrounded. An answer has the same keys whatever its status; a part
that cannot be said is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from features.columns import Columns, Rows, numbers_of
from features.moment import END_OF_DAY, is_stale
from serving import causes, levers, tiering
from serving.abstention import known, unavailable
from serving.answer_schema import Answer, Churn, Relationship, Rfm, Tier, TypeShare, Value
from serving.loyalty import TRIGGERS
from serving.policy import Policy
from serving.reasons import factors
from serving.score import COLUMNS, Scored, score_columns
from training.lifecycle import STAGES
from training.model_set import ModelSet
from training.tasks import CHURN_TYPES, TIERS

# Without these there is no score. A customer's features are all of one moment, so when that moment
# is too old these stand for all of them.
NEEDED = ("purchase_days_total", "recency", "age", "spend_total")
# Null in these says "never" or "not often enough yet", which is known; null elsewhere does not.
_NULL_IS_KNOWN = ("days_since_", "gap_", "silence_", "day_amount_std")
_ALIAS = "champion"


class Asked(NamedTuple):
    """Whom one answer is about, and why there is no score; `reason` is empty when there is one."""

    customer_id: str | None
    as_of: datetime | None
    request_id: str
    what_if: list[str]
    reason: str


@dataclass(frozen=True)
class Call:
    """The policy and the moment of some answers, naive UTC.

    refuses_stale: whether features that are older than the policy allows get no score; off where
    the caller chose the moment himself.
    """

    policy: Policy
    now: datetime
    refuses_stale: bool = True


def answer(rows: Rows, models: ModelSet, call: Call) -> list[Answer]:
    """One answer per row, in the order of the rows.

    rows: customer_id, as_of (naive UTC, NaT for an unknown customer), request_id and every feature;
    `explain` where not every row wants its factors, which take longer than the score; `what_if`
    where features of some rows were overridden.
    """
    columns = Columns.of(rows)
    reasons = why_not(columns, call)
    has_score = np.array([reason == "" for reason in reasons], dtype=bool)
    scored = columns if has_score.all() else columns.chosen(has_score)
    scores = iter(_scores(scored, models, call))
    moments = columns["as_of"].astype("datetime64[us]").tolist()
    changed = columns["what_if"].tolist() if "what_if" in columns else [[]] * len(columns)
    ids, requests = (columns[name].tolist() for name in ("customer_id", "request_id"))
    asked = zip(ids, moments, requests, changed, reasons, strict=True)
    return [_answer(Asked(*row), {} if row[-1] else next(scores), models, call) for row in asked]


def why_not(rows: Columns, call: Call) -> list[str]:
    """The status of each row that gets no score, empty for the others.

    unknown before stale_features before prospect: what an old row says is not to be trusted, and
    a row without this count, which is never null, was stored under the features of former times.
    """
    bought, as_of = numbers_of(rows, "purchase_days_total"), rows["as_of"]
    unfit = {"prospect": ~(bought > 0)}
    if call.refuses_stale:
        max_age = timedelta(days=call.policy.stale_after_days)
        unfit["stale_features"] = is_stale(as_of, call.now, max_age) | np.isnan(bought)
    unfit["unknown"] = np.isnat(as_of)
    reasons = np.full(len(rows), "", dtype=object)
    for reason, where in unfit.items():
        reasons[where] = reason
    return reasons.tolist()


def _scores(rows: Columns, models: ModelSet, call: Call) -> list[dict[str, Any]]:
    """The score row of each row, null as None, with what only answers carry."""
    if not len(rows):
        return []
    policy, horizon_days = call.policy, models.tasks["clv"].horizon_days
    scored = score_columns(rows, models, policy)
    scores, wanted = scored.scores, rows.others.get("explain")
    columns = {name: [_plain(value) for value in scores[name].tolist()] for name in COLUMNS}
    for end in ("low", "high"):
        bound = policy.present_value(scores[f"expected_value_{end}"], horizon_days)
        spent = policy.present_cost(scored.limits.cost, horizon_days) + scored.retention
        columns[f"future_{end}"] = (bound - spent).tolist()
    churn = scores["churn_probability"]
    reliability = models.reference.reliability
    bounds = reliability.interval(churn) if reliability else (np.full(len(churn), np.nan),) * 2
    for end, bound in zip(("low", "high"), bounds, strict=True):
        columns[f"churn_{end}"] = [_plain(value) for value in bound.tolist()]
    basis = "revenue" if policy.margin_rate == 1.0 else "margin"
    columns["value_basis"] = [basis] * len(rows)
    columns |= _cuts(scored, models, policy)
    faults = causes.fault_words(scores["cause"], rows, models.reference.facts, policy.levers)
    signs = zip(levers.evidence(rows), faults, strict=True)
    columns["evidence"] = [dated + others for dated, others in signs]
    columns["unavailable"] = unavailable(rows, known(models, policy))
    columns["missing"] = _missing(rows, models)
    few = factors(scored, models, wanted)
    columns["factors"] = [[factor._asdict() for factor in each] for each in few]
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _cuts(scored: Scored, models: ModelSet, policy: Policy) -> dict[str, list[Any]]:
    """The cuts of each row's tier by the policy's basis, null where none decides."""
    limits, basis = scored.limits, policy.tier_basis
    a, b = tiering.cuts_of(basis, models.reference.value_cuts)
    n, is_forecast = len(limits.cost), basis == "clv"
    return {
        "cost": [_plain(value) for value in limits.cost.tolist()],
        "mvc_cut": limits.most_valuable.tolist() if is_forecast else [a] * n,
        "mgc_cut": limits.growth.tolist() if is_forecast else [b] * n,
    }


def _plain(value: Any) -> Any:
    """The value; None for NaN, which alone differs from itself."""
    return value if value == value else None


def _missing(rows: Columns, models: ModelSet) -> list[list[str]]:
    """Names of the features that the models read and nobody knows, per row."""
    names = _may_be_missing(models)
    return [[names[at] for at in np.flatnonzero(row)] for row in rows.is_null(names)]


def _may_be_missing(models: ModelSet) -> tuple[str, ...]:
    designs = (models.churn.design, models.clv.design)
    read = tuple((design.numbers, tuple(design.categories)) for design in designs)
    return _unknown_when_null(models.reference.features, read)


@lru_cache(maxsize=2)  # the models that answer, and those that are to replace them
def _unknown_when_null(
    features: tuple[str, ...], read: tuple[tuple[tuple[str, ...], ...], ...]
) -> tuple[str, ...]:
    """The features that models read and whose null says nothing, in their order."""
    names = {name for design in read for kind in design for name in kind}
    return tuple(n for n in features if n in names and not n.startswith(_NULL_IS_KNOWN))


def _answer(asked: Asked, said: Mapping[str, Any], models: ModelSet, call: Call) -> Answer:
    moment = asked.as_of
    return {
        "customer_id": asked.customer_id,
        "as_of": _written(moment) if moment else None,
        "status": asked.reason or said["status"],
        "left_for": said.get("left_for"),
        "churn": _churn(said, models) if said.get("churn_probability") is not None else None,
        "clv": _value(said, models, call.policy) if said else None,
        "abc": said.get("abc"),
        "rfm": _rfm(said) if said.get("rfm_class") is not None else None,
        "purchase_probability": said.get("purchase_probability"),
        "expected_orders": said.get("expected_orders"),
        "expected_value": said.get("expected_value"),
        "expected_value_median": said.get("expected_value_median"),
        "expected_value_low": said.get("expected_value_low"),
        "expected_value_high": said.get("expected_value_high"),
        "tier": _tier(said, call.policy) if said else None,
        "stage": "acquisition" if asked.reason == "prospect" else said.get("stage"),
        "relationship": _relationship(said) if said else None,
        "marketing_mode": said.get("marketing_mode"),
        "days_past_due": said.get("days_past_due"),
        "expected_loss": said.get("expected_loss"),
        "save_rate": call.policy.save_rate,
        "max_spend": said.get("max_spend"),
        "saveable_loss": said.get("saveable_loss"),
        "factors": said.get("factors", []),
        "unavailable": said.get("unavailable", []),
        "features": {
            "age_hours": _age_hours(moment, call.now) if moment else None,
            "stale": list(NEEDED) if asked.reason == "stale_features" else [],
            "missing": said.get("missing", []),
        },
        "what_if": asked.what_if,
        "model": {**models.versions, "alias": _ALIAS},
        "policy": call.policy.label,
        "request_id": asked.request_id,
    }


def _churn(said: Mapping[str, Any], models: ModelSet) -> Churn:
    task = models.tasks["churn"]
    return {
        "probability": said["churn_probability"],
        "low": said["churn_low"],
        "high": said["churn_high"],
        "percentile": said["churn_percentile"],
        "percentile_in_stage": said["churn_percentile_in_stage"],
        "band": said["churn_band"],
        "leaving_probability": said["leaving_probability"],
        "horizon_days": task.horizon_days,
        "definition": task.definition,
        "types": _types(said),
        "cause": said["cause"],
        "cause_source": said["cause_source"],
        "cause_confidence": said["cause_confidence"],
        "fault_evidence": said["fault_evidence"],
        "competitive_over": said["competitive_over"],
        "evidence": said["evidence"],
        "lever": said["lever"],
        "retain_advised": said["retain_advised"],
    }


def _types(said: Mapping[str, Any]) -> list[TypeShare]:
    """The causes by their probability, the likeliest first and the unavailable last."""
    shares = [(cause, said[f"type_{cause}"]) for cause in CHURN_TYPES]
    known = sorted([s for s in shares if s[1] is not None], key=lambda share: -share[1])
    unknown = [(cause, "unavailable") for cause, p in shares if p is None]
    return [{"type": cause, "p": p} for cause, p in [*known, *unknown]]


def _value(said: Mapping[str, Any], models: ModelSet, policy: Policy) -> Value:
    return {
        "historical": said["clv_historical"],
        "historical_present": said["clv_historical_present"],
        "future": said["clv_future"],
        "future_low": said["future_low"],
        "future_high": said["future_high"],
        "future_if_retained": said["clv_if_retained"],
        "total": said["clv_total"],
        "now": said["value_now"],
        "quadrant": said["value_quadrant"],
        "horizon_days": models.tasks["clv"].horizon_days,
        "value_basis": said["value_basis"],
        "currency": policy.currency,
    }


def _relationship(said: Mapping[str, Any]) -> Relationship:
    kind = said["loyalty_type"]
    return {
        "stage_next": {stage: said[f"stage_next_{stage}"] for stage in STAGES},
        "lifetime_days": said["lifetime_days"],
        "remaining_days": said["remaining_days"],
        "ladder": said["ladder"],
        "loyalty": said["loyalty"],
        "loyalty_type": kind,
        "loyalty_scores": {name: said[f"loyalty_{name}"] for name in TRIGGERS},
        "breaks_when": TRIGGERS.get(kind) if kind else None,
    }


def _rfm(said: Mapping[str, Any]) -> Rfm:
    return {
        "recency": said["rfm_recency"],
        "frequency": said["rfm_frequency"],
        "monetary": said["rfm_monetary"],
        "score": said["rfm_score"],
        "code": said["rfm_class"],
    }


def _tier(said: Mapping[str, Any], policy: Policy) -> Tier:
    cost, most_valuable = said["cost"], said["mvc_cut"]
    return {
        "code": said["tier"],
        "previous": said["tier_previous"],
        "policy": policy.label,
        "cuts": {
            "basis": policy.tier_basis,
            "mvc": most_valuable if most_valuable is not None and most_valuable < np.inf else None,
            "mgc": said["mgc_cut"],
            "below_zero": None if cost is None else cost / policy.margin_rate,
            "policy": policy.label,
        },
        "reason": said["tier_reason"],
        "below_zero": "unavailable" if cost is None else said["below_zero_certainty"],
        "next": {tier: said[f"tier_next_{tier}"] for tier in TIERS},
    }


def _age_hours(as_of: datetime, now: datetime) -> float:
    """Hours from `as_of` to now, to a tenth; never negative, clocks differ."""
    return max(round((now - as_of) / timedelta(hours=1), 1), 0.0)


def _written(as_of: datetime) -> str:
    """The moment as text: the date alone when it is the end of that day, else ISO 8601."""
    midnight = as_of.replace(hour=0, minute=0, second=0, microsecond=0)
    return f"{as_of:%Y-%m-%d}" if as_of - midnight == END_OF_DAY else as_of.isoformat()
