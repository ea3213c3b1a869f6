"""What it costs to keep what scores were made of: room on disk, and time of batch and service.

The batch is that of batch.py. The service answers twice in one run, with and without keeping, in
turn, under wrk as in serving.py; the business is the demo's, or that of HOLDFAST_HOME.
"""

import contextlib
import sqlite3
import tempfile
import time
from pathlib import Path
from statistics import median

from features.workspace import Workspace
from serving import batch, made_of, replay
from serving.policy import POLICY
from tests.benchmarks.batch import AS_OF, prepare
from tests.benchmarks.serving import (
    ASK,
    MANY,
    ROUNDS,
    Load,
    _business,
    _load,
    _ours,
    _running,
)

CUSTOMERS = 100_000
CONNECTIONS = (1, 4)
VARIABLE = "HOLDFAST_KEEP_SERVED_DAYS"
WAYS = {"keeping": "400", "not keeping": "0"}
_SETTLED = 3.0  # seconds until the last answers are written


def table(customers: int = CUSTOMERS) -> str:
    """All measures, in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        of_batch = _batch(prepare(Path(folder), customers))
    with _business() as space, tempfile.TemporaryDirectory() as folder:
        return f"{of_batch}\n\n{_service(space, Path(folder))}"


def _batch(space: Workspace) -> str:
    path, seconds = _timed(lambda: batch.score_file(space, POLICY, AS_OF))
    _, digesting = _timed(lambda: made_of.digests(path.parent))
    found, again = _timed(lambda: replay.everybody(space, AS_OF))
    assert found.is_equal, found.in_words()
    count = found.customers
    rows = {
        "scores, bytes a customer": path.stat().st_size / count,
        "kept features, bytes a customer, once the snapshot is built anew": sum(
            file.stat().st_size for file in (path.parent / "features").glob("*/*")
        ) / count,
        "the same until then": 0,
        "made_of.json, bytes a batch": (path.parent / made_of.FILE).stat().st_size,
        "scoring, seconds": seconds,
        "of it digests of the files, seconds": digesting,
        "replay of the batch, seconds": again,
    }  # fmt: skip
    head = f"| one batch of {count:,} customers | |\n|---|---|"
    return "\n".join([head, *(f"| {name} | {value:,.1f} |" for name, value in rows.items())])


def _service(space: Workspace, folder: Path) -> str:
    lines = [
        "| one customer a request | requests/s | p50, ms | p99, ms | rate with / without |",
        "|---|---|---|---|---|",
    ]
    with contextlib.ExitStack() as running:
        ports = {}
        for way, days in WAYS.items():
            command, environment, port = _ours(space, folder, 1)
            started = (command, environment | {VARIABLE: days}, port)
            ports[way] = running.enter_context(_running(started))
        for connections in CONNECTIONS:
            lines += _turns(ports, ASK, connections, folder)
        lines += _turns(ports, MANY.replace("EXPLAIN", "false"), 1, folder, "1,000 customers, ")
        time.sleep(_SETTLED)
        return "\n".join([*lines, "", *_bytes(space)])


def _turns(
    ports: dict[str, int], script: str, connections: int, folder: Path, what: str = ""
) -> list[str]:
    loads: dict[str, list[Load]] = {way: [] for way in ports}
    for _ in range(ROUNDS):
        for way, port in ports.items():
            loads[way].append(_load(port, script, connections, folder))
    rates = {way: median(load.rate for load in found) for way, found in loads.items()}
    return [
        f"| {what}{way}, {connections} connections | {rates[way]:.1f} "
        f"| {median(load.p50 for load in found):.1f} | {median(load.p99 for load in found):.1f} "
        f"| {rates[way] / rates['not keeping']:.3f} |"
        for way, found in loads.items()
    ]


def _bytes(space: Workspace) -> list[str]:
    files = sorted((space.root / "served").glob("*.sqlite"))
    size = sum(file.stat().st_size for file in files)
    counts = {}
    for name in ("answers", "contents"):
        counts[name] = 0
        for file in files:
            with contextlib.closing(sqlite3.connect(file)) as database:
                counts[name] += database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
    with contextlib.closing(sqlite3.connect(files[-1])) as database:
        packed = database.execute("SELECT avg(length(content)) FROM contents").fetchone()[0]
    each = (size - packed * counts["contents"]) / counts["answers"]
    return [
        "| kept answers | |\n|---|---|",
        f"| answers | {counts['answers']:,} |",
        f"| contents: one a customer, day and state of his features | {counts['contents']:,} |",
        f"| bytes of a content | {packed:,.0f} |",
        f"| bytes of an answer beside it | {each:,.0f} |",
    ]


def _timed(work):  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    found = work()
    return found, time.perf_counter() - start
