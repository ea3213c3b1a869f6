"""Given payments due, failed and recovered, expected debts, shares and signs."""

import pytest

from features.payment import payment
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    interactions=[
        "ann  2024-03-21  payment_due        out  email  -   value=10",  # 10 days ago
        "ann  2024-02-10  payment_due        out  email  -   value=20",  # 50 days ago
        "ann  2023-06-05  payment_due        out  email  -   value=30",  # 300 days ago
        "ann  2024-02-11  payment_failed     -    -      -   value=5",
        "ann  2024-02-21  payment_recovered",  # 10 days after the failure
        "ann  2024-03-11  payment_failed     -    -      -   value=20",  # 20 days ago
        "ann  2024-03-16  payment_failed     -    -      c1  value=7",
        "bob  2024-03-26  payment_due        out  email  -   value=12",  # not yet known to fail
        "bob  2023-12-21  payment_due        out  email  -   value=12",
        "bob  2023-12-22  payment_failed",  # 100 days ago
        "bob  2024-03-26  chargeback         -    -      -   value=12 detail=fraud",
        "ann  2024-01-21  complaint",  # 50 days before the first payment that is not recovered
        "ann  2024-03-12  complaint",  # the day after it
        "bob  2023-12-22  complaint          in   phone  c2",  # the day of it
        "bob  2023-12-01  complaint          in   phone  c3",
        "bob  2023-12-21  complaint_resolved out  phone  c3",  # settled the day before
        "bob  2024-03-26  fraud_flag",
    ]
)

EXPECTED = {
    #                                   ann      bob
    "payments_failed_unrecovered":      (2,      1),
    "payments_unrecovered_recent_90d":  (2,      0),
    "payments_unrecovered_recent_365d": (2,      1),
    "days_past_due":                    (20,     100),
    "amount_past_due":                  (27,     0),
    "recovered_share":                  (1 / 3,  0),
    "recovery_mean":                    (10,     None),
    "failed_per_due_90d":               (3 / 2,  0 / 1),
    "failed_per_due_365d":              (3 / 3,  1 / 2),
    "disputed_per_due_90d":             (0 / 2,  1 / 1),
    "disputed_per_due_365d":            (0 / 3,  1 / 2),
    "payment_due_mean":                 (20,     12),
    "chargebacks":                      (0,      1),
    "chargeback_amount":                (0,      12),
    "fraud_flags":                      (0,      1),
    "ever_paid":                        (1,      0),
    "fraud_chargebacks_365d":           (0,      1),
    "payments_fell_due":                (2,      1),
    "complaints_at_refusal":            (1,      1),
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(payment, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_payments_are_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann)
    assert values["bob"][name] == pytest.approx(bob)


def test_a_recovery_ends_all_failures_of_its_case_before_it_and_no_others():
    given = world(
        interactions=[
            "ann  2024-03-01  payment_failed     - - c1",
            "ann  2024-03-02  payment_failed     - - c1",
            "ann  2024-03-02  payment_failed     - - c2",
            "ann  2024-03-03  payment_recovered  - - c1",
            "ann  2024-03-09  payment_failed     - - c1",
        ]
    )
    assert given.feature("payments_failed_unrecovered", AS_OF) == {"ann": 2}
    assert given.feature("days_past_due", AS_OF) == {"ann": 29}
    assert given.feature("recovery_mean", AS_OF) == {"ann": 1.5}


def test_a_recovery_without_a_case_ends_no_failure_of_a_case():
    given = world(
        interactions=[
            "ann  2024-03-01  payment_failed - - c1",
            "ann  2024-03-02  payment_recovered",
        ]
    )
    assert given.feature("payments_failed_unrecovered", AS_OF) == {"ann": 1}


def test_who_never_owed_is_not_known_to_pay_or_not():
    given = world(interactions=["ann  2024-03-01  visit", "bob  2024-03-26  payment_due"])
    assert given.feature("ever_paid", AS_OF) == {"ann": None, "bob": None}


def test_a_payment_due_for_a_month_that_did_not_fail_was_made():
    given = world(interactions=["ann  2024-03-01  payment_due"])
    assert given.feature("ever_paid", AS_OF) == {"ann": 1}


REFUSED = "ann  2024-03-21  payment_failed"


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([REFUSED, "ann  2024-03-11  complaint"], 1),
        ([REFUSED, "ann  2024-03-22  complaint"], 0),  # first he did not pay, then he complained
        ([REFUSED, "ann  2024-03-11  complaint", "ann  2024-03-20  complaint_resolved"], 0),
        ([REFUSED, "ann  2024-03-11  complaint", "ann  2024-03-22  complaint_resolved"], 1),
        ([REFUSED, "ann  2023-12-22  complaint"], 1),  # 90 days before
        ([REFUSED, "ann  2023-12-21  complaint"], 0),
        ([REFUSED, "ann  2024-03-11  complaint", "ann  2024-03-25  payment_recovered"], 0),
        (["ann  2024-03-21  chargeback", "ann  2024-03-11  complaint"], 1),
        # The first refusal counts, and it came before the complaint.
        ([REFUSED, "ann  2024-03-01  chargeback", "ann  2024-03-11  complaint"], 0),
        (["ann  2023-03-01  payment_failed", "ann  2023-02-28  complaint"], 0),  # of a year before
        (["ann  2024-03-11  complaint"], 0),
    ],
)
def test_a_complaint_counts_when_it_was_open_at_the_first_refusal(events, expected):
    given = world(interactions=events)
    assert given.feature("complaints_at_refusal", AS_OF) == {"ann": expected}
