"""Simulated customers whose truth is known: any number of them, the same for the same seed.

The world is a shop. Customers arrive, buy in a rhythm of their own (simulator.rhythm,
simulator.orders), and leave for one of six causes (simulator.causes, simulator.fates) whose signs
(simulator.signs) stand among everyday contacts (simulated_contacts). Rows arrive late or dirty
(simulator.arrival). What was to be expected at a moment is known (simulator.truth).

It is not easy, by choice of the numbers in these files: of the customers with a purchase in the
last 180 days nearly half buy nothing in the next 90; to tell who, recency alone has an AUC of 0.70,
a boosted model on some 100 features 0.79, and the truth, which knows who has left, 0.89.

Customers are made in blocks, each from its own child of the seed. So customer k is the same in a
simulation of any size, and the memory to work in is that of one block; beside the tables only what
is hidden of each block is kept, for the truth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from features.datasets.simulator.arrival import (
    as_times,
    with_interaction_dirt,
    with_times,
    with_transaction_dirt,
)
from features.datasets.simulator.block import Block, draw_block
from features.datasets.simulator.contacts import draw_contacts
from features.datasets.simulator.orders import PRODUCTS
from features.datasets.simulator.people import CATEGORIES, CHANNELS
from features.datasets.simulator.truth import block_response, block_truth
from features.errors import UserError

# Large enough for numpy to be fast, small enough for the truth of a year to fit in 100 MB.
BLOCK = 1000
START = datetime(2023, 1, 1)
END = datetime(2025, 6, 30, 23, 59, 59, 999999)
SHORTEST = timedelta(days=90)  # the first campaign must fit in
DAY = timedelta(days=1)


@dataclass(frozen=True, eq=False)
class Simulation:
    """One simulated business: the three canonical tables, and the truth behind them.

    customers: one row per customer; beside the canonical columns the profile: region, age_band,
        acquisition_channel, plan, payment_method.
    transactions: one row per order line, or per line sent back (negative amount, same order_id).
    interactions: one row per contact or event.
    """

    customers: pd.DataFrame
    transactions: pd.DataFrame
    interactions: pd.DataFrame
    start: datetime
    end: datetime
    blocks: tuple[Block, ...] = field(repr=False)

    def truth(self, as_of: datetime, horizon_days: int) -> pd.DataFrame:
        """One row per customer with a purchase by `as_of`: what was to be expected then.

        Expected by someone who sees everything but the dice of the future (simulator.truth). The
        window is (as_of, as_of + horizon_days]; it may reach beyond the end of the simulation,
        where no campaigns are planned.

        - customer_id; is_alive at `as_of`
        - purchase_probability of at least one purchase in the window, and its complement
          churn_probability
        - expected_value: mean of the net amount in the window, returns included, currency units
        - cause: the drawn cause of those who left by the end of the window, else None
        - cause_natural .. cause_malicious: chance to leave for that cause in the window; 0 for
          those who are gone already
        - value_if_retained: expected_value if nobody could leave and those gone were back

        Raises UserError when `as_of` is outside of the simulation or the horizon below one day.
        """
        return self._of_blocks(block_truth, as_of, horizon_days)

    def response(self, as_of: datetime, horizon_days: int) -> pd.DataFrame:
        """One row per customer with a purchase by `as_of`: what a treatment then would change.

        Treated is as if a campaign reached the customer at `as_of`: it works for as long as those
        of the simulation do (block.CAMPAIGN_EFFECT), on the causes and by the persuadability of
        each. The plan of campaigns stands beside it in both cases, and effects do not add up.

        - customer_id; is_alive at `as_of`
        - leaves_untreated, leaves_treated: chance to be gone by the end of the window, 1 for those
          who are gone already
        - value_untreated, value_treated: mean of the net amount in the window, currency units

        Window, state of knowledge and refusals as in `truth`.
        """
        return self._of_blocks(block_response, as_of, horizon_days)

    def _of_blocks(
        self, of_block: Callable[[Block, float, int], pd.DataFrame], as_of: datetime, days: int
    ) -> pd.DataFrame:
        """What is told of each block, one under the other, for the customers that are shown."""
        if not self.start <= as_of <= self.end:
            raise UserError(
                f"The truth was asked for {as_of}, but the simulation runs from {self.start} to "
                f"{self.end}. Choose a moment within it."
            )
        if days < 1:
            raise UserError(
                f"A truth needs a horizon of at least one day, but horizon_days is {days}. "
                "Give a whole number of days, such as 90."
            )
        day = (as_of - self.start) / DAY
        told = pd.concat([of_block(block, day, days) for block in self.blocks], ignore_index=True)
        is_shown = told["customer_id"].isin(self.customers["customer_id"])
        return told[is_shown].reset_index(drop=True)


def simulate(
    customers: int = 4000, seed: int = 0, start: datetime = START, end: datetime = END
) -> Simulation:
    """Make a business with that many customers, prospects and accounts of its own among them.

    start: a midnight, the opening; end: the last moment at which something happens. Rows that are
    known only after the end are kept: `known_at` says so.
    The same arguments give the same tables, and more customers add to those of fewer.

    Raises UserError for less than one customer, a start that is not a midnight, or a time shorter
    than 90 days.
    """
    _check(customers, start, end)
    midnight = np.datetime64(start, "us")
    seeds = np.random.SeedSequence(seed).spawn(-(-customers // BLOCK))
    blocks, tables = [], []
    for number, child in enumerate(seeds):
        first = number * BLOCK + 1
        ids = np.array([f"C{k:06d}" for k in range(first, first + BLOCK)], dtype=object)
        rng = np.random.default_rng(child)
        block = draw_block(rng, ids, midnight, (end - start) / DAY)
        blocks.append(block)
        # The last block is made whole and shown in part, so its customers are the same too.
        tables.append(_tables(rng, block, shown=min(BLOCK, customers - number * BLOCK)))
    joined = [pd.concat(parts, ignore_index=True) for parts in zip(*tables, strict=True)]
    return Simulation(
        customers=joined[0],
        transactions=joined[1],
        interactions=joined[2],
        start=start,
        end=end,
        blocks=tuple(blocks),
    )


def load(folder: Path | None = None) -> dict[str, pd.DataFrame]:
    """The tables of the simulation with its defaults; `folder` is not looked into."""
    made = simulate()
    return {
        "customers": made.customers,
        "transactions": made.transactions,
        "interactions": made.interactions,
    }


def _check(customers: int, start: datetime, end: datetime) -> None:
    if customers < 1:
        raise UserError(
            f"A simulation of {customers} customers was asked for, but there is nothing in it. "
            "Give a number of at least 1."
        )
    if start.time() != datetime.min.time():
        raise UserError(
            f"The simulation was to start at {start}, but it can start at a midnight only. "
            f"Use {start:%Y-%m-%d}."
        )
    if end - start < SHORTEST:
        raise UserError(
            f"The simulation was to run from {start} to {end}, but it needs at least "
            f"{SHORTEST.days} days. Use a later end."
        )


def _tables(
    rng: np.random.Generator, block: Block, shown: int
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The three tables of the first `shown` customers of a block."""
    sold = with_times(rng, _order_lines(block), block.start, block.end)
    met = with_times(rng, draw_contacts(rng, block), block.start, block.end)
    transactions, interactions = (
        rows.assign(customer_id=block.ids[rows["owner"]])[["customer_id", *rows.columns]]
        for rows in (sold, met)
    )
    customers = block.people.profile.copy()
    customers.insert(0, "customer_id", block.ids)
    customers.insert(1, "first_seen_at", as_times(block.start, block.people.first_seen))
    return (
        customers[:shown],
        _shown(with_transaction_dirt(rng, transactions), shown),
        _shown(with_interaction_dirt(rng, interactions), shown),
    )


