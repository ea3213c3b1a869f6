"""One snapshot by Spark on two cores beside DuckDB, for the record: python -m ... ENGINE WORKSPACE.

Each engine runs in a process of its own and is started before the clock is.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

from features import backend, workspace
from features.family import Family
from features.snapshots import Snapshots
from features.workspace import Workspace
from tests.benchmarks import shop

LINES = 5_000_000
AS_OF = datetime(2023, 12, 31)
ASKED = ("`purchases`", "all families of transactions")


def table() -> str:
    """Seconds of both engines and their ratio, in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        space, raw = Workspace(Path(folder) / "workspace"), Path(folder) / "lines.parquet"
        shop.write_lines(raw, LINES)
        workspace.ingest(space, {"transactions": backend.read_parquet([raw], backend.EMBEDDED)})
        duckdb, spark = (_seconds(engine, space) for engine in backend.ENGINES)
    rows = [
        f"| {asked} | {duckdb[asked]:.1f} | {spark[asked]:.1f} "
        f"| {spark[asked] / duckdb[asked]:.1f} |"
        for asked in ASKED
    ]
    head = f"| one snapshot, {LINES:,} lines | DuckDB, s | Spark local[2], s | ratio |"
    return "\n".join([head, "|---|---|---|---|", *rows])


def main(engine: str, root: str) -> None:
    """Time one engine; the snapshots lie in the workspace afterwards."""
    backend.connect(engine)
    snapshots = Snapshots(Workspace(Path(root)))
    families = [family for family in snapshots.families if family.source == "transactions"]
    purchases = [family for family in families if family.name == "purchases"]
    taken = {
        asked: _timed(snapshots, chosen)
        for asked, chosen in zip(ASKED, (purchases, families), strict=True)
    }
    sys.stdout.write(json.dumps(taken) + "\n")


def _seconds(engine: str, space: Workspace) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.benchmarks.spark", engine, str(space.root)]
    environment = os.environ | {"HOLDFAST_ENGINE": engine}
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _timed(snapshots: Snapshots, families: Sequence[Family]) -> float:
    start = time.perf_counter()
    snapshots.write(families, AS_OF)
    seconds = time.perf_counter() - start
    for family in families:
        part = snapshots.folder(family, AS_OF) / "part.parquet"
        assert pq.read_metadata(part).num_rows > LINES / shop.LINES_PER_CUSTOMER / 2
    return seconds


if __name__ == "__main__":
    main(*sys.argv[1:])
