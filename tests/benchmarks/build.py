"""Snapshots of the `purchases` family beside SQL by hand and Polars, and at growing sizes.

Each way computes a snapshot in a process of its own, one way after the other, so that a noisy
machine slows all of them; all read the same event files and write Parquet.
"""

import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from features import backend, workspace
from features.workspace import Workspace
from tests.benchmarks import apart, shop
from tests.benchmarks.apart import Cost
from tests.benchmarks.build_way import WAYS

LINES = 20_000_000
GROWTH = (5_000_000, 20_000_000, 100_000_000)
ALL_UP_TO = 20_000_000  # lines up to which all families are timed too: they take tens of minutes
END = datetime(2023, 12, 31)
MOMENTS = tuple(END - timedelta(days=30 * ago) for ago in range(12))
NAMES = {
    "holdfast": "Holdfast",
    "sql": "DuckDB SQL by hand",
    "grouped": "DuckDB SQL by hand, distinct things grouped as ours",
    "polars": "Polars, streaming",
}


def table() -> str:
    """Time and memory of the snapshots in every way, in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        return compare(prepare(Path(folder), LINES))


def compare(space: Workspace) -> str:
    """The same for a workspace that is there."""
    costs = {way: _summed(each) for way, each in _side_by_side(space).items()}
    ours = costs["holdfast"]
    rows = [
        f"| {NAMES[way]} | {cost.seconds:.0f} | {cost.gigabytes:.1f} "
        f"| {ours.seconds / cost.seconds:.2f} | {ours.gigabytes / cost.gigabytes:.2f} |"
        for way, cost in costs.items()
    ]
    what = f"{len(MOMENTS)} snapshots of `purchases`, {LINES:,} lines"
    head = f"| {what} | seconds | peak GB | ratio of seconds | of memory |"
    return "\n".join([head, "|---|---|---|---|---|", *rows])


def growth() -> str:
    """One snapshot of `purchases` and of all families of transactions at growing sizes."""
    rows = []
    for lines in GROWTH:
        with tempfile.TemporaryDirectory() as folder:
            space = prepare(Path(folder), lines)
            ways = ("holdfast", "everything") if lines <= ALL_UP_TO else ("holdfast",)
            asked = [_alone(way, space, END) for way in ways]
        costs = [f"{cost.seconds:.1f} | {1e6 * cost.seconds / lines:.2f} | {cost.gigabytes:.1f}"
                 for cost in asked]  # fmt: skip
        costs += ["| |"] * (2 - len(costs))
        rows.append(f"| {lines:,} | {' | '.join(costs)} |")
    columns = "seconds | per million | peak GB"
    head = f"| lines, one snapshot | `purchases`: {columns} | all families: {columns} |"
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows])


def prepare(folder: Path, lines: int) -> Workspace:
    """A workspace with the shop's lines."""
    space, raw = Workspace(folder / "workspace"), folder / "lines.parquet"
    shop.write_lines(raw, lines)
    workspace.ingest(space, {"transactions": backend.read_parquet([raw])})
    raw.unlink()
    return space


def _side_by_side(space: Workspace) -> dict[str, list[Cost]]:
    costs: dict[str, list[Cost]] = {way: [] for way in WAYS}
    for moment in MOMENTS:
        outputs = space.root / "outputs"
        outputs.mkdir()
        for way in WAYS:
            out = outputs / f"{way}.parquet"
            costs[way].append(apart.run("tests.benchmarks.build_way", way, space.root, moment, out))
        _must_agree(outputs)
        shutil.rmtree(outputs)
    return costs


def _alone(way: str, space: Workspace, moment: datetime) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.parquet"
        return apart.run("tests.benchmarks.build_way", way, space.root, moment, out)


def _summed(costs: list[Cost]) -> Cost:
    return Cost(sum(cost.seconds for cost in costs), max(cost.gigabytes for cost in costs))


def _must_agree(outputs: Path) -> None:
    """A time of something else is no rival: all must have written the same numbers."""
    ours = _numbers(outputs / "holdfast.parquet").drop(columns="event_timestamp")
    for way in WAYS[1:]:
        rival = _numbers(outputs / f"{way}.parquet")[ours.columns]
        pd.testing.assert_frame_equal(ours, rival.astype(float), rtol=1e-9)


def _numbers(path: Path) -> pd.DataFrame:
    return pd.read_parquet(path).set_index("customer_id").sort_index()
