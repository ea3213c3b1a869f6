"""Given events of every kind, expected counts and recencies."""

import pytest

from features.events import CLOSURE_REASONS
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
        "bob  2024-03-01  competitor_mention  in   phone         -   detail=price",
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
    "days_since_interaction":      (3,              0),
    "competitor_mentions_price_90d": (0,            1),
    "competitor_mentions_service_90d": (0,          0),
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

# Bob's closure gives a reason that is none of the six.
EXPECTED |= dict.fromkeys([f"days_since_closure_{reason}" for reason in CLOSURE_REASONS],
                          (None, None))  # fmt: skip

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


def test_of_several_closures_for_one_reason_the_newest_counts():
    given = world(
        interactions=[
            "ann  2023-12-22  closure  -  -  -  detail=fault",
            "ann  2024-02-10  closure  -  -  -  detail=natural",
            "ann  2024-03-21  closure  -  -  -  detail=fault",
        ]
    )
    values = given.values(interactions, AS_OF)["ann"]
    told = {reason: values[f"days_since_closure_{reason}"] for reason in CLOSURE_REASONS}
    assert told == dict.fromkeys(CLOSURE_REASONS) | {"fault": 10, "natural": 50}


def test_an_unknown_kind_is_a_contact_and_nothing_else():
    given = world(interactions=["ann  2024-03-20  smoke_signal in"])
    values = given.values(interactions, AS_OF)["ann"]
    counted = {name for name, value in values.items() if value == 1}
    assert counted == {"contacts_30d", "contacts_90d", "contacts_365d"}
