"""What arrives from each source, by day: rows, prices, and what they name.

Everything is counted as it was known at the end of the day or week that is asked about, so that
late rows make no week look poor. Grain: one row per source or column, value and pair of days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features import backend, moment
from features.errors import UserError
from features.events import Events

WEEK = 7  # a whole one has every day of the week in it once
WEEKS = 78  # a year to learn what is usual from, and half a year in front of its first week
MOST_VALUES = 40  # a column with more names single things (products, cases), not sorts of them
NEW_CUSTOMERS = "customers:new"
PROFILE = "customers."


@dataclass(frozen=True)
class Flows:
    """The arrivals before a moment.

    counts: source, ago (whole days since it happened), known_ago (since it was known), rows.
    prices: category, ago, known_ago, lines, log_sum (of prices, less what
    each customer usually pays). named: column,
    value, ago, known_ago, rows. days: whole days of history, at most those asked for.
    """

    counts: pd.DataFrame
    prices: pd.DataFrame
    named: pd.DataFrame
    days: int

    def earlier(self, days: int) -> Flows:
        """The same as it was seen some whole days earlier."""
        counts, prices, named = (_seen(r, days) for r in (self.counts, self.prices, self.named))
        return Flows(counts, prices, named, self.days - days)

    @property
    def weeks(self) -> int:
        """Whole weeks of history."""
        return self.days // WEEK


def flows(events: Events, as_of: datetime, weeks: int = WEEKS) -> Flows:
    """The arrivals of some weeks before the last whole day of `as_of`.

    Raises UserError when nothing had happened by then.
    """
    end = _whole_day(as_of)
    sold, met = (_recent(table, end, weeks) for table in (events.transactions, events.interactions))
    known = moment.known_customers(events, end)
    arrived = known.mutate(ago=known.days_ago, known_ago=known.days_ago)
    arrived = arrived.filter(arrived.ago < weeks * WEEK)
    counts = [
        _counted(sold, ibis.literal("transactions")),
        _counted(sold, _labelled("transactions:", sold.channel)),
        _counted(met, _labelled("interactions:", met.kind)),
        _counted(arrived, ibis.literal(NEW_CUSTOMERS)),
    ]
    first = _run(known.agg(days=known.days_ago.max())).days.iloc[0]
    if pd.isna(first):
        raise UserError(
            f"Monitoring was asked for as of {as_of:%Y-%m-%d}, but nothing had happened by then. "
            "Ask for a later moment."
        )
    return Flows(
        pd.concat(counts, ignore_index=True),
        _prices(sold),
        pd.concat(list(_named(sold, met, arrived)), ignore_index=True),
        min(int(first) + 1, weeks * WEEK),
    )


def _seen(rows: pd.DataFrame, days: int) -> pd.DataFrame:
    known = rows[rows.known_ago >= days]
    return known.assign(ago=known.ago - days, known_ago=known.known_ago - days)


def weekly(rows: pd.DataFrame, column: str, weeks: int) -> NDArray[np.float64]:
    """The sums of a column by week, newest first, (weeks,), as known at the end of each week."""
    week = rows.ago.to_numpy() // WEEK
    told = (rows.known_ago.to_numpy() // WEEK == week) & (week < weeks)
    found = np.bincount(week[told], rows[column].to_numpy(float)[told], minlength=weeks)
    return found.astype(np.float64)


def silences(rows: pd.DataFrame, days: int) -> NDArray[np.float64]:
    """Whole days without an event, as seen at the end of each day, newest first, (days,).

    0: there was one on that day. Infinite before the first.
    """
    newest = np.full(days + 1, np.inf)
    known = rows.known_ago.clip(upper=days).to_numpy()
    np.minimum.at(newest, known, rows.ago.to_numpy(float))
    # Of all that was known by a day, the event nearest to it.
    seen = np.minimum.accumulate(newest[::-1])[::-1][:days]
    return seen - np.arange(days)


def _whole_day(as_of: datetime) -> datetime:
    """The end of the last day that is over by a moment: half a day would look like a lack."""
    today = as_of.replace(hour=0, minute=0, second=0, microsecond=0)
    ended = as_of - today == moment.END_OF_DAY
    return as_of if ended else today - timedelta(microseconds=1)


def _recent(table: ir.Table, end: datetime, weeks: int) -> ir.Table:
    past = moment.past(table, end)
    seen = past.filter(past.days_ago < weeks * WEEK)
    return seen.mutate(ago=seen.days_ago, known_ago=moment.days_before(seen.known_at, end))


def _labelled(prefix: str, value: ir.StringValue) -> ir.StringValue:
    return ibis.literal(prefix) + value


def _counted(rows: ir.Table, source: ir.StringValue) -> pd.DataFrame:
    named = rows.mutate(source=source)
    named = named.filter(named.source.notnull())
    return _run(named.group_by("source", "ago", "known_ago").agg(rows=named.count()))


def _prices(sold: ir.Table) -> pd.DataFrame:
    """Log prices of a piece, each less the mean of its customer.

    What a customer pays is far more alike than what two do: in the simulated shop a third of the
    spread is left, and a week's mean is known three times as well.
    """
    bought = sold.filter(sold.amount > 0)
    pieces = ibis.ifelse(bought.quantity > 0, bought.quantity, 1).fill_null(1).cast("float64")
    bought = bought.mutate(
        category=bought.category.fill_null(""), log=(bought.amount.cast("float64") / pieces).ln()
    )
    own = bought.log.mean().over(ibis.window(group_by="customer_id"))
    bought = bought.mutate(log=bought.log - own)
    return _run(
        bought.group_by("category", "ago", "known_ago").agg(
            lines=bought.count(), log_sum=bought.log.sum()
        )
    )


def _named(sold: ir.Table, met: ir.Table, arrived: ir.Table) -> Iterator[pd.DataFrame]:
    """The rows by value of each column that tells sorts of things."""
    profile = [
        name for name, dtype in arrived.schema().items()
        if dtype.is_string() and name != "customer_id"
    ]  # fmt: skip
    columns = [
        ("transactions.channel", sold, "channel"),
        ("transactions.category", sold, "category"),
        ("interactions.kind", met, "kind"),
        ("interactions.channel", met, "channel"),
        *((f"{PROFILE}{name}", arrived, name) for name in profile),
    ]
    for label, rows, name in columns:
        value = rows[name]
        given = rows.filter(value.notnull())
        found = _run(given.group_by("ago", "known_ago", value=given[name]).agg(rows=given.count()))
        if 0 < found.value.nunique() <= MOST_VALUES:
            yield found.assign(column=label)
    yield pd.DataFrame({"column": [], "value": [], "ago": [], "known_ago": [], "rows": []}).astype(
        {"column": str, "value": str, "ago": int, "known_ago": int, "rows": int}
    )


def _run(table: ir.Table) -> pd.DataFrame:
    """The answer, in an order that no engine decides."""
    found = backend.connect().to_pyarrow(table).to_pandas()
    return found.sort_values(list(found.columns), ignore_index=True)
