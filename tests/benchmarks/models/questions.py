"""The questions that all are asked: real customers at a past day, whose future we know by now.

Each is given as three columns (customer, time, money), as `holdfast run` takes them, with the same
settings for all. The future is looked at after every forecast has been made.
"""

from __future__ import annotations

from collections.abc import Callable
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
from tests.real_data import real_data
from training import frame, split, train
from training.train import Request


@dataclass(frozen=True)
class Question:
    """What will the customers of a business at a moment do in the days after it?

    lines: every purchase of the business, later ones included: customer_id, happened_at, amount.
    """

    name: str
    lines: Callable[[], pd.DataFrame]
    as_of: datetime
    days: int

    def past(self, root: Path) -> Past:
        """What a forecaster may know, in a workspace of its own under `root`."""
        lines = self.lines()
        space = Workspace(root)
        known = lines[lines.happened_at <= self.as_of]
        workspace.ingest(space, {"transactions": ibis.memtable(known)})
        return Past(space, known, self.as_of, self.days)

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


def _bought(dataset: str, folder: str) -> Callable[[], pd.DataFrame]:
    def lines() -> pd.DataFrame:
        rows = DATASETS[dataset].load(real_data(folder))["transactions"]
        columns = ["customer_id", "happened_at", "amount"]
        return rows.loc[rows.amount > 0, columns].reset_index(drop=True)

    return lines


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
)
