"""How a customer uses what he has: days of use, their rhythm, the amount of use and its slope."""

import ibis.expr.types as ir

from features import exact
from features.active_days import active_days, gap_mean, gap_variation
from features.family import Family

usage = Family(
    "usage",
    source="interactions",
    about="Days of use, the gaps between them, the amount of use and whether it rises or falls.",
    owner="product",
)

DAYS_OF_WEEK = 7
SLOPE_WEEKS = 12  # a quarter: long enough to see through a bad week
# Sum of the squared distances of the weeks from their middle, by which least squares divide.
_SPREAD_OF_WEEKS = SLOPE_WEEKS * (SLOPE_WEEKS**2 - 1) / 12


def _is_use(past: ir.Table) -> ir.BooleanValue:
    return past.kind.isin(("visit", "usage"))


def days_of_use(past: ir.Table) -> ir.Table:
    """One row per customer and day with a visit or usage event."""
    return active_days(past.filter(_is_use(past)))


def weeks_of_use(past: ir.Table) -> ir.Table:
    """One row per customer and week with a visit or usage event; weeks count back from today."""
    used = past.filter(_is_use(past)).mutate(weeks_ago=past.days_ago // DAYS_OF_WEEK)
    return used.group_by("customer_id", "weeks_ago").agg(happened_at=used.happened_at.max())


def uses_by_detail(past: ir.Table) -> ir.Table:
    """One row per customer and thing used, named by the event's detail, with its last time."""
    used = past.filter(_is_use(past), past.detail.notnull())
    return used.group_by("customer_id", "detail").agg(happened_at=used.happened_at.max())


@usage.feature
def days_since_use(past: ir.Table) -> ir.Value:
    """Days since the last visit or usage event; null without one."""
    return past.days_ago.min(where=_is_use(past))


@usage.feature(rows=days_of_use, days=(7, 30, 90, 365))
def use_days(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Days with a visit or usage event in the last {days} days, a count."""
    return past.count(where=recent)


@usage.feature(rows=days_of_use)
def use_gap_mean(past: ir.Table) -> ir.Value:
    """Mean days between days of use; null before the second."""
    return gap_mean(past)


@usage.feature(rows=days_of_use)
def use_gap_variation(past: ir.Table) -> ir.Value:
    """Standard deviation of the gaps in use divided by their mean, a ratio; low is regular."""
    return gap_variation(past)


@usage.feature(rows=days_of_use)
def use_silence_ratio(past: ir.Table) -> ir.Value:
    """Days since the last use divided by the mean gap in use, a ratio; null before the second."""
    return past.days_ago.min() / gap_mean(past)


@usage.feature(rows=weeks_of_use)
def active_weeks_share(past: ir.Table) -> ir.Value:
    """Share of the weeks since the first use in which there was some, 0 to 1."""
    return past.count() / (past.weeks_ago.max() + 1)


@usage.feature(rows=uses_by_detail, days=(30, 90, 365))
def features_used(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Different details of visits and usage events in the last {days} days, a count."""
    return past.count(where=recent)


@usage.feature(days=(30, 90))
def usage_value(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Sum of the values of usage events (such as minutes) in the last {days} days."""
    return exact.total(past.value, where=recent & (past.kind == "usage"))


@usage.feature(rows=days_of_use, days=(30, 90))
def usage_value_per_day(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Sum of the values of visits and usage per day of use in the last {days} days."""
    return exact.mean(past.value, where=recent)


@usage.feature(days=(30, 90))
def usage_trend(past: ir.Table, recent: ir.BooleanValue, before: ir.BooleanValue) -> ir.Value:
    """Log ratio of visits and usage events in the last {days} days to the {days} days before."""
    now = past.count(where=recent & _is_use(past))
    then = past.count(where=before & _is_use(past))
    return ((now + 1.0) / (then + 1.0)).ln()


@usage.feature
def usage_slope(past: ir.Table) -> ir.Value:
    """Change of the count of visits and usage events per week, by least squares over 12 weeks."""
    return _twice_from_middle(past).sum(where=_in_slope(past)).fill_null(0) / 2 / _SPREAD_OF_WEEKS


@usage.feature
def usage_value_slope(past: ir.Table) -> ir.Value:
    """Change of the sum of usage values per week, by least squares over 12 weeks."""
    weighted = past.value * _twice_from_middle(past)
    counted = _in_slope(past) & (past.kind == "usage")
    return exact.total(weighted, where=counted) / 2 / _SPREAD_OF_WEEKS


def _in_slope(past: ir.Table) -> ir.BooleanValue:
    return _is_use(past) & (past.days_ago < SLOPE_WEEKS * DAYS_OF_WEEK)


def _twice_from_middle(past: ir.Table) -> ir.IntegerValue:
    """Twice the distance of an event's week from the middle of the weeks; later is more.

    Least squares over weekly sums are then one sum over the events, weeks without use included.
    Doubled, it is a whole number.
    """
    return (SLOPE_WEEKS - 1) - 2 * (past.days_ago // DAYS_OF_WEEK)
