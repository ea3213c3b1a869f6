"""Given contacts, complaints, payments and use, expected counts and recencies."""

from math import log

import pytest

from features.interactions import interactions
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    interactions=[
        "ann  2024-03-28  visit               in   web",  # 3 days ago
        "ann  2024-03-01  visit               in   web",  # 30 days ago: not in the last 30 days
        "ann  2024-03-26  usage               -    -             -   value=30",  # 5 days ago
        "ann  2024-02-10  usage               -    -             -   value=20",  # 50 days ago
        "ann  2023-12-22  usage               -    -             -   value=5",  # 100 days ago
        "ann  2024-03-11  contact             in   phone         c1",  # 20 days ago
        "ann  2024-03-11  complaint           in   phone         c1",
        "ann  2024-02-10  complaint           in   face_to_face  c2",
        "ann  2024-02-20  complaint_resolved  out  letter        c2",  # 40 days ago
        "ann  2024-02-20  survey              in   email         -   value=4",
        "ann  2023-06-05  survey              in   email         -   value=9",  # 300 days ago
        "ann  2024-02-10  payment_due         out  email",
        "ann  2024-03-11  payment_failed",
        "ann  2024-02-10  payment_failed",
        "ann  2024-02-20  payment_recovered",
        "ann  2024-03-21  campaign            out  email",  # 10 days ago
        "bob  2024-03-31  email_open          in   email",  # today
        "bob  2024-03-26  chargeback",
        "bob  2024-03-26  fraud_flag",
        "bob  2024-03-01  competitor_mention  in   phone",
        "bob  2024-02-10  price_check",
        "bob  2023-12-22  life_event",
        "bob  2024-03-21  plan_change",
        "bob  2024-03-31  closure             -    -             -   detail=moved",
        "bob  2023-06-05  referral",
    ]
)

EXPECTED = {
    #                               ann             bob
    "contacts_30d":                (6,              5),
    "contacts_90d":                (14,             7),
    "contacts_365d":               (16,             9),
    "contacts_going_in_30d":       (3,              1),
    "contacts_going_in_90d":       (6,              2),
    "contacts_going_in_365d":      (7,              2),
    "contacts_going_out_30d":      (1,              0),
    "contacts_going_out_90d":      (3,              0),
    "contacts_going_out_365d":     (3,              0),
    "days_since_going_in":         (3,              0),
    "days_since_going_out":        (10,             None),
    "days_since_interaction":      (3,              0),
    "open_complaints":             (1,              0),
    "payments_failed_unrecovered": (1,              0),
    "survey_mean":                 (6.5,            None),
    "survey_last":                 (4,              None),
    "usage_value_30d":             (30,             0),
    "usage_value_90d":             (50,             0),
    "usage_trend_30d":             (log(3 / 3),     0),
    "usage_trend_90d":             (log(5 / 2),     0),
    "contact_channels":            (5,              2),
    "personal_channel_share":      (4 / 10,         1 / 2),
}  # fmt: skip

COUNTED = {
    #                       ann: 30d 90d 365d since     bob: 30d 90d 365d since
    "visit":               ((1,  2,  2,   3),           (0,  0,  0,   None)),
    "usage":               ((1,  2,  3,   5),           (0,  0,  0,   None)),
    "email_open":          ((0,  0,  0,   None),        (1,  1,  1,   0)),
    "contact":             ((1,  1,  1,   20),          (0,  0,  0,   None)),
    "complaint":           ((1,  2,  2,   20),          (0,  0,  0,   None)),
    "complaint_resolved":  ((0,  1,  1,   40),          (0,  0,  0,   None)),
    "survey":              ((0,  1,  2,   40),          (0,  0,  0,   None)),
    "payment_due":         ((0,  1,  1,   50),          (0,  0,  0,   None)),
    "payment_failed":      ((1,  2,  2,   20),          (0,  0,  0,   None)),
    "payment_recovered":   ((0,  1,  1,   40),          (0,  0,  0,   None)),
    "chargeback":          ((0,  0,  0,   None),        (1,  1,  1,   5)),
    "fraud_flag":          ((0,  0,  0,   None),        (1,  1,  1,   5)),
    "competitor_mention":  ((0,  0,  0,   None),        (0,  1,  1,   30)),
    "price_check":         ((0,  0,  0,   None),        (0,  1,  1,   50)),
    "life_event":          ((0,  0,  0,   None),        (0,  0,  1,   100)),
    "plan_change":         ((0,  0,  0,   None),        (1,  1,  1,   10)),
    "closure":             ((0,  0,  0,   None),        (1,  1,  1,   0)),
    "campaign":            ((1,  1,  1,   10),          (0,  0,  0,   None)),
    "referral":            ((0,  0,  0,   None),        (0,  0,  1,   300)),
}  # fmt: skip

for _kind, (_ann, _bob) in COUNTED.items():
    _names = (f"count_{_kind}_30d", f"count_{_kind}_90d", f"count_{_kind}_365d")
    EXPECTED |= zip((*_names, f"days_since_{_kind}"), zip(_ann, _bob, strict=True), strict=True)


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(interactions, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_interactions_are_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann)
    assert values["bob"][name] == pytest.approx(bob)


def test_complaints_without_a_case_are_told_apart_by_their_time():
    given = world(
        interactions=[
            "ann  2024-03-01  complaint",
            "ann  2024-03-02  complaint",
            "ann  2024-03-09  complaint_resolved",
        ]
    )
    assert given.feature("open_complaints", AS_OF) == {"ann": 1}


def test_a_case_with_two_complaints_is_open_once():
    given = world(
        interactions=["ann  2024-03-01  complaint - - c1", "ann  2024-03-02  complaint - - c1"]
    )
    assert given.feature("open_complaints", AS_OF) == {"ann": 1}


def test_more_resolved_than_complained_is_none_open():
    given = world(interactions=["ann  2024-03-01  complaint_resolved - - c1"])
    assert given.feature("open_complaints", AS_OF) == {"ann": 0}


def test_of_two_surveys_at_one_time_the_last_answer_is_their_mean():
    given = world(
        interactions=[
            "ann  2024-03-01  survey - - - value=1",
            "ann  2024-03-09  survey - - - value=4",
            "ann  2024-03-09  survey - - - value=8",
            "ann  2024-03-20  usage  - - - value=99",
        ]
    )
    assert given.feature("survey_last", AS_OF) == {"ann": 6}


def test_an_unknown_kind_is_a_contact_and_nothing_else():
    given = world(interactions=["ann  2024-03-20  smoke_signal in"])
    values = given.values(interactions, AS_OF)["ann"]
    counted = {name for name, value in values.items() if value == 1}
    assert counted == {
        "contacts_30d", "contacts_90d", "contacts_365d",
        "contacts_going_in_30d", "contacts_going_in_90d", "contacts_going_in_365d",
    }  # fmt: skip
