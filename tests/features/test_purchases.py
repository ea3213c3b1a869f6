"""Given order lines, expected money, orders, breadth and returns."""

from math import log

import pytest

from features.purchases import purchases
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    # 300 days ago
    "ann  2023-06-05  40  order_id=a1 product_id=tea category=food channel=shop quantity=4",
    # 100 days ago: one order of two lines
    "ann  2023-12-22  10  order_id=a2 product_id=tea category=food channel=web quantity=1",
    "ann  2023-12-22  30  order_id=a2 product_id=cup category=home channel=web quantity=3 "
    "discount=10",
    # 50 days ago, and 40 days ago a part of it comes back
    "ann  2024-02-10  20  order_id=a3 product_id=cup category=home channel=web quantity=2 margin=8",
    "ann  2024-02-20  -5  order_id=a3 product_id=cup category=home channel=phone quantity=-1",
    # 10 days ago: two orders
    "ann  2024-03-21  15  order_id=a4 product_id=tea category=food channel=shop margin=5",
    "ann  2024-03-21  25  order_id=a5 product_id=pot category=home channel=web",
    # today, without order ids: one order, and a gift that is none
    "bob  2024-03-31T10:00  12",
    "bob  2024-03-31T18:00   3",
    "bob  2024-03-31T19:00   0",
)

EXPECTED = {
    #                         ann              bob
    "spend_total":           (135,             15),
    "spend_7d":              (0,               15),
    "spend_30d":             (40,              15),
    "spend_90d":             (55,              15),
    "spend_180d":            (95,              15),
    "spend_365d":            (135,             15),
    "spend_trend_30d":       (log(41 / 21),    log(16 / 1)),
    "spend_trend_90d":       (log(61 / 41),    log(16 / 1)),
    "spend_trend_180d":      (log(101 / 41),   log(16 / 1)),
    "orders_total":          (5,               1),
    "orders_7d":             (0,               1),
    "orders_30d":            (2,               1),
    "orders_90d":            (3,               1),
    "orders_180d":           (4,               1),
    "orders_365d":           (5,               1),
    "line_amount_mean":      (140 / 6,         7.5),
    "line_amount_max":       (40,              12),
    "margin_total":          (13,              None),
    "discount_share":        (10 / 150,        None),
    "return_amount_total":   (5,               0),
    "return_amount_30d":     (0,               0),
    "return_amount_90d":     (5,               0),
    "return_share":          (5 / 140,         0),
    "days_since_return":     (40,              None),
    "products_total":        (3,               0),
    "products_30d":          (2,               0),
    "products_90d":          (3,               0),
    "categories_30d":        (2,               0),
    "categories_180d":       (2,               0),
    "channels_total":        (2,               0),
    "quantity_mean":         (2.5,             None),
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(purchases, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_purchases_are_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann)
    assert values["bob"][name] == pytest.approx(bob)


def test_spend_counts_only_its_window():
    given = world("ann  2024-01-03  10", "ann  2024-02-20  20")
    assert given.feature("spend_30d", as_of="2024-03-01") == {"ann": 20}


def test_without_order_ids_the_purchases_of_one_day_are_one_order():
    given = world(
        "ann  2024-01-03T09:00  10", "ann  2024-01-03T21:00  10", "ann  2024-01-04T09:00  10"
    )
    assert given.feature("orders_total", as_of="2024-01-31") == {"ann": 2}


def test_an_order_that_was_only_returned_or_free_is_no_order():
    given = world("ann  2024-01-03  -10  order_id=o1", "bob  2024-01-03  0  order_id=o2")
    assert given.feature("orders_total", as_of="2024-01-31") == {"ann": 0, "bob": 0}


def test_who_only_returned_has_no_share_of_returns():
    given = world("ann  2024-01-03  -10")
    assert given.feature("return_share", as_of="2024-01-31") == {"ann": None}
    assert given.feature("spend_total", as_of="2024-01-31") == {"ann": -10}
