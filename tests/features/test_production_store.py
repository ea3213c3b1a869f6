"""The production configuration against a real Redis, a real Postgres and Feast on Spark."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime

import ibis
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from features.datasets.simulated import simulate
from features.errors import UserError
from features.events import TABLES
from features.store import FeatureStore
from features.workspace import Workspace, ingest
from tests.world import world

pytestmark = pytest.mark.services

JANUARY = datetime(2024, 1, 31, 23, 59, 59, 999999)
FEBRUARY = datetime(2024, 2, 29, 12, 30)
MARCH = datetime(2024, 3, 31, 23, 59, 59, 999999)

GIVEN = world(
    "ann  2024-01-03  10",
    "ann  2024-02-20  20",
    "bob  2024-02-25   5",
    customers=["ann  2024-01-01  kind=person city=Rome", "bob  2024-02-24  kind=organisation"],
)


@pytest.fixture(scope="module")
def environment(redis, postgres):
    """What names the production to a process; every call is a new one with nothing in it."""

    def new():
        return {
            "HOLDFAST_FEATURE_STORE": "production",
            "HOLDFAST_REDIS": redis.new_database(),
            "HOLDFAST_REGISTRY": postgres.new_database(),
        }

    return new


def opened(workspace, environment):
    """A store that has read its configuration from an environment."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        store = FeatureStore(workspace)
        store.newest_online()
    return store


