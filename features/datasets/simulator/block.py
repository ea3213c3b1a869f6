"""One block of simulated customers with all that is hidden: traits, orders, fates, campaigns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from features.datasets.simulator.fates import Campaigns, Fates, live
from features.datasets.simulator.orders import Lines, Orders, draw_lines, draw_orders, need_clock
from features.datasets.simulator.people import People, draw_people

FIRST_CAMPAIGN, CAMPAIGN_EVERY = 60.4, 91.0  # days: one a quarter, at half past nine
CAMPAIGN_EFFECT = 60.0  # days; shorter than the time to the next, so that effects do not add up
CHOSEN_SHARE = 0.5  # of the customers for a campaign; half of the chosen are treated
PROSPECT_DAYS = 60.0  # how long a prospect who never buys stays interested


@dataclass(frozen=True)
class Block:
    """A block of customers and what is hidden about them; times are days since `start`."""

    start: np.datetime64  # a midnight
    end: float  # nothing happens after this day
    ids: np.ndarray  # customer_id, (n,)
    people: People
    campaigns: Campaigns
    fates: Fates
    orders: Orders
    lines: Lines

    @cached_property
    def active_until(self) -> np.ndarray:
        """The day each customer loses interest: leaving, the end, or a prospect's boredom."""
        is_prospect = np.isinf(self.people.first_order)
        bored = np.where(is_prospect, self.people.first_seen + PROSPECT_DAYS, np.inf)
        return np.minimum(np.minimum(self.fates.death, bored), self.end)

    @cached_property
    def order_ids(self) -> np.ndarray:
        """The text of each order's id, such as C000012-003."""
        pairs = zip(self.ids[self.orders.owner], self.orders.number, strict=True)
        return np.array([f"{owner}-{number:03d}" for owner, number in pairs], dtype=object)


def draw_block(
    rng: np.random.Generator, ids: np.ndarray, start: np.datetime64, end: float
) -> Block:
    """Let the customers `ids` arrive, buy and leave from `start` to the day `end`."""
    people = draw_people(rng, len(ids), end)
    campaigns = _plan_campaigns(rng, len(ids), start, end)
    fates = live(rng, people.first_order, people.risk, people.persuadability, campaigns, end)
    clock = need_clock(people, start, int(np.ceil(end)))
    orders = draw_orders(rng, people, clock, np.minimum(fates.death, end))
    lines = draw_lines(rng, people, orders)
    return Block(start, end, ids, people, campaigns, fates, orders, lines)


def _plan_campaigns(
    rng: np.random.Generator, n: int, start: np.datetime64, end: float
) -> Campaigns:
    days = np.arange(FIRST_CAMPAIGN, end, CAMPAIGN_EVERY)
    months = (start + days.astype("timedelta64[D]")).astype("datetime64[M]")
    chance = rng.random((n, len(days)))
    lot = np.where(chance < CHOSEN_SHARE, (chance < CHOSEN_SHARE / 2).astype(float), np.nan)
    return Campaigns(tuple(f"retention {month}" for month in months), days, lot, CAMPAIGN_EFFECT)
