"""When a customer buys: the purchase days, the gaps between them, and today's silence beside them.

Several purchases of one day count once, as in the models of repeat buying, which take frequency,
recency, age and the gaps from here.
"""

import ibis
import ibis.expr.types as ir

from features.family import WINDOWS, Family


def purchase_days(past: ir.Table) -> ir.Table:
    """One row per customer and day with a purchase, with its money and the gap to the day before.

    gap_days: days since the previous purchase day, null on the first.
    """
    bought = past.filter(past.amount > 0)
    days = bought.group_by("customer_id", "days_ago").agg(
        amount=bought.amount.sum(), happened_at=bought.happened_at.min()
    )
    earlier = days.days_ago.lag().over(group_by="customer_id", order_by=ibis.desc("days_ago"))
    return days.mutate(gap_days=earlier - days.days_ago)


rhythm = Family(
    "rhythm",
    source="transactions",
    about="Purchase days, the gaps between them, the money of a day, and the current silence.",
    rows=purchase_days,
)

TREND_WINDOWS = (30, 90, 180)  # days: twice the window must fit into the history of most


@rhythm.feature
def recency(past: ir.Table) -> ir.Value:
    """Days since the last purchase; null if never bought."""
    return past.days_ago.min()


@rhythm.feature
def age(past: ir.Table) -> ir.Value:
    """Days since the first purchase; null if never bought."""
    return past.days_ago.max()


@rhythm.feature
def purchase_days_total(past: ir.Table) -> ir.Value:
    """Days with a purchase so far, a count."""
    return past.count()


@rhythm.feature(days=WINDOWS)
def purchase_days_recent(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Days with a purchase in the last {days} days, a count."""
    return past.count(where=recent)


@rhythm.feature(days=TREND_WINDOWS)
def purchase_trend(past: ir.Table, recent: ir.BooleanValue, before: ir.BooleanValue) -> ir.Value:
    """Log ratio of purchase days in the last {days} days to the {days} days before."""
    now, then = past.count(where=recent), past.count(where=before)
    return ((now + 1.0) / (then + 1.0)).ln()


@rhythm.feature(days=(90, 180))
def purchase_days_season(past: ir.Table, season: ir.BooleanValue) -> ir.Value:
    """Days with a purchase in the {days} days that followed this moment a year ago, a count."""
    return past.count(where=season)


@rhythm.feature
def gap_mean(past: ir.Table) -> ir.Value:
    """Mean days between purchase days; null before the second."""
    return past.gap_days.mean()


@rhythm.feature
def gap_std(past: ir.Table) -> ir.Value:
    """Standard deviation of the days between purchase days; null before the third."""
    return past.gap_days.std(how="sample")


@rhythm.feature
def gap_max(past: ir.Table) -> ir.Value:
    """Longest days between purchase days; null before the second."""
    return past.gap_days.max()


@rhythm.feature
def gap_log_sum(past: ir.Table) -> ir.Value:
    """Sum of the logs of the days between purchase days, which tells regularity; 0 without."""
    return past.gap_days.ln().sum().fill_null(0.0)


@rhythm.feature
def gap_variation(past: ir.Table) -> ir.Value:
    """Standard deviation of the gaps divided by their mean, a ratio; null before the third day."""
    return past.gap_days.std(how="sample") / past.gap_days.mean()


@rhythm.feature
def silence_ratio(past: ir.Table) -> ir.Value:
    """Days since the last purchase divided by the mean gap; null before the second."""
    return past.days_ago.min() / past.gap_days.mean()


@rhythm.feature
def silence_share(past: ir.Table) -> ir.Value:
    """Days since the last purchase as a share of the days since the first, 0 to 1."""
    return past.days_ago.min() / past.days_ago.max().nullif(0)


@rhythm.feature
def day_amount_sum(past: ir.Table) -> ir.Value:
    """Money of all purchases so far, returns not taken off, currency units."""
    return past.amount.sum().fill_null(0.0)


@rhythm.feature
def day_amount_mean(past: ir.Table) -> ir.Value:
    """Mean money of a purchase day, currency units; null if never bought."""
    return past.amount.mean()


@rhythm.feature
def day_amount_std(past: ir.Table) -> ir.Value:
    """Standard deviation of the money of a purchase day, currency units; null before the second."""
    return past.amount.std(how="sample")


@rhythm.feature
def day_amount_log_sum(past: ir.Table) -> ir.Value:
    """Sum of the logs of the money of the purchase days; 0 if never bought."""
    return past.amount.ln().sum().fill_null(0.0)


@rhythm.feature
def day_amount_log_square_sum(past: ir.Table) -> ir.Value:
    """Sum of the squared logs of the money of the purchase days; 0 if never bought."""
    return past.amount.ln().pow(2).sum().fill_null(0.0)


@rhythm.feature
def day_amount_max(past: ir.Table) -> ir.Value:
    """Largest money of a purchase day, currency units; null if never bought."""
    return past.amount.max()


@rhythm.feature
def day_amount_first(past: ir.Table) -> ir.Value:
    """Money of the first purchase day, currency units; null if never bought."""
    return past.amount.argmax(past.days_ago)


@rhythm.feature
def day_amount_last(past: ir.Table) -> ir.Value:
    """Money of the last purchase day, currency units; null if never bought."""
    return past.amount.argmin(past.days_ago)


@rhythm.feature
def weekend_share(past: ir.Table) -> ir.Value:
    """Share of purchase days on a Saturday or Sunday, 0 to 1; null if never bought."""
    return (past.happened_at.day_of_week.index() >= 5).cast("float64").mean()
