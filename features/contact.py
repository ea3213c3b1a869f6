"""Who comes to whom: contacts each way, what is answered, pressure, campaigns, referrals."""

import ibis
import ibis.expr.types as ir

from features.active_days import active_days, gap_mean, gap_variation
from features.direction import is_control, is_exposure, is_inbound, is_outbound
from features.events import HOW_TO
from features.family import Family
from features.following import SECONDS_OF_DAY, next_time, seconds_between

contact = Family(
    "contact",
    source="interactions",
    about="Contacts each way and their balance, answers to ours, campaigns, exposures, referrals.",
    owner="marketing",
)

# The shortest is a month: contacts are too rare for a week to say anything.
CONTACT_WINDOWS = (30, 90, 365)
LONG_WINDOWS = (90, 365)  # days: for what takes several contacts to be a share
TREND_WINDOWS = (30, 90)  # days: twice the window must fit into the history of most

ANSWER_DAYS = 7  # who comes later came of himself
MONTH = 30  # days

# What is done together beyond buying (PRODUCT 6); all but referrals are beyond the known kinds.
JOINT_KINDS = ("referral", "contract", "co_design", "beta_test")


def our_contacts(past: ir.Table) -> ir.Table:
    """One row per contact from us, with whether the customer came to us within a week."""
    came_at = next_time(past, is_inbound(past), "customer_id")
    waited = seconds_between(past.happened_at, came_at)
    in_time = (waited <= ANSWER_DAYS * SECONDS_OF_DAY).fill_null(False)
    return past.mutate(is_answered=in_time).filter(is_outbound)


def days_of_contact(past: ir.Table) -> ir.Table:
    """One row per customer and day on which the customer came to us."""
    return active_days(past.filter(is_inbound(past)))


def _going(past: ir.Table, direction: str) -> ir.BooleanValue:
    return is_inbound(past) if direction == "in" else is_outbound(past)


def _trend(
    chosen: ir.BooleanValue, past: ir.Table, recent: ir.BooleanValue, before: ir.BooleanValue
) -> ir.Value:
    now, then = past.count(where=recent & chosen), past.count(where=before & chosen)
    return ((now + 1.0) / (then + 1.0)).ln()


def _in_group(past: ir.Table, group: str) -> ir.BooleanValue:
    is_spared = is_control(past)
    return (past.kind == "campaign") & (is_spared if group == "control" else ~is_spared)


@contact.feature(direction=("in", "out"), days=CONTACT_WINDOWS)
def contacts_going(past: ir.Table, recent: ir.BooleanValue, direction: str) -> ir.Value:
    """Interactions going {direction} (in: from the customer) in the last {days} days, a count."""
    return past.count(where=recent & _going(past, direction))


@contact.feature(direction=("in", "out"))
def days_since_going(past: ir.Table, direction: str) -> ir.Value:
    """Days since the last interaction going {direction} (in: from the customer)."""
    return past.days_ago.min(where=_going(past, direction))


@contact.feature(days=CONTACT_WINDOWS)
def reciprocity(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Fewer by more of the contacts in and out in the last {days} days, 0 to 1; null without."""
    ins = past.count(where=recent & is_inbound(past))
    outs = past.count(where=recent & is_outbound(past))
    return ibis.least(ins, outs) / ibis.greatest(ins, outs).nullif(0)


@contact.feature(days=TREND_WINDOWS)
def inbound_trend(past: ir.Table, recent: ir.BooleanValue, before: ir.BooleanValue) -> ir.Value:
    """Log ratio of contacts from the customer in the last {days} days to the {days} days before."""
    return _trend(is_inbound(past), past, recent, before)


@contact.feature(rows=days_of_contact)
def inbound_gap_mean(past: ir.Table) -> ir.Value:
    """Mean days between the days on which the customer came to us; null before the second."""
    return gap_mean(past)


@contact.feature(rows=days_of_contact)
def inbound_gap_variation(past: ir.Table) -> ir.Value:
    """Standard deviation by mean of the days between the customer's contacts, a ratio."""
    return gap_variation(past)


@contact.feature
def outbound_rate(past: ir.Table) -> ir.Value:
    """Contacts from us per 30 days since the first interaction, a ratio."""
    # One contact of a customer of yesterday is no rate of thirty a month.
    months = ibis.greatest(past.days_ago.max(), MONTH) / MONTH
    return past.count(where=is_outbound(past)) / months


@contact.feature(days=TREND_WINDOWS)
def outbound_pressure(past: ir.Table, recent: ir.BooleanValue, before: ir.BooleanValue) -> ir.Value:
    """Log ratio of contacts from us in the last {days} days to the {days} days before."""
    return _trend(is_outbound(past), past, recent, before)


@contact.feature(rows=our_contacts, days=LONG_WINDOWS)
def response_rate(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Share of our contacts of the last {days} days after which the customer came within a week."""
    # Those of the last week are left out: their time to be answered is not over.
    asked = recent & (past.days_ago >= ANSWER_DAYS)
    return past.count(where=asked & past.is_answered) / past.count(where=asked).nullif(0)


@contact.feature(days=LONG_WINDOWS)
def opens_per_email(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Opened emails per email from us in the last {days} days, a ratio; null without ours."""
    sent = past.count(where=recent & is_outbound(past) & (past.channel == "email"))
    return past.count(where=recent & (past.kind == "email_open")) / sent.nullif(0)


@contact.feature(group=("treated", "control"), days=LONG_WINDOWS)
def campaigns(past: ir.Table, recent: ir.BooleanValue, group: str) -> ir.Value:
    """Campaigns that had the customer among their {group} in the last {days} days, a count."""
    return past.count(where=recent & _in_group(past, group))


@contact.feature(group=("treated", "control"))
def days_since_campaign(past: ir.Table, group: str) -> ir.Value:
    """Days since the last campaign that had the customer among its {group}; null without one."""
    return past.days_ago.min(where=_in_group(past, group))


@contact.feature(days=CONTACT_WINDOWS)
def exposures(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """What was shown by media, surroundings or events in the last {days} days, a count."""
    return past.count(where=recent & is_exposure(past))


@contact.feature
def days_since_exposure(past: ir.Table) -> ir.Value:
    """Days since something was shown by media, surroundings or an event; null without."""
    return past.days_ago.min(where=is_exposure(past))


@contact.feature(days=(90,), for_models=False)
def how_to_contacts(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Contacts that asked how to use something in the last {days} days, a count."""
    return past.count(where=recent & (past.kind == "contact") & (past.detail == HOW_TO))


@contact.feature
def referrals(past: ir.Table) -> ir.Value:
    """Other customers referred so far, a count."""
    return past.count(where=past.kind == "referral")


@contact.feature(days=(365,))
def joint_activities(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Referrals, contracts, co-designs and beta tests in the last {days} days, a count."""
    return past.count(where=recent & past.kind.isin(JOINT_KINDS))
