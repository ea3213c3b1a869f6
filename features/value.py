"""What a customer's money is worth to us: margin, what he needs off the price, what he sends back.

The share of spend bought on discount tells price and incentive loyalty apart from the rest.
"""

import ibis
import ibis.expr.types as ir

from features import exact, lines
from features.family import Family
from features.lines import is_purchase, is_return


def orders_returned(past: ir.Table) -> ir.Table:
    """One row per customer and order with a return, with the time of its last return."""
    returned = past.filter(is_return(past))
    return lines.last_times(returned, lines.order(returned))


value = Family(
    "value",
    source="transactions",
    about="Margin, discounts, returns and free lines of a customer's order lines.",
    owner="sales",
)

# Past money is compounded at this rate and no other, since a feature is one fixed definition: 10 %
# a year is what the policy discounts future money with unless it says otherwise.
HOUSE_RATE = 0.10
MARGIN_WINDOWS = (30, 90, 365)
# Two windows, not five: in a month most customers have too few lines for a share.
SHARE_WINDOWS = (90, 365)


def _on_discount(past: ir.Table) -> ir.BooleanValue:
    return is_purchase(past) & (past.discount > 0).fill_null(False)


@value.feature(for_models=False)
def spend_compounded_10pct(past: ir.Table) -> ir.Value:
    """Money spent so far, net of returns, with 10 % interest a year until now, currency units."""
    return exact.total(exact.compounded(past.amount, HOUSE_RATE, past.days_ago))


@value.feature(days=MARGIN_WINDOWS)
def margin(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Margin in the last {days} days, net of returns, currency units; null when never given."""
    return past.margin.sum(where=recent)


@value.feature(days=SHARE_WINDOWS)
def margin_share(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Margin as a share of the money of the purchases in the last {days} days that give one."""
    given = recent & is_purchase(past) & past.margin.notnull()
    return exact.total(past.margin, given) / exact.total(past.amount, given).nullif(0.0)


@value.feature(days=SHARE_WINDOWS)
def discount_depth(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Share of the list price taken off in the last {days} days, 0 to 1; null when never given."""
    bought = recent & is_purchase(past)
    taken_off = past.discount.sum(where=bought).cast("float64")
    return taken_off / (exact.total(past.amount, bought) + taken_off).nullif(0.0)


@value.feature(days=SHARE_WINDOWS)
def discounted_share(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Share of spend bought on discount in the last {days} days, 0 to 1; null when never given."""
    bought = recent & is_purchase(past)
    spent = exact.total(past.amount, bought).nullif(0.0)
    share = exact.total(past.amount, recent & _on_discount(past)) / spent
    return ibis.ifelse(past.discount.count(where=bought) > 0, share, None)


@value.feature
def days_since_discount(past: ir.Table) -> ir.Value:
    """Days since the last purchase on discount; null without one."""
    return past.days_ago.min(where=_on_discount(past))


@value.feature
def days_since_full_price(past: ir.Table) -> ir.Value:
    """Days since the last purchase without a discount; null without one."""
    return past.days_ago.min(where=is_purchase(past) & ~_on_discount(past))


@value.feature(days=SHARE_WINDOWS)
def returned_share(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Money returned as a share of money bought in the last {days} days; null without any."""
    returned = exact.total(past.amount, recent & is_return(past)).abs()
    return returned / exact.total(past.amount, recent & is_purchase(past)).nullif(0.0)


@value.feature(rows=orders_returned)
def returned_orders_total(past: ir.Table) -> ir.Value:
    """Orders of which something was returned so far, a count."""
    return past.count()


@value.feature(rows=orders_returned, days=SHARE_WINDOWS)
def returned_orders(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Orders of which something was returned in the last {days} days, a count."""
    return past.count(where=recent)


@value.feature
def free_lines_total(past: ir.Table) -> ir.Value:
    """Order lines worth nothing so far, such as gifts and corrections, a count."""
    return past.count(where=past.amount == 0)


@value.feature(days=SHARE_WINDOWS)
def free_lines(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Order lines worth nothing in the last {days} days, a count."""
    return past.count(where=recent & (past.amount == 0))
