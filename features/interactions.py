"""What passed between a customer and us beside purchases: contacts, complaints, payments, use."""

import ibis.expr.types as ir

from features.events import INTERACTION_KINDS
from features.family import Family


def with_last_survey(past: ir.Table) -> ir.Table:
    """The interactions, each with the time of its customer's last survey, null without one."""
    surveyed_at = past.happened_at.max(where=past.kind == "survey")
    return past.mutate(last_survey_at=surveyed_at.over(group_by="customer_id"))


interactions = Family(
    "interactions",
    source="interactions",
    about="Counts and recency of contacts and events by kind, direction and channel.",
    rows=with_last_survey,
)

# Three windows, not five: most kinds are too rare for a week to say anything.
CONTACT_WINDOWS = (30, 90, 365)


@interactions.feature(days=CONTACT_WINDOWS)
def contacts(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Interactions of any kind in the last {days} days, a count."""
    return past.count(where=recent)


@interactions.feature(direction=("in", "out"), days=CONTACT_WINDOWS)
def contacts_going(past: ir.Table, recent: ir.BooleanValue, direction: str) -> ir.Value:
    """Interactions going {direction} (in: from the customer) in the last {days} days, a count."""
    return past.count(where=recent & (past.direction == direction).fill_null(False))


@interactions.feature(direction=("in", "out"))
def days_since_going(past: ir.Table, direction: str) -> ir.Value:
    """Days since the last interaction going {direction} (in: from the customer)."""
    return past.days_ago.min(where=(past.direction == direction).fill_null(False))


@interactions.feature
def days_since_interaction(past: ir.Table) -> ir.Value:
    """Days since the last interaction of any kind; null without one."""
    return past.days_ago.min()


@interactions.feature(kind=INTERACTION_KINDS, days=CONTACT_WINDOWS)
def count(past: ir.Table, recent: ir.BooleanValue, kind: str) -> ir.Value:
    """Interactions of the kind {kind} in the last {days} days, a count."""
    return past.count(where=recent & (past.kind == kind))


@interactions.feature(kind=INTERACTION_KINDS)
def days_since(past: ir.Table, kind: str) -> ir.Value:
    """Days since the last interaction of the kind {kind}; null without one."""
    return past.days_ago.min(where=past.kind == kind)


@interactions.feature
def open_complaints(past: ir.Table) -> ir.Value:
    """Complaints not resolved so far, a count; told apart by case_id, else by their time."""
    case = past.case_id.fill_null(past.happened_at.cast("string"))
    complained = case.nunique(where=past.kind == "complaint")
    resolved = case.nunique(where=past.kind == "complaint_resolved")
    return (complained - resolved).clip(lower=0)


@interactions.feature
def payments_failed_unrecovered(past: ir.Table) -> ir.Value:
    """Failed payments less recovered ones so far, a count, never below 0."""
    failed = past.count(where=past.kind == "payment_failed")
    recovered = past.count(where=past.kind == "payment_recovered")
    return (failed - recovered).clip(lower=0)


@interactions.feature
def survey_mean(past: ir.Table) -> ir.Value:
    """Mean answer to surveys so far, in the survey's own scale; null without one."""
    return past.value.mean(where=past.kind == "survey")


@interactions.feature
def survey_last(past: ir.Table) -> ir.Value:
    """Last answer to a survey, in its own scale, the mean if several; null without one."""
    return past.value.mean(
        where=(past.kind == "survey") & (past.happened_at == past.last_survey_at)
    )


@interactions.feature(days=(30, 90))
def usage_value(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Sum of the values of usage events (such as minutes) in the last {days} days."""
    return past.value.sum(where=recent & (past.kind == "usage")).fill_null(0.0)


@interactions.feature(days=(30, 90))
def usage_trend(past: ir.Table, recent: ir.BooleanValue, before: ir.BooleanValue) -> ir.Value:
    """Log ratio of visits and usage events in the last {days} days to the {days} days before."""
    active = past.kind.isin(("visit", "usage"))
    now, then = past.count(where=recent & active), past.count(where=before & active)
    return ((now + 1.0) / (then + 1.0)).ln()


@interactions.feature
def contact_channels(past: ir.Table) -> ir.Value:
    """Distinct channels of interactions so far, a count."""
    return past.channel.nunique()


@interactions.feature
def personal_channel_share(past: ir.Table) -> ir.Value:
    """Share of interactions through a person (face to face, phone, letter), 0 to 1."""
    personal = past.channel.isin(("face_to_face", "phone", "letter"))
    return personal.cast("float64").mean()
