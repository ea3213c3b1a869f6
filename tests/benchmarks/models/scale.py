"""How long it takes to learn from a business of any size and to score all of it, and with how much.

The business is that of stationary.py, so that the peers' search finds what it looks for. Each
contender works in a process of its own on what it takes: peers on the summary of their kind, ready
in memory; Holdfast on built snapshots, its test and its reasons included. What building those takes
is a column of its own: no peer has features.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import duckdb

from features import backend, workspace
from features.workspace import Workspace
from tests.benchmarks import apart
from tests.benchmarks.apart import Cost
from tests.benchmarks.models import stationary

SIZES = (10_000, 100_000, 1_000_000)
DAYS = 500  # more than a year, so that last year's season is learnt from too
COME_WITHIN = 400
HORIZON = 90
CONTENDERS = ("Holdfast", "lifetimes", "pymc-marketing")
PATIENCE = 1_800  # seconds after which a contender is called off


def table(sizes: tuple[int, ...] = SIZES) -> str:
    """Minutes and gigabytes of every contender at every size, in Markdown."""
    heads = ["customers", "purchases", "features of Holdfast, 15 moments", *CONTENDERS]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for customers in sizes:
        with tempfile.TemporaryDirectory() as folder:
            lines.append(f"| {' | '.join(_row(customers, Path(folder)))} |")
    return "\n".join(lines)


def write_summary(purchases: Path, path: Path) -> None:
    """The summary of the peers: repeat days, recency, age, mean money of the repeat days."""
    duckdb.execute(f"""
        COPY (
          WITH days AS (
            SELECT customer_id, happened_at::DATE AS day, sum(amount) AS amount
            FROM '{purchases}' GROUP BY ALL),
          firsts AS (SELECT customer_id, min(day) AS first FROM days GROUP BY ALL)
          SELECT customer_id, (count(*) - 1)::DOUBLE AS frequency,
                 (max(day) - first)::DOUBLE AS recency,
                 (DATE '{stationary.BEGIN}' + {DAYS} - first)::DOUBLE AS "T",
                 coalesce(avg(amount) FILTER (day > first), 0.0) AS monetary_value
          FROM days JOIN firsts USING (customer_id) GROUP BY customer_id, first
          ORDER BY customer_id
        ) TO '{path}' (FORMAT parquet)
    """)


def _row(customers: int, folder: Path) -> list[str]:
    lines = stationary.purchases(customers, COME_WITHIN, DAYS)
    lines.to_parquet(folder / "purchases.parquet", index=False, coerce_timestamps="us")
    write_summary(folder / "purchases.parquet", folder / "summary.parquet")
    space = Workspace(folder / "workspace")
    workspace.ingest(space, {"transactions": backend.read_parquet([folder / "purchases.parquet"])})
    costs = [_cost(way, folder) for way in ("features", *CONTENDERS)]
    return [f"{customers:,}", f"{len(lines):,}", *costs]


def _cost(way: str, folder: Path) -> str:
    try:
        cost: Cost = apart.run("tests.benchmarks.models.scale_way", way, folder, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"not within {PATIENCE // 60} min"
    except subprocess.CalledProcessError as error:
        return f"failed ({error.returncode})"
    return f"{cost.seconds / 60:.1f} min, {cost.gigabytes:.1f} GB"
