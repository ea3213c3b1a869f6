"""Given cases, expected waits for answers and resolutions, and what is open, reopened or silent."""

import pytest

from features.service import service
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    interactions=[
        "ann  2024-03-11T10:00  contact             in   phone   c1",
        "ann  2024-03-11T16:00  contact             out  phone   c1",  # answered in 6 hours
        "ann  2024-02-10T08:00  complaint           in   phone   c2  detail=late",
        "ann  2024-02-12T08:00  complaint_resolved  out  letter  c2",  # in 48 hours
        "ann  2023-12-22T00:00  complaint           in   email   c3  detail=late",  # 100 days ago
        "ann  2023-12-22T12:00  complaint_resolved  -    -       c3",  # in 12 hours
        "ann  2024-02-20T00:00  complaint           in   email   c3  detail=rude",  # 40 days ago
        "ann  2024-03-31T09:00  contact             in   email   c4",  # today, not yet answered
        "ann  2023-06-05T09:00  contact             in   letter  c5",  # never answered
        "ann  2024-02-20T00:00  payment_due         out  letter  c6",  # no case of service
        "bob  2024-02-01T00:00  complaint",
        "bob  2024-02-02T00:00  complaint_resolved",  # in 24 hours
        "bob  2024-03-01T00:00  visit               in",
        "bob  2024-03-11T00:00  complaint",  # 20 days ago, then silence
    ]
)

EXPECTED = {
    #                                   ann         bob
    "first_response_mean":             (66 / 3,     24),
    "first_response_mean_recent_90d":  (54 / 2,     24),
    "first_response_mean_recent_365d": (66 / 3,     24),
    "first_response_median":           (12,         24),
    "first_response_last":             (6,          24),
    "answered_within_day_share":       (2 / 4,      1 / 2),
    "unanswered_cases":                (2,          1),
    "resolution_mean":                 (60 / 2,     24),
    "resolution_median":               (60 / 2,     24),
    "resolution_last":                 (48,         24),
    "open_complaints":                 (1,          1),
    "open_complaints_recent_90d":      (0,          1),
    "open_complaints_recent_365d":     (1,          1),
    "oldest_open_complaint":           (40,         20),
    "unresolved_share":                (1 / 2,      1 / 2),
    "reopened_cases":                  (1,          0),
    "reopened_share":                  (1 / 2,      0),
    "first_contact_resolution_share":  (1 / 2,      1),
    "silence_after_complaint":         (None,       20),
    "repeated_complaint_share":        (1 / 3,      None),
    "complaints_per_100_contacts_90d": (100 * 2 / 4, 100 * 2 / 3),
    "complaints_per_100_contacts_365d": (100 * 3 / 6, 100 * 2 / 3),
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(service, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_service_is_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann)
    assert values["bob"][name] == pytest.approx(bob)


def test_complaints_without_a_case_are_told_apart_by_their_number():
    given = world(
        interactions=[
            "ann  2024-03-01  complaint",
            "ann  2024-03-02  complaint",
            "ann  2024-03-09  complaint_resolved",
        ]
    )
    assert given.feature("open_complaints", AS_OF) == {"ann": 1}
    assert given.feature("oldest_open_complaint", AS_OF) == {"ann": 29}
    assert given.feature("resolution_mean", AS_OF) == {"ann": 8 * 24}


def test_a_case_with_two_complaints_is_open_once():
    given = world(
        interactions=["ann  2024-03-01  complaint - - c1", "ann  2024-03-02  complaint - - c1"]
    )
    assert given.feature("open_complaints", AS_OF) == {"ann": 1}


def test_cases_of_one_name_of_two_customers_are_two():
    given = world(
        interactions=[
            "ann  2024-03-01  complaint          - - c1",
            "bob  2024-03-02  complaint_resolved - - c1",
        ]
    )
    assert given.feature("open_complaints", AS_OF) == {"ann": 1, "bob": 0}


def test_more_resolved_than_complained_is_none_open():
    given = world(interactions=["ann  2024-03-01  complaint_resolved - - c1"])
    assert given.feature("open_complaints", AS_OF) == {"ann": 0}
    assert given.feature("unresolved_share", AS_OF) == {"ann": None}


def test_a_resolution_before_the_complaint_resolves_nothing():
    given = world(
        interactions=[
            "ann  2024-03-01  complaint_resolved - - c1",
            "ann  2024-03-02  complaint          - - c1",
        ]
    )
    assert given.feature("open_complaints", AS_OF) == {"ann": 1}
    assert given.feature("resolution_mean", AS_OF) == {"ann": None}


def test_resolved_on_the_day_of_the_complaint_is_resolved_and_not_reopened():
    given = world(
        interactions=[
            "ann  2024-03-01  complaint          - - c1",
            "ann  2024-03-01  complaint_resolved - - c1",
        ]
    )
    assert given.feature("open_complaints", AS_OF) == {"ann": 0}
    assert given.feature("reopened_cases", AS_OF) == {"ann": 0}
    assert given.feature("resolution_mean", AS_OF) == {"ann": 0}


def test_our_contact_before_the_customers_is_no_answer():
    given = world(
        interactions=[
            "ann  2024-03-01  contact  out  -  c1",
            "ann  2024-03-02  contact  in   -  c1",
        ]
    )
    assert given.feature("first_response_mean", AS_OF) == {"ann": None}
    assert given.feature("unanswered_cases", AS_OF) == {"ann": 1}


def test_whoever_comes_again_after_a_complaint_is_not_silent():
    complaint = "ann  2024-03-01  complaint - - c1"
    by_us = "ann  2024-03-09  contact  out"
    assert world(interactions=[complaint, by_us]).feature("silence_after_complaint", AS_OF) == {
        "ann": 30
    }
    by_her = "ann  2024-03-09  visit  in"
    assert world(interactions=[complaint, by_her]).feature("silence_after_complaint", AS_OF) == {
        "ann": None
    }


def test_an_hour_is_counted_in_whole_seconds():
    given = world(
        interactions=[
            "ann  2024-03-01T10:00:00.900000  contact  in   -  c1",
            "ann  2024-03-01T10:00:18.100000  contact  out  -  c1",
        ]
    )
    assert given.feature("first_response_mean", AS_OF) == {"ann": 18 / 3600}
