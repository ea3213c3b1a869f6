"""The days on which something happened, and the gaps between them."""

import ibis
import ibis.expr.types as ir

from features import exact


def active_days(events: ir.Table) -> ir.Table:
    """One row per customer and day with an event, with the gap to the day before.

    value: sum of the events' values. happened_at: the last time of the day. gap_days: days since
    the day before, null on the first.
    """
    days = events.group_by("customer_id", "days_ago").agg(
        value=exact.fixed(events.value.sum().fill_null(0)), happened_at=events.happened_at.max()
    )
    earlier = days.days_ago.lag().over(group_by="customer_id", order_by=ibis.desc("days_ago"))
    return days.mutate(gap_days=earlier - days.days_ago)


def gap_mean(days: ir.Table) -> ir.Value:
    """Mean days between active days; null before the second."""
    return exact.mean(days.gap_days)


def gap_variation(days: ir.Table) -> ir.Value:
    """Standard deviation of the gaps divided by their mean; null before the third active day."""
    return exact.deviation(days.gap_days) / exact.mean(days.gap_days)
