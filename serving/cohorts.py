"""Who was kept and who was lost: cohorts of first purchase, and the customers of each month.

A purchase is an order line above zero; returns and gifts are none. Internal customers are left
out. Quarters and months are those of the calendar, UTC, and count only when they are over.

Source: item 26 of the customer-relationship theory: how many were kept, not how many were drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from features import backend, lines
from features.events import Events
from features.moment import past

BY_MONTH = ("bought", "new", "returned", "lost")
MONTHS_OF_QUARTER = 3
MONTHS_OF_YEAR = 12
_INSTANT = timedelta(microseconds=1)  # the last one of a month ends it


def external(rows: ir.Table, events: Events) -> ir.Table:
    """The rows of all but our own and test accounts."""
    customers = events.customers
    return rows.anti_join(customers.filter(customers.is_internal.fill_null(False)), "customer_id")


def retention(events: Events, as_of: datetime) -> pd.DataFrame:
    """One row per quarter of first purchase, such as 2024-Q1, known by `as_of`.

    Columns: customers, a count; then "0", "1", ...: the share of them that bought that many
    quarters later, 0 to 1, null where that quarter is not over.
    """
    each = _quarters(known_days(events, as_of))
    found = _frame(each.group_by("first", "quarter").agg(customers=each.customer_id.nunique()))
    ended = _month(as_of + _INSTANT) // MONTHS_OF_QUARTER  # the first quarter that is not over
    counts = found.pivot(index="first", columns="quarter", values="customers")
    rows = {}
    for first in counts.index:
        size = counts.loc[first, first]
        later = range(max(ended - first, 0))
        kept = counts.loc[first].reindex([first + since for since in later]).fillna(0.0) / size
        rows[_quarter_name(first)] = {"customers": int(size)} | {
            str(since): share for since, share in zip(later, kept, strict=True)
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table if len(table) else pd.DataFrame({"customers": pd.Series(dtype="int64")})


def by_month(events: Events, as_of: datetime, active_days: int) -> pd.DataFrame:
    """One row per whole month: month (its first day), bought, new, returned, lost, counts.

    new: bought for the first time. returned: bought again after more than `active_days` without.
    lost: had bought nothing for `active_days`, on a day of this month. The three are null in the
    months that begin less than `active_days` after the first purchase of the business: whom we do
    not know yet may have bought before.
    """
    return months(known_days(events, as_of), as_of, active_days)


def months(days: ir.Table, as_of: datetime, active_days: int) -> pd.DataFrame:
    """The same of the purchase days of with_gaps."""
    counts = _by_month(days, active_days).reindex(columns=list(BY_MONTH))
    first: int | None = counts.bought.first_valid_index()  # type: ignore[assignment]
    ended = _month(as_of + _INSTANT)  # the first month that is not over
    table = counts.reindex(range(first, ended) if first is not None else []).fillna(0.0)
    judged = _first_judged(days, as_of, active_days)
    table.loc[table.index < judged, ["new", "returned", "lost"]] = np.nan
    numbers = table.index.to_numpy()
    names = [f"{n // MONTHS_OF_YEAR}-{n % MONTHS_OF_YEAR + 1:02d}" for n in numbers]
    table.insert(0, "month", pd.to_datetime(names, format="%Y-%m"))
    return table.reset_index(drop=True).rename_axis(columns=None)


def last_quarter(days: ir.Table, as_of: datetime, active_days: int) -> Mapping[str, float]:
    """How many of a quarter's customers bought in the next one, the last that is over, 0 to 1.

    retention_rate: the share that did. retention_net: all customers of the last quarter but the
    new ones, by those of the quarter before; above the other by who came back. Those that cannot
    be known are missing. days: purchase days of with_gaps.
    """
    quarters = _quarters(days)
    last = _month(as_of + _INSTANT) // MONTHS_OF_QUARTER - 1
    of_two = quarters.filter(quarters.quarter.isin((last - 1, last)))
    each = of_two.group_by("customer_id").agg(
        first=of_two["first"].min(),
        before=(of_two.quarter == last - 1).any(),
        now=(of_two.quarter == last).any(),
    )
    found = _frame(
        each.agg(
            before=each.count(where=each.before),
            kept=each.count(where=each.before & each.now),
            old=each.count(where=each.now & (each["first"] < last)),
        )
    ).iloc[0]
    if not found.before > 0:
        return {}
    rates = {"retention_rate": float(found.kept / found.before)}
    if last * MONTHS_OF_QUARTER >= _first_judged(days, as_of, active_days):
        rates["retention_net"] = float(found.old / found.before)
    return rates


def known_days(events: Events, as_of: datetime) -> ir.Table:
    """The purchase days of external customers, known at a moment; see with_gaps."""
    return with_gaps(external(past(events.transactions, as_of), events))


def with_gaps(sold: ir.Table) -> ir.Table:
    """One row per customer and day with a purchase.

    Columns: customer_id, days_ago, date; days_since the day before and days_until the next one,
    null without.
    """
    bought = lines.bought(sold)
    days = bought.select("customer_id", "days_ago", date=bought.happened_at.date()).distinct()
    turn = ibis.window(group_by="customer_id", order_by=ibis.desc("days_ago"))
    return days.mutate(
        days_since=days.days_ago.lag().over(turn) - days.days_ago,
        days_until=days.days_ago - days.days_ago.lead().over(turn),
    )


def lost(days: ir.Table, active_days: int, within_days: int) -> ir.Table:
    """One row per customer and time he was lost: customer_id, last_days_ago, lost_days_ago.

    last_days_ago: of the last purchase before. lost_days_ago: of the day on which the silence
    reached `active_days`, which lies in the last `within_days`. days: those of with_gaps.
    """
    silent = days.filter((days.days_until > active_days) | days.days_until.isnull())
    gone = silent.select(
        "customer_id",
        last_days_ago=silent.days_ago,
        lost_days_ago=silent.days_ago - active_days,
    )
    return gone.filter(gone.lost_days_ago >= 0, gone.lost_days_ago < within_days)


def _quarters(days: ir.Table) -> ir.Table:
    """One row per customer and quarter with a purchase, with the first of them, as numbers."""
    quarter = (days.date.year() * 4 + days.date.quarter() - 1).cast("int64")
    each = days.select("customer_id", quarter=quarter).distinct()
    return each.mutate(first=each.quarter.min().over(ibis.window(group_by="customer_id")))


def _by_month(days: ir.Table, active_days: int) -> pd.DataFrame:
    """The customers of each month, by its number since the year 0, in columns of BY_MONTH."""
    is_last = days.days_until.isnull()
    left = (days.days_until > active_days) | (is_last & (days.days_ago >= active_days))
    fell_silent = days.date + ibis.interval(days=active_days)
    kinds = {
        "bought": (days, days.date),
        "new": (days.filter(days.days_since.isnull()), days.date),
        "returned": (days.filter(days.days_since > active_days), days.date),
        "lost": (days.filter(left), fell_silent),
    }
    each = [
        rows.select("customer_id", month=_month_number(date), kind=ibis.literal(kind))
        for kind, (rows, date) in kinds.items()
    ]
    found = ibis.union(*each).group_by("month", "kind")
    counts = _frame(found.agg(customers=lambda row: row.customer_id.nunique()))
    return counts.pivot(index="month", columns="kind", values="customers").sort_index()


def _month_number(date: ir.DateValue) -> ir.IntegerValue:
    return (date.year() * MONTHS_OF_YEAR + date.month() - 1).cast("int64")


def _first_judged(days: ir.Table, as_of: datetime, active_days: int) -> int:
    """The first month of which we know who is new, came back or was lost."""
    age = _frame(days.agg(age=days.days_ago.max())).age.iloc[0]
    if pd.isna(age):
        return _month(as_of) + 1
    day = as_of.date() - timedelta(days=int(age) - active_days)
    begins = day.day == 1
    return _month(day) + (0 if begins else 1)


def _month(day: date) -> int:
    return day.year * MONTHS_OF_YEAR + day.month - 1


def _quarter_name(quarter: int) -> str:
    return f"{quarter // 4}-Q{quarter % 4 + 1}"


def _frame(rows: ir.Table) -> pd.DataFrame:
    return backend.connect().to_pyarrow(rows).to_pandas()
