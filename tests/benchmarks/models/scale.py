"""How long it takes to learn from a business of any size and to score all of it, and with how much.

The business obeys the law of the peers, Pareto/NBD with gamma-gamma, so that their search has what
it looks for. Each contender works in a process of its own on what it takes: peers on the summary of
their kind, ready in memory; Holdfast on built snapshots, its test and its reasons included. What
building those takes is a row of its own: no peer has features.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from features import backend, workspace
from features.workspace import Workspace
from tests.benchmarks import apart
from tests.benchmarks.apart import Cost

SIZES = (10_000, 100_000, 1_000_000)
BEGIN, DAYS = "2023-01-01", 500  # more than a year, so that last year's season is learnt from too
HORIZON = 90
# Parameters near those that fit retail data: half of the customers buy again in some months.
R, ALPHA, S, BETA = 0.9, 60.0, 0.7, 150.0
P, Q, GAMMA = 6.0, 4.0, 15.0
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


def write_purchases(path: Path, customers: int, seed: int = 0) -> int:
    """Write the purchases of some customers as Parquet; returns their number.

    Each begins on a day of the first 400, buys at a rate drawn from gamma(R, ALPHA) a day, leaves
    at a rate from gamma(S, BETA), and pays by gamma-gamma(P, Q, GAMMA), currency units.
    """
    rng = np.random.default_rng(seed)
    begin = rng.uniform(0.0, 400.0, customers)
    stays = np.minimum(rng.exponential(1.0 / rng.gamma(S, 1.0 / BETA, customers)), DAYS - begin)
    repeats = rng.poisson(rng.gamma(R, 1.0 / ALPHA, customers) * stays)
    who = np.repeat(np.arange(customers), repeats + 1)
    is_first = np.concatenate([[True], who[1:] != who[:-1]])
    day = begin[who] + np.where(is_first, 0.0, rng.uniform(size=len(who)) * stays[who])
    scale = rng.gamma(Q, 1.0 / GAMMA, customers)
    names = np.array([f"C{k:07d}" for k in range(customers)], dtype=object)
    purchases = pd.DataFrame({
        "customer_id": names[who],
        "happened_at": pd.Timestamp(BEGIN) + pd.to_timedelta((day * 86_400).astype(int), unit="s"),
        "amount": rng.gamma(P, 1.0 / scale[who]).round(2),
    })  # fmt: skip
    purchases.to_parquet(path, index=False, coerce_timestamps="us")
    return len(purchases)


def write_summary(purchases: Path, path: Path) -> None:
    """The summary of the peers: repeat days, recency, age, mean money of the repeat days."""
    duckdb.execute(f"""
        COPY (
          WITH days AS (
            SELECT customer_id, happened_at::DATE AS day, sum(amount) AS amount
            FROM '{purchases}' GROUP BY ALL),
          firsts AS (SELECT customer_id, min(day) AS first FROM days GROUP BY ALL)
          SELECT customer_id, count(*) - 1.0 AS frequency, max(day) - first + 0.0 AS recency,
                 DATE '{BEGIN}' + {DAYS} - first + 0.0 AS "T",
                 coalesce(avg(amount) FILTER (day > first), 0.0) AS monetary_value
          FROM days JOIN firsts USING (customer_id) GROUP BY customer_id, first
          ORDER BY customer_id
        ) TO '{path}' (FORMAT parquet)
    """)


def _row(customers: int, folder: Path) -> list[str]:
    lines = write_purchases(folder / "purchases.parquet", customers)
    write_summary(folder / "purchases.parquet", folder / "summary.parquet")
    space = Workspace(folder / "workspace")
    workspace.ingest(space, {"transactions": backend.read_parquet([folder / "purchases.parquet"])})
    costs = [_cost(way, folder) for way in ("features", *CONTENDERS)]
    return [f"{customers:,}", f"{lines:,}", *costs]


def _cost(way: str, folder: Path) -> str:
    try:
        cost: Cost = apart.run("tests.benchmarks.models.scale_way", way, folder, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return f"not within {PATIENCE // 60} min"
    except subprocess.CalledProcessError as error:
        return f"failed ({error.returncode})"
    return f"{cost.seconds / 60:.1f} min, {cost.gigabytes:.1f} GB"
