"""How the rows of the simulation arrive: some late, and a few of them dirty.

Dirt only adds rows, each a broken copy of a true one; no true row is changed or missing. All dirt
together is below 2 % of the rows:

- transactions: exact duplicates, free samples (amount 0), amounts that are NaN or infinite,
  missing times, missing customer ids;
- interactions: exact duplicates, missing times, missing customer ids, and customers that the
  customers table does not know (their ids begin with X).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

LATE_SHARE = 0.03  # of rows; the others are known when they happen
# Delay of late rows: median 1.5 days, from hours to the greatest delay.
LATE_MEDIAN, LATE_SPREAD, LATEST = 1.5, 1.3, 45.0  # days, standard deviation of the log, days

# Share of rows that get a broken copy, by what is wrong with it.
TRANSACTION_DIRT = {
    "duplicate": 0.003,
    "sample": 0.003,
    "not a number": 0.0005,
    "infinite": 0.0005,
    "no time": 0.001,
    "no customer": 0.001,
}
INTERACTION_DIRT = {
    "duplicate": 0.003,
    "no time": 0.001,
    "no customer": 0.001,
    "unknown customer": 0.002,
}


def with_times(
    rng: np.random.Generator, rows: pd.DataFrame, start: np.datetime64, end: float
) -> pd.DataFrame:
    """Turn days since `start` into happened_at and known_at; what is after `end` has not happened.

    rows: owner, day, delay (days until known, 0 mostly) and any others. The result is in the order
    of customers and, for one customer, of time.
    """
    n = len(rows)
    late = LATE_MEDIAN * np.exp(LATE_SPREAD * rng.standard_normal(n))
    delay = rows["delay"] + np.where(rng.random(n) < LATE_SHARE, late.clip(max=LATEST), 0.0)
    timed = rows.drop(columns=["day", "delay"])
    timed.insert(1, "happened_at", as_times(start, rows["day"].to_numpy()))
    timed.insert(2, "known_at", as_times(start, (rows["day"] + delay).to_numpy()))
    happened = (rows["day"] >= 0.0) & (rows["day"] <= end)
    return timed[happened].sort_values(["owner", "happened_at"], kind="stable", ignore_index=True)


def as_times(start: np.datetime64, days: np.ndarray) -> np.ndarray:
    """Days since `start` as times to the microsecond."""
    return start + (days * 86_400e6).astype("timedelta64[us]")


def with_transaction_dirt(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of transactions with their dirty copies among them."""
    mixed, dirt = _with_copies(rng, rows, TRANSACTION_DIRT)
    mixed.loc[dirt == "sample", ["amount", "discount", "margin"]] = 0.0
    mixed.loc[dirt == "sample", "category"] = "sample"
    mixed.loc[dirt == "not a number", "amount"] = np.nan
    mixed.loc[dirt == "infinite", "amount"] = np.inf
    mixed.loc[dirt == "no time", "happened_at"] = pd.NaT
    mixed.loc[dirt == "no customer", "customer_id"] = None
    return mixed


def with_interaction_dirt(rng: np.random.Generator, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of interactions with their dirty copies among them."""
    mixed, dirt = _with_copies(rng, rows, INTERACTION_DIRT)
    unknown = dirt == "unknown customer"
    mixed.loc[dirt == "no time", "happened_at"] = pd.NaT
    mixed.loc[dirt == "no customer", "customer_id"] = None
    mixed.loc[unknown, "customer_id"] = "X" + mixed.loc[unknown, "customer_id"].str[1:]
    return mixed


def _with_copies(
    rng: np.random.Generator, rows: pd.DataFrame, shares: dict[str, float]
) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows and the copies to be broken, by customer, and what to break: "" for true rows."""
    positions, dirt = [np.arange(len(rows))], [np.full(len(rows), "", dtype=object)]
    for name, share in shares.items():
        copied = np.flatnonzero(rng.random(len(rows)) < share)
        positions.append(copied)
        dirt.append(np.full(len(copied), name, dtype=object))
    position = np.concatenate(positions)
    by_customer = np.argsort(rows["owner"].to_numpy()[position], kind="stable")
    mixed = rows.iloc[position[by_customer]].reset_index(drop=True)
    return mixed, np.concatenate(dirt)[by_customer]