def workspace_of(given, folder):
    workspace = Workspace(folder)
    ingest(workspace, {name: getattr(given.events, name) for name in TABLES})
    return workspace


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A workspace over two people with the snapshots of three moments."""
    workspace = workspace_of(GIVEN, tmp_path_factory.mktemp("people"))
    list(FeatureStore(workspace).build([JANUARY, FEBRUARY, MARCH]))
    return workspace


@pytest.fixture(scope="module")
def where(environment):
    """The production that the tests of this file share."""
    return environment()


@pytest.fixture(scope="module")
def store(people, where):
    """Two people in production, online first at February's moment and then at March's."""
    store = opened(people, where)
    assert store.newest_online() is None
    store.apply()
    assert store.materialize(FEBRUARY) == 2
    assert store.newest_online() == FEBRUARY
    assert store.latest(["ann"]).as_of.tolist() == [pd.Timestamp(FEBRUARY)]
    assert store.materialize(MARCH) == 2
    return store


def refusal(call, *arguments):
    with pytest.raises(UserError) as refused:
        call(*arguments)
    return str(refused.value)


def spend(store, *customers):
    return store.latest(customers).values.spend_total.tolist()


def test_the_newest_values_are_read_with_their_names_texts_and_times(store):
    latest = store.latest(["ann", "bob"])
    snapshot = store.snapshot(MARCH)
    assert_frame_equal(latest.values, snapshot[latest.values.columns])
    assert latest.as_of.tolist() == [pd.Timestamp(MARCH)] * 2
    assert store.newest_online() == MARCH


def test_the_newest_values_come_in_the_order_asked_for_and_unknown_ids_are_missing(store):
    latest = store.latest(["zoe", "bob", "ann", "bob"])
    assert latest.status.tolist() == ["missing", "present", "present", "present"]
    assert latest.values.spend_total.tolist() == pytest.approx([np.nan, 5, 30, 5], nan_ok=True)
    assert latest.values.profile_city.tolist() == [None, None, "Rome", None]


def test_history_on_spark_is_the_history_on_duckdb(store, people):
    asked = pd.DataFrame(
        [("bob", MARCH), ("ann", JANUARY), ("zoe", MARCH), ("bob", JANUARY), ("ann", MARCH),
         ("ann", JANUARY)],
        columns=["customer_id", "as_of"],
        index=[7, 3, 3, 1, 0, 9],
    )  # fmt: skip
    embedded = FeatureStore(people)
    embedded.apply()
    on_spark = store.history(asked)
    assert on_spark.spend_total.tolist() == pytest.approx(
        [5, 10, np.nan, np.nan, 30, 10], nan_ok=True
    )
    assert_frame_equal(on_spark, embedded.history(asked))


def test_some_hundred_customers_are_the_same_on_spark_online_and_in_their_snapshots(
    tmp_path, environment
):
    """Every feature of every family, with the profile columns of the simulated business."""
    moments = [datetime(2024, 12, 31, 23, 59, 59, 999999), datetime(2025, 3, 31, 12)]
    shop = simulate(customers=300, seed=4)
    workspace = Workspace(tmp_path)
    ingest(workspace, {name: ibis.memtable(getattr(shop, name)) for name in TABLES})
    store = opened(workspace, environment())
    list(store.build(moments))
    store.apply()
    snapshots = pd.concat([store.snapshot(moment) for moment in moments])
    shuffled = snapshots.sample(frac=1, random_state=1)
    history = store.history(shuffled[["customer_id", "as_of"]])
    assert list(history.columns) == ["customer_id", "as_of", *store.feature_names]
    assert_frame_equal(history, shuffled, check_dtype=False)

    today = store.snapshot(moments[-1])
    assert store.materialize(moments[-1]) == len(today)
    latest = store.latest(today.customer_id.tolist())
    assert (latest.status == "present").all()
    assert_frame_equal(latest.values, today[latest.values.columns])


def test_an_older_moment_is_not_put_over_a_newer_one(store):
    assert refusal(store.materialize, JANUARY) == (
        "The online store stands at 2024-03-31 23:59, and 2024-01-31 23:59 is older: loading it "
        "would put old values over new ones. Use a later moment."
    )


def test_older_rows_that_come_all_the_same_do_not_overwrite_newer_ones(store, monkeypatch):
    """A second loader that looked before this one had loaded, say."""
    monkeypatch.setattr(store, "newest_online", lambda: None)
    store.materialize(JANUARY)
    assert spend(store, "ann", "bob") == [30, 5]
    assert store.latest(["ann"]).as_of.tolist() == [pd.Timestamp(MARCH)]


def test_readers_are_answered_while_a_load_runs(store, people, where):
    reader = opened(people, where)
    seen, loaded = [], threading.Event()

    def read():
        while not loaded.is_set():
            seen.append(spend(reader, "ann", "bob"))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        store.materialize(MARCH)
    finally:
        loaded.set()
        thread.join()
    assert len(seen) > 0
    assert all(values == [30, 5] for values in seen)


def test_without_redis_a_read_says_so_at_once_and_goes_on_when_it_is_back(store, redis):
    redis.stop(signal.SIGKILL)
    start = time.monotonic()
    sentence = refusal(store.latest, ["ann"])
    assert time.monotonic() - start < 3
    assert sentence == (
        f"The online store redis does not answer: Error 111 connecting to 127.0.0.1:{redis.port}. "
        "Connection refused. See that it is there and running; load it if it is empty: "
        "holdfast materialize."
    )
    assert refusal(store.materialize, MARCH) == sentence
    redis.start()
    assert spend(store, "ann", "bob") == [30, 5]  # it writes what it holds to disk


def test_what_redis_has_lost_comes_back_with_a_load(store, redis):
    redis.lose_everything()
    assert store.latest(["ann"]).status.tolist() == ["missing"]
    assert store.materialize(MARCH) == 2
    assert spend(store, "ann", "bob") == [30, 5]


def test_without_postgres_readers_go_on_and_a_new_process_says_so(
    store, people, where, postgres, monkeypatch
):
    postgres.stop()
    assert spend(store, "ann", "bob") == [30, 5]
    start = time.monotonic()
    sentence = refusal(opened, people, where)
    assert time.monotonic() - start < 3
    assert sentence.startswith("The registry of the feature store does not answer: connection ")
    assert f"port {postgres.port} failed: Connection refused. See that its database" in sentence
    postgres.start()
    assert opened(people, where).newest_online() == MARCH
    assert store.newest_online() == MARCH  # its connections are of before


def test_two_processes_that_apply_at_once_both_succeed(tmp_path, people, environment):
    """Both meet an empty database, and each would create its tables."""
    there = environment()
    start = tmp_path / "start"
    apply = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from features.store import FeatureStore\n"
        "from features.workspace import Workspace\n"
        "root, ready, start = map(Path, sys.argv[1:])\n"
        "ready.touch()\n"
        "while not start.exists(): time.sleep(0.001)\n"
        "FeatureStore(Workspace(root)).apply()\n"
    )
    ready = [tmp_path / f"ready{number}" for number in range(2)]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", apply, people.root, mark, start],
            env={**os.environ, **there},
            stderr=subprocess.PIPE,
            text=True,
        )
        for mark in ready
    ]
    while not all(mark.exists() for mark in ready):
        assert all(writer.poll() is None for writer in writers)
        time.sleep(0.01)
    start.touch()
    said = [writer.communicate()[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], said
