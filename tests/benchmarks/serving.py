"""Requests a second and how long they take: the service beside plain FastAPI and bare BentoML.

All three look up the same customers and compute the same answers, each in a process of its own;
they take turns in every row. The load comes from wrk on the loopback interface (apt-get install
wrk). The business is that of HOLDFAST_HOME where it has a champion, else the demo's, made first.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

import httpx

from features.workspace import Workspace
from serving import demo, run_service
from tests.missing import program

SECONDS, ROUNDS = 5, 3  # of load; rounds of all ways in turn
CONNECTIONS = (1, 4, 32)
WORKERS = (1, 2)
CUSTOMERS = 2_000  # ids asked for in turn
MOMENT = datetime(2025, 4, 1, 8)  # the morning after the demo's data end
PATIENCE = 120.0
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}

ASK = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
local n = 0
request = function()
  n = n + 1
  return wrk.format(nil, "/score", nil,
    string.format('{"customer_ids":["C%06d"]}', (n * 37) % CUSTOMERS + 1))
end
""".replace("CUSTOMERS", str(CUSTOMERS))
MANY = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
local ids = {}
for k = 1, 1000 do ids[k] = string.format('"C%06d"', k) end
wrk.body = '{"explain":EXPLAIN,"customer_ids":[' .. table.concat(ids, ",") .. ']}'
wrk.path = "/score"
"""
POST = """
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
local n = 0
request = function()
  n = n + 1
  return wrk.format(nil, "/events", nil, string.format(
    '{"transactions":[{"event_id":"RUN-%d","customer_id":"C%06d","amount":9.5,' ..
    '"happened_at":"2025-04-01T07:00:00"}]}', n, (n * 37) % CUSTOMERS + 1))
