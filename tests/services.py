"""Redis and Postgres for tests: started on free loopback ports, with their data in a new folder.

Never the system's own: what is started here is stopped here, by its own process.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from redis import Redis as Client
from redis import RedisError

from tests.missing import program
from tests.ports import free_port
from tests.waiting import PATIENCE


class Service:
    """One process that listens on a loopback port; it may be stopped and started again."""

    stop_signal = signal.SIGTERM

    def __init__(self, command: list[str], folder: Path, port: int) -> None:
        """command: the process itself must be the service, so that its id stops it."""
        self.command, self.folder, self.port = command, folder, port
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        """Run it and wait until it answers."""
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, cwd="/")
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = (self.folder / "log").read_text()
                raise RuntimeError(f"{self.command} does not start:\n{said}")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it takes orders."""
        raise NotImplementedError

    def stop(self, how: signal.Signals | None = None) -> None:
        """End the process, if it runs, and wait until it is gone; what it stored stays.

        So are those it has started, which end by themselves and until then hold what it held.
        """
        if self.process is None:
            return
        process, self.process = self.process, None
        started = psutil.Process(process.pid).children() if process.poll() is None else []
        process.send_signal(how or self.stop_signal)
        process.wait(PATIENCE)
        _, left = psutil.wait_procs(started, PATIENCE)
        assert not left, f"{left} do not end"

    @contextmanager
    def down(self, how: signal.Signals | None = None) -> Iterator[None]:
        """Within the block it is not there; afterwards it is, with what it had stored."""
        self.stop(how)
        try:
            yield
        finally:
            self.start()

    def remove(self) -> None:
        """End the process and remove what it stored."""
        self.stop()
        shutil.rmtree(self.folder)


class Redis(Service):
    """An online store that writes each change to its disk before it answers."""

    def __init__(self) -> None:
        server = program("redis-server", "redis-server")
        folder, port = _new_folder("redis"), free_port()
        command = [server, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder),
                   "--save", "", "--appendonly", "yes", "--appendfsync", "always"]  # fmt: skip
        super().__init__(command, folder, port)
        self.databases = 0

    def answers(self) -> bool:
        """Whether it takes orders; it listens before it has read what it stored."""
        try:
            with Client(port=self.port, socket_timeout=5, retry=None) as client:
                return bool(client.ping())
        except RedisError:
            return False

    def new_database(self) -> str:
        """What HOLDFAST_REDIS is set to for a database with nothing in it."""
        self.databases += 1
        return f"127.0.0.1:{self.port},db={self.databases}"

    def lose_everything(self) -> None:
        """Remove what all databases store."""
        with Client(port=self.port) as client:
            client.flushall()


class Postgres(Service):
    """A registry. It refuses to run as root, so root runs it as the system's user `postgres`."""

    stop_signal = signal.SIGINT  # ends its connections, where SIGTERM waits for them

    def __init__(self) -> None:
        # Debian keeps the programs by version and off the PATH.
        places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        initdb, server = (program(name, "postgresql", *places) for name in ("initdb", "postgres"))
        folder, port = _new_folder("postgres"), free_port()
        user = _become_postgres(folder)
        data = str(folder / "data")
        made = [*user, initdb, "-D", data, "-U", "holdfast", "--auth", "trust", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, cwd="/")
        # No socket outside of its folder. A test need not wait for the disk either.
        settings = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off")
        set_so = [word for setting in settings for word in ("-c", setting)]
        command = [*user, server, "-D", data, "-p", str(port), *set_so]
        super().__init__(command, folder, port)

    def answers(self) -> bool:
        """Whether it takes orders; it listens before it has recovered from a crash."""
        try:
            self.ask("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def ask(self, statement: str) -> None:
        """Have one statement done."""
        with psycopg.connect(self._url("postgres"), autocommit=True, connect_timeout=5) as server:
            server.execute(statement)

    def new_database(self) -> str:
        """What HOLDFAST_REGISTRY is set to for a database with nothing in it."""
        name = f"registry_{uuid.uuid4().hex}"
        self.ask(f"CREATE DATABASE {name}")
        return self._url(name).removeprefix("postgresql://")

    def _url(self, database: str) -> str:
        return f"postgresql://holdfast@127.0.0.1:{self.port}/{database}"


@pytest.fixture(scope="session")
def redis():
    """A Redis of this test run."""
    yield from _running(Redis())


@pytest.fixture(scope="session")
def postgres():
    """A Postgres of this test run."""
    yield from _running(Postgres())


def _running(service: Service):
    try:
        service.start()
        yield service
    finally:
        service.remove()


def _become_postgres(folder: Path) -> list[str]:
    """What goes before a command that root may not run, and the folder in that user's hands."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, "postgres", "postgres")
    setpriv = program("setpriv", "util-linux")
    return [setpriv, "--reuid=postgres", "--regid=postgres", "--clear-groups"]


def _new_folder(name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"holdfast-{name}-"))
