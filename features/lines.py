"""Order lines: which are purchases, which order they belong to, and each thing bought once.

To count distinct things, the lines are grouped to one row per customer and thing with the time of
its last purchase: a row is in a window when the thing was bought in it, so counting rows counts
things, several times faster than a distinct count per window.
"""

import ibis.expr.types as ir

from features import exact


def is_purchase(past: ir.Table) -> ir.BooleanValue:
    """Whether a line is a purchase: returns are negative, gifts and corrections are zero."""
    return past.amount > 0


def is_return(past: ir.Table) -> ir.BooleanValue:
    """Whether a line is a return."""
    return past.amount < 0


def bought(past: ir.Table) -> ir.Table:
    """The lines that are purchases."""
    return past.filter(is_purchase(past))


def order(past: ir.Table) -> ir.StringValue:
    """The order a line belongs to: its order_id, else the customer's day."""
    return past.order_id.fill_null(past.happened_at.date().cast("string"))


def last_times(past: ir.Table, thing: ir.StringValue) -> ir.Table:
    """One row per customer and thing that lines name, with the time of its last line."""
    return (
        past.mutate(thing=thing)
        .filter(lambda line: line.thing.notnull())
        .group_by("customer_id", "thing")
        .agg(
            happened_at=lambda line: line.happened_at.max(),
            days_ago=lambda line: line.days_ago.min(),
        )
    )


def purchase_days(past: ir.Table) -> ir.Table:
    """One row per customer and day with a purchase, with its money and its first time."""
    lines = bought(past)
    return lines.group_by("customer_id", "days_ago").agg(
        amount=exact.fixed(lines.amount.sum()), happened_at=lines.happened_at.min()
    )
