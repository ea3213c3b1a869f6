"""Given purchase days, how late a customer is by his own pace and everybody's."""

import pytest

from features.pace import pace
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    "ann  2022-11-17  45",  # 500 days ago
    "ann  2023-06-05  45",  # 300 days ago
    "ann  2023-12-22  10",  # 100 days ago
    "ann  2024-02-10  20",  # 50 days ago
    "ann  2024-03-21  35",  # 10 days ago
    "bob  2024-03-29  12",  # 2 days ago, for the first time
)
# Ann's four gaps are everybody's; the prior weighs as much as two gaps of that mean.
MEAN = 490 / 4
ANN, BOB = 2 * MEAN + 490, 2 * MEAN

EXPECTED = {
    #                          ann                                 bob
    "expected_gap":            (ANN / 5,                           BOB / 1),
    "lateness":                (1 - (ANN / (ANN + 10)) ** 6,       1 - (BOB / (BOB + 2)) ** 2),
    "gap_limit_80":            (ANN * (5 ** (1 / 6) - 1),          BOB * (5 ** (1 / 2) - 1)),
    "gap_limit_95":            (ANN * (20 ** (1 / 6) - 1),         BOB * (20 ** (1 / 2) - 1)),
    "behavioral_loyalty_90d":  (2 / (4 / (BOB + 410) * 90),        None),
    "behavioral_loyalty_365d": (4 / (2 / (BOB + 135) * 365),       None),
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(pace, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_pace_is_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann)
    assert values["bob"][name] == pytest.approx(bob)


def test_the_limit_is_where_lateness_reaches_its_percentage():
    limit = GIVEN.feature("gap_limit_80", as_of=AS_OF)["bob"]
    late = 1 - (BOB / (BOB + limit)) ** 2
    assert late == pytest.approx(0.8)


def test_one_silence_is_later_for_who_buys_weekly_than_for_who_buys_yearly():
    given = world(
        *[f"ann  2024-01-{day:02}  1" for day in (1, 8, 15, 22, 29)],
        *[f"bob  {year}-01-29  1" for year in (2020, 2021, 2022, 2023, 2024)],
    )
    lateness = given.feature("lateness", as_of="2024-03-31")
    assert lateness["ann"] > 0.5 > lateness["bob"]


def test_where_nobody_returned_there_is_no_pace():
    given = world("ann  2024-01-01  1", "bob  2024-02-01  1")
    assert given.feature("lateness", as_of="2024-03-31") == {"ann": None, "bob": None}
    assert given.feature("expected_gap", as_of="2024-03-31") == {"ann": None, "bob": None}
