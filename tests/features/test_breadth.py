"""Given products and categories, how wide a customer buys and how unlike everybody else."""

from math import exp, log

import pytest

from features.breadth import breadth
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    "ann  2023-06-05  45  product_id=tea category=food",  # 300 days ago
    "ann  2023-12-22  10  product_id=tea category=food",  # 100 days ago
    "ann  2023-12-22  30  product_id=cup category=home",
    "ann  2024-02-10  20  product_id=cup category=home",  # 50 days ago
    "ann  2024-02-20  -5  product_id=mug category=toys",  # a return is no purchase
    "ann  2024-03-21  35  product_id=pot category=home",  # 10 days ago
    "bob  2024-03-29  60  product_id=tea category=food",  # 2 days ago
    "bob  2024-03-30   5",  # names nothing
)
FOOD, HOME = 115 / 200, 85 / 200  # everybody's mix


def effective(*shares):
    return exp(-sum(p * log(p) for p in shares))


def distance(mix, other):
    """The mean of the divergences of two mixes from the mean of the two, in bits."""
    return sum(
        p * log(2 * p / (p + q)) / 2 / log(2)
        for pair in zip(mix, other, strict=True)
        for p, q in (pair, pair[::-1])
        if p
    )


EXPECTED = {
    #                          ann                                       bob
    "products_effective":     (effective(55 / 140, 50 / 140, 35 / 140),  1),
    "top_product_share":      (55 / 140,                                 1),
    "repeated_product_share": (2 / 3,                                    0),
    "new_products_90d":       (1,                                        1),
    "new_products_365d":      (3,                                        1),
    "days_since_new_product": (10,                                       2),
    "categories_total":       (2,                                        1),
    "categories_effective":   (effective(55 / 140, 85 / 140),            1),
    "top_category_share":     (85 / 140,                                 1),
    "new_categories_90d":     (0,                                        1),
    "new_categories_365d":    (2,                                        1),
    "unbought_share":         (0,                                        HOME),
    "need_distance":          (distance((55 / 140, 85 / 140), (FOOD, HOME)),
                               distance((1, 0), (FOOD, HOME))),
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(breadth, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_breadth_is_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann, abs=1e-8)
    assert values["bob"][name] == pytest.approx(bob, abs=1e-8)


def test_who_buys_as_everybody_is_at_no_distance_and_who_buys_like_nobody_is_far():
    given = world(
        *[f"ann  2024-01-01  {1 + n}  category=k{n}" for n in range(9)],
        *[f"bob  2024-01-01  {2 + 2 * n}  category=k{n}" for n in range(9)],
        "cid  2024-01-01  0.000001  category=own",
    )
    distance = given.feature("need_distance", as_of=AS_OF)
    assert distance["ann"] == distance["bob"] == pytest.approx(0, abs=1e-7)
    assert distance["cid"] == pytest.approx(1, abs=1e-6)


def test_a_product_bought_twice_on_one_day_is_not_repeated():
    given = world("ann  2024-01-01T09:00  1  product_id=tea", "ann  2024-01-01  1  product_id=tea")
    assert given.feature("repeated_product_share", as_of=AS_OF) == {"ann": 0}
    assert given.feature("top_product_share", as_of=AS_OF) == {"ann": 1}


def test_without_products_there_is_no_breadth():
    given = world("ann  2024-01-01  1")
    assert given.feature("products_effective", as_of=AS_OF) == {"ann": None}
    assert given.feature("need_distance", as_of=AS_OF) == {"ann": None}
    assert given.feature("new_products_90d", as_of=AS_OF) == {"ann": 0}
