"""What one order of a customer is worth and holds: the value, lines and pieces of his orders."""

import ibis
import ibis.expr.types as ir

from features import exact, lines
from features.family import Family

# The prior weighs as much as this many own orders: the variance of an order's log value within
# customers over that between them, which is 1.7 on CDNOW and 1.3 on Online Retail II, rounded up.
PRIOR_ORDERS = 2


def orders(past: ir.Table) -> ir.Table:
    """One row per customer and order with a purchase: value, lines, pieces, time of the last line.

    pieces: null when no line of the order gives them.
    """
    bought = lines.bought(past)
    bought = bought.mutate(order=lines.order(bought))
    return bought.group_by("customer_id", "order").agg(
        value=exact.fixed(bought.amount.sum()),
        lines=bought.count(),
        pieces=exact.fixed(bought.quantity.sum()),
        happened_at=bought.happened_at.max(),
        days_ago=bought.days_ago.min(),
    )


def everybodys_order(past: ir.Table) -> ir.Table:
    """One row: the mean value of an order over all customers; null without orders."""
    made = orders(past)
    return made.agg(usual_value=exact.mean(made.value))


def orders_in_order(past: ir.Table, population: ir.Table) -> ir.Table:
    """The orders, each with its place among its customer's and everybody's mean value.

    is_first, is_last: on the day of the first or last order. is_middle: the middle one by value,
    or one of the middle two.
    """
    made = orders(past)
    own = ibis.window(group_by="customer_id")
    place = ibis.row_number().over(group_by="customer_id", order_by="value")
    ranked = made.mutate(
        is_first=made.days_ago == made.days_ago.max().over(own),
        is_last=made.days_ago == made.days_ago.min().over(own),
        is_middle=(2 * place - made.count().over(own) + 1).abs() <= 1,
    )
    return ranked.cross_join(population)


baskets = Family(
    "baskets",
    source="transactions",
    about="Value, lines and pieces of a customer's orders; returns are not taken off.",
    owner="sales",
    rows=orders_in_order,
    population=everybodys_order,
)


@baskets.feature
def order_value_shrunk(past: ir.Table) -> ir.Value:
    """Mean value of an order, shrunk to everybody's the fewer they are, currency units."""
    prior = PRIOR_ORDERS * past.usual_value.max()
    return (exact.total(past.value) + prior) / (past.count() + PRIOR_ORDERS)


@baskets.feature
def order_value_mean(past: ir.Table) -> ir.Value:
    """Mean value of an order, currency units; null without one."""
    return exact.mean(past.value)


@baskets.feature
def order_value_median(past: ir.Table) -> ir.Value:
    """Median value of an order, currency units; null without one."""
    return exact.mean(past.value, where=past.is_middle)


@baskets.feature
def order_value_std(past: ir.Table) -> ir.Value:
    """Standard deviation of the value of an order, currency units; null before the second."""
    return exact.deviation(past.value)


@baskets.feature
def order_value_min(past: ir.Table) -> ir.Value:
    """Smallest value of an order, currency units; null without one."""
    return past.value.min()


@baskets.feature
def order_value_max(past: ir.Table) -> ir.Value:
    """Largest value of an order, currency units; null without one."""
    return past.value.max()


@baskets.feature
def order_value_first(past: ir.Table) -> ir.Value:
    """Mean value of the orders of the first day with one, currency units; null without one."""
    return exact.mean(past.value, where=past.is_first)


@baskets.feature
def order_value_last(past: ir.Table) -> ir.Value:
    """Mean value of the orders of the last day with one, currency units; null without one."""
    return exact.mean(past.value, where=past.is_last)


@baskets.feature(days=(90, 180))
def order_value_trend(past: ir.Table, recent: ir.BooleanValue, before: ir.BooleanValue) -> ir.Value:
    """Log ratio of the mean order value in the last {days} days to the {days} days before."""
    return (exact.mean(past.value, where=recent) / exact.mean(past.value, where=before)).ln()


@baskets.feature
def order_lines_mean(past: ir.Table) -> ir.Value:
    """Mean lines of an order, a count; null without one."""
    return exact.mean(past.lines)


@baskets.feature
def order_pieces_mean(past: ir.Table) -> ir.Value:
    """Mean pieces of an order; null when never given."""
    return exact.mean(past.pieces)


@baskets.feature
def single_line_share(past: ir.Table) -> ir.Value:
    """Share of orders that hold one line only, 0 to 1; null without one."""
    return past.count(where=past.lines == 1) / past.count().nullif(0)
