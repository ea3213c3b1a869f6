"""Production from the outside: a service that is down, two writers at once, the command line."""

import os
import signal
import subprocess
import sys
import time

import pytest

import holdfast
from features.store import FeatureStore
from tests.features.production import MARCH, refusal, spend

pytestmark = pytest.mark.services

# An answer within a request's patience; the client's own retries alone would take longer.
AT_ONCE = 3  # seconds


@pytest.fixture
def store(production):
    """Two people online at March's moment."""
    store = production()
    store.materialize(MARCH)
    assert spend(store, "ann", "bob") == [30, 5]
    return store


def test_without_redis_a_read_says_so_at_once_and_goes_on_when_it_is_back(store, redis):
    with redis.down(signal.SIGKILL):
        start = time.monotonic()
        sentence = refusal(store.latest, ["ann"])
        assert time.monotonic() - start < AT_ONCE
        assert refusal(store.materialize, MARCH) == sentence
    assert sentence.startswith(
        f"The online store redis does not answer: Error 111 connecting to 127.0.0.1:{redis.port}. "
        "Connection refused. See that it is there and running; "
    )
    assert spend(store, "ann", "bob") == [30, 5]  # it keeps what it holds on disk


def test_what_redis_has_lost_comes_back_with_a_load(store, redis):
    redis.lose_everything()
    assert store.latest(["ann"]).status.tolist() == ["missing"]
    assert store.materialize(MARCH) == 2
    assert spend(store, "ann", "bob") == [30, 5]


def test_without_postgres_readers_go_on_and_a_new_process_says_so(store, production, postgres):
    with postgres.down():
        assert spend(store, "ann", "bob") == [30, 5]
        start = time.monotonic()
        sentence = refusal(production)
        assert time.monotonic() - start < AT_ONCE
    assert sentence.startswith("The registry of the feature store does not answer: connection ")
    assert f"port {postgres.port} failed: Connection refused. See that its database" in sentence
    assert production().newest_online() == MARCH
    assert store.newest_online() == MARCH  # its connections are of before


APPLY = """
import sys, time
from pathlib import Path
from features.store import FeatureStore
from features.workspace import Workspace
root, ready, start = map(Path, sys.argv[1:])
ready.touch()
while not start.exists():
    time.sleep(0.001)
FeatureStore(Workspace(root)).apply()
"""


def test_two_processes_apply_at_once_to_an_empty_registry(tmp_path, two_people, environment):
    """Each would create the tables, and each would number the first version of a view."""
    there = {**os.environ, **environment()}
    start, ready = tmp_path / "start", [tmp_path / "first", tmp_path / "second"]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", APPLY, two_people.root, mark, start],
            env=there, stderr=subprocess.PIPE, text=True,
        )
        for mark in ready
    ]  # fmt: skip
    while not all(mark.exists() for mark in ready):
        assert all(writer.poll() is None for writer in writers)
        time.sleep(0.01)
    start.touch()
    said = [writer.communicate()[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], said


def call(monkeypatch, capsys, *words):
    """Run the command line in this process: exit code, output, errors."""
    monkeypatch.setattr(sys, "argv", ["holdfast", *words])
    with pytest.raises(SystemExit) as left:
        holdfast.main()
    captured = capsys.readouterr()
    return int(left.value.code or 0), captured.out, captured.err


def test_the_command_line_builds_and_loads(two_people, environment, redis, monkeypatch, capsys):
    monkeypatch.setenv("HOLDFAST_HOME", str(two_people.root))
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    to_march = ("--as-of", "2024-03-31", "--quiet")
    built = call(monkeypatch, capsys, "build", *to_march)
    assert built == (0, "Features stand as of 2024-03-31 23:59.\n", "")
    loaded = call(monkeypatch, capsys, "materialize", *to_march)
    assert loaded == (0, "2 customers online as of 2024-03-31 23:59.\n", "")
    code, said, _ = call(monkeypatch, capsys, "serve", "--help")
    assert (code, "the online store" in said) == (0, True)
    with redis.down():
        code, _, said = call(monkeypatch, capsys, "materialize", *to_march)
    assert code == 2
    assert said.startswith("holdfast: The online store redis does not answer: Error 111 ")


def test_an_address_that_is_not_given_is_said(workspace, monkeypatch):
    monkeypatch.setenv("HOLDFAST_FEATURE_STORE", "production")
    monkeypatch.setenv("HOLDFAST_REGISTRY", "holdfast@127.0.0.1:1/registry")
    monkeypatch.delenv("HOLDFAST_REDIS", raising=False)
    assert refusal(FeatureStore(workspace).newest_online).endswith(
        "feature_store.production.yaml needs the environment variable HOLDFAST_REDIS, which is "
        "not set. Set it, or use the embedded configuration."
    )
