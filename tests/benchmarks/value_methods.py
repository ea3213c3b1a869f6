"""Three ways to value a customer on real businesses: ABC, RFM and CLV at past moments.

Each business is taken whole, returns included. What each way knows ends at the moment; what the
customers brought after it decides. Results: VALUE_METHODS.md beside this file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import ibis
import pandas as pd

from features import workspace
from features.datasets import DATASETS
from features.moment import END_OF_DAY
from features.store import FeatureStore
from features.workspace import Workspace
from tests.real_data import real_data
from training import evaluate, rolling, value_methods
from training.evaluate import Backtest
from training.models.two_part import TwoPart


@dataclass(frozen=True)
class Case:
    """A business, the last day on record, a horizon in days, and how its moments are chosen."""

    name: str
    dataset: str
    folder: str
    last_day: str
    days: int
    tests: Callable[[FeatureStore, datetime, int], list[Backtest]]


def _rolling(store: FeatureStore, now: datetime, days: int) -> list[Backtest]:
    return rolling.backtests(store, now, days, TwoPart)


def _newest(store: FeatureStore, now: datetime, days: int) -> list[Backtest]:
    """One moment, and half of the span where two horizons do not fit into it."""
    test = evaluate.backtest(store, now, days, TwoPart)
    return [] if test is None else [test]


CASES = (
    Case("Online Retail II", "online_retail", "online-retail-2", "2011-12-09", 90, _rolling),
    Case("Online Retail II", "online_retail", "online-retail-2", "2011-12-09", 180, _rolling),
    Case("Online Retail II", "online_retail", "online-retail-2", "2011-12-09", 365, _rolling),
    # One cohort of 78 weeks: half of it lies before the moment, as in the papers on it.
    Case("CDNOW", "cdnow", "cdnow", "1998-06-30", 273, _newest),
)


def table() -> str:
    """Every case as a table in Markdown."""
    return "\n\n".join(_markdown(case, *_asked(case)) for case in CASES)


def _asked(case: Case) -> tuple[pd.DataFrame, list[Backtest]]:
    now = datetime.fromisoformat(case.last_day) + END_OF_DAY
    with tempfile.TemporaryDirectory() as folder:
        space = Workspace(Path(folder) / "workspace")
        raw = DATASETS[case.dataset].load(real_data(case.folder))
        workspace.ingest(space, {name: ibis.memtable(rows) for name, rows in raw.items()})
        store = FeatureStore(space)
        tests = case.tests(store, now, case.days)
        return value_methods.compare(tests, store), tests


def _markdown(case: Case, found: pd.DataFrame, tests: list[Backtest]) -> str:
    """The table of a case: each way, its intervals, and how far it is behind CLV."""
    first = found.iloc[0]
    moments = ", ".join(f"{test.origin.as_of:%Y-%m-%d}" for test in tests)
    heads = [
        f"{case.name}, {first.horizon_days} days, {first.customers:,} customers ({moments})",
        "best 20 % found", "value captured", "rank correlation", "seconds", "CLV finds more by",
        "CLV captures more by", "finds more than RFM by",
    ]  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for row in found.to_dict("records"):
        is_clv, is_rfm = row["method"] == value_methods.CLV, row["method"] == value_methods.RFM
        cells = [
            row["method"],
            _cell(row, "found", "found", 100.0, ".1f"),
            _cell(row, "captured", "captured", 100.0, ".1f"),
            _cell(row, "spearman", "spearman", 1.0, ".3f"),
            f"{row['seconds']:.2f}",
            "" if is_clv else _cell(row, "behind_clv", "behind", 100.0, "+.1f"),
            "" if is_clv else _cell(row, "captured_behind", "captured_behind", 100.0, "+.1f"),
            "" if is_rfm else _cell(row, "ahead_rfm", "ahead", 100.0, "+.1f"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(row: dict, value: str, ends: str, scale: float, form: str) -> str:
    low, high = row[f"{ends}_low"], row[f"{ends}_high"]
    return f"{scale * row[value]:{form}} ({scale * low:{form}} to {scale * high:{form}})"
