"""Given contacts each way, expected balance, answers, pressure, campaigns and exposures."""

from math import log
from statistics import mean, stdev

import pytest

from features.contact import contact
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    interactions=[
        "ann  2024-03-28  visit       in   website",  # 3 days ago
        "ann  2024-03-26  campaign    out  email  -  value=1",  # 5 days ago
        "ann  2024-03-21  contact     out  phone",  # 10 days ago, answered after 7 days
        "ann  2024-03-01  email_open  in   email",  # 30 days ago: not in the last 30 days
        "ann  2024-02-20  contact     out  email",  # 40 days ago, not answered within 7 days
        "ann  2024-02-10  complaint   in   phone",  # 50 days ago
        "ann  2023-12-22  campaign    out  email  -  value=0",  # control: nothing was sent
        "ann  2023-06-05  referral    in   website",  # 300 days ago
        "ann  2023-12-01  contact     -    phone  -  detail=how_to",  # 121 days ago, no direction
        "bob  2024-03-01  contact     -    phone  -  detail=how_to",
        "bob  2024-03-31  visit       in   media",  # an exposure is no act of his
        "bob  2024-02-20  campaign    out  letter",  # without a value: no control
        "bob  2024-02-10  complaint",  # comes in, though nobody says so
        "bob  2024-01-21  complaint_resolved",  # 70 days ago, goes out
        "bob  2023-06-05  contract    in   face_to_face",
    ]
)
GAPS = [250, 20, 27]

EXPECTED = {
    #                              ann                       bob
    "contacts_going_in_30d":       (1,                       0),
    "contacts_going_in_90d":       (3,                       1),
    "contacts_going_in_365d":      (4,                       2),
    "contacts_going_out_30d":      (2,                       0),
    "contacts_going_out_90d":      (3,                       2),
    "contacts_going_out_365d":     (3,                       2),
    "days_since_going_in":         (3,                       50),
    "days_since_going_out":        (5,                       40),
    "reciprocity_30d":             (1 / 2,                   None),
    "reciprocity_90d":             (3 / 3,                   1 / 2),
    "reciprocity_365d":            (3 / 4,                   2 / 2),
    "inbound_trend_30d":           (log(2 / 3),              log(1 / 2)),
    "inbound_trend_90d":           (log(4 / 1),              log(2 / 1)),
    "inbound_gap_mean":            (mean(GAPS),              250),
    "inbound_gap_variation":       (stdev(GAPS) / mean(GAPS), None),
    "outbound_rate":               (3 / 10,                  2 / 10),
    "outbound_pressure_30d":       (log(3 / 2),              log(1 / 2)),
    "outbound_pressure_90d":       (log(4 / 1),              log(3 / 1)),
    "response_rate_90d":           (1 / 2,                   0 / 2),
    "response_rate_365d":          (1 / 2,                   0 / 2),
    "opens_per_email_90d":         (1 / 2,                   None),
    "opens_per_email_365d":        (1 / 2,                   None),
    "campaigns_treated_90d":       (1,                       1),
    "campaigns_treated_365d":      (1,                       1),
    "campaigns_control_90d":       (0,                       0),
    "campaigns_control_365d":      (1,                       0),
    "days_since_campaign_treated": (5,                       40),
    "days_since_campaign_control": (100,                     None),
    "exposures_30d":               (0,                       1),
    "exposures_90d":               (0,                       1),
    "exposures_365d":              (0,                       1),
    "days_since_exposure":         (None,                    0),
    "how_to_contacts_90d":         (0,                       1),
    "referrals":                   (1,                       0),
    "joint_activities_365d":       (1,                       1),
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(contact, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_contacts_are_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann)
    assert values["bob"][name] == pytest.approx(bob)


def test_a_contact_of_the_last_week_waits_for_its_answer():
    given = world(
        interactions=[
            "ann  2024-03-24  contact  out",  # 7 days ago: its time is over
            "ann  2024-03-25  contact  out",
            "ann  2024-03-26  visit    in",
        ]
    )
    assert given.feature("response_rate_90d", AS_OF) == {"ann": 1}
    assert world(interactions=["ann  2024-03-25  contact  out"]).feature(
        "response_rate_90d", AS_OF
    ) == {"ann": None}


def test_a_week_and_a_second_later_is_no_answer():
    given = world(
        interactions=[
            "ann  2024-03-01T10:00:00  contact  out",
            "ann  2024-03-08T10:00:00  visit    in",
            "bob  2024-03-01T10:00:00  contact  out",
            "bob  2024-03-08T10:00:01  visit    in",
            "cid  2024-03-01T10:00:00  contact  out",
            "dan  2024-03-02T10:00:00  visit    in",  # another customer's visit
        ]
    )
    rates = given.feature("response_rate_90d", AS_OF)
    assert rates == {"ann": 1, "bob": 0, "cid": 0, "dan": None}


def test_of_contacts_at_one_time_the_order_is_unknown_and_the_one_in_answers():
    given = world(interactions=["ann  2024-03-01  contact  in", "ann  2024-03-01  contact  out"])
    assert given.feature("response_rate_90d", AS_OF) == {"ann": 1}


def test_the_rate_of_a_newcomer_is_of_one_month():
    given = world(interactions=["ann  2024-03-30  contact  out"])
    assert given.feature("outbound_rate", AS_OF) == {"ann": 1}
