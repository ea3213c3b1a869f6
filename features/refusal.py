"""What came before a customer refused to pay: complaints still open, and answers to surveys.

A refusal is a payment that failed and that no recovery followed, or one that was charged back. Of
the last year the first counts: what came after it is its consequence and not its cause (PRODUCT 27,
retaliatory churn).
"""

import ibis.expr.types as ir

from features.cases import complaints
from features.following import SECONDS_OF_DAY, next_time, seconds_between

REFUSAL_DAYS = 365  # an older one is settled or written off
UNREST_DAYS = 90  # who complained a quarter before has had his answer, or pays all the same


def first_refusals(past: ir.Table) -> ir.Table:
    """One row per customer who refused to pay in the last year, with the time `refused_at`."""
    recovered = past.kind == "payment_recovered"
    payments = past.mutate(recovered_at=next_time(past, recovered, "customer_id", "case_id"))
    failed = (payments.kind == "payment_failed") & payments.recovered_at.isnull()
    is_refusal = failed | (payments.kind == "chargeback")
    refused = payments.filter(is_refusal & (payments.days_ago < REFUSAL_DAYS))
    return refused.group_by("customer_id").agg(refused_at=refused.happened_at.min())


def complaints_before_refusal(past: ir.Table) -> ir.Table:
    """One row per complaint of the UNREST_DAYS before the first refusal that was open at it."""
    made = complaints(past).inner_join(first_refusals(past), "customer_id")
    was_open = made.resolved_at.isnull() | (made.resolved_at > made.refused_at)
    return made.filter(was_open & _came_before(made))


def answers_before_refusal(past: ir.Table) -> ir.Table:
    """One row per answer to a survey of the UNREST_DAYS before the first refusal."""
    answers = past.filter(past.kind == "survey", past.value.notnull())
    made = answers.inner_join(first_refusals(past), "customer_id")
    return made.filter(_came_before(made))


def _came_before(made: ir.Table) -> ir.BooleanValue:
    """At or before the refusal, since days without a time stand at midnight all alike."""
    waited = seconds_between(made.happened_at, made.refused_at)
    return (waited >= 0) & (waited <= UNREST_DAYS * SECONDS_OF_DAY)
