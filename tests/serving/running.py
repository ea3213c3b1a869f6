"""The service as a process of its own that a test may stop, kill and start again, and its callers.

Callers run in threads and keep what each was told, so that a test can hold it against the files.
"""

import resource
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyarrow.parquet as pq

from features import workspace as workspaces
from features.workspace import Workspace
from serving import run_service
from serving.event_schemas import MOST_EVENTS
from tests.ports import free_port
from tests.serving.conftest import AS_OF
from tests.waiting import PATIENCE

NOW = AS_OF + timedelta(hours=1)


class Running:
    """The service of a workspace on a free port of this machine, without a limit to the rate.

    environment: what its process has beside its own. now: the moment it stands at.
    """

    def __init__(
        self,
        space: Workspace,
        environment: Mapping[str, str] | None = None,
        now: datetime = NOW,
    ) -> None:
        self.space, self.port, self._now = space, free_port(), now
        self._environment = {"HOLDFAST_RATE_LIMIT": "0", **(environment or {})}
        self.process: subprocess.Popen | None = None
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=30.0)

    def start(self) -> None:
        """Run it, if it does not run, and wait until it is ready."""
        if self.process is not None:
            return
        self.process = subprocess.Popen(
            run_service.command("127.0.0.1", self.port),
            env=run_service.environment(self.space, self.port, self._now) | self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop(signal.SIGKILL)
            raise

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self.process is not None
            assert self.process.poll() is None, "the service ended by itself"
            with suppress(httpx.TransportError):
                if self.client.get("/readyz").status_code == 200:
                    return
            time.sleep(0.2)
        raise TimeoutError(f"the service was not ready within {PATIENCE} seconds")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it and return its exit code; whoever is killed cannot end its worker, so both are."""
        assert self.process is not None
        process, self.process = self.process, None
        workers = psutil.Process(process.pid).children() if process.poll() is None else []
        process.send_signal(how)
        code = process.wait(PATIENCE)
        for worker in workers:
            if how == signal.SIGKILL:
                with suppress(psutil.NoSuchProcess):
                    worker.kill()
            worker.wait(PATIENCE)
        return code

    def close(self) -> None:
        """End it, if it runs."""
        if self.process is not None:
            self.stop(signal.SIGKILL)
        self.client.close()

    @property
    def worker(self) -> psutil.Process:
        """The process that answers; the other one only watches over it."""
        assert self.process is not None
        (worker,) = psutil.Process(self.process.pid).children()
        return worker

    @contextmanager
    def files_no_larger_than(self, size: int) -> Iterator[None]:
        """Within the block it can write no file beyond a size in bytes."""
        no_limit = resource.RLIM_INFINITY
        pid = self.worker.pid
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, no_limit))
        try:
            yield
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (no_limit, no_limit))

    def score(self, *customer_ids: str) -> httpx.Response:
        """Ask for the scores of some customers."""
        return self.client.post("/score", json={"customer_ids": customer_ids})

    def post(self, *event_ids: str) -> httpx.Response:
        """Send an order under each of some ids."""
        return self.client.post("/events", json={"transactions": [order(i) for i in event_ids]})

    def post_again(self, event_ids: Sequence[str]) -> None:
        """Send an order under each of any number of ids; each is taken, now or before.

        A process that has just started may need longer for its first orders than a call may take.
        """
        for start in range(0, len(event_ids), MOST_EVENTS):
            part, end = event_ids[start : start + MOST_EVENTS], time.monotonic() + PATIENCE
            while (answer := self.post(*part)).status_code == httpx.codes.GATEWAY_TIMEOUT:
                assert time.monotonic() < end, "it never answers in time"
            told = answer.json()["transactions"]
            assert told["taken"] + told["repeated"] == len(part)

    def probabilities(self, customer_ids: Sequence[str]) -> dict[str, float]:
        """The churn probability of each of some customers, None where there is none."""
        return _probabilities(self.score(*customer_ids).json())

    @contextmanager
    def posting(self, threads: int = 4) -> Iterator[dict[str, int | None]]:
        """Within the block orders are sent, each alone; gives id -> code, None when it was cut."""
        told: dict[str, int | None] = {}

        def post(client: httpx.Client, name: str) -> None:
            told[name] = None
            body = {"transactions": [order(name)]}
            told[name] = client.post("/events", json=body).status_code

        with self._calling(post, threads):
            yield told

    @contextmanager
    def asking(self, customer_ids: Sequence[str], threads: int = 2) -> Iterator[list[Any]]:
        """Within the block scores are asked for; gives what was answered with 200."""
        told: list[Any] = []

        def ask(client: httpx.Client, _: str) -> None:
            answer = client.post("/score", json={"customer_ids": list(customer_ids)})
            if answer.status_code == 200:
                told.append(_probabilities(answer.json()))

        with self._calling(ask, threads):
            yield told

    @contextmanager
    def _calling(self, call: Callable[[httpx.Client, str], None], threads: int) -> Iterator[None]:
        """Within the block threads call again and again, each time under a new name."""
        is_over, block = threading.Event(), f"{time.monotonic_ns()}"

        def go_on(thread: int) -> None:
            with httpx.Client(base_url=self.client.base_url, timeout=30.0) as client:
                count = 0
                while not is_over.is_set():
                    try:
                        call(client, f"order-{block}-{thread}-{count}")
                    except httpx.TransportError:
                        is_over.wait(0.1)  # it is down; a caller would wait longer
                    count += 1

        callers = [threading.Thread(target=go_on, args=(k,)) for k in range(threads)]
        for caller in callers:
            caller.start()
        try:
            yield
        finally:
            is_over.set()
            for caller in callers:
                caller.join()


def order(event_id: str) -> dict[str, Any]:
    """An order that names its id, so that it is found again in the event files."""
    return {"event_id": event_id, "customer_id": "C000005", "order_id": event_id,
            "happened_at": "2025-01-01T00:30:00", "amount": 7.5}  # fmt: skip


def stored(space: Workspace) -> Counter[str]:
    """How often each order stands in the event files."""
    files = workspaces.event_files(space, "transactions")
    tables = [pq.read_table(file, columns=["order_id"]) for file in files]
    return Counter(name for table in tables for name in table.column("order_id").to_pylist())


def accepted(told: dict[str, int | None]) -> list[str]:
    """The ids that were answered with 200; callers may go on to add others."""
    return [name for name, status in told.copy().items() if status == 200]


def copy(space: Workspace, folder: Path) -> Workspace:
    """A copy of a workspace that a test may change."""
    shutil.copytree(space.root, folder, ignore=shutil.ignore_patterns("bentoml"))
    return Workspace(folder)


def _probabilities(answer: Any) -> dict[str, float]:
    return {one["customer_id"]: (one["churn"] or {}).get("probability") for one in answer["scores"]}
