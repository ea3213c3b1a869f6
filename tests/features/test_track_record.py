"""Given purchases, what the question of today would have found in earlier windows of 90 days."""

from statistics import mean, stdev

import pytest

from features.track_record import track_record
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    "ann  2022-11-17  99",  # 500 days ago, in window 5: five windows count
    "ann  2023-02-25  40",  # 400 days ago, in window 4
    "ann  2023-06-05  10",  # 300 days ago, in window 3
    "ann  2023-06-06  15",  # 299 days ago
    "ann  2024-02-10  20",  # 50 days ago, in window 0
    "ann  2024-02-20  -5",  # a return is no purchase
    "bob  2024-03-29  12",  # 2 days ago
)
VALUES = [40, 25, 0, 0, 20]

EXPECTED = {
    #                       ann             bob
    "windows_counted":     (5,              0),
    "window_bought_share": (3 / 5,          None),
    "window_value_mean":   (mean(VALUES),   None),
    "window_value_std":    (stdev(VALUES),  None),
    "window_value_last":   (20,             None),
    "longest_silence":     (2,              None),
    "window_retention":    (2 / 3,          None),
    "window_reactivation": (1 / 2,          None),
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(track_record, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_track_record_is_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann)
    assert values["bob"][name] == pytest.approx(bob)


def test_who_never_returned_has_lost_every_window():
    given = world("ann  2023-06-05  40")  # 300 days ago: three windows count
    record = given.values(track_record, AS_OF)["ann"]
    assert record == {
        "windows_counted": 3, "window_bought_share": 0, "window_value_mean": 0,
        "window_value_std": 0, "window_value_last": 0, "longest_silence": 3,
        "window_retention": 0, "window_reactivation": 0,
    }  # fmt: skip


def test_a_window_counts_when_it_began_after_the_first_purchase():
    given = world(
        "ann  2024-01-01  1",  # 90 days ago: the day before the window begins
        "bob  2024-01-02  1",  # 89 days ago: on its first day
    )
    assert given.feature("windows_counted", as_of=AS_OF) == {"ann": 1, "bob": 0}
