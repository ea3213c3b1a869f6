"""Given what two customers have done with us, expected standings of one above the other."""

from math import sqrt

import pytest

from features.intimacy import intimacy
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    interactions=[
        "ann  2023-06-05  visit  in  website",  # known for 300 days, two channels, both personal
        "ann  2024-03-30  visit  in  phone",
        "bob  2023-12-22  visit  in  shop",  # known for 100 days, one channel, not personal
    ]
)
# Of two values each stands this many deviations from their mean.
APART = sqrt(1 / 2)

EXPECTED = {
    #             ann     bob
    "closeness": (APART,  -APART),
}  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_intimacy_is_right_by_hand(name):
    values = GIVEN.values(intimacy, AS_OF)
    assert (values["ann"][name], values["bob"][name]) == pytest.approx(EXPECTED[name])


def test_who_is_like_everybody_stands_at_zero():
    given = world(
        interactions=["ann  2024-03-01  visit in website", "bob  2024-03-01  visit in website"]
    )
    assert given.feature("closeness", AS_OF) == {"ann": 0, "bob": 0}


def test_without_a_channel_only_the_days_tell():
    given = GIVEN.also(world(interactions=["cid  2023-09-13  visit  in"]))  # 200 days: the mean
    assert given.feature("closeness", AS_OF)["cid"] == pytest.approx(0)
