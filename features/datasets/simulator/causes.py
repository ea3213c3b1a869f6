"""Why simulated customers leave: six causes that compete, and the signs each one gives before.

For every cause a customer is calm, warned or in danger. Warned and endangered customers give
signs; from danger some leave and some become calm again, and a few leave out of calm without any
sign. How the causes run their course is told in simulator.fates.py.
"""

from __future__ import annotations

from dataclasses import dataclass

CALM, WARNED, DANGER, GONE = range(4)


@dataclass(frozen=True)
class Sign:
    """An event that a customer in a state of risk gives rise to.

    mean: expected number in a mean stay in the state; they are spread evenly over the stay.
    """

    state: int
    kind: str
    mean: float


@dataclass(frozen=True)
class Cause:
    """One way to lose a customer. Rates are those of an average customer, untreated."""

    name: str
    onset: float  # a year, calm -> warned
    silent: float  # a year, calm -> gone, without a sign
    warning_days: float  # mean stay in warned
    escalates: float  # share of warnings that turn into danger
    danger_days: float  # mean stay in danger
    leaves: float  # share of dangers that end in leaving
    by_customer: bool  # the customer ends it; otherwise we do, for lack of payment
    treatable: bool  # a campaign can change it: nobody is won back from fraud or a removal
    signs: tuple[Sign, ...]


# Chosen so that all six occur, fault and competition most and nature and malice least (about 15, 10
# and 3 to 4 % of the customers in the default simulation), and most who show signs stay.
# name, onset, silent, warning_days, escalates, danger_days, leaves, by_customer, treatable, signs
CAUSES = (
    Cause(
        "natural", 0.075, 0.012, 25.0, 0.55, 30.0, 0.55, True, False,
        (Sign(WARNED, "life_event", 1.1), Sign(DANGER, "contact", 0.6)),
    ),
    Cause(
        "competitive", 0.50, 0.045, 30.0, 0.50, 35.0, 0.50, True, True,
        (Sign(WARNED, "price_check", 1.8), Sign(DANGER, "price_check", 0.8),
         Sign(DANGER, "competitor_mention", 0.9)),
    ),
    Cause(
        "fault", 0.52, 0.055, 20.0, 0.55, 35.0, 0.50, True, True,
        (Sign(WARNED, "complaint", 1.0), Sign(WARNED, "survey", 0.3),
         Sign(DANGER, "complaint", 0.6), Sign(DANGER, "survey", 0.4)),
    ),
    Cause(
        "non_malicious", 0.25, 0.015, 15.0, 0.55, 25.0, 0.45, False, True,
        (Sign(WARNED, "payment_failed", 1.4), Sign(DANGER, "payment_failed", 1.3)),
    ),
    Cause(
        "retaliatory", 0.15, 0.006, 20.0, 0.60, 20.0, 0.60, False, True,
        (Sign(WARNED, "complaint", 1.4), Sign(WARNED, "survey", 0.4),
         Sign(DANGER, "payment_failed", 1.3), Sign(DANGER, "chargeback", 0.7)),
    ),
    Cause(
        "malicious", 0.050, 0.005, 12.0, 0.65, 12.0, 0.65, False, False,
        (Sign(WARNED, "fraud_flag", 1.3), Sign(DANGER, "chargeback", 1.2),
         Sign(DANGER, "payment_failed", 0.8)),
    ),
)  # fmt: skip
CAUSE_NAMES = tuple(cause.name for cause in CAUSES)