def _shown(rows: pd.DataFrame, shown: int) -> pd.DataFrame:
    return rows[rows["owner"] < shown].drop(columns="owner")


def _order_lines(block: Block) -> pd.DataFrame:
    """One row per line bought and one per line sent back, with owner, day and delay."""
    lines = block.lines
    bought = pd.DataFrame(
        {
            "owner": lines.owner,
            "day": lines.day,
            "delay": 0.0,
            "order_id": block.order_ids[lines.of_order],
            "amount": lines.amount,
            "quantity": lines.quantity.astype(float),
            "product_id": _product_ids(lines.category, lines.product),
            "category": np.array(CATEGORIES, dtype=object)[lines.category],
            "channel": np.array(CHANNELS, dtype=object)[lines.channel],
            "discount": lines.discount,
            "margin": lines.margin,
        }
    )
    comes_back = np.isfinite(lines.returned)
    back = bought[comes_back].assign(day=lines.returned[comes_back], discount=0.0)
    back[["amount", "quantity", "margin"]] *= -1.0
    return pd.concat([bought, back], ignore_index=True)


def _product_ids(category: np.ndarray, product: np.ndarray) -> np.ndarray:
    """Ids such as P0312: category 03, product 12."""
    names = [[f"P{c:02d}{p + 1:02d}" for p in range(PRODUCTS)] for c in range(len(CATEGORIES))]
    return np.array(names, dtype=object)[category, product]
