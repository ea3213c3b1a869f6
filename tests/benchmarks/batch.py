"""Scores of everyone: parts on all cores beside one process that holds everybody in memory.

A small business is simulated and its models are trained; the rows of its snapshot are then repeated
under new ids, so that the features of a million customers need not be built.
"""

import json
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features import backend, workspace
from features.datasets.simulated import simulate
from features.store import FeatureStore
from features.workspace import Workspace
from serving import batch
from tests.benchmarks import apart
from training import train
from training.tasks import TASKS

CUSTOMERS = 1_000_000
SMALL = 4_000
AS_OF = datetime(2024, 12, 31, 23, 59, 59, 999999)
NAMES = {
    "parts": "Holdfast, parts on all cores",
    "alone": "the same models and score(), one process and no parts",
}
_ROW_GROUP = 100_000  # of what a build writes


def table(customers: int = CUSTOMERS) -> str:
    """Seconds and peak memory of both ways, in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        space = prepare(Path(folder), customers)
        costs = {way: apart.run("tests.benchmarks.batch_way", way, space.root) for way in NAMES}
        scored = _must_agree(space)
        features = len(FeatureStore(space).feature_names)
    ours = costs["parts"]
    rows = [
        f"| {NAMES[way]} | {cost.seconds:.0f} | {cost.gigabytes:.1f} "
        f"| {ours.seconds / cost.seconds:.2f} | {ours.gigabytes / cost.gigabytes:.2f} |"
        for way, cost in costs.items()
    ]
    what = f"{customers:,} customers ({scored:,} scored), {features} features, {backend.cores()}"
    head = f"| {what} cores | seconds | peak GB | ratio of seconds | of memory |"
    return "\n".join([head, "|---|---|---|---|---|", *rows])


def prepare(folder: Path, customers: int) -> Workspace:
    """A workspace with trained models and the features of so many customers."""
    space = Workspace(folder / "workspace")
    made = simulate(customers=SMALL, start=datetime(2024, 1, 1), end=AS_OF)
    names = ("customers", "transactions", "interactions")
    workspace.ingest(space, {name: ibis.memtable(getattr(made, name)) for name in names})
    store, request = FeatureStore(space), train.Request(AS_OF, 90, 365)
    today = train.build(store, request)
    models, *_ = train.fit(store, request, today, None, None)
    models.save(folder / "fitted")
    for name in TASKS:
        shutil.copytree(folder / "fitted" / name, space.models / name / "1")
    (space.models / "champion.json").write_text(json.dumps(dict.fromkeys(TASKS, "1")))
    for family in store.snapshots.families:
        _repeat(store.snapshots.folder(family, AS_OF), customers)
    return space


def _repeat(folder: Path, customers: int) -> None:
    """Give a snapshot so many customers by repeating its rows, as if it had been built so."""
    part = folder / "part.parquet"
    rows = pq.ParquetFile(part).read()
    with (
        backend.whole_or_nothing(part) as temporary,
        pq.ParquetWriter(temporary, rows.schema, compression="zstd") as writer,
    ):
        for start in range(0, customers, _ROW_GROUP):
            numbers = np.arange(start, min(start + _ROW_GROUP, customers))
            ids = pa.array([f"C{number:08d}" for number in numbers])
            chosen = rows.take(pa.array(numbers % rows.num_rows))
            writer.write_table(chosen.set_column(0, "customer_id", ids))
    fingerprint = folder / "fingerprint.json"
    stored = json.loads(fingerprint.read_text()) | {"bytes": part.stat().st_size}
    fingerprint.write_text(json.dumps(stored))


def _must_agree(space: Workspace) -> int:
    """A time of something else is no rival: both must have written the same; how many rows."""
    ours = pd.read_parquet(batch.score_path(space, AS_OF))
    rival = pd.read_parquet(space.root / "alone.parquet")
    pd.testing.assert_frame_equal(ours, rival, check_exact=True)
    return len(ours)
