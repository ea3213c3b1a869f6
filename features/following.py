"""What comes after an event: the next one of another sort, and the time until then."""

import ibis
import ibis.expr.types as ir

SECONDS_OF_HOUR = 3600
SECONDS_OF_DAY = 86400


def next_time(past: ir.Table, condition: ir.BooleanValue, *within: str) -> ir.TimestampValue:
    """The first time, at or after each row's, at which the condition holds; null without one.

    within: the columns whose values the two rows must share; nulls are shared.
    """
    # RANGE takes in all rows of one time, so their order decides nothing.
    window = ibis.range_window(
        following=0, group_by=list(within), order_by=ibis.desc(past.happened_at)
    )
    return past.happened_at.min(where=condition).over(window)


def last_time(past: ir.Table, condition: ir.BooleanValue, *within: str) -> ir.TimestampValue:
    """The last time, at or before each row's, at which the condition holds; null without one."""
    window = ibis.range_window(following=0, group_by=list(within), order_by=past.happened_at)
    return past.happened_at.max(where=condition).over(window)


def seconds_between(start: ir.TimestampValue, end: ir.TimestampValue) -> ir.IntegerValue:
    """Whole seconds from one time to another; null when either is."""
    return _second(end) - _second(start)


def _second(time: ir.TimestampValue) -> ir.IntegerValue:
    # Cut to the second first: of a fraction, one engine rounds what another cuts.
    return time.truncate("s").epoch_seconds().cast("int64")
