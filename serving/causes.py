"""What stands behind a cause of churn: how it is known, how sure, and what speaks for it.

Fault is the residual of voluntary churn (PRODUCT 27), so it is told apart whether anything of ours
speaks for it. Competitive churn is lost over the price or over the service.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.columns import Rows, numbers_of
from serving.levers import Codes, LeverRule, is_badly_served, sends_back
from training.business_facts import BusinessFacts, numbers_if_any

SOURCES = ("reason_code", "rule", "model")
FAULT_EVIDENCE = ("evidenced", "unexplained")
COMPETED_OVER = ("price", "service")

Shows: TypeAlias = Callable[[Rows, BusinessFacts, LeverRule], NDArray[np.bool_]]


@dataclass(frozen=True)
class FaultSign:
    """Something of ours that may have driven a customer away: in words, and who shows it."""

    about: str
    shows: Shows


def _some(column: str) -> Shows:
    return lambda rows, facts, rule: numbers_if_any(rows, column) > 0


def _untold(rows: Rows, facts: BusinessFacts, rule: LeverRule) -> NDArray[np.bool_]:
    """No word from us, though others get some; of who has been here that long."""
    if "contacts" not in facts.given:
        return np.zeros(len(rows), dtype=bool)
    was_told = numbers_if_any(rows, "days_since_going_out") <= rule.untold_days
    return ~was_told & (numbers_of(rows, "age") > rule.untold_days)


def _unused(rows: Rows, facts: BusinessFacts, rule: LeverRule) -> NDArray[np.bool_]:
    """Used some part of the product within a year, and none of late."""
    of_late = numbers_if_any(rows, "features_used_90d")
    return (of_late == 0) & (numbers_if_any(rows, "features_used_365d") > 0)


# A complaint of the last quarter is a sign of the rules already, and told with its day.
_COMPLAINED = _some("count_complaint_90d")
FAULT_SIGNS: tuple[FaultSign, ...] = (
    FaultSign("badly served: slow answers, or a complaint still open",
              lambda rows, facts, rule: is_badly_served(rows, rule)),
    FaultSign("much of what was bought came back",
              lambda rows, facts, rule: sends_back(rows, rule)),
    FaultSign("no word from us for long", _untold),
    FaultSign("asked how to use it", _some("how_to_contacts_90d")),
    FaultSign("uses nothing of it any more", _unused),
)  # fmt: skip


def source(cause: Codes, left_for: Codes, has_model: bool) -> Codes:
    """How the cause is known, (n,), by the codes of SOURCES; null where there is none.

    A reason that somebody gave beats the rest; otherwise it is the trees' answer, or while too few
    have given reasons that of the rules.
    """
    found = np.full(len(cause), None, dtype=object)
    found[_is(cause)] = "model" if has_model else "rule"
    found[_is(left_for)] = "reason_code"
    return found


def confidence(cause: Codes, left_for: Codes, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(likeliest cause | churn), (n,), 0 to 1; null where there is no cause.

    shares: P(cause | churn) of each cause, (n, 6), null where it cannot be known.
    """
    return np.where(_is(cause) | _is(left_for), np.fmax.reduce(shares, axis=1), np.nan)


def fault_evidence(cause: Codes, rows: Rows, facts: BusinessFacts, rule: LeverRule) -> Codes:
    """Whether anything of ours speaks for a fault, (n,), by FAULT_EVIDENCE; null of others."""
    shown = [sign.shows(rows, facts, rule) for sign in FAULT_SIGNS]
    speaks = np.any([_COMPLAINED(rows, facts, rule), *shown], axis=0)
    found = np.where(speaks, *FAULT_EVIDENCE).astype(object)
    found[cause != "fault"] = None
    return found


def fault_words(cause: Codes, rows: Rows, facts: BusinessFacts, rule: LeverRule) -> list[list[str]]:
    """The signs of FAULT_SIGNS that those who leave by a fault show, in words; for a few rows."""
    shown = [sign.shows(rows, facts, rule) & (cause == "fault") for sign in FAULT_SIGNS]
    return [[sign.about for sign, who in zip(FAULT_SIGNS, shown, strict=True) if who[place]]
            for place in range(len(rows))]  # fmt: skip


def competitive_over(cause: Codes, rows: Rows, rule: LeverRule) -> Codes:
    """Over what a competitor wins, (n,), by COMPETED_OVER; null of other causes or unknown.

    What was named with the competitor counts before what was done, and a look at prices before bad
    service: who is badly served may still go for the price.
    """
    of_none = BusinessFacts()
    is_bad = is_badly_served(rows, rule) | _COMPLAINED(rows, of_none, rule)
    found = np.full(len(rows), None, dtype=object)
    found[is_bad] = "service"
    found[_some("count_price_check_90d")(rows, of_none, rule)] = "price"
    for over in reversed(COMPETED_OVER):
        found[_some(f"competitor_mentions_{over}_90d")(rows, of_none, rule)] = over
    found[cause != "competitive"] = None
    return found


def _is(codes: Codes) -> NDArray[np.bool_]:
    return codes != None  # noqa: E711 (element by element)
