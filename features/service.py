"""How a customer is served: the wait for an answer, complaints, and cases open and reopened."""

import ibis.expr.types as ir

from features import exact
from features.cases import answered_cases, cases, resolved_cases
from features.direction import is_inbound
from features.family import Family
from features.following import SECONDS_OF_DAY, SECONDS_OF_HOUR


def complaint_topics(past: ir.Table) -> ir.Table:
    """One row per customer and topic of complaints, their `detail`, with how many there were."""
    complained = past.filter(past.kind == "complaint", past.detail.notnull())
    return complained.group_by("customer_id", "detail").agg(complaints=complained.count())


service = Family(
    "service",
    source="interactions",
    about="The wait for answers and resolutions, complaints, open and reopened cases.",
    owner="customer service",
    rows=cases,
)

SERVICE_WINDOWS = (90, 365)  # days: cases are rare


@service.feature(rows=answered_cases)
def first_response_mean(past: ir.Table) -> ir.Value:
    """Mean hours from a customer's first contact in a case to our answer; null without one."""
    return exact.mean(past.seconds) / SECONDS_OF_HOUR


@service.feature(rows=answered_cases, days=SERVICE_WINDOWS)
def first_response_mean_recent(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Mean hours to our answer in the cases opened in the last {days} days; null without one."""
    return exact.mean(past.seconds, where=recent) / SECONDS_OF_HOUR


@service.feature(rows=answered_cases)
def first_response_median(past: ir.Table) -> ir.Value:
    """Median hours from a customer's first contact in a case to our answer; null without one."""
    return exact.mean(past.seconds, where=past.is_middle) / SECONDS_OF_HOUR


@service.feature(rows=answered_cases)
def first_response_last(past: ir.Table) -> ir.Value:
    """Hours to our answer in the newest answered case, the mean if several; null without one."""
    return exact.mean(past.seconds, where=past.is_last) / SECONDS_OF_HOUR


@service.feature
def answered_within_day_share(past: ir.Table) -> ir.Value:
    """Share of the customer's cases answered within 24 hours, 0 to 1; null without one."""
    in_time = past.answer_seconds <= SECONDS_OF_DAY
    # A case of yesterday without an answer may still be answered in time.
    judged = (past.contacts > 0) & (past.answer_seconds.notnull() | (past.days_ago > 1))
    return past.count(where=judged & in_time) / past.count(where=judged).nullif(0)


@service.feature
def unanswered_cases(past: ir.Table) -> ir.Value:
    """Cases in which the customer came to us and never got an answer, a count."""
    return past.count(where=(past.contacts > 0) & past.answer_seconds.isnull())


@service.feature(rows=resolved_cases)
def resolution_mean(past: ir.Table) -> ir.Value:
    """Mean hours from the first complaint of a case to its resolution; null without one."""
    return exact.mean(past.seconds) / SECONDS_OF_HOUR


@service.feature(rows=resolved_cases)
def resolution_median(past: ir.Table) -> ir.Value:
    """Median hours from the first complaint of a case to its resolution; null without one."""
    return exact.mean(past.seconds, where=past.is_middle) / SECONDS_OF_HOUR


@service.feature(rows=resolved_cases)
def resolution_last(past: ir.Table) -> ir.Value:
    """Hours to the resolution of the newest resolved case, the mean if several; null without."""
    return exact.mean(past.seconds, where=past.is_last) / SECONDS_OF_HOUR


@service.feature
def open_complaints(past: ir.Table) -> ir.Value:
    """Cases with a complaint that is not resolved so far, a count."""
    return past.count(where=past.unresolved > 0)


@service.feature
def oldest_open_complaint(past: ir.Table) -> ir.Value:
    """Days since the oldest complaint that is not resolved so far; null without one."""
    return past.open_days.max()


@service.feature(days=SERVICE_WINDOWS)
def open_complaints_recent(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Cases of the last {days} days with a complaint that is not resolved so far, a count."""
    return past.count(where=recent & (past.unresolved > 0))


@service.feature
def unresolved_share(past: ir.Table) -> ir.Value:
    """Share of the cases with a complaint in which one is not resolved, 0 to 1; null without."""
    return past.count(where=past.unresolved > 0) / past.count(where=past.complaints > 0).nullif(0)


@service.feature
def reopened_cases(past: ir.Table) -> ir.Value:
    """Cases in which the customer complained again after a resolution, a count."""
    return past.count(where=past.is_reopened)


@service.feature
def reopened_share(past: ir.Table) -> ir.Value:
    """Share of resolved cases in which the customer complained again, 0 to 1; null without one."""
    resolved = past.resolution_seconds.notnull()
    return past.count(where=past.is_reopened) / past.count(where=resolved).nullif(0)


@service.feature
def first_contact_resolution_share(past: ir.Table) -> ir.Value:
    """Share of resolved cases for which the customer came once only, 0 to 1; null without one."""
    resolved = past.resolution_seconds.notnull()
    at_once = resolved & (past.contacts == 1) & ~past.is_reopened
    return past.count(where=at_once) / past.count(where=resolved).nullif(0)


@service.feature
def silence_after_complaint(past: ir.Table) -> ir.Value:
    """Days since an unresolved complaint after which the customer was not heard of; else null."""
    return past.silent_days.min()


@service.feature(rows=complaint_topics)
def repeated_complaint_share(past: ir.Table) -> ir.Value:
    """Share of complaints whose topic was complained of before, 0 to 1; null without a topic."""
    complaints = past.complaints.sum()
    return (complaints - past.count()) / complaints


@service.feature(rows=lambda past: past, days=SERVICE_WINDOWS)
def complaints_per_100_contacts(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Complaints per 100 contacts from the customer in the last {days} days, a ratio."""
    complained = past.count(where=recent & (past.kind == "complaint"))
    return 100 * complained / past.count(where=recent & is_inbound(past)).nullif(0)
