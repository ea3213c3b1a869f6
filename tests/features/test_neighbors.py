"""Given who last bought what, how those fared who last bought the same before."""

import pytest

from features.neighbors import PRIOR_BUYERS, neighbors
from tests.world import world

AS_OF = "2024-03-31"  # 90 days after 2024-01-01

GIVEN = world(
    # Of tea's three last buyers of then two came back, of cup's two one, of pot's one nobody.
    "cid  2023-05-05  10  product_id=tea",
    "cid  2023-05-05  10  product_id=cup",
    "cid  2024-02-01  30  product_id=mat",
    "dan  2023-07-07  10  product_id=tea",
    "dan  2023-07-07  10  product_id=tea",  # twice on that day, but one buyer
    "dan  2024-02-01  10  product_id=mat",
    "dan  2024-02-02  20  product_id=mat",
    "eve  2023-08-08  10  product_id=tea",
    "eve  2023-06-06  10  product_id=cup",  # not on the last day
    "fay  2023-09-09  10  product_id=cup",
    "fay  2023-09-09  10  product_id=pot",
    # Newcomers: what they buy now has been bought by others before them.
    "ann  2024-02-02  10  product_id=pot",
    "ann  2024-03-21  10  product_id=tea",
    "ann  2024-03-21  10  product_id=cup",
    "ann  2024-03-21  10  product_id=pot",  # one buyer only
    "ann  2024-03-30  -9  product_id=mat",  # a return is no purchase
    "bob  2024-03-29  10  product_id=mat",
)
# Six pairs of a buyer and a product: three came back, with 30 + 30 + 30 of money.
RATE, VALUE = 3 / 6, 90 / 6


def shrunk(total, buyers, usual):
    return (total + PRIOR_BUYERS * usual) / (buyers + PRIOR_BUYERS)


TEA, CUP = shrunk(2, 3, RATE), shrunk(1, 2, RATE)

EXPECTED = {
    #                     ann                                                        bob
    "neighbor_rate":     ((TEA + CUP) / 2,                                           None),
    "neighbor_rate_min": (min(TEA, CUP),                                             None),
    "neighbor_value":    ((shrunk(60, 3, VALUE) + shrunk(30, 2, VALUE)) / 2,         None),
    "neighbor_support":  (5,                                                         0),
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(neighbors, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_neighbors_are_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann)
    assert values["bob"][name] == pytest.approx(bob)


def test_nothing_is_learnt_before_90_days_have_passed():
    given = world(*[f"{who}  2024-01-02  10  product_id=tea" for who in ("ann", "bob", "cid")])
    assert set(given.feature("neighbor_rate", as_of=AS_OF).values()) == {None}
    day_later = given.feature("neighbor_rate", as_of="2024-04-01")
    assert day_later == {"ann": 0, "bob": 0, "cid": 0}


def test_a_purchase_outside_the_90_days_since_is_no_return():
    given = world(
        *[f"{who}  2023-12-01  10  product_id=tea" for who in ("ann", "bob", "cid")],
        "bob  2024-01-01  10  product_id=tea",  # 90 days ago: still the last day of then
        "cid  2024-01-02  10  product_id=tea",  # 89 days ago
    )
    rate = given.feature("neighbor_rate", as_of=AS_OF)
    assert rate["ann"] == pytest.approx(1 / 3)
