"""Who has not left by the end of some days, and who can leave at all: one pair for each meaning.

The first of a pair reads the future of a cut-off, and only through `features.moment`; the second
reads features alone, so that a score knows it without events.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features import moment
from features.columns import Rows, numbers_of
from features.direction import OWN_KINDS, is_own_act
from features.events import Events

Days = float | NDArray[np.float64]
Mask = NDArray[np.bool_]

# What a customer does himself, as features tell how long ago it was; purchases are `recency`.
LAST_ACTS = ("days_since_going_in", *(f"days_since_{kind}" for kind in OWN_KINDS))
# Of his own gaps, shrunk to everybody's, 95 of 100 end within it (features/pace.py).
OWN_LIMIT = "gap_limit_95"


@dataclass(frozen=True)
class Window:
    """The days that a cut-off is asked about: (as_of + gap, as_of + gap + horizon].

    grace_days: how long after an end it may be mended. known_by: nothing learned later is used.
    """

    as_of: datetime
    horizon_days: int
    gap_days: int
    grace_days: int
    known_by: datetime

    @property
    def end(self) -> datetime:
        """The last moment of it."""
        return self.as_of + timedelta(days=self.gap_days + self.horizon_days)

    def of(self, table: ir.Table) -> ir.Table:
        """The rows that happened in it."""
        return moment.future(
            table, self.as_of, self.horizon_days, self.known_by, gap_days=self.gap_days
        )

    def since_cutoff(self, table: ir.Table, beyond_days: int = 0) -> ir.Table:
        """The rows from the cut-off to its end, or to some days beyond it."""
        days = self.gap_days + self.horizon_days + beyond_days
        return moment.future(table, self.as_of, days, self.known_by)


def buys(events: Events, rows: pd.DataFrame, window: Window) -> Mask:
    """Whether each of the rows' customers makes a purchase in the window, (n,)."""
    return _among(rows, _purchases(window.of(events.transactions)))


def has_bought(rows: Rows, days: Days) -> Mask:
    """Whether the last purchase lies within some days, (n,)."""
    return numbers_of(rows, "recency") < days


def renews(events: Events, rows: pd.DataFrame, window: Window) -> Mask:
    """Whether no closure of the window is left without a purchase within the grace, (n,)."""
    interactions = window.of(events.interactions)
    ends = interactions.filter(interactions.kind == "closure")
    ends = ends.select("customer_id", ended_at=ends.happened_at).distinct()
    bought = _purchases(window.since_cutoff(events.transactions, window.grace_days))
    pairs = ends.join(bought.select("customer_id", bought_at=bought.happened_at), "customer_id")
    in_time = moment.follows(pairs.bought_at, pairs.ended_at, window.grace_days)
    renewed = pairs.filter(in_time).select("customer_id", "ended_at").distinct()
    return ~_among(rows, ends.anti_join(renewed, ["customer_id", "ended_at"]))


def is_open(rows: Rows, days: Days) -> Mask:
    """Whether the customer has bought and no closure came on a later day, (n,).

    A closure and a purchase of one day are a change of plan.
    """
    bought = numbers_of(rows, "recency")
    if "days_since_closure" not in rows:
        return ~np.isnan(bought)
    return ~np.isnan(bought) & ~(numbers_of(rows, "days_since_closure") < bought)


def acts(events: Events, rows: pd.DataFrame, window: Window) -> Mask:
    """Whether each of the rows' customers does anything himself in the window, (n,)."""
    interactions = window.of(events.interactions)
    own = interactions.filter(is_own_act(interactions))
    return buys(events, rows, window) | _among(rows, own)


def has_acted(rows: Rows, days: Days) -> Mask:
    """Whether the last thing the customer did himself lies within some days, (n,)."""
    last = numbers_of(rows, "recency")
    for name in LAST_ACTS:
        if name in rows:
            last = np.fmin(last, numbers_of(rows, name))
    return last < days


def keeps_pace(events: Events, rows: pd.DataFrame, window: Window) -> Mask:
    """Whether the silence at the end of the window is within the limit of the own gaps, (n,)."""
    bought = _purchases(window.since_cutoff(events.transactions))
    days_ago = moment.days_before(bought.happened_at, window.end)
    last = bought.group_by("customer_id").agg(silence=days_ago.min()).to_pandas()
    since = rows.customer_id.map(dict(zip(last.customer_id, last.silence, strict=True)))
    unbroken = numbers_of(rows, "recency") + window.gap_days + window.horizon_days
    bought_since = since.to_numpy(dtype=np.float64)
    silence = np.where(np.isnan(bought_since), unbroken, bought_since)
    return silence <= numbers_of(rows, OWN_LIMIT)


def is_on_pace(rows: Rows, days: Days) -> Mask:
    """Whether the silence is within the limit of the own gaps, (n,)."""
    return numbers_of(rows, "recency") <= numbers_of(rows, OWN_LIMIT)


def _purchases(transactions: ir.Table) -> ir.Table:
    return transactions.filter(transactions.amount > 0)


def _among(rows: pd.DataFrame, events: ir.Table) -> Mask:
    """Whether each of the rows' customers has an event, (n,)."""
    whose = events.select("customer_id").distinct().to_pandas().customer_id
    return rows.customer_id.isin(whose).to_numpy(dtype=bool)
