"""What the contacts of a business tell by a moment: who speaks to whom, service, satisfaction."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from features import backend, exact
from features.cases import cases
from features.contact import ANSWER_DAYS, our_contacts
from features.direction import is_control, is_inbound, is_outbound
from features.following import SECONDS_OF_DAY, SECONDS_OF_HOUR
from features.satisfaction import surveys
from features.service import complaint_topics
from serving import cohorts
from serving.kpi_events import MONTHS, YEAR, Figures, Known, effective_number, one, ratio

TOUCHES = ("contact", "complaint_resolved")  # what an answer soon after is about
# What the best answer of a survey may be; the smallest that holds all answers is taken.
SCALES = (5.0, 10.0, 100.0)
SATISFIED = 0.8  # of the best answer: 4 of 5, as item 26 asks (PRODUCT 26)


def contacts(known: Known) -> Figures:
    """Figures of how often who comes to whom, through what, and whether we are answered."""
    year = known.contacts.filter(known.in_year)
    got = one(year.agg(come=year.count(where=is_inbound(year)),
                       go=year.count(where=is_outbound(year)),
                       told=year.direction.count()))  # fmt: skip
    come, go = (got["come"], got["go"]) if got["told"] else (None, None)
    people = _customers(known, year)
    ours = our_contacts(year)
    # Those of the last week are left out: their time to be answered is not over.
    asked = ours.filter(ours.days_ago >= ANSWER_DAYS)
    answers = one(asked.agg(asked=asked.count(), answered=asked.count(where=asked.is_answered)))
    by_channel = _channel_counts(year)
    return {
        "contacts_in": ratio(come, people * MONTHS),
        "contacts_out": ratio(go, people * MONTHS),
        "reciprocity": None if come is None else ratio(min(come, go), max(come, go)),
        "response_rate": ratio(answers["answered"], answers["asked"]),
        "contact_channels": float(len(by_channel)) or None,
        "contact_channels_effective": effective_number(by_channel),
    }


def service(known: Known) -> Figures:
    """Figures of the cases opened in the year: how soon, how well and how surely they end."""
    year = cases(known.contacts).filter(known.in_year)
    answered = year.answer_seconds.notnull()
    resolved = year.resolution_seconds.notnull()
    at_once = resolved & (year.contacts == 1) & ~year.is_reopened
    # A case of yesterday without an answer may still be answered in time.
    judged = (year.contacts > 0) & (answered | (year.days_ago > 1))
    got = one(
        year.agg(
            resolution=exact.mean(year.resolution_seconds),
            response=year.answer_seconds.median(),
            answered=year.count(where=answered),
            in_time=year.count(where=judged & (year.answer_seconds <= SECONDS_OF_DAY)),
            judged=year.count(where=judged),
            resolved=year.count(where=resolved),
            at_once=year.count(where=at_once),
            reopened=year.count(where=year.is_reopened),
            complained=year.count(where=year.complaints > 0),
            open=year.count(where=year.unresolved > 0),
        )
    )
    is_answered = bool(got["answered"])  # else our answers are more likely not in the data
    return {
        "resolution_hours": ratio(got["resolution"], SECONDS_OF_HOUR),
        "first_response_hours": ratio(got["response"], SECONDS_OF_HOUR),
        "answered_within_day": ratio(got["in_time"], got["judged"]) if is_answered else None,
        "first_contact_resolution": ratio(got["at_once"], got["resolved"]),
        "reopen_rate": ratio(got["reopened"], got["resolved"]),
        "unresolved_share": ratio(got["open"], got["complained"]) if got["resolved"] else None,
        "repeat_fault_share": _repeated_topics(known),
    }


def satisfaction(known: Known) -> Figures:
    """Figures of the answers to surveys, and how many of the lost had been satisfied."""
    told = known.contacts.kind.isin(("survey", *TOUCHES))
    answers = surveys(known.contacts.filter(told))
    year = answers.filter(known.in_year)
    best = best_answer(known)
    got = one(
        year.agg(
            mean=exact.mean(year.value),
            answers=year.count(),
            satisfied=year.count(where=year.value >= SATISFIED * (best or 0.0)),
            contact=exact.mean(year.value, year.after_contact),
            solution=exact.mean(year.value, year.after_complaint_resolved),
        )
    )
    return {
        "survey_mean": got["mean"],
        "satisfied_share": ratio(got["satisfied"], got["answers"]) if best else None,
        "contact_rating": got["contact"],
        "solution_rating": got["solution"],
        "satisfied_churn_share": _satisfied_churn(known, best) if best else None,
    }


def payments(known: Known) -> Figures:
    """Figures of disputes: chargebacks by payments due in the year."""
    year = known.contacts.filter(known.in_year)
    got = one(year.agg(due=year.count(where=year.kind == "payment_due"),
                       back=year.count(where=year.kind == "chargeback")))  # fmt: skip
    return {"dispute_rate": ratio(got["back"], got["due"])}


def best_answer(known: Known) -> float | None:
    """The best answer that the surveys allow, taken from all of them; None beyond known scales."""
    answers = known.contacts.filter(known.contacts.kind == "survey")
    most = one(answers.agg(most=answers.value.max()))["most"]
    return next((scale for scale in SCALES if most is not None and most <= scale), None)


def _customers(known: Known, contacts: ir.Table) -> float:
    """How many bought or were in touch in the year."""
    bought = known.days.filter(known.days.days_ago < YEAR)
    people = ibis.union(bought.select("customer_id"), contacts.select("customer_id"))
    return one(people.agg(count=people.customer_id.nunique()))["count"] or 0.0


def _channel_counts(contacts: ir.Table) -> NDArray[np.float64]:
    met = contacts.filter(contacts.channel.notnull(), ~is_control(contacts))
    found = met.group_by("channel").agg(contacts=met.count()).order_by("channel")
    return np.asarray(backend.connect().to_pyarrow(found)["contacts"], dtype=np.float64)


def _repeated_topics(known: Known) -> float | None:
    """Share of the year's complaints whose topic the same customer had complained of in it."""
    topics = complaint_topics(known.contacts.filter(known.in_year))
    got = one(topics.agg(topics=topics.count(), complaints=topics.complaints.sum()))
    complaints = got["complaints"]
    return ratio(complaints - got["topics"], complaints) if complaints else None


def _satisfied_churn(known: Known, best: float) -> float | None:
    """Of those lost in the year who had answered a survey, the share whose last answer was good."""
    lost = cohorts.lost(known.days, known.churn.active_days, YEAR)
    answers = known.contacts.filter(known.contacts.kind == "survey")
    answers = answers.select("customer_id", "value", answered_days_ago=answers.days_ago)
    asked = lost.join(answers, "customer_id")
    asked = asked.filter(asked.answered_days_ago >= asked.lost_days_ago)
    last = asked.group_by("customer_id", "lost_days_ago").agg(
        value=asked.value.argmin(asked.answered_days_ago)
    )
    got = one(last.agg(all=last.count(), good=last.count(where=last.value >= SATISFIED * best)))
    return ratio(got["good"], got["all"])
