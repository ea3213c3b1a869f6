"""What a customer bought: money, orders, breadth and returns, from the order lines."""

import ibis.expr.types as ir

from features import exact, lines
from features.family import WINDOWS, Family
from features.lines import is_purchase, is_return

purchases = Family(
    "purchases",
    source="transactions",
    about="Money, orders, breadth and returns of a customer's order lines.",
    owner="sales",
)

TREND_WINDOWS = (30, 90, 180)  # days: twice the window must fit into the history of most


def orders_bought(past: ir.Table) -> ir.Table:
    """One row per customer and order with a purchase, with the time of its last purchase."""
    bought = lines.bought(past)
    return lines.last_times(bought, lines.order(bought))


def products_bought(past: ir.Table) -> ir.Table:
    """One row per customer and product bought, with the time of its last purchase."""
    bought = lines.bought(past)
    return lines.last_times(bought, bought.product_id)


def categories_bought(past: ir.Table) -> ir.Table:
    """One row per customer and category bought, with the time of its last purchase."""
    bought = lines.bought(past)
    return lines.last_times(bought, bought.category)


def channels_bought(past: ir.Table) -> ir.Table:
    """One row per customer and channel bought through, with the time of its last purchase."""
    bought = lines.bought(past)
    return lines.last_times(bought, bought.channel)


@purchases.feature
def spend_total(past: ir.Table) -> ir.Value:
    """Money spent so far, net of returns, currency units."""
    return exact.total(past.amount)


@purchases.feature(days=WINDOWS)
def spend(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Money spent in the last {days} days, net of returns, currency units."""
    return exact.total(past.amount, where=recent)


@purchases.feature(days=TREND_WINDOWS)
def spend_trend(past: ir.Table, recent: ir.BooleanValue, before: ir.BooleanValue) -> ir.Value:
    """Log ratio of the purchases' money in the last {days} days to the {days} days before."""
    bought = is_purchase(past)
    now = exact.total(past.amount, where=recent & bought)
    then = exact.total(past.amount, where=before & bought)
    return ((now + 1.0) / (then + 1.0)).ln()


@purchases.feature(rows=orders_bought)
def orders_total(past: ir.Table) -> ir.Value:
    """Orders so far, a count."""
    return past.count()


@purchases.feature(rows=orders_bought, days=WINDOWS)
def orders(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Orders in the last {days} days, a count."""
    return past.count(where=recent)


@purchases.feature
def line_amount_mean(past: ir.Table) -> ir.Value:
    """Mean money of a bought order line, currency units."""
    return exact.mean(past.amount, where=is_purchase(past))


@purchases.feature
def line_amount_max(past: ir.Table) -> ir.Value:
    """Largest money of one order line, currency units."""
    return past.amount.max(where=is_purchase(past))


@purchases.feature
def margin_total(past: ir.Table) -> ir.Value:
    """Margin so far where it is given, currency units; null when no line has one."""
    return past.margin.sum()


@purchases.feature
def discount_share(past: ir.Table) -> ir.Value:
    """Share of the list price that was taken off so far, 0 to 1; null when never given."""
    bought = is_purchase(past)
    taken_off = past.discount.sum(where=bought).cast("float64")
    return taken_off / (exact.total(past.amount, where=bought) + taken_off).nullif(0.0)


@purchases.feature
def return_amount_total(past: ir.Table) -> ir.Value:
    """Money returned so far, a positive number, currency units."""
    return exact.total(past.amount, where=is_return(past)).abs()


@purchases.feature(days=WINDOWS)
def return_amount(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Money returned in the last {days} days, a positive number, currency units."""
    return exact.total(past.amount, where=recent & is_return(past)).abs()


@purchases.feature
def return_share(past: ir.Table) -> ir.Value:
    """Money returned as a share of money bought so far, 0 or more; null before a purchase."""
    returned = exact.total(past.amount, where=is_return(past)).abs()
    return returned / exact.total(past.amount, where=is_purchase(past)).nullif(0.0)


@purchases.feature
def days_since_return(past: ir.Table) -> ir.Value:
    """Days since the last return; null without one."""
    return past.days_ago.min(where=is_return(past))


@purchases.feature(rows=products_bought)
def products_total(past: ir.Table) -> ir.Value:
    """Distinct products bought so far, a count."""
    return past.count()


@purchases.feature(rows=products_bought, days=WINDOWS)
def products(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Distinct products bought in the last {days} days, a count."""
    return past.count(where=recent)


@purchases.feature(rows=categories_bought, days=WINDOWS)
def categories(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Distinct categories bought in the last {days} days, a count."""
    return past.count(where=recent)


@purchases.feature(rows=channels_bought)
def channels_total(past: ir.Table) -> ir.Value:
    """Distinct channels bought through so far, a count."""
    return past.count()


@purchases.feature
def quantity_mean(past: ir.Table) -> ir.Value:
    """Mean pieces of a bought order line; null when never given."""
    return exact.mean(past.quantity, where=is_purchase(past))
