"""A training set of 1.2 million (customer, cut-off) rows with all features, joined by Feast."""

import sys
import tempfile
from pathlib import Path

import pandas as pd

from features.store import FeatureStore
from features.workspace import Workspace
from tests.benchmarks import apart, build

LINES = 4_000_000  # 100,000 customers
MODULE = "tests.benchmarks.training_set"


def table() -> str:
    """Seconds and peak memory of Feast's join beside reading the same snapshots, in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        space = build.prepare(Path(folder), LINES)
        store = FeatureStore(space)
        for _ in store.build(build.MOMENTS):
            pass
        store.apply()
        ours, rival = (apart.run(MODULE, way, space.root) for way in ("history", "snapshots"))
        rows, features = len(_asked(store)), len(store.feature_names)
    return (
        f"| {rows:,} rows, {features} features | seconds | peak GB |\n|---|---|---|\n"
        f"| Holdfast, Feast's point-in-time join | {ours.seconds:.0f} | {ours.gigabytes:.1f} |\n"
        f"| the same snapshots read and put together | {rival.seconds:.0f} "
        f"| {rival.gigabytes:.1f} |\n"
        f"| ratio | {ours.seconds / rival.seconds:.2f} "
        f"| {ours.gigabytes / rival.gigabytes:.2f} |"
    )


def _asked(store: FeatureStore) -> pd.DataFrame:
    """Every customer known at each moment."""
    family = store.snapshots.families[0]
    tables = [store.snapshots.read(family, moment) for moment in build.MOMENTS]
    ids = [table.select("customer_id").to_pandas() for table in tables]
    moments = zip(ids, build.MOMENTS, strict=True)
    return pd.concat([rows.assign(as_of=moment) for rows, moment in moments], ignore_index=True)


def main(way: str, root: str) -> None:
    """Measure one way to the same rows."""
    store = FeatureStore(Workspace(Path(root)))
    asked = _asked(store)
    if way == "history":
        apart.measure(lambda: store.history(asked))
    else:
        apart.measure(lambda: pd.concat([store.snapshot(moment) for moment in build.MOMENTS]))


if __name__ == "__main__":
    main(*sys.argv[1:])
