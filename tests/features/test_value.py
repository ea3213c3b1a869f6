"""Given order lines, the margin, discounts, returns and free lines of a customer."""

import pytest

from features.value import value
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    # 300 days ago
    "ann  2023-06-05  40  order_id=a1 margin=20 discount=10",
    # 100 days ago, without a discount
    "ann  2023-12-22  30  order_id=a2 margin=9 discount=0",
    # 50 days ago; 40 days ago a part of it comes back, and 20 days ago another
    "ann  2024-02-10  20  order_id=a3 margin=8 discount=5",
    "ann  2024-02-20  -5  order_id=a3 margin=-2",
    "ann  2024-03-11  -1  order_id=a3",
    # 10 days ago: one line without margin and discount, and a gift
    "ann  2024-03-21  10  order_id=a4",
    "ann  2024-03-21   0  order_id=a4",
    "bob  2024-03-30  15  order_id=b1",
)

# Each line with the interest of its days.
COMPOUNDED = sum(
    amount * 1.1 ** (days / 365)
    for amount, days in [(40, 300), (30, 100), (20, 50), (-5, 40), (-1, 20), (10, 10)]
)

EXPECTED = {
    #                         ann               bob
    "spend_compounded_10pct": (COMPOUNDED,      15 * 1.1 ** (1 / 365)),
    "margin_30d":            (None,             None),
    "margin_90d":            (6,                None),
    "margin_365d":           (35,               None),
    "margin_share_90d":      (8 / 20,           None),
    "margin_share_365d":     (37 / 90,          None),
    "discount_depth_90d":    (5 / 35,           None),
    "discount_depth_365d":   (15 / 115,         None),
    "discounted_share_90d":  (20 / 30,          None),
    "discounted_share_365d": (60 / 100,         None),
    "days_since_discount":   (50,               None),
    "days_since_full_price": (10,               1),
    "returned_share_90d":    (6 / 30,           0),
    "returned_share_365d":   (6 / 100,          0),
    "returned_orders_total": (1,                0),
    "returned_orders_90d":   (1,                0),
    "returned_orders_365d":  (1,                0),
    "free_lines_total":      (1,                0),
    "free_lines_90d":        (1,                0),
    "free_lines_365d":       (1,                0),
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(value, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_value_is_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann)
    assert values["bob"][name] == pytest.approx(bob)


def test_shares_are_of_their_window_alone():
    given = world("ann  2023-06-05  40  discount=10", "ann  2023-06-06  -40", "bob  2023-06-05  40")
    assert given.feature("discounted_share_90d", as_of=AS_OF) == {"ann": None, "bob": None}
    assert given.feature("returned_share_90d", as_of=AS_OF) == {"ann": None, "bob": None}
    assert given.feature("returned_share_365d", as_of=AS_OF) == {"ann": 1, "bob": 0}


def test_an_order_that_comes_back_in_parts_is_one_returned_order():
    given = world(
        "ann  2023-06-05  -1  order_id=a1",
        "ann  2024-03-05  -1  order_id=a1",
        "ann  2024-03-05  -1  order_id=a2",
    )
    assert given.feature("returned_orders_total", as_of=AS_OF) == {"ann": 2}
    assert given.feature("returned_orders_90d", as_of=AS_OF) == {"ann": 2}


def test_money_of_a_year_ago_is_worth_a_tenth_more_and_of_today_itself():
    given = world("ann  2023-04-01  100", "bob  2024-03-31  100")
    found = given.feature("spend_compounded_10pct", as_of=AS_OF)
    assert found == {"ann": pytest.approx(110.0, abs=1e-6), "bob": 100.0}
