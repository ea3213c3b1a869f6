"""The one place that compares events with a moment.

`past` is what had happened and was known at `as_of`; `future` is what happened in
(as_of, as_of + horizon], or as many days later as a gap is long. Authors of features and labels get
one of the two and never the whole table, so no feature can see the future by mistake.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, TypeVar

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features import exact
from features.errors import UserError
from features.events import Events

_IN_A_NAME = re.compile(r"(?<=T)(\d\d)-(\d\d)-")
END_OF_DAY = timedelta(days=1) - timedelta(microseconds=1)
# An expression where one query is to answer at many moments; see recompute.py.
Moment: TypeAlias = datetime | ir.TimestampScalar
Moments = TypeVar("Moments", pd.Series, NDArray[np.datetime64])


def parse_moment(text: str) -> datetime:
    """The moment a person wrote, UTC; a date alone means the end of that day.

    Hours may be written as in the names of folders, where a colon cannot stand: T23-59-59.
    Raises UserError for text that is not ISO 8601.
    """
    try:
        moment = datetime.fromisoformat(_IN_A_NAME.sub(r"\1:\2:", text.strip()))
    except ValueError:
        raise UserError(
            f"The moment {text!r} cannot be read. Write it as 2025-03-31 or 2025-03-31T23:59:59."
        ) from None
    if moment.tzinfo is not None:
        moment = (moment - moment.utcoffset()).replace(tzinfo=None)  # type: ignore[operator]
    is_date_alone = len(text.strip()) <= len("2025-03-31")
    return moment + END_OF_DAY if is_date_alone else moment


def now() -> datetime:
    """The moment of the clock, naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def past(table: ir.Table, as_of: Moment) -> ir.Table:
    """The rows that had happened and were known at `as_of`, each with its age `days_ago`.

    days_ago: whole calendar days (UTC) from the event to `as_of`, 0 on the same day. Counted
    between dates, because day differences of timestamps are not the same on every engine.
    Numbers come as decimals, so that they are added exactly.
    """
    moment = _literal(as_of)
    seen = table.filter(table.happened_at <= moment, table.known_at <= moment)
    numbers = {name: exact.fixed(seen[name]) for name in _floats(seen)}
    return seen.mutate(days_ago=days_before(seen.happened_at, as_of), **numbers)


def future(
    table: ir.Table, as_of: datetime, horizon_days: int, known_by: datetime, gap_days: int = 0
) -> ir.Table:
    """The rows of (as_of, as_of + horizon_days] that are known by the moment of training.

    gap_days: how much later than `as_of` these days begin.
    """
    begun = as_of + timedelta(days=gap_days)
    start, end = _literal(begun), _literal(begun + timedelta(days=horizon_days))
    after = (table.happened_at > start) & (table.happened_at <= end)
    rows = table.filter(after, table.known_at <= _literal(known_by))
    return rows.mutate(**{name: exact.fixed(rows[name]) for name in _floats(rows)})


def recent(past_rows: ir.Table, as_of: Moment, days: int) -> ir.BooleanValue:
    """Whether a row of the past lies in the last `days` days: (as_of - days, as_of]."""
    return past_rows.happened_at > _literal(as_of - timedelta(days=days))


def before(past_rows: ir.Table, as_of: Moment, days: int) -> ir.BooleanValue:
    """Whether a row lies in the `days` days before the recent ones."""
    older = past_rows.happened_at > _literal(as_of - timedelta(days=2 * days))
    return older & ~recent(past_rows, as_of, days)


def older(rows: ir.Table, column: str, start: datetime) -> ir.BooleanValue:
    """Whether a time of a row lies before a moment; null where it has none."""
    return rows[column] < _literal(start)


def follows(time: ir.TimestampValue, event: ir.TimestampValue, days: int) -> ir.BooleanValue:
    """Whether a time is that of an event or at most `days` days after it."""
    return (time >= event) & (time <= event + ibis.interval(days=days))


def season(past_rows: ir.Table, as_of: Moment, days: int) -> ir.BooleanValue:
    """Whether a row lies in the `days` days that followed this very moment a year ago."""
    year_ago = as_of - timedelta(days=365)
    begun = past_rows.happened_at > _literal(year_ago)
    return begun & (past_rows.happened_at <= _literal(year_ago + timedelta(days=days)))


def days_before(time: ir.TimestampValue, as_of: Moment) -> ir.IntegerValue:
    """Whole calendar days (UTC) from a time to `as_of`."""
    return _literal(as_of).date().delta(time.date(), unit="day")


def is_stale(as_of: Moments, now: datetime, max_age: timedelta) -> Any:
    """Whether what stands at a moment is older by now than allowed; false for no moment (NaT)."""
    return as_of < np.datetime64(now - max_age, "us")


def is_earlier(one: datetime, other: datetime) -> bool:
    """Whether one moment is before another."""
    return one < other


def known_customers(events: Events, as_of: Moment) -> ir.Table:
    """One row per customer known at `as_of`: first_seen_at, days_ago, kind and profile columns.

    Known is who has an event in the past or is listed as first seen by then. Internal customers
    are left out. first_seen_at is the earlier of the listed one and the first event.
    """
    listed = events.customers
    firsts = [
        rows.group_by("customer_id").agg(first_seen_at=rows.happened_at.min())
        for rows in (past(events.transactions, as_of), past(events.interactions, as_of))
    ]
    arrived = listed.filter(listed.first_seen_at <= _literal(as_of))
    seen = ibis.union(*firsts, arrived.select("customer_id", "first_seen_at"))
    seen = seen.group_by("customer_id").agg(first_seen_at=seen.first_seen_at.min())
    profile = listed.drop("first_seen_at")
    joined = seen.left_join(profile, "customer_id").drop("customer_id_right")
    external = joined.filter(~joined.is_internal.fill_null(False)).drop("is_internal")
    return external.mutate(days_ago=days_before(external.first_seen_at, as_of))


def _floats(table: ir.Table) -> list[str]:
    return [name for name, dtype in table.schema().items() if dtype.is_floating()]


def _literal(moment: Moment) -> ir.TimestampValue:
    is_known = isinstance(moment, datetime)
    return ibis.literal(moment, type="timestamp(6)") if is_known else moment
