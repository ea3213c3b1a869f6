"""The questions that all are asked: real customers at a past day, whose future we know by now.

Each is given as lines (customer, time, money), as `holdfast run` takes them, with the same settings
for all; where a business knows more, its other tables stand beside them. The future is looked at
after every forecast has been made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

import ibis
import pandas as pd

from features import workspace
from features.datasets import DATASETS
from features.moment import END_OF_DAY
from features.store import FeatureStore
from features.workspace import Workspace
from tests.benchmarks.models import stationary, students
from tests.real_data import real_data
from training import frame, split, train
from training.request import Request

# The times of an event and of a customer: a row belongs to the past when none of them is later.
TIMES = ("happened_at", "known_at", "first_seen_at")


@dataclass(frozen=True)
class Question:
    """What will the customers of a business at a moment do in the days after it?

    lines: every purchase of the business, later ones included: customer_id, happened_at, amount,
    and what else a transaction may have. others: table name -> the rest that the feature store is
    to know, later rows included; it reaches those who read features, Holdfast and LightGBM.
    """

    name: str
    lines: Callable[[], pd.DataFrame]
    as_of: datetime
    days: int
    others: Callable[[], Mapping[str, pd.DataFrame]] = dict

    def past(self, root: Path) -> Past:
        """What a forecaster may know, in a workspace of its own under `root`."""
        space = Workspace(root)
        tables = {"transactions": self.lines(), **self.others()}
        known = {name: known_by(rows, self.as_of) for name, rows in tables.items()}
        workspace.ingest(space, {name: ibis.memtable(rows) for name, rows in known.items()})
        return Past(space, known["transactions"], self.as_of, self.days)

    def outcome(self, customers: pd.Series) -> pd.DataFrame:
        """What the customers did in the days after the moment: bought (0 or 1), orders, value."""
        lines, end = self.lines(), self.as_of + timedelta(days=self.days)
        after = lines[(lines.happened_at > self.as_of) & (lines.happened_at <= end)]
        by_customer = after.assign(day=after.happened_at.dt.date).groupby("customer_id")
        value = customers.map(by_customer.amount.sum()).fillna(0.0).to_numpy()
        orders = customers.map(by_customer.day.nunique()).fillna(0.0).to_numpy()
        return pd.DataFrame({"bought": (orders > 0) * 1.0, "orders": orders, "value": value})


@dataclass(frozen=True)
class Past:
    """The same past for every forecaster: lines, features today, a panel of earlier cut-offs."""

    space: Workspace
    lines: pd.DataFrame
    as_of: datetime
    days: int

    @property
    def request(self) -> Request:
        """The question as `training` takes it."""
        return Request(self.as_of, self.days, self.days)

    @cached_property
    def store(self) -> FeatureStore:
        """The feature store over the past."""
        return FeatureStore(self.space)

    @cached_property
    def today(self) -> pd.DataFrame:
        """Features of every customer who has bought, with `horizon_days`."""
        return train.build(self.store, self.request).assign(horizon_days=self.days)

    @cached_property
    def panel(self) -> pd.DataFrame:
        """Features and outcomes at the matured cut-offs."""
        first = frame.first_event(self.store)
        cutoffs = split.training_cutoffs(first, self.as_of, self.days)
        _ = self.today  # builds the snapshots
        return frame.panel(self.store, cutoffs, known_by=self.as_of)


def known_by(rows: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """The rows that had happened, and were known, by a moment; a missing time is no later one."""
    times = [name for name in TIMES if name in rows]
    return rows[~(rows[times] > as_of).any(axis=1)]


def _bought(dataset: str, folder: str) -> Callable[[], pd.DataFrame]:
    def lines() -> pd.DataFrame:
        rows = DATASETS[dataset].load(real_data(folder))["transactions"]
        columns = ["customer_id", "happened_at", "amount"]
        return rows.loc[rows.amount > 0, columns].reset_index(drop=True)

    return lines


def _stationary() -> pd.DataFrame:
    return stationary.purchases(customers=5_000, come_within=400, days=600)


def _end_of(day: str) -> datetime:
    return datetime.fromisoformat(day) + END_OF_DAY


QUESTIONS: tuple[Question, ...] = (
    Question("CDNOW, 273 days", _bought("cdnow", "cdnow"), _end_of("1997-09-30"), 273),
    Question(
        "CDNOW 1/10 sample, 273 days",
        _bought("cdnow_sample", "cdnow"),
        _end_of("1997-09-30"),
        273,
    ),
    Question(
        "Online Retail II, 180 days",
        _bought("online_retail", "online-retail-2"),
        _end_of("2011-06-11"),
        180,
    ),
    Question(
        "Online Retail II, 90 days",
        _bought("online_retail", "online-retail-2"),
        _end_of("2011-09-09"),
        90,
    ),
    # The record of the students ends with 2022-10-20. Each question stands one horizon before, at
    # the last moment whose outcome is wholly known, so that its past is as long as it can be.
    # Renewal: a monthly plan runs 30 days, and who buys within 30 days of its end has renewed (the
    # set's own example); after 60 days that is decided for every monthly plan of the moment.
    Question(
        "365-datascience renewal, 60 days",
        students.plans_bought,
        _end_of("2022-08-21"),
        60,
        students.beside_plans,
    ),
    # Engagement lapse: a month, what the shortest plan pays for, and the usual span in which users
    # are called active.
    Question(
        "365-datascience engagement lapse, 30 days",
        students.days_watched,
        _end_of("2022-09-20"),
        30,
        students.beside_days,
    ),
    # A business without anything to learn beyond its law, which is that of the peers.
    Question("Made-up stationary shop, 90 days", _stationary, _end_of("2024-05-14"), 90),
)
