"""One snapshot of `purchases` in one of several ways: python -m ... WAY WORKSPACE AS_OF OUT.

The way `everything` is Holdfast's, of all families of transactions.
"""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb

from features import workspace
from features.snapshots import Snapshots
from features.workspace import Workspace
from tests.benchmarks import apart, purchases_polars, purchases_sql

WAYS = ("holdfast", "sql", "grouped", "polars")


def main(way: str, root: str, as_of: str, out: str) -> None:
    """Measure one way; its rows lie in `out` afterwards."""
    space, moment = Workspace(Path(root)), datetime.fromisoformat(as_of)
    apart.measure(_work(way, space, moment, Path(out)))


def _work(way: str, space: Workspace, moment: datetime, out: Path) -> Callable[[], object]:
    files = workspace.event_files(space, "transactions")
    if way in ("holdfast", "everything"):
        return lambda: _holdfast(space, moment, out, every=way == "everything")
    if way == "polars":
        return lambda: purchases_polars.write(files, out, moment)
    text = purchases_sql.plain if way == "sql" else purchases_sql.grouped
    return lambda: duckdb.connect().execute(text(files, out, moment))


def _holdfast(space: Workspace, moment: datetime, out: Path, every: bool) -> None:
    """All that a build does for the family or for every one, who is known included."""
    snapshots = Snapshots(space)
    families = [family for family in snapshots.families if family.source == "transactions"]
    family = next(family for family in families if family.name == "purchases")
    snapshots.write(families if every else [family], moment)
    out.symlink_to(snapshots.folder(family, moment) / "part.parquet")


if __name__ == "__main__":
    main(*sys.argv[1:])
