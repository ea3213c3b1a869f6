"""Cases of service: what a customer asked or complained of, when it was answered and resolved.

A case is what shares a `case_id`. Complaints without one are told apart by their number: the first
resolution without one resolves the first of them, the second the second.
"""

import ibis
import ibis.expr.types as ir

from features.direction import is_inbound, is_outbound
from features.events import PAYMENT_KINDS
from features.following import next_time, seconds_between

COMPLAINT_KINDS = ("complaint", "complaint_resolved")
_CASE = ("customer_id", "case_id", "number")


def cases(past: ir.Table) -> ir.Table:
    """One row per case.

    happened_at, days_ago: of its first event. contacts: by the customer. answer_seconds: from the
    customer's first contact to our next. complaints, unresolved: counts. open_days: since the
    oldest unresolved complaint. silent_days: since an unresolved complaint that is the last we
    heard of the customer. resolution_seconds: from the first complaint to its resolution.
    is_reopened: complained again after that. Each null where there is none.
    """
    events = _events(past)
    complained = events.kind == "complaint"
    unresolved = complained & events.resolved_at.isnull()
    resolved_at = events.resolved_at.min(where=complained)
    return events.group_by(_CASE).agg(
        happened_at=events.happened_at.min(),
        days_ago=events.days_ago.max(),
        contacts=events.count(where=events.came_in),
        answer_seconds=seconds_between(
            events.happened_at.min(where=events.came_in),
            events.answered_at.min(where=events.came_in),
        ),
        complaints=events.count(where=complained),
        unresolved=events.count(where=unresolved),
        open_days=events.days_ago.max(where=unresolved),
        silent_days=events.days_ago.min(where=unresolved & events.is_last_heard),
        resolution_seconds=seconds_between(events.happened_at.min(where=complained), resolved_at),
        is_reopened=(events.happened_at.max(where=complained) > resolved_at).fill_null(False),
    )


def answered_cases(past: ir.Table) -> ir.Table:
    """One row per answered case, with the `seconds` of the answer; see `_timed`."""
    return _timed(cases(past), "answer_seconds")


def resolved_cases(past: ir.Table) -> ir.Table:
    """One row per resolved complaint, with the `seconds` of the resolution; see `_timed`."""
    return _timed(cases(past), "resolution_seconds")


def complaints(past: ir.Table) -> ir.Table:
    """One row per complaint, with the time of its resolution as `resolved_at`; null while open."""
    events = _events(past)
    return events.filter(events.kind == "complaint")


def _timed(rows: ir.Table, seconds: str) -> ir.Table:
    """The cases that have that time.

    is_last: the customer's newest case, or several of one time. is_middle: the case in the middle
    by its time, or the two there: their mean is the median, which not every engine has.
    """
    timed = rows.filter(rows[seconds].notnull()).mutate(seconds=lambda found: found[seconds])
    newest = timed.happened_at.max().over(group_by="customer_id")
    count = timed.count().over(group_by="customer_id")
    place = ibis.row_number().over(group_by="customer_id", order_by="seconds")
    return timed.mutate(
        is_last=timed.happened_at == newest,
        is_middle=(2 * place - (count - 1)).abs() <= 1,
    )


def _events(past: ir.Table) -> ir.Table:
    """The events of cases, each with the next answer and the next resolution in its case.

    came_in: whether it came from the customer. is_last_heard: it did, and nothing came after it.
    """
    heard_at = past.happened_at.max(where=is_inbound(past)).over(group_by="customer_id")
    known = past.mutate(is_last_heard=past.happened_at == heard_at)
    about_a_case = known.case_id.notnull() | known.kind.isin(COMPLAINT_KINDS)
    events = _numbered(known.filter(about_a_case, ~known.kind.isin(PAYMENT_KINDS)))
    resolved = events.kind == "complaint_resolved"
    return events.mutate(
        came_in=is_inbound(events),
        answered_at=next_time(events, is_outbound(events), *_CASE),
        resolved_at=next_time(events, resolved, *_CASE),
    )


def _numbered(events: ir.Table) -> ir.Table:
    """The events with a number that tells complaints without a case apart; 0 with a case."""
    order = ibis.row_number().over(
        group_by=["customer_id", "case_id", "kind"], order_by="happened_at"
    )
    return events.mutate(number=ibis.ifelse(events.case_id.isnull(), order + 1, 0))
