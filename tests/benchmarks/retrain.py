"""What a retraining costs: a first one of everything, and the next, a month of purchases later.

The business is that of models/scale.py, in purchases alone; each retraining works in a process of
its own, its seconds by phase are those of its outcome. What is asked is churn and value over 90
days, which makes them one question; the default of a year of value needs two years of history, and
takes further tests.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from features import backend, workspace
from features.moment import END_OF_DAY
from features.workspace import Workspace
from tests.benchmarks import apart
from tests.benchmarks.models import stationary

SIZES = (100_000, 1_000_000)
DAYS, COME_WITHIN = 500, 400  # as in models/scale.py
MONTH = 30
TESTS = "tests at past moments"
PHASES = ("features of past moments", TESTS, "four models", "gate", "record", "registration")


def table(sizes: tuple[int, ...] = SIZES) -> str:
    """Minutes and peak memory of both retrainings by size, and minutes by phase, in Markdown."""
    heads = ["customers", "purchases", "retraining", "minutes", "peak GB", *PHASES, "others"]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for customers in sizes:
        with tempfile.TemporaryDirectory() as folder:
            lines += _rows(customers, Path(folder))
    return "\n".join([*lines, "", f"{backend.cores()} cores."])


def _rows(customers: int, folder: Path) -> list[str]:
    lines = stationary.purchases(customers, COME_WITHIN, DAYS)
    end = datetime.fromisoformat(stationary.BEGIN) + timedelta(days=DAYS) + END_OF_DAY
    space, rows = Workspace(folder), []
    for number, as_of in enumerate((end - timedelta(days=MONTH), end)):
        before = as_of - timedelta(days=MONTH)
        news = lines[(lines.happened_at <= as_of) & ((number == 0) | (lines.happened_at > before))]
        news.to_parquet(folder / "news.parquet", index=False, coerce_timestamps="us")
        table = backend.read_parquet([folder / "news.parquet"])
        workspace.ingest(space, {"transactions": table})
        cost = apart.run("tests.benchmarks.retrain_way", folder, as_of.isoformat())
        seen = (lines.happened_at <= as_of).sum()
        cells = [f"{customers:,}", f"{seen:,}", ("first", "next")[number],
                 f"{cost.seconds / 60:.1f}", f"{cost.gigabytes:.1f}"]  # fmt: skip
        rows.append(f"| {' | '.join([*cells, *_by_phase(space, as_of, cost.seconds)])} |")
    return rows


def _by_phase(space: Workspace, as_of: datetime, seconds: float) -> list[str]:
    """Minutes of PHASES, and of everything beside them."""
    outcomes = [json.loads(file.read_text()) for file in space.root.glob("retrain/*/outcome.json")]
    taken = next(one["seconds"] for one in outcomes if one["as_of"] == as_of.isoformat())
    found = [_minutes(taken, name) for name in PHASES]
    return [f"{minutes:.1f}" for minutes in [*found, seconds / 60 - sum(found)]]


def _minutes(taken: Mapping[str, float], name: str) -> float:
    if name == TESTS:
        return sum(spent for phase, spent in taken.items() if phase.startswith("test of ")) / 60
    return taken.get(name, 0.0) / 60
