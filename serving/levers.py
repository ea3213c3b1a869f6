"""What to do about who may leave: the likeliest cause, its dated signs, and the lever for it.

A rule table until campaigns with a control group tell what works (PRODUCT 27, 28). A lever says
what fits the cause; whether it pays is for the planner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Rows
from training.business_facts import numbers_if_any
from training.models.churn_type import SIGNS, Sign
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
    untold_days: half a year without a word from us, in which most who sell have had news to tell.
    """

    returned_share: float = 0.2
    slow_hours: float = 24.0
    contact_cost: float = 0.0
    untold_days: float = 180.0


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
    found[is_fault & sends_back(rows, rule)] = "quality"
    found[is_fault & is_badly_served(rows, rule)] = "service"
    is_kept = np.asarray(retain_advised, dtype=bool) & (np.asarray(tier) != "below_zero")
    found[~is_kept & (likeliest < len(CHURN_TYPES))] = LET_GO
    return found


def sends_back(rows: Rows, rule: LeverRule) -> NDArray[np.bool_]:
    """Whether so much of a year's money came back that the goods are in doubt, (n,)."""
    return numbers_if_any(rows, "returned_share_365d") >= rule.returned_share


def is_badly_served(rows: Rows, rule: LeverRule) -> NDArray[np.bool_]:
    """Whether somebody waits for answers too long, or a complaint of his is open, (n,)."""
    waits = numbers_if_any(rows, "first_response_mean_recent_90d") > rule.slow_hours
    return waits | (numbers_if_any(rows, "open_complaints") > 0)


def evidence_dates(rows: Rows) -> dict[str, NDArray[np.datetime64]]:
    """The day of the newest event of each cause's signs, each (n,), NaT where none is shown.

    rows: `as_of` beside the features. Days are whole calendar days, UTC, so the day is exact.
    """
    newest: dict[str, NDArray[np.datetime64]] = {
        cause: np.full(len(rows), np.datetime64("NaT", "D")) for cause in CHURN_TYPES
    }
    for sign, shown in _shown(rows):
        newest[sign.cause] = np.fmax(newest[sign.cause], _day(rows, sign, shown))
    return newest


def evidence(rows: Rows) -> list[list[str]]:
    """The signs each row shows, in words, such as "a complaint on 2025-03-20"; for a few rows."""
    said: list[list[str]] = [[] for _ in range(len(rows))]
    for sign, shown in _shown(rows):
        places = np.flatnonzero(shown)
        if not len(places):
            continue
        days = _day(rows, sign, shown)
        for place in places:
            day = days[place]
            said[place].append(sign.about if np.isnat(day) else f"{sign.about} on {day}")
    return said


def _shown(rows: Rows) -> Iterator[tuple[Sign, NDArray[np.bool_]]]:
    """The signs with who shows them; none where there are no interactions."""
    if "open_complaints" in rows:
        yield from ((sign, sign.shows(rows)) for sign in SIGNS)


def _day(rows: Rows, sign: Sign, shown: NDArray[np.bool_]) -> NDArray[np.datetime64]:
    none = np.full(len(rows), np.nan)
    days = np.fmin.reduce([none, *(numbers_if_any(rows, name) for name in sign.days)])
    is_dated = shown & ~np.isnan(days)
    whole = np.where(is_dated, days, 0.0).astype("timedelta64[D]")
    today = np.asarray(rows["as_of"]).astype("datetime64[D]")
    return np.where(is_dated, today - whole, np.datetime64("NaT", "D"))
