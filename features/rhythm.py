"""When a customer buys: the purchase days, the gaps between them, and today's silence beside them.

Several purchases of one day count once, as in the models of repeat buying, which take frequency,
recency, age and the gaps from here.
"""

import ibis
import ibis.expr.types as ir

from features import exact, lines
from features.family import WINDOWS, Family


def days_and_gaps(past: ir.Table) -> ir.Table:
    """One row per customer and day with a purchase, with its money and the gap to the day before.

    gap_days: days since the previous purchase day, null on the first.
    """
    days = lines.purchase_days(past)
    earlier = days.days_ago.lag().over(group_by="customer_id", order_by=ibis.desc("days_ago"))
    return days.mutate(gap_days=earlier - days.days_ago)


rhythm = Family(
    "rhythm",
    source="transactions",
    about="Purchase days, the gaps between them, the money of a day, and the current silence.",
    owner="sales",
    rows=days_and_gaps,
)

TREND_WINDOWS = (30, 90, 180)  # days: twice the window must fit into the history of most
SEASON = 45  # days on both sides of a date: together a quarter of the year
YEAR = 365
SATURDAY = 5  # Monday is 0
DAYPART = 6  # hours: night, morning, afternoon, evening


def _share(past: ir.Table, where: ir.BooleanValue) -> ir.Value:
    """The share of rows where something holds; null without rows."""
    return past.count(where=where) / past.count().nullif(0)


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
def season_share(past: ir.Table) -> ir.Value:
    """Share of purchase days at this time of any year, 45 days early or late, 0 to 1."""
    day_of_year = past.days_ago % YEAR
    return _share(past, (day_of_year <= SEASON) | (day_of_year >= YEAR - SEASON))


@rhythm.feature
def gap_mean(past: ir.Table) -> ir.Value:
    """Mean days between purchase days; null before the second."""
    return exact.mean(past.gap_days)


@rhythm.feature
def gap_std(past: ir.Table) -> ir.Value:
    """Standard deviation of the days between purchase days; null before the third."""
    return exact.deviation(past.gap_days)


@rhythm.feature
def gap_max(past: ir.Table) -> ir.Value:
    """Longest days between purchase days; null before the second."""
    return past.gap_days.max()


@rhythm.feature
def gap_last(past: ir.Table) -> ir.Value:
    """Days between the last two purchase days; null before the second."""
    return past.gap_days.argmin(past.days_ago)


@rhythm.feature
def gap_log_sum(past: ir.Table) -> ir.Value:
    """Sum of the logs of the days between purchase days, which tells regularity; 0 without."""
    return exact.total(exact.log(past.gap_days))


@rhythm.feature
def gap_variation(past: ir.Table) -> ir.Value:
    """Standard deviation of the gaps divided by their mean, a ratio; null before the third day."""
    return exact.deviation(past.gap_days) / exact.mean(past.gap_days)


@rhythm.feature
def clumpiness(past: ir.Table) -> ir.Value:
    """How clumped the purchase days are, from 0 (even) to 1 (at once); null before the second."""
    # One less the entropy of the gaps and of today's silence, as shares of the days since the
    # first, beside that of equal gaps: Zhang, Bradlow, Small (2015), Marketing Science 34(2).
    gap, silence, age = exact.fixed(past.gap_days), past.days_ago.min(), past.days_ago.max()
    weighted = exact.total(exact.product(gap, exact.log(gap)))
    weighted += (silence * silence.nullif(0).ln()).fill_null(0.0)
    entropy = age.nullif(0).ln() - weighted / age.nullif(0)
    return 1.0 - entropy / past.count().nullif(1).ln()


@rhythm.feature
def purchase_days_center(past: ir.Table) -> ir.Value:
    """Mean age of the purchase days as a share of that of the first, 0 to 1: low if speeding up."""
    return exact.mean(past.days_ago) / past.days_ago.max().nullif(0)


@rhythm.feature
def silence_ratio(past: ir.Table) -> ir.Value:
    """Days since the last purchase divided by the mean gap; null before the second."""
    return past.days_ago.min() / exact.mean(past.gap_days)


@rhythm.feature
def silence_share(past: ir.Table) -> ir.Value:
    """Days since the last purchase as a share of the days since the first, 0 to 1."""
    return past.days_ago.min() / past.days_ago.max().nullif(0)


@rhythm.feature
def day_amount_sum(past: ir.Table) -> ir.Value:
    """Money of all purchases so far, returns not taken off, currency units."""
    return exact.total(past.amount)


@rhythm.feature
def day_amount_mean(past: ir.Table) -> ir.Value:
    """Mean money of a purchase day, currency units; null if never bought."""
    return exact.mean(past.amount)


@rhythm.feature
def day_amount_std(past: ir.Table) -> ir.Value:
    """Standard deviation of the money of a purchase day, currency units; null before the second."""
    return exact.deviation(past.amount)


@rhythm.feature
def day_amount_log_sum(past: ir.Table) -> ir.Value:
    """Sum of the logs of the money of the purchase days; 0 if never bought."""
    return exact.total(exact.log(past.amount))


@rhythm.feature
def day_amount_log_square_sum(past: ir.Table) -> ir.Value:
    """Sum of the squared logs of the money of the purchase days; 0 if never bought."""
    log = exact.log(past.amount)
    return exact.total(exact.product(log, log))


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
    return _share(past, past.happened_at.day_of_week.index() >= SATURDAY)


@rhythm.feature
def weekday_share(past: ir.Table) -> ir.Value:
    """Share of purchase days on the customer's most frequent day of the week, 0 to 1."""
    weekday = past.happened_at.day_of_week.index()
    return ibis.greatest(*[_share(past, weekday == day) for day in range(7)])


@rhythm.feature
def daypart_share(past: ir.Table) -> ir.Value:
    """Share of purchase days begun in the most frequent quarter of the day (UTC), 0 to 1."""
    hour = past.happened_at.hour()
    starts = range(0, 24, DAYPART)
    return ibis.greatest(
        *[_share(past, (hour >= start) & (hour < start + DAYPART)) for start in starts]
    )
