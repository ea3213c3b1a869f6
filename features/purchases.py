"""What a customer bought: money, orders, breadth and returns, from the order lines."""

import ibis.expr.types as ir

from features.family import WINDOWS, Family

purchases = Family(
    "purchases",
    source="transactions",
    about="Money, orders, breadth and returns of a customer's order lines.",
)

TREND_WINDOWS = (30, 90, 180)  # days: twice the window must fit into the history of most


def _is_purchase(past: ir.Table) -> ir.BooleanValue:
    """Returns are negative, gifts and corrections are zero: neither is a purchase."""
    return past.amount > 0


def _order(past: ir.Table) -> ir.StringValue:
    """The order a line belongs to: its order_id, else the customer's day."""
    return past.order_id.fill_null(past.happened_at.date().cast("string"))


@purchases.feature
def spend_total(past: ir.Table) -> ir.Value:
    """Money spent so far, net of returns, currency units."""
    return past.amount.sum().fill_null(0.0)


@purchases.feature(days=WINDOWS)
def spend(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Money spent in the last {days} days, net of returns, currency units."""
    return past.amount.sum(where=recent).fill_null(0.0)


@purchases.feature(days=TREND_WINDOWS)
def spend_trend(past: ir.Table, recent: ir.BooleanValue, before: ir.BooleanValue) -> ir.Value:
    """Log ratio of the purchases' money in the last {days} days to the {days} days before."""
    bought = _is_purchase(past)
    now = past.amount.sum(where=recent & bought).fill_null(0.0)
    then = past.amount.sum(where=before & bought).fill_null(0.0)
    return ((now + 1.0) / (then + 1.0)).ln()


@purchases.feature
def orders_total(past: ir.Table) -> ir.Value:
    """Orders so far, a count."""
    return _order(past).nunique(where=_is_purchase(past))


@purchases.feature(days=WINDOWS)
def orders(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Orders in the last {days} days, a count."""
    return _order(past).nunique(where=recent & _is_purchase(past))


@purchases.feature
def line_amount_mean(past: ir.Table) -> ir.Value:
    """Mean money of a bought order line, currency units."""
    return past.amount.mean(where=_is_purchase(past))


@purchases.feature
def line_amount_max(past: ir.Table) -> ir.Value:
    """Largest money of one order line, currency units."""
    return past.amount.max(where=_is_purchase(past))


@purchases.feature
def margin_total(past: ir.Table) -> ir.Value:
    """Margin so far where it is given, currency units; null when no line has one."""
    return past.margin.sum()


@purchases.feature
def discount_share(past: ir.Table) -> ir.Value:
    """Share of the list price that was taken off so far, 0 to 1; null when never given."""
    bought = _is_purchase(past)
    taken_off = past.discount.sum(where=bought)
    return taken_off / (past.amount.sum(where=bought) + taken_off)


@purchases.feature
def return_amount_total(past: ir.Table) -> ir.Value:
    """Money returned so far, a positive number, currency units."""
    return past.amount.sum(where=past.amount < 0).fill_null(0.0).abs()


@purchases.feature(days=WINDOWS)
def return_amount(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Money returned in the last {days} days, a positive number, currency units."""
    return past.amount.sum(where=recent & (past.amount < 0)).fill_null(0.0).abs()


@purchases.feature
def return_share(past: ir.Table) -> ir.Value:
    """Money returned as a share of money bought so far, 0 or more; null before a purchase."""
    returned = past.amount.sum(where=past.amount < 0).fill_null(0.0).abs()
    return returned / past.amount.sum(where=_is_purchase(past))


@purchases.feature
def days_since_return(past: ir.Table) -> ir.Value:
    """Days since the last return; null without one."""
    return past.days_ago.min(where=past.amount < 0)


@purchases.feature
def products_total(past: ir.Table) -> ir.Value:
    """Distinct products bought so far, a count."""
    return past.product_id.nunique(where=_is_purchase(past))


@purchases.feature(days=WINDOWS)
def products(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Distinct products bought in the last {days} days, a count."""
    return past.product_id.nunique(where=recent & _is_purchase(past))


@purchases.feature(days=WINDOWS)
def categories(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Distinct categories bought in the last {days} days, a count."""
    return past.category.nunique(where=recent & _is_purchase(past))


@purchases.feature
def channels_total(past: ir.Table) -> ir.Value:
    """Distinct channels bought through so far, a count."""
    return past.channel.nunique(where=_is_purchase(past))


@purchases.feature
def quantity_mean(past: ir.Table) -> ir.Value:
    """Mean pieces of a bought order line; null when never given."""
    return past.quantity.mean(where=_is_purchase(past))
