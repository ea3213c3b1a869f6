"""What it means to lose a customer: four definitions, frozen and versioned, in one list.

The theory leaves it open (PRODUCT 26): a shop loses who buys no more, a subscription who ends and
does not renew, a platform who does nothing any more, and any of them who is silent for longer than
is his way. Whoever trains chooses one, with its gap, grace and population; answers carry its label.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features import moment
from features.columns import Rows, numbers_of
from features.direction import is_own_act
from features.errors import UserError
from features.events import Events
from training import labels
from training.labels import Days, Mask, Window

# Active: bought within this many horizons before the cut-off. One horizon would leave out those
# with slow rhythms, for whom the question is most open; much more would ask about the long gone.
ACTIVE_HORIZONS = 2
# A subscription is billed by the month as a rule: who comes back within one has missed no bill.
GRACE_DAYS = 30

_GAP = "These days begin {gap} days after the cut-off."
_ACTIVE = "Only who bought in the {active} days before the cut-off is asked about."
_NEWCOMERS = "Who first bought less than {newcomer} days before the cut-off is not asked about."


@dataclass(frozen=True)
class Evidence:
    """The interactions without which a definition cannot be told: what they are, and which."""

    about: str
    shows: Callable[[ir.Table], ir.BooleanValue]


@dataclass(frozen=True)
class Definition:
    """What leaving is, and of whom it is asked.

    about: one sentence; {horizon}, {active} and {grace} are days. stays: who has not left by the
    end of the window. can_leave: who is still a customer, by the features. has_window: whether that
    looks back some days, else an end or the own pace decides alone. is_observed: whether it is seen
    who has left, and need not be guessed from silence. evidence: without what it cannot be told.
    active_days: days looked back; 0 is ACTIVE_HORIZONS horizons, or no limit without a window.
    gap_days: from the cut-off to the first day asked about, so that an alarm comes while there is
    time. grace_days: how long after its end a relationship may be renewed. newcomer_days: who is
    younger is not asked about.
    """

    kind: str
    version: int
    about: str
    stays: Callable[[Events, pd.DataFrame, Window], Mask]
    can_leave: Callable[[Rows, Days], Mask]
    has_window: bool
    is_observed: bool = False
    evidence: Evidence | None = None
    active_days: int = 0
    gap_days: int = 0
    grace_days: int = 0
    newcomer_days: int = 0

    @property
    def asks_for_purchase(self) -> bool:
        """Whether to stay is nothing but to buy in the days right after the cut-off."""
        return self.kind == INACTIVITY.kind and self.gap_days == 0

    @property
    def wait_days(self) -> int:
        """Days beyond the horizon until an outcome is known."""
        return self.gap_days + self.grace_days

    def is_active(self, rows: Rows, horizon_days: Days) -> Mask:
        """Who is still a customer and can leave, (n,)."""
        days = self.active_days or ACTIVE_HORIZONS * horizon_days
        active = self.can_leave(rows, days)
        if self.active_days and not self.has_window:
            active &= labels.has_bought(rows, days)
        return active

    def is_asked(self, rows: Rows, horizon_days: Days) -> Mask:
        """Who is active and not excluded, (n,)."""
        active = self.is_active(rows, horizon_days)
        return active & ~self.is_excluded(rows) if self.newcomer_days else active

    def is_excluded(self, rows: Rows) -> Mask:
        """Who is too new to be asked about, (n,)."""
        return numbers_of(rows, "age") < self.newcomer_days

    def window(self, as_of: datetime, horizon_days: int, known_by: datetime) -> Window:
        """The days that a cut-off is asked about."""
        return Window(as_of, horizon_days, self.gap_days, self.grace_days, known_by)

    def stayed(
        self, events: Events, rows: pd.DataFrame, horizon_days: int, known_by: datetime
    ) -> NDArray[np.float64]:
        """1 for who of the rows of one cut-off has not left, 0 for who has, (n,)."""
        as_of = rows.as_of.iloc[0].to_pydatetime()
        return self.stays(events, rows, self.window(as_of, horizon_days, known_by)).astype(float)

    def label(self, horizon_days: int) -> str:
        """What names it in an answer: kind and days; of the others those that are not its own."""
        usual = DEFINITIONS[self.kind]
        parts = [] if self.kind == INACTIVITY.kind else [self.kind]
        parts.append(f"{horizon_days}d")
        for short, name in _SHORT.items():
            days = getattr(self, name)
            if days != getattr(usual, name):
                parts.append(f"{short}{days}")
        return "-".join(parts)

    def sentence(self, horizon_days: int) -> str:
        """The definition in words, with its numbers."""
        parts = [self.about]
        parts += [_ACTIVE] if self.active_days and not self.has_window else []
        parts += [_GAP] if self.gap_days else []
        parts += [_NEWCOMERS] if self.newcomer_days else []
        return " ".join(parts).format(
            horizon=horizon_days, active=self.active_days or ACTIVE_HORIZONS * horizon_days,
            gap=self.gap_days, grace=self.grace_days, newcomer=self.newcomer_days,
        )  # fmt: skip

    def refuse_unknowable(self, events: Events, as_of: datetime) -> None:
        """Raise UserError when the past of a moment shows nothing that it could be told by."""
        if self.evidence is None:
            return
        past = moment.past(events.interactions, as_of)
        if past.filter(self.evidence.shows(past)).count().execute() == 0:
            raise UserError(
                f"Churn by {self.kind} was asked for, but there is no interaction that is "
                f"{self.evidence.about} by {as_of:%Y-%m-%d}. Bring them, or use another "
                f"definition: --churn {INACTIVITY.kind}."
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form: what tells it from the others and from its kind."""
        return {"kind": self.kind, "version": self.version} | {
            name: getattr(self, name) for name in _SHORT.values()
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Definition:
        """The definition that `to_dict` stored."""
        return replace(DEFINITIONS[stored["kind"]], **stored)


_SHORT = {"active": "active_days", "gap": "gap_days", "grace": "grace_days",
          "new": "newcomer_days"}  # fmt: skip


def _is_closure(interactions: ir.Table) -> ir.BooleanValue:
    return interactions.kind == "closure"


INACTIVITY = Definition(
    "inactivity", 1,
    "Makes no purchase in the {horizon} days after the cut-off, having made one in the {active} "
    "days before it.",
    labels.buys, labels.has_bought, has_window=True,
)  # fmt: skip
SUBSCRIPTION = Definition(
    "subscription", 1,
    "Has a closure in the {horizon} days after the cut-off and makes no purchase within {grace} "
    "days of it, having bought and not closed before.",
    labels.renews, labels.is_open, has_window=False, is_observed=True, grace_days=GRACE_DAYS,
    evidence=Evidence("a closure (a cancellation, or a term that ran out)", _is_closure),
)  # fmt: skip
INTERACTION = Definition(
    "interaction", 1,
    "Neither buys nor does anything else himself in the {horizon} days after the cut-off, having "
    "done so in the {active} days before it.",
    labels.acts, labels.has_acted, has_window=True,
    evidence=Evidence("something a customer does himself (a visit, use, a contact)", is_own_act),
)  # fmt: skip
OWN_PACE = Definition(
    "own_pace", 1,
    "Is silent at the end of the {horizon} days after the cut-off for longer than 95 of 100 of the "
    "own gaps between purchases last, shrunk to those of everybody, and was not before.",
    labels.keeps_pace, labels.is_on_pace, has_window=False,
)  # fmt: skip
DEFINITIONS: dict[str, Definition] = {
    definition.kind: definition for definition in (INACTIVITY, SUBSCRIPTION, INTERACTION, OWN_PACE)
}


def chosen(
    kind: str = INACTIVITY.kind,
    gap_days: int = 0,
    grace_days: int = GRACE_DAYS,
    active_days: int = 0,
    newcomer_days: int = 0,
) -> Definition:
    """The definition of a kind with other days; the grace is that of kinds that have one.

    Raises UserError for a kind that is not listed.
    """
    if kind not in DEFINITIONS:
        raise UserError(
            f"Churn by {kind!r} was asked for, but it is defined by {', '.join(DEFINITIONS)}. "
            "Use one of these."
        )
    usual = DEFINITIONS[kind]
    return replace(
        usual, gap_days=gap_days, active_days=active_days, newcomer_days=newcomer_days,
        grace_days=grace_days if usual.grace_days else 0,
    )  # fmt: skip
