"""What simulated customers buy: orders when a need falls due, their lines, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.datasets.simulator.people import (
    CATEGORY_MARGINS,
    CATEGORY_PRICES,
    CHANNELS,
    DAYS_PER_YEAR,
    MAIN_CHANNEL_SHARE,
    People,
)
from features.datasets.simulator.rhythm import RHYTHMS, NeedClock

# Purchases by day of the week, Monday first, of those who buy on working days and on weekends.
# Both add up to 7, so the rate of a week is the same for everyone.
WORKDAY_SHAPE = np.array([1.25, 1.2, 1.2, 1.2, 1.25, 0.5, 0.4])
WEEKEND_SHAPE = np.array([0.5, 0.5, 0.55, 0.7, 1.25, 1.9, 1.6])

# Twelve products a category: the price falls with the rank, and so does the demand.
PRODUCTS = 12
PRODUCT_PRICES = np.geomspace(2.0, 0.6, PRODUCTS)
PRODUCT_SHARES = (1.0 / np.arange(1, PRODUCTS + 1)) / (1.0 / np.arange(1, PRODUCTS + 1)).sum()
EXTRA_PIECES = 0.3  # mean number of pieces of a line beyond the first
PRICE_NOISE = 0.25  # standard deviation of the log price of a piece; its mean is 1
DISCOUNTS = (0.10, 0.30)  # least and most share taken off a discounted line, evenly spread
RETURN_DAYS = (3.0, 30.0)  # soonest and latest return after the order, evenly spread


@dataclass(frozen=True)
class Orders:
    """One entry per order, by customer and time."""

    owner: np.ndarray
    number: np.ndarray  # 1, 2, ... of the customer
    day: np.ndarray


@dataclass(frozen=True)
class Lines:
    """One entry per order line as bought; `returned` is the day it comes back, infinity: never."""

    owner: np.ndarray
    of_order: np.ndarray  # index into Orders
    day: np.ndarray
    category: np.ndarray  # index into CATEGORIES
    product: np.ndarray  # rank in the category
    channel: np.ndarray  # index into CHANNELS
    quantity: np.ndarray
    amount: np.ndarray
    discount: np.ndarray
    margin: np.ndarray
    returned: np.ndarray


def need_clock(people: People, start: np.datetime64, days: int) -> NeedClock:
    """The clock of needs of each customer over `days` days from `start`, a midnight."""
    dates = start.astype("datetime64[D]") + np.arange(days)
    of_year = (dates - dates.astype("datetime64[Y]")).astype(float)
    weekday = (dates.astype(int) + 3) % 7  # 1970-01-01 was a Thursday
    phase = 2.0 * np.pi * (of_year[None, :] - people.season_peak[:, None]) / DAYS_PER_YEAR
    season = 1.0 + people.season_swing[:, None] * np.cos(phase)
    weekend = people.weekend[:, None]
    week = weekend * WEEKEND_SHAPE[weekday] + (1.0 - weekend) * WORKDAY_SHAPE[weekday]
    arrived = np.minimum(people.first_seen, days)
    years = (np.arange(days) - arrived[:, None]).clip(min=0.0) / DAYS_PER_YEAR
    trend = np.exp(people.trend[:, None] * years)
    return NeedClock(people.rate[:, None] / DAYS_PER_YEAR * season * week * trend)


def draw_orders(
    rng: np.random.Generator, people: People, clock: NeedClock, until: np.ndarray
) -> Orders:
    """The orders of each customer from the first one to the day `until`, (n,)."""
    buyers = np.flatnonzero(people.first_order < until)
    need = np.full(len(people), np.inf)
    limit = np.full(len(people), -np.inf)
    need[buyers] = clock.at(buyers, people.first_order[buyers])
    limit[buyers] = clock.at(buyers, until[buyers])
    owners, needs = [buyers], [need[buyers]]
    while buyers.size:
        for rhythm in range(len(RHYTHMS)):
            of_rhythm = buyers[people.rhythm[buyers] == rhythm]
            need[of_rhythm] += RHYTHMS[rhythm].gaps(rng, of_rhythm.size)
        buyers = buyers[need[buyers] < limit[buyers]]
        owners.append(buyers)
        needs.append(need[buyers])
    number = np.repeat(np.arange(1, len(owners) + 1), [len(part) for part in owners])
    owner, need = np.concatenate(owners), np.concatenate(needs)
    by_customer = np.lexsort((number, owner))
    owner, number = owner[by_customer], number[by_customer]
    return Orders(owner, number, clock.when(owner, need[by_customer]))


def draw_lines(rng: np.random.Generator, people: People, orders: Orders) -> Lines:
    """The lines of the orders: what, how much, at what price, and whether it comes back."""
    of_order = np.repeat(
        np.arange(len(orders.owner)), 1 + rng.poisson(people.extra_lines[orders.owner])
    )
    owner, day = orders.owner[of_order], orders.day[of_order]
    n = len(owner)
    category = (rng.random(n)[:, None] > people.tastes.cumsum(axis=1)[owner, :-1]).sum(axis=1)
    product = rng.choice(PRODUCTS, n, p=PRODUCT_SHARES)
    quantity = 1 + rng.poisson(EXTRA_PIECES, n)
    noise = np.exp(rng.normal(-(PRICE_NOISE**2) / 2, PRICE_NOISE, n))
    price = people.order_level[owner] * CATEGORY_PRICES[category] * PRODUCT_PRICES[product]
    listed = price * quantity * noise
    is_cheaper = rng.random(n) < people.discount_habit[owner]
    discount = np.round(listed * np.where(is_cheaper, rng.uniform(*DISCOUNTS, n), 0.0), 2)
    margin = listed * CATEGORY_MARGINS[category] * people.margin_level[owner] - discount
    comes_back = rng.random(n) < people.return_habit[owner]
    returned = np.where(comes_back, day + rng.uniform(*RETURN_DAYS, n), np.inf)
    return Lines(
        owner, of_order, day, category, product,
        _draw_channels(rng, people, orders)[of_order], quantity, np.round(listed - discount, 2),
        discount, np.round(margin, 2), returned,
    )  # fmt: skip


def _draw_channels(rng: np.random.Generator, people: People, orders: Orders) -> np.ndarray:
    """One channel per order: mostly the customer's own."""
    n = len(orders.owner)
    own = rng.random(n) < MAIN_CHANNEL_SHARE
    return np.where(own, people.main_channel[orders.owner], rng.integers(len(CHANNELS), size=n))


def mean_order_amount(people: People) -> np.ndarray:
    """Expected net money of an order before returns, (n,): the mean of what `draw_lines` draws."""
    price = people.order_level * (people.tastes @ CATEGORY_PRICES)
    price = price * (PRODUCT_PRICES @ PRODUCT_SHARES) * (1.0 + EXTRA_PIECES)
    kept = 1.0 - people.discount_habit * (DISCOUNTS[0] + DISCOUNTS[1]) / 2.0
    return price * kept * (1.0 + people.extra_lines)


def returned_by(days_since_order: np.ndarray) -> np.ndarray:
    """Share of the lines to be returned that are back so many days after the order."""
    soonest, latest = RETURN_DAYS
    return ((days_since_order - soonest) / (latest - soonest)).clip(0.0, 1.0)
