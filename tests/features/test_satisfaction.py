"""Given answers to surveys, expected level, change, spread and standing."""

from statistics import stdev

import pytest

from features.satisfaction import satisfaction
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    interactions=[
        "ann  2023-06-05  survey              in   email  -  value=3",  # 300 days ago
        "ann  2024-01-20  complaint_resolved  out  phone",
        "ann  2024-01-21  survey              in   email  -  value=8",  # 70 days ago
        "ann  2024-02-10  contact             in   phone",
        "ann  2024-02-20  survey              in   email  -  value=4",  # 40 days ago
        "bob  2024-03-31  survey              in   email  -  value=9",
        "bob  2024-03-31  survey              in   email",  # not answered
        "bob  2024-03-31  usage               -    -      -  value=99",
        "ann  2024-03-01  chargeback",  # 10 days after the answer 4; everybody's are up to 9 of 10
        "bob  2024-03-01  payment_failed",
    ]
)
SPREAD = stdev([3, 8, 4, 9])  # of everybody's answers; their mean is 6

EXPECTED = {
    #                                  ann               bob
    "surveys_answered":               (3,                1),
    "survey_mean":                    (5,                9),
    "survey_mean_recent_90d":         (6,                9),
    "survey_mean_recent_365d":        (5,                9),
    "survey_last":                    (4,                9),
    "survey_lowest":                  (3,                9),
    "survey_lowest_recent_90d":       (4,                9),
    "survey_lowest_recent_365d":      (3,                9),
    "survey_deviation":               (stdev([3, 8, 4]), None),
    "survey_change":                  (4 - 5.5,          None),
    "survey_after_contact":           (4,                None),
    "survey_after_complaint_resolved": (8,               None),
    "survey_lowest_at_refusal":       (4 / 10,           None),
    "survey_standing":                ((5 - 6) / SPREAD, (9 - 6) / SPREAD),
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(satisfaction, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_satisfaction_is_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann)
    assert values["bob"][name] == pytest.approx(bob)


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
    assert given.feature("survey_change", AS_OF) == {"ann": 5}


def test_an_answer_two_weeks_and_a_second_later_is_about_something_else():
    given = world(
        interactions=[
            "ann  2024-03-01T10:00:00  contact",
            "ann  2024-03-15T10:00:00  survey - - - value=4",
            "bob  2024-03-01T10:00:00  contact",
            "bob  2024-03-15T10:00:01  survey - - - value=4",
        ]
    )
    assert given.feature("survey_after_contact", AS_OF) == {"ann": 4, "bob": None}


def test_where_all_answer_alike_nobody_stands_above():
    given = world(
        interactions=[
            "ann  2024-03-01  survey - - - value=4",
            "bob  2024-03-01  survey - - - value=4",
        ]
    )
    assert given.feature("survey_standing", AS_OF) == {"ann": None, "bob": None}


@pytest.mark.parametrize(
    ("answers", "refused", "expected"),
    [
        ([("2024-03-01", 2)], "2024-03-05", 2 / 5),
        ([("2024-03-01", 2)], "2024-02-29", None),  # not content only afterwards
        ([("2024-03-01", 2), ("2024-03-02", 1)], "2024-03-05", 1 / 5),
        ([("2023-12-05", 2)], "2024-03-05", None),  # 91 days before
        ([("2023-12-06", 2)], "2024-03-05", 2 / 5),
    ],
)
def test_the_lowest_answer_before_the_first_refusal_is_a_share_of_the_scale(
    answers, refused, expected
):
    said = [f"ann  {day}  survey - - - value={value}" for day, value in answers]
    others = ["bob  2024-01-01  survey - - - value=5"]
    given = world(interactions=[*said, *others, f"ann  {refused}  payment_failed"])
    found = given.feature("survey_lowest_at_refusal", AS_OF)
    assert found == {"ann": pytest.approx(expected), "bob": None}


def test_an_answer_below_zero_leaves_the_scale_unknown():
    given = world(interactions=["ann  2024-03-01  survey - - - value=-50",
                                "ann  2024-03-05  payment_failed"])  # fmt: skip
    assert given.feature("survey_lowest_at_refusal", AS_OF) == {"ann": None}
