"""Minutes of life for the service: half its greatest rate, while models are swapped and Redis dies.

Real Redis and Postgres, started here. Every score is held against the one that the same models give
in this process, every event that was accepted against the event files, and the memory of the worker
at the end against that of its first minute. HOLDFAST_HOME must have a champion, such as the demo's.
"""

import dataclasses
import itertools
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from features.store import FeatureStore
from features.workspace import Workspace
from serving.answer import Call, answer
from serving.loaded import Asked, Loaded
from serving.policy import POLICY
from tests.services import Postgres, Redis
from tests.serving.running import Running, accepted, copy, stored
from training import champion
from training.model_set import ModelSet
from training.tasks import TASKS

MOMENT = datetime(2025, 4, 1, 8)  # the morning after the demo's data end
LOADED = datetime(2025, 3, 31, 23, 59, 59, 999999)
ASKED = [f"C{k:06d}" for k in range(10, 310)]  # whom no event is about: their scores stay
THREADS = 4
SWAP_EVERY, RESTART_EVERY = 11.0, 40.0  # seconds; out of step with each other
WARM = 20.0  # seconds until what is loaded lazily is there


def run(seconds: float) -> str:
    """The soak, told in Markdown; raises AssertionError for a wrong answer or a lost event."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        space = copy(Workspace.from_environment(), folder / "workspace")
        redis, postgres = (stack.enter_context(_started(kind())) for kind in (Redis, Postgres))
        environment = {
            "HOLDFAST_FEATURE_STORE": "production",
            "HOLDFAST_REDIS": redis.new_database(),
            "HOLDFAST_REGISTRY": postgres.new_database(),
        }
        os.environ.update(environment)
        FeatureStore(space).materialize(LOADED)
        expected = _expected(space)
        running = Running(space, environment, MOMENT)
        stack.callback(running.close)
        running.start()
        return _soak(running, redis, expected, seconds)


def _soak(running: Running, redis: Redis, expected: dict[str, dict], seconds: float) -> str:
    pace = THREADS / (_greatest_rate(running) / 2)  # seconds between the calls of a thread
    seen: Counter[str] = Counter()
    wrong: list[Any] = []
    over = threading.Event()
    callers = [threading.Thread(target=_ask, args=(running, expected, pace, over, seen, wrong))
               for _ in range(THREADS)]  # fmt: skip
    others = [threading.Thread(target=_swap, args=(running.space, over, seen)),
              threading.Thread(target=_restart, args=(redis, over, seen))]  # fmt: skip
    sizes = []
    with running.posting(1) as told:
        for thread in [*callers, *others]:
            thread.start()
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            sizes.append((time.monotonic() - start, running.worker.memory_info().rss / 1e6))
            time.sleep(1.0)
        over.set()
        for thread in [*callers, *others]:
            thread.join()
    lost = [name for name in accepted(told) if stored(running.space)[name] != 1]
    assert not wrong, wrong[:3]
    assert not lost, lost[:3]
    return _told(seen, told, sizes, seconds)


def _told(seen: Counter, told: dict, sizes: list, seconds: float) -> str:
    warm = [size for at, size in sizes if at > WARM]
    first, last = np.mean(warm[:10]), np.mean(warm[-10:])
    rows = {
        "scores, all right": seen["right"],
        "refused while Redis was down (503)": seen["503"],
        "cut": seen["cut"],
        "models swapped": seen["swap"],
        "Redis killed and started": seen["restart"],
        "events accepted, each stored once": len(accepted(told)),
        "events not accepted": len(told) - len(accepted(told)),
        "memory of the worker, MB: after 20 s, at the end": f"{first:.0f}, {last:.0f}",
    }
    lines = [f"| {what} | {count} |" for what, count in rows.items()]
    return "\n".join([f"| {seconds:.0f} seconds | |", "|---|---|", *lines])


def _expected(space: Workspace) -> dict[str, dict[str, float | None]]:
    """What versions 1 and 2 say of each customer; the second is the first a little surer."""
    first = champion.load(space)
    moved = dataclasses.replace(first.churn, middle=first.churn.middle + 0.1)
    second = ModelSet(**{**vars(first), "churn": moved})
    second.save(space.root / "second")
    for name in TASKS:
        (space.root / "second" / name).rename(space.models / name / "second")
    store = FeatureStore(space)
    found = {}
    for version, models in (("1", first), ("second", second)):
        rows = Loaded(models, store).known([Asked(one, "", False) for one in ASKED])
        said = answer(rows, models, Call(POLICY, MOMENT))
        found[version] = {
            one["customer_id"]: (one["churn"] or {}).get("probability") for one in said
        }
    return found


def _greatest_rate(running: Running, seconds: float = 5.0) -> float:
    """Calls a second of THREADS callers who never pause."""
    with running.asking(ASKED[:1], THREADS) as answered:
        time.sleep(seconds)
    return len(answered) / seconds


def _ask(running: Running, expected: dict, pace: float, over: threading.Event,
         seen: Counter, wrong: list) -> None:  # fmt: skip
    draw = random.Random(threading.get_ident())
    with httpx.Client(base_url=running.client.base_url, timeout=30.0) as client:
        while not over.wait(pace):
            customer_id = draw.choice(ASKED)
            try:
                told = client.post("/score", json={"customer_ids": [customer_id]})
            except httpx.TransportError:
                seen["cut"] += 1
                continue
            if told.status_code != 200:
                seen[str(told.status_code)] += 1
                if told.status_code != 503:
                    wrong.append((told.status_code, told.text))
                continue
            (one,) = told.json()["scores"]
            version = one["model"]["churn"].removeprefix("churn@")
            probability = (one["churn"] or {}).get("probability")
            if (one["customer_id"], probability) == (customer_id, expected[version][customer_id]):
                seen["right"] += 1
            else:
                wrong.append((customer_id, version, probability))


def _swap(space: Workspace, over: threading.Event, seen: Counter) -> None:
    versions = itertools.cycle(["second", "1"])
    while not over.wait(SWAP_EVERY):
        pointer = space.models / "champion.json"
        temporary = pointer.with_suffix(".new")
        temporary.write_text(json.dumps(dict.fromkeys(TASKS, next(versions))))
        temporary.replace(pointer)
        seen["swap"] += 1


def _restart(redis: Redis, over: threading.Event, seen: Counter) -> None:
    while not over.wait(RESTART_EVERY):
        with redis.down(signal.SIGKILL):
            time.sleep(1.0)
        seen["restart"] += 1


class _started:
    """A server within a block."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def __enter__(self) -> Any:
        self._server.start()
        return self._server

    def __exit__(self, *_: object) -> None:
        self._server.remove()


if __name__ == "__main__":
    sys.stdout.write(run(float(sys.argv[1]) if len(sys.argv) > 1 else 180.0) + "\n")
