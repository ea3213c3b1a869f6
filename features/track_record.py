"""What today's question would have found of this customer at earlier moments: his own past target.

His life is cut into windows of 90 days that end today, 90 days ago, and so on. Those count that
began after his first purchase, so that he was a customer throughout. They are numbered backwards:
0 ends today, and the number of the window of his first purchase is how many count.
"""

import ibis
import ibis.expr.types as ir

from features import exact, lines
from features.family import Family

WINDOW = 90  # days: the usual horizon of the question whether somebody buys again


def windows(past: ir.Table) -> ir.Table:
    """One row per customer and window with a purchase: its number and money, and the one before.

    earlier: the number of the window with a purchase before it, null in that of the first.
    """
    bought = lines.bought(past)
    bought = bought.mutate(window=bought.days_ago // WINDOW)
    made = bought.group_by("customer_id", "window").agg(value=exact.fixed(bought.amount.sum()))
    earlier = made.window.lag().over(group_by="customer_id", order_by=ibis.desc("window"))
    return made.mutate(earlier=earlier)


track_record = Family(
    "track_record",
    source="transactions",
    about="The customer's own past target: purchases and money in earlier windows of 90 days.",
    owner="sales",
    rows=windows,
)


def _counted(past: ir.Table) -> ir.IntegerValue:
    """The windows that count, null when there is none."""
    return past.window.max().nullif(0)


@track_record.feature
def windows_counted(past: ir.Table) -> ir.Value:
    """Windows of 90 days since the first purchase, a count; null if never bought."""
    return past.window.max()


@track_record.feature
def window_bought_share(past: ir.Table) -> ir.Value:
    """Share of the windows of 90 days with a purchase, 0 to 1; null before the first window."""
    return past.earlier.count() / _counted(past)


@track_record.feature
def window_value_mean(past: ir.Table) -> ir.Value:
    """Mean money of a window of 90 days, currency units; null before the first window."""
    return exact.total(past.value, where=past.earlier.notnull()) / _counted(past)


@track_record.feature
def window_value_std(past: ir.Table) -> ir.Value:
    """Standard deviation of a window's money, currency units; null before the second window."""
    return exact.deviation(past.value, past.earlier.notnull(), _counted(past))


@track_record.feature
def window_value_last(past: ir.Table) -> ir.Value:
    """Money of the last 90 days, currency units; null while the first purchase is among them."""
    newest = exact.total(past.value, where=past.window == 0)
    return ibis.ifelse(past.window.max() > 0, newest, None)


@track_record.feature
def longest_silence(past: ir.Table) -> ir.Value:
    """Most windows of 90 days in a row without a purchase, a count; null before the first."""
    between = (past.earlier - past.window - 1).max().fill_null(0)
    longest = ibis.greatest(past.window.min(), between)
    return ibis.ifelse(past.window.max() > 0, longest, None)


@track_record.feature
def window_retention(past: ir.Table) -> ir.Value:
    """Share of windows with a purchase among those that follow one with a purchase, 0 to 1."""
    followed = past.count(where=past.earlier - past.window == 1)
    return followed / past.count(where=past.window > 0).nullif(0)


@track_record.feature
def window_reactivation(past: ir.Table) -> ir.Value:
    """Share of windows with a purchase among those that follow one without, 0 to 1."""
    silent = past.window.max() - past.count(where=past.window > 0)
    return past.count(where=past.earlier - past.window > 1) / silent.nullif(0)
