"""How a customer pays: payments failed and recovered, what is past due, chargebacks and fraud.

No kind of event says that a payment was made. So a payment counts as made when it came due and did
not fail, and a failure is over with the next `payment_recovered` of its case. Failures without a
case are of one account: the next recovery without a case ends all of them before it.
"""

import ibis
import ibis.expr.types as ir

from features import exact
from features.events import FRAUD, PAYMENT_KINDS
from features.family import Family
from features.following import SECONDS_OF_DAY, next_time, seconds_between
from features.refusal import complaints_before_refusal


def payments(past: ir.Table) -> ir.Table:
    """One row per event about payments, with the next recovery of its case as `recovered_at`."""
    about = past.filter(past.kind.isin((*PAYMENT_KINDS, "fraud_flag")))
    recovered = about.kind == "payment_recovered"
    return about.mutate(recovered_at=next_time(about, recovered, "customer_id", "case_id"))


payment = Family(
    "payment",
    source="interactions",
    about="Failed and recovered payments, what is past due, chargebacks and signs of fraud.",
    owner="accounts",
    privacy="sensitive",
    rows=payments,
)

PAYMENT_WINDOWS = (90, 365)  # days: payments fall due once a month, and few fail
GRACE_DAYS = 30  # by then a payment that fell due and failed is known to have failed


def _failed(past: ir.Table) -> ir.BooleanValue:
    return past.kind == "payment_failed"


def _unrecovered(past: ir.Table) -> ir.BooleanValue:
    return _failed(past) & past.recovered_at.isnull()


def _due(past: ir.Table) -> ir.BooleanValue:
    return past.kind == "payment_due"


def _fell_due(past: ir.Table) -> ir.BooleanValue:
    return _due(past) & (past.days_ago >= GRACE_DAYS)


@payment.feature
def payments_failed_unrecovered(past: ir.Table) -> ir.Value:
    """Failed payments that no recovery followed so far, a count."""
    return past.count(where=_unrecovered(past))


@payment.feature(days=PAYMENT_WINDOWS)
def payments_unrecovered_recent(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Failed payments of the last {days} days that no recovery followed, a count."""
    return past.count(where=recent & _unrecovered(past))


@payment.feature
def days_past_due(past: ir.Table) -> ir.Value:
    """Days since the oldest failed payment that no recovery followed; null without one."""
    return past.days_ago.max(where=_unrecovered(past))


@payment.feature
def amount_past_due(past: ir.Table) -> ir.Value:
    """Sum of the values of failed payments that no recovery followed, currency units."""
    return exact.total(past.value, where=_unrecovered(past))


@payment.feature
def recovered_share(past: ir.Table) -> ir.Value:
    """Share of failed payments that a recovery followed, 0 to 1; null without a failure."""
    recovered = _failed(past) & past.recovered_at.notnull()
    return past.count(where=recovered) / past.count(where=_failed(past)).nullif(0)


@payment.feature
def recovery_mean(past: ir.Table) -> ir.Value:
    """Mean days from a failed payment to its recovery; null without one."""
    waited = seconds_between(past.happened_at, past.recovered_at)
    return exact.mean(waited, where=_failed(past)) / SECONDS_OF_DAY


@payment.feature(days=PAYMENT_WINDOWS)
def failed_per_due(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Failed payments by payments due in the last {days} days, a ratio; null without one due."""
    return _per_due(past, recent, _failed(past))


@payment.feature(days=PAYMENT_WINDOWS)
def disputed_per_due(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Chargebacks by payments due in the last {days} days, a ratio; null without one due."""
    return _per_due(past, recent, past.kind == "chargeback")


@payment.feature
def payment_due_mean(past: ir.Table) -> ir.Value:
    """Mean value of a payment due, currency units; null without one."""
    return exact.mean(past.value, where=_due(past))


@payment.feature
def chargebacks(past: ir.Table) -> ir.Value:
    """Payments charged back so far, a count."""
    return past.count(where=past.kind == "chargeback")


@payment.feature
def chargeback_amount(past: ir.Table) -> ir.Value:
    """Sum of the values of chargebacks so far, currency units."""
    return exact.total(past.value, where=past.kind == "chargeback")


@payment.feature
def fraud_flags(past: ir.Table) -> ir.Value:
    """Signs of fraud so far, a count."""
    return past.count(where=past.kind == "fraud_flag")


@payment.feature(days=(365,), for_models=False)
def fraud_chargebacks(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Payments charged back for fraud (their detail) in the last {days} days, a count."""
    return past.count(where=recent & (past.kind == "chargeback") & (past.detail == FRAUD))


@payment.feature(for_models=False)
def payments_fell_due(past: ir.Table) -> ir.Value:
    """Payments that fell due 30 days ago or longer, which are known to be paid or not, a count."""
    return past.count(where=_fell_due(past))


@payment.feature(rows=complaints_before_refusal, for_models=False)
def complaints_at_refusal(past: ir.Table) -> ir.Value:
    """Complaints of the 90 days before the first refusal that were open at it, a count."""
    return past.count()


@payment.feature
def ever_paid(past: ir.Table) -> ir.Value:
    """Whether a payment was made, 0 to 1: one recovered, or more due than failed; null unknown."""
    fell_due = past.count(where=_fell_due(past))
    failed = past.count(where=_unrecovered(past))
    recovered = past.count(where=past.kind == "payment_recovered")
    paid = ((recovered > 0) | (fell_due > failed)).cast("float64")
    return ibis.ifelse(fell_due + failed + recovered > 0, paid, ibis.null("float64"))


def _per_due(past: ir.Table, recent: ir.BooleanValue, chosen: ir.BooleanValue) -> ir.Value:
    return past.count(where=recent & chosen) / past.count(where=recent & _due(past)).nullif(0)
