"""The four questions, each a frozen and versioned definition with the outcomes that answer it.

An outcome is a function of `future`, the events in (as_of, as_of + horizon]; it never compares
times. Its value for a customer without such events is what it says of an empty table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import ibis.expr.types as ir

from features.columns import Rows
from features.events import CLOSURE_REASONS
from training.definitions import ACTIVE_HORIZONS, INACTIVITY, Definition
from training.labels import Mask

CHURN_TYPES = CLOSURE_REASONS
# These end by non-payment; without payment events they cannot be known.
PASSIVE_TYPES = ("non_malicious", "retaliatory", "malicious")
TIERS = ("mvc", "mgc", "maintain", "below_zero")
# The outcome of a churn definition that asks for something else than a purchase.
STAYS = "stays"


@dataclass(frozen=True)
class Outcome:
    """Something that the future shows of a customer: its name, canonical table and aggregate."""

    name: str
    source: str
    about: str
    function: Callable[[ir.Table], ir.Value]

    def value(self, future: ir.Table) -> ir.Value:
        """The aggregate over the future rows of one customer, a text or a float64."""
        value = self.function(future)
        return value if value.type().is_string() else value.cast("float64")


@dataclass(frozen=True)
class Task:
    """A question about a customer at a moment.

    about: the definition in one sentence; {horizon} is days. target: the name of the outcome that
    answers it. rule: what it is to leave and who can, for the churn question.
    """

    name: str
    version: int
    about: str
    target: str
    horizon_days: int
    rule: Definition = INACTIVITY

    @property
    def active_days(self) -> int:
        """Days within which a customer must have bought to count as active."""
        return self.rule.active_days or ACTIVE_HORIZONS * self.horizon_days

    @property
    def definition(self) -> str:
        """The name that answers carry, such as churn-90d@1."""
        return f"{self.name}-{self.rule.label(self.horizon_days)}@{self.version}"

    def sentence(self) -> str:
        """The definition with its numbers."""
        return replace(self.rule, about=self.about).sentence(self.horizon_days)

    def is_active(self, rows: Rows) -> Mask:
        """Who can leave, (n,)."""
        return self.rule.is_active(rows, self.horizon_days)

    def is_asked(self, rows: Rows) -> Mask:
        """The same without those whom the rule excludes."""
        return self.rule.is_asked(rows, self.horizon_days)


def _bought(future: ir.Table) -> ir.Value:
    return future.count(where=future.amount > 0) > 0


def _purchase_days(future: ir.Table) -> ir.Value:
    return future.happened_at.date().nunique(where=future.amount > 0)


def _value(future: ir.Table) -> ir.Value:
    return future.amount.sum().fill_null(0.0)


def _closure_reason(future: ir.Table) -> ir.Value:
    return future.detail.argmin(future.happened_at, where=future.kind == "closure")


OUTCOMES: tuple[Outcome, ...] = (
    Outcome("bought", "transactions", "Makes at least one purchase, 0 or 1.", _bought),
    Outcome("purchase_days", "transactions", "Days with a purchase, a count.", _purchase_days),
    Outcome("value", "transactions", "Money net of returns, currency units.", _value),
    Outcome("closure_reason", "interactions", "Reason of the first closure.", _closure_reason),
)

CHURN = Task("churn", INACTIVITY.version, INACTIVITY.about, target="bought", horizon_days=90)
CHURN_TYPE = Task(
    "churn_type", 1,
    "Of those who churn within {horizon} days: which of the six causes, by the reason given at "
    "closure, else by the rules over the signs before.",
    target="closure_reason", horizon_days=90,
)  # fmt: skip
CLV = Task(
    "clv", 1,
    "Money net of returns in the {horizon} days after the cut-off.",
    target="value", horizon_days=365,
)  # fmt: skip
TIER = Task(
    "tier", 1,
    "The class, by forecast value, that the customer will be in {horizon} days from now.",
    target="value", horizon_days=90,
)  # fmt: skip
TASKS: dict[str, Task] = {task.name: task for task in (CHURN, CHURN_TYPE, CLV, TIER)}


def churn_by(rule: Definition, horizon_days: int) -> Task:
    """The churn question by a definition."""
    target = CHURN.target if rule.asks_for_purchase else STAYS
    return replace(CHURN, version=rule.version, about=rule.about, target=target, rule=rule,
                   horizon_days=horizon_days)  # fmt: skip
