"""Given order lines, the value, lines and pieces of a customer's orders."""

from math import log
from statistics import stdev

import pytest

from features.baskets import baskets
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    # 300 days ago
    "ann  2023-06-05  40  order_id=a1 quantity=4",
    # 100 days ago: one order of two lines
    "ann  2023-12-22  10  order_id=a2 quantity=1",
    "ann  2023-12-22  30  order_id=a2 quantity=3",
    # 50 days ago, and 40 days ago a part of it comes back
    "ann  2024-02-10  20  order_id=a3 quantity=2",
    "ann  2024-02-20  -5  order_id=a3 quantity=-1",
    # 10 days ago: two orders
    "ann  2024-03-21  15  order_id=a4",
    "ann  2024-03-21  25  order_id=a5",
    # today, without order ids: one order, and a gift that is none
    "bob  2024-03-31T10:00  12",
    "bob  2024-03-31T18:00   3",
    "bob  2024-03-31T19:00   0",
)
PRIOR = 2 * 155 / 6  # six orders of 155 in all

EXPECTED = {
    #                          ann                           bob
    "order_value_shrunk":     ((140 + PRIOR) / 7,            (15 + PRIOR) / 3),
    "order_value_mean":       (28,                           15),
    "order_value_median":     (25,                           15),
    "order_value_std":        (stdev([40, 40, 20, 15, 25]),  None),
    "order_value_min":        (15,                           15),
    "order_value_max":        (40,                           15),
    "order_value_first":      (40,                           15),
    "order_value_last":       (20,                           15),
    "order_value_trend_90d":  (log(20 / 40),                 None),
    "order_value_trend_180d": (log(25 / 40),                 None),
    "order_lines_mean":       (6 / 5,                        2),
    "order_pieces_mean":      (10 / 3,                       None),
    "single_line_share":      (4 / 5,                        0),
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(baskets, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_baskets_are_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann)
    assert values["bob"][name] == pytest.approx(bob)


def test_the_median_of_an_even_number_is_between_the_middle_two():
    given = world(*[f"ann  2024-01-0{day}  {value}" for day, value in enumerate((9, 2, 4, 1), 1)])
    assert given.feature("order_value_median", as_of="2024-01-31") == {"ann": 3}


def test_an_order_of_several_days_is_of_its_last():
    given = world(
        "ann  2024-03-01  10  order_id=a1",
        "ann  2024-01-15  20  order_id=a1",
        "ann  2024-01-20  90  order_id=a2",
    )
    assert given.feature("order_value_last", as_of="2024-03-31") == {"ann": 30}
    assert given.feature("order_value_trend_90d", as_of="2024-03-31") == {"ann": None}
