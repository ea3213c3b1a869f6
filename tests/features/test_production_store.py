"""The production configuration: a real Redis, a real Postgres, and Feast's history on Spark."""

import shutil
import threading
from datetime import datetime

import ibis
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from features import catalog
from features.datasets.simulated import simulate
from features.events import TABLES
from features.store import FeatureStore
from features.workspace import Workspace, ingest
from tests.features.production import FEBRUARY, JANUARY, MARCH, opened, refusal, spend
from tests.waiting import until
from tests.world import world

pytestmark = pytest.mark.services

APRIL = datetime(2024, 4, 2, 12)


@pytest.fixture(scope="module")
def store(two_people, environment):
    """Two people online, first at February's moment and then at March's."""
    store = opened(two_people, environment())
    assert store.newest_online() is None
    store.apply()
    assert store.materialize(FEBRUARY) == 2
    assert store.newest_online() == FEBRUARY
    assert store.latest(["ann"]).as_of.tolist() == [pd.Timestamp(FEBRUARY)]
    assert store.materialize(MARCH) == 2
    return store


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


def test_history_on_spark_is_the_history_on_duckdb(store, two_people):
    asked = pd.DataFrame(
        [("bob", MARCH), ("ann", JANUARY), ("zoe", MARCH), ("bob", JANUARY), ("ann", MARCH),
         ("ann", JANUARY)],
        columns=["customer_id", "as_of"],
        index=[7, 3, 3, 1, 0, 9],
    )  # fmt: skip
    embedded = FeatureStore(two_people)
    embedded.apply()
    found = store.history(asked)
    spent = [5, 10, np.nan, np.nan, 30, 10]
    assert found.spend_total.tolist() == pytest.approx(spent, nan_ok=True)
    assert_frame_equal(found, embedded.history(asked))


def test_the_spark_engine_computes_as_before_after_feast_has_used_its_session(
    store, two_people, tmp_path, monkeypatch
):
    """Feast changes on the session how a quoted column is read."""
    store.history(pd.DataFrame({"customer_id": ["ann"], "as_of": [MARCH]}))
    shutil.copytree(two_people.events, tmp_path / "events")
    again = FeatureStore(Workspace(tmp_path))
    monkeypatch.setenv("HOLDFAST_ENGINE", "spark")
    list(again.build([MARCH]))
    monkeypatch.delenv("HOLDFAST_ENGINE")
    assert_frame_equal(again.snapshot(MARCH), store.snapshot(MARCH))


def test_hundreds_of_customers_are_the_same_on_spark_and_online_as_in_their_snapshots(
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


def test_a_snapshot_that_was_corrected_replaces_the_one_of_the_same_moment(production):
    """Redis on its own drops rows of a moment that it already has."""
    store = production()
    store.materialize(MARCH)
    ingest(store.workspace, {"transactions": world("ann  2024-03-05  4").events.transactions})
    corrected = production()
    list(corrected.build([MARCH]))
    assert corrected.materialize(MARCH) == 2
    assert spend(store, "ann", "bob") == [34, 5]


def test_pushed_events_are_seen_by_every_reader_and_stay_under_an_older_load(production):
    store, reader = production(), production()
    store.materialize(MARCH)
    assert spend(reader, "ann", "bob") == [30, 5]
    pushed = store.push({"transactions": world("ann  2024-04-02  7").events.transactions}, APRIL)
    assert pushed.customers == ["ann"]
    assert spend(reader, "ann", "bob") == [37, 5]
    assert reader.latest(["bob", "ann"]).as_of.tolist() == list(map(pd.Timestamp, (MARCH, APRIL)))
    store.materialize(MARCH)
    assert spend(reader, "ann", "bob") == [37, 5]


def test_an_erased_customer_is_deleted_from_redis(production):
    store, reader = production(), production()
    store.materialize(MARCH)
    assert reader.latest(["ann", "bob"]).status.tolist() == ["present", "present"]
    erased = store.erase("ann")
    assert erased.online
    assert dict(erased.rows) == {"customers": 1, "transactions": 2, "interactions": 0}
    assert reader.latest(["ann", "bob"]).status.tolist() == ["missing", "present"]
    client = store._feast.provider.online_store._get_client(store._feast.config.online_store)
    keys = [key for key in client.scan_iter() if b"ann" in key or b"bob" in key]
    assert len(keys) == 1, "bob's alone"
    assert not store.erase("ann").found


def test_values_of_another_catalogue_are_not_read_under_the_names_of_this_one(
    production, monkeypatch
):
    reader = production()
    reader.materialize(MARCH)
    assert spend(reader, "ann") == [30]
    fewer = tuple(family for family in catalog.FAMILIES if family.name != "rhythm")
    monkeypatch.setattr(catalog, "FAMILIES", fewer)
    newer = production()
    newer.materialize(MARCH)
    assert spend(newer, "ann") == [30]
    latest = reader.latest(["ann", "zoe"])
    assert latest.status.tolist() == ["outdated", "missing"]
    assert latest.values.isna().all(axis=None)


def test_readers_are_answered_while_a_load_runs(production):
    store, reader = production(), production()
    store.materialize(FEBRUARY)
    seen, is_loaded = [], threading.Event()

    def read():
        while not is_loaded.is_set():
            seen.append((*spend(reader, "ann"), *reader.latest(["ann"]).status))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        until(lambda: seen)
        store.materialize(MARCH)
    finally:
        is_loaded.set()
        thread.join()
    assert set(seen) == {(30, "present")}
