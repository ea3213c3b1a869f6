"""What to do about who may leave: the likeliest cause, its dated signs, and the lever for it.

A rule table until campaigns with a control group tell what works (PRODUCT 27, 28). A lever says
what fits the cause; whether it pays is for the planner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Rows
from training.business_facts import numbers_if_any
from training.models.churn_type import SIGNS, signs
from training.tasks import CHURN_TYPES

Codes: TypeAlias = NDArray[np.object_]
Given: TypeAlias = pd.Series | NDArray

NONE, LET_GO = "none", "let_go"


@dataclass(frozen=True)
class Lever:
    """What to do: its code, and in words."""

    code: str
    about: str


LEVERS: tuple[Lever, ...] = (
    Lever(NONE, "nothing: no risk to act on"),
    Lever(LET_GO, "part well: a goodbye, and no offer"),
    Lever("counter_offer", "an offer that the competitor does not make"),
    Lever("price", "a better price, for it pays and price is what he looks at"),
    Lever("repair", "ask what went wrong, explain the product, tell what is new"),
    Lever("quality", "replace or credit what was sent back, and mend the product"),
    Lever("service", "answer and settle what is open, today"),
    Lever("remind", "a friendly reminder of the payment, and an easier way to pay"),
    Lever("complaint_desk", "the complaint desk calls before any claim is made"),
)
# What fits a cause when nothing more is known.
BY_CAUSE: Mapping[str, str] = {
    "natural": LET_GO,
    "competitive": "counter_offer",
    "fault": "repair",
    "non_malicious": "remind",
    "retaliatory": "complaint_desk",
    "malicious": LET_GO,
}


@dataclass(frozen=True)
class LeverRule:
    """What sharpens a lever, PRODUCT 28.

    returned_share: of a year's money; from a fifth on the goods themselves are in doubt, not the
    size ordered. slow_hours: mean first answer of 90 days; a day, as `answered_within_day_share`
    has it. contact_cost: currency units, above which max_spend must be for a price to pay.
    """

    returned_share: float = 0.2
    slow_hours: float = 24.0
    contact_cost: float = 0.0


LEVER_RULE = LeverRule()


def cause(types: pd.DataFrame | NDArray) -> Codes:
    """The likeliest of CHURN_TYPES, (n,); null where there is no risk; the first of equal ones.

    types: P(churn by each of CHURN_TYPES), (n, 6), null where it cannot be known.
    """
    return np.array([*CHURN_TYPES, None], dtype=object)[_likeliest(types)]


def _likeliest(types: pd.DataFrame | NDArray) -> NDArray[np.intp]:
    """Its place in CHURN_TYPES, (n,); one beyond them where there is no risk."""
    known = np.fmax(np.asarray(types, dtype=np.float64), 0.0)  # of null and 0 it is 0
    return np.where(known.max(axis=1) > 0, known.argmax(axis=1), len(CHURN_TYPES))


def lever(
    types: pd.DataFrame | NDArray,
    tier: Given,
    retain_advised: Given,
    max_spend: Given,
    rows: Rows,
    loyalty_type: Given | None = None,
    rule: LeverRule = LEVER_RULE,
) -> Codes:
    """The code of a lever of each row, (n,), by its likeliest cause; none without a risk.

    Who is below zero, or not advised to be retained, is let go, whatever the cause. max_spend: the
    most that an action may cost, currency units.
    """
    likeliest = _likeliest(types)
    found = np.array([*(BY_CAUSE[name] for name in CHURN_TYPES), NONE], dtype=object)[likeliest]
    is_fault = likeliest == CHURN_TYPES.index("fault")
    is_rival = likeliest == CHURN_TYPES.index("competitive")
    pays = np.asarray(max_spend, dtype=np.float64) > rule.contact_cost
    looks = numbers_if_any(rows, "count_price_check_90d") > 0
    if loyalty_type is not None:
        by_price = np.asarray(loyalty_type, dtype=object) == "price"
        looks = looks | by_price
        found[is_fault & by_price & pays] = "price"
    found[is_rival & looks & pays] = "price"
    found[is_fault & _sends_back(rows, rule)] = "quality"
    found[is_fault & _is_badly_served(rows, rule)] = "service"
    is_kept = np.asarray(retain_advised, dtype=bool) & (np.asarray(tier) != "below_zero")
    found[~is_kept & (likeliest < len(CHURN_TYPES))] = LET_GO
    return found


def _sends_back(rows: Rows, rule: LeverRule) -> NDArray[np.bool_]:
    return numbers_if_any(rows, "returned_share_365d") >= rule.returned_share


def _is_badly_served(rows: Rows, rule: LeverRule) -> NDArray[np.bool_]:
    waits = numbers_if_any(rows, "first_response_mean_recent_90d") > rule.slow_hours
    return waits | (numbers_if_any(rows, "open_complaints") > 0)


# The days since what completes a sign: of several the newest.
SIGN_DAYS: Mapping[str, tuple[str, ...]] = {
    "malicious": ("days_since_fraud_flag",),
    "retaliatory": ("days_since_payment_failed", "days_since_chargeback"),
    "non_malicious": ("days_past_due",),  # a newer failure may have been recovered
    "natural": ("days_since_life_event",),
    "competitive": ("days_since_competitor_mention", "days_since_price_check"),
    "fault": ("days_since_complaint",),
}


def evidence_dates(rows: Rows) -> dict[str, NDArray[np.datetime64]]:
    """The day of the newest event of each cause's sign, each (n,), NaT where it is not shown.

    rows: `as_of` beside the features. Days are whole calendar days, UTC, so the day is exact.
    """
    shown = signs(rows)
    return {sign.cause: _newest(rows, sign.cause, shown[sign.cause]) for sign in SIGNS}


def evidence(rows: Rows) -> list[list[str]]:
    """The signs each row shows, in words, such as "a complaint on 2025-03-20"; for a few rows."""
    said: list[list[str]] = [[] for _ in range(len(rows))]
    shown = signs(rows)
    for sign in SIGNS:
        places = np.flatnonzero(shown[sign.cause])
        if not len(places):
            continue
        days = _newest(rows, sign.cause, shown[sign.cause])
        for place in places:
            day = days[place]
            said[place].append(sign.about if np.isnat(day) else f"{sign.about} on {day}")
    return said


def _newest(rows: Rows, cause: str, shown: NDArray[np.bool_]) -> NDArray[np.datetime64]:
    days = np.fmin.reduce([numbers_if_any(rows, name) for name in SIGN_DAYS[cause]])
    is_dated = shown & ~np.isnan(days)
    whole = np.where(is_dated, days, 0.0).astype("timedelta64[D]")
    today = np.asarray(rows["as_of"]).astype("datetime64[D]")
    return np.where(is_dated, today - whole, np.datetime64("NaT", "D"))
