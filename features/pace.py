"""Whether a customer is late by his own pace: today's silence beside the gaps he usually leaves.

The gaps between his purchase days are taken as exponential, with a rate that has a gamma prior
from everybody's gaps (MEAN_GAP). After n gaps of a sum s the next one is Lomax distributed:

    P(gap > t) = (b / (b + t))^a,    a = PRIOR_GAPS + n,    b = PRIOR_GAPS * MEAN_GAP + s

so that who has bought once is judged by everybody's pace, and who has bought often by his own.
Source: Johnson, Kotz, Balakrishnan (1994), "Continuous Univariate Distributions", chapter 20.
"""

import ibis.expr.types as ir

from features import lines
from features.family import Family

# The prior weighs as much as this many gaps: the fewest, in whole numbers, with which the next gap
# of a customer without gaps of his own has a finite mean.
PRIOR_GAPS = 2


def everybodys_gap(past: ir.Table) -> ir.Table:
    """One row: the mean days between purchase days over all customers; null if nobody returned."""
    days = lines.purchase_days(past)
    each = days.group_by("customer_id").agg(
        gaps=days.count() - 1, gap_sum=days.days_ago.max() - days.days_ago.min()
    )
    mean = each.gap_sum.sum().cast("float64") / each.gaps.sum().nullif(0)
    return each.agg(mean_gap=mean)


def days_beside_everybody(past: ir.Table, population: ir.Table) -> ir.Table:
    """One row per customer and day with a purchase, with everybody's mean gap."""
    return lines.purchase_days(past).cross_join(population)


pace = Family(
    "pace",
    source="transactions",
    about="Lateness and repeat purchases beside what the customer's own earlier pace lets expect.",
    owner="sales",
    rows=days_beside_everybody,
    population=everybodys_gap,
)


def _gaps(past: ir.Table) -> ir.Value:
    """The prior's gaps and his own: a of the module."""
    return PRIOR_GAPS + past.count() - 1.0


def _gap_days(past: ir.Table) -> ir.Value:
    """The days of those gaps: b of the module."""
    return PRIOR_GAPS * past.mean_gap.max() + (past.days_ago.max() - past.days_ago.min())


@pace.feature
def expected_gap(past: ir.Table) -> ir.Value:
    """Mean days to the next purchase day by the own pace, shrunk to everybody's."""
    return _gap_days(past) / (_gaps(past) - 1.0)


@pace.feature
def lateness(past: ir.Table) -> ir.Value:
    """Chance that one of the own gaps would have ended by today, shrunk to everybody's, 0 to 1."""
    still_silent = _gap_days(past) / (_gap_days(past) + past.days_ago.min())
    return 1.0 - still_silent.pow(_gaps(past))


@pace.feature(percent=(80, 95))
def gap_limit(past: ir.Table, percent: int) -> ir.Value:
    """Days within which {percent} of 100 of the own gaps end, shrunk to everybody's."""
    beyond = 1.0 - percent / 100
    return _gap_days(past) * ((1.0 / beyond) ** (1.0 / _gaps(past)) - 1.0)


@pace.feature(days=(90, 365))
def behavioral_loyalty(past: ir.Table, recent: ir.BooleanValue, days: int) -> ir.Value:
    """Purchase days in the last {days} days as a ratio to those expected from the time before."""
    earlier = past.count(where=~recent).nullif(0)
    exposure = PRIOR_GAPS * past.mean_gap.max() + past.days_ago.max() - days
    expected = (PRIOR_GAPS + earlier - 1.0) / exposure * days
    return past.count(where=recent) / expected
