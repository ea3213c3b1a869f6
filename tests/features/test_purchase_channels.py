"""Given channels of purchases, how many there are, which is the main one and what has changed."""

from math import exp, log

import pytest

from features.purchase_channels import purchase_channels
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    "ann  2023-06-05  40  channel=shop",  # 300 days ago
    "ann  2023-12-22  10  channel=web",  # 100 days ago
    "ann  2024-02-10  20  channel=web",  # 50 days ago
    "ann  2024-02-20  -5  channel=phone",  # a return is no purchase
    "ann  2024-03-21  10  channel=web",  # 10 days ago
    "ann  2024-03-22  99",  # through no known channel
    "bob  2024-03-29  12  channel=web",  # 2 days ago
)

EXPECTED = {
    #                                    ann               bob
    "purchase_channels_effective":      (exp(log(2)),      1),
    "main_purchase_channel":            ("shop",           "web"),
    "main_purchase_channel_share":      (1 / 2,            1),
    "days_since_main_purchase_channel": (300,              2),
    "days_since_new_purchase_channel":  (100,              2),
    "purchase_channel_shift":           (4 / 5,            None),
}  # fmt: skip


@pytest.fixture(scope="module")
def values():
    return GIVEN.values(purchase_channels, AS_OF)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_channels_are_right_by_hand(name, values):
    ann, bob = EXPECTED[name]
    assert values["ann"][name] == pytest.approx(ann)
    assert values["bob"][name] == pytest.approx(bob)


def test_who_keeps_his_channels_has_no_shift():
    given = world(
        *[f"ann  {day}  {money}  channel={channel}"
          for day, scale in (("2023-06-05", 1), ("2024-03-21", 7))
          for channel, money in (("web", scale), ("shop", 2 * scale))]
    )  # fmt: skip
    assert given.feature("purchase_channel_shift", as_of=AS_OF) == {"ann": pytest.approx(0)}
    assert given.feature("main_purchase_channel", as_of=AS_OF) == {"ann": "shop"}