end
""".replace("CUSTOMERS", str(CUSTOMERS))


@dataclass(frozen=True)
class Load:
    """What wrk saw: answers a second, milliseconds at two quantiles, and those that were no 2xx."""

    rate: float
    p50: float
    p99: float
    failed: int


def table() -> str:
    """All measures, in Markdown."""
    with _business() as space, tempfile.TemporaryDirectory() as folder:
        parts = [_one_customer(space, Path(folder), workers) for workers in WORKERS]
        return "\n\n".join([*parts, _many_customers(space, Path(folder)),
                            _events(space, Path(folder))])  # fmt: skip


def _one_customer(space: Workspace, folder: Path, workers: int) -> str:
    lines = [
        f"| one customer, {_plural(workers, 'worker')} | requests/s | p50, ms | p99, ms "
        "| rate / plain FastAPI |",
        "|---|---|---|---|---|",
    ]
    with contextlib.ExitStack() as running:
        ports = {
            name: running.enter_context(_running(start(space, folder, workers)))
            for name, start in WAYS.items()
        }
        for connections in CONNECTIONS:
            loads: dict[str, list[Load]] = {name: [] for name in ports}
            for _ in range(ROUNDS):
                for name, port in ports.items():
                    loads[name].append(_load(port, ASK, connections, folder))
            plain = median(load.rate for load in loads["plain FastAPI"])
            for name, found in loads.items():
                rate, p50, p99 = (
                    median(getattr(load, field) for load in found)
                    for field in ("rate", "p50", "p99")
                )
                assert not sum(load.failed for load in found), name
                what = f"{name}, {_plural(connections, 'connection')}"
                lines.append(
                    f"| {what} | {rate:.0f} | {p50:.1f} | {p99:.1f} | {rate / plain:.2f} |"
                )
    return "\n".join(lines)


def _many_customers(space: Workspace, folder: Path) -> str:
    lines = [
        "| 1,000 customers in one request | p50, ms | p99, ms | customers/s |",
        "|---|---|---|---|",
    ]
    with _running(_ours(space, folder, 1)) as port:
        for explain in ("false", "true"):
            load = _load(port, MANY.replace("EXPLAIN", explain), 1, folder)
            said = "with factors" if explain == "true" else "without factors"
            lines.append(f"| {said} | {load.p50:.0f} | {load.p99:.0f} | {1000 * load.rate:,.0f} |")
    return "\n".join(lines)


def _events(space: Workspace, folder: Path) -> str:
    lines = [
        "| one order a request, stored and online | events/s | p50, ms | p99, ms |",
        "|---|---|---|---|",
    ]
    with _running(_ours(space, folder, 1)) as port:
        for connections in CONNECTIONS:
            script = POST.replace("RUN", f"{time.time_ns()}")
            load = _load(port, script, connections, folder)
            assert not load.failed
            what = _plural(connections, "connection")
            lines.append(f"| {what} | {load.rate:.0f} | {load.p50:.0f} | {load.p99:.0f} |")
    return "\n".join(lines)


def _ours(space: Workspace, folder: Path, workers: int) -> tuple[list[str], dict[str, str], int]:
    port = _free_port()
    environment = run_service.environment(space, port, MOMENT, workers)
    return run_service.command("127.0.0.1", port), environment | {"HOLDFAST_RATE_LIMIT": "0"}, port


def _plain(space: Workspace, folder: Path, workers: int) -> tuple[list[str], dict[str, str], int]:
    port = _free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.benchmarks.serving_plain:app", "--port",
               str(port), "--workers", str(workers), "--no-access-log"]  # fmt: skip
    return command, run_service.environment(space, port, MOMENT, workers), port


def _bento(space: Workspace, folder: Path, workers: int) -> tuple[list[str], dict[str, str], int]:
    port = _free_port()
    command = [sys.executable, "-m", "bentoml", "serve", "tests.benchmarks.serving_bento:Bare",
               "--host", "127.0.0.1", "--port", str(port)]  # fmt: skip
    return command, run_service.environment(space, port, MOMENT, workers), port


WAYS = {"Holdfast": _ours, "plain FastAPI": _plain, "bare BentoML": _bento}


@contextlib.contextmanager
def _business() -> Iterator[Workspace]:
    given = Workspace.from_environment()
    if (given.models / "champion.json").exists():
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        space = Workspace(Path(folder) / "workspace")
        demo.run(space, CUSTOMERS, 0, lambda text: None)
        yield space


@contextlib.contextmanager
def _running(way: tuple[list[str], dict[str, str], int]) -> Iterator[int]:
    """A server in a process group of its own, by its port, from when it answers."""
    command, environment, port = way
    process = subprocess.Popen(command, env=environment, start_new_session=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        _wait(process, port)
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(PATIENCE)


def _wait(process: subprocess.Popen, port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    body = json.dumps({"customer_ids": ["C000001"]})
    headers = {"content-type": "application/json"}
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            asked = httpx.post(f"http://127.0.0.1:{port}/score", content=body, headers=headers)
            if asked.status_code == 200:
                return
        time.sleep(0.5)
    raise RuntimeError(f"{process.args} does not answer")


def _load(port: int, script: str, connections: int, folder: Path) -> Load:
    file = folder / "ask.lua"
    file.write_text(script)
    how = ["-t1", f"-c{connections}", f"-d{SECONDS}s", "--timeout", "20s", "--latency"]
    command = [program("wrk", "wrk"), *how, "-s", str(file), f"http://127.0.0.1:{port}/"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    assert rate, said
    return Load(
        float(rate[1]),
        _quantile(said, "50"),
        _quantile(said, "99"),
        int(failed[1]) if failed else 0,
    )


def _quantile(said: str, percent: str) -> float:
    """Milliseconds at a quantile, as wrk writes it."""
    found = re.search(rf"^\s*{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", said, re.MULTILINE)
    assert found, said
    return float(found[1]) * _UNITS[found[2]]


def _free_port() -> int:
    with socket.socket() as attempt:
        attempt.bind(("127.0.0.1", 0))
        return attempt.getsockname()[1]


def _plural(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
