"""Given contacts through several channels, expected shares, the main one and the answered one."""

from math import exp, log

import pytest

from features.contact_channel import contact_channel
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    interactions=[
        "ann  2024-03-28  visit     in   website",  # 3 days ago
        "ann  2024-03-26  campaign  out  face_to_face  -  value=0",  # control: nobody met her
        "ann  2024-03-25  contact   out  email",  # 6 days ago, answered
        "ann  2024-03-21  contact   out  phone",  # 10 days ago, answered
        "ann  2024-03-11  event     in   media",  # no answer to anything
        "ann  2024-03-01  visit     in   website",  # 30 days ago
        "ann  2024-02-20  contact   out  letter",  # 40 days ago, not answered
        "ann  2024-02-10  contact   out  phone",  # 50 days ago, not answered
        "bob  2024-03-30  visit     in   shop",
        "bob  2024-03-29  visit     in",
    ]
)
# Phone and website twice each; email, letter and media once.
EFFECTIVE = exp(-(2 * 2 / 7 * log(2 / 7) + 3 * 1 / 7 * log(1 / 7)))

EXPECTED = {
    #                                      ann        bob
    "contact_channels":                   (5,         1),
    "contact_channels_effective":         (EFFECTIVE, 1),
    "main_contact_channel":               ("phone",   "shop"),
    "preferred_contact_channel":          ("email",   None),
    "personal_channel_share":             (6 / 7,     0),
    "nonpersonal_channel_share":          (1 / 7,     0),
    "contact_share_face_to_face":         (0,         0),
    "contact_share_letter":               (1 / 7,     0),
    "contact_share_email":                (1 / 7,     0),
    "contact_share_website":              (2 / 7,     0),
    "contact_share_phone":                (2 / 7,     0),
    "days_since_contact_by_face_to_face": (None,      None),
    "days_since_contact_by_letter":       (40,        None),
    "days_since_contact_by_email":        (6,         None),
    "days_since_contact_by_website":      (3,         None),
    "days_since_contact_by_phone":        (10,        None),
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(contact_channel, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_channels_are_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann)
    assert values["bob"][name] == pytest.approx(bob)


def test_one_answer_of_one_is_less_than_nine_of_ten():
    phone = [f"ann  2024-02-{day:02d}  contact  out  phone" for day in range(1, 10)]
    given = world(
        interactions=[
            *phone,
            "ann  2024-02-10  visit    in",
            "ann  2024-03-01  contact  out  letter",
            "ann  2024-03-02  visit    in",
        ]
    )
    assert given.feature("preferred_contact_channel", AS_OF) == {"ann": "phone"}


def test_channels_answered_alike_go_by_name():
    given = world(
        interactions=[
            "ann  2024-03-01  contact  out  phone",
            "ann  2024-03-01  contact  out  letter",
            "ann  2024-03-02  visit    in",
        ]
    )
    assert given.feature("preferred_contact_channel", AS_OF) == {"ann": "letter"}


def test_without_channels_nothing_is_known_of_them():
    given = world(interactions=["ann  2024-03-01  visit  in"])
    values = given.values(contact_channel, AS_OF)["ann"]
    assert values.pop("contact_channels") == 0
    assert set(values.values()) == {None}
