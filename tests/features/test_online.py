"""Given built snapshots, what a load puts online and what a service then reads."""

import shutil
import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import features.store as module
from features import catalog, online
from features.errors import UserError
from features.events import TABLES
from features.rhythm import rhythm
from features.store import FeatureStore
from features.workspace import Workspace, ingest
from tests.waiting import until
from tests.world import world

FEBRUARY = datetime(2024, 2, 29, 12, 30)
MARCH = datetime(2024, 3, 31, 23, 59, 59, 999999)

GIVEN = world(
    "ann  2024-01-03  10",
    "ann  2024-02-20  20",
    "bob  2024-02-25   5",
    customers=["ann  2024-01-01  kind=person city=Rome", "bob  2024-02-24  kind=organisation"],
)


def bring(workspace, given):
    ingest(workspace, {name: getattr(given.events, name) for name in TABLES})


@pytest.fixture(scope="module")
def march(tmp_path_factory):
    """A store over two people, online first at February's moment and then at March's."""
    workspace = Workspace(tmp_path_factory.mktemp("store"))
    bring(workspace, GIVEN)
    store = FeatureStore(workspace)
    list(store.build([FEBRUARY, MARCH]))
    assert store.newest_online() is None
    assert store.materialize(FEBRUARY) == 2
    assert store.newest_online() == FEBRUARY
    assert store.latest(["ann"]).as_of.tolist() == [pd.Timestamp(FEBRUARY)]
    assert store.materialize(MARCH) == 2
    return store


@pytest.fixture
def store(march, tmp_path):
    """The same store in a place of its own, free to be broken."""
    shutil.copytree(march.workspace.root, tmp_path, dirs_exist_ok=True)
    return FeatureStore(Workspace(tmp_path))


def refusal(call, *arguments):
    with pytest.raises(UserError) as refused:
        call(*arguments)
    return str(refused.value)


def test_the_latest_values_are_those_of_the_newest_snapshot_to_the_last_bit(march):
    latest, snapshot = march.latest(["ann", "bob"]), march.snapshot(MARCH)
    assert_frame_equal(latest.values, snapshot[latest.values.columns], check_exact=True)
    assert set(latest.values.columns) == set(march.feature_names)
    assert latest.as_of.tolist() == [pd.Timestamp(MARCH)] * 2
    assert latest.status.tolist() == ["present", "present"]


def test_the_latest_values_come_in_the_order_asked_for_and_unknown_ids_are_missing(march):
    latest = march.latest(["zoe", "bob", "ann", "bob"])
    assert latest.status.tolist() == ["missing", "present", "present", "present"]
    assert latest.values.spend_total.tolist()[1:] == [5, 30, 5]
    assert latest.values.profile_kind.tolist() == [None, "organisation", "person", "organisation"]
    assert latest.as_of.isna().tolist() == [True, False, False, False]


def test_the_latest_values_of_nobody_have_the_columns(march):
    latest = march.latest([])
    assert (len(latest.values), len(latest.as_of), len(latest.status)) == (0, 0, 0)
    assert set(latest.values.columns) == set(march.feature_names)


def test_values_older_than_allowed_are_stale_and_still_given(march):
    week = timedelta(days=7)
    at_the_edge = march.latest(["ann", "zoe"], now=MARCH + week, max_age=week)
    assert at_the_edge.status.tolist() == ["present", "missing"]
    after = march.latest(["ann", "zoe"], now=MARCH + week + timedelta(microseconds=1), max_age=week)
    assert after.status.tolist() == ["stale", "missing"]
    assert after.values.spend_total[0] == 30
    assert march.latest(["ann"]).status.tolist() == ["present"], "no age was asked for"


def test_an_older_moment_is_not_put_over_a_newer_one(march):
    assert refusal(march.materialize, FEBRUARY) == (
        "The online store stands at 2024-03-31 23:59, and 2024-02-29 12:30 is older: loading it "
        "would put old values over new ones. Use a later moment."
    )
    assert march.newest_online() == MARCH
    assert march.latest(["ann"]).values.spend_total.tolist() == [30]


def test_a_moment_that_is_not_built_is_not_loaded(march):
    assert refusal(march.materialize, datetime(2024, 4, 30, 12)) == (
        "There is no feature snapshot at 2024-04-30T12-00-00. "
        "Build it first: holdfast build --as-of 2024-04-30T12-00-00."
    )
    assert march.newest_online() == MARCH


def test_a_store_that_was_never_filled_says_so(tmp_path):
    bring(Workspace(tmp_path), GIVEN)
    store = FeatureStore(Workspace(tmp_path))
    assert store.newest_online() is None
    assert refusal(store.latest, ["ann"]) == (
        "The registry of the feature store does not know today's features yet. "
        "Load them first: holdfast materialize."
    )
    store.apply()
    assert store.newest_online() is None
    assert store.latest(["ann"]).status.tolist() == ["missing"]


def test_applying_twice_is_harmless(store, march):
    store.apply()
    assert store.newest_online() == MARCH
    assert_frame_equal(store.latest(["ann"]).values, march.latest(["ann"]).values)


@pytest.fixture
def renamed(store, monkeypatch):
    """The store under a catalogue in which one feature has another name."""
    others = [replace(f, name="silence") if f.name == "recency" else f for f in rhythm.features]
    families = [rhythm.of(others) if family is rhythm else family for family in catalog.FAMILIES]
    monkeypatch.setattr(catalog, "FAMILIES", tuple(families))
    return FeatureStore(store.workspace)


def test_values_packed_under_another_catalogue_are_outdated_until_the_next_load(renamed):
    renamed.apply()
    assert renamed.newest_online() is None, "nothing that is online can be read"
    before = renamed.latest(["ann", "zoe"])
    assert before.status.tolist() == ["outdated", "missing"]
    assert before.values.isna().all(axis=None)
    assert before.as_of.tolist()[0] == pd.Timestamp(MARCH)
    list(renamed.build([MARCH]))
    assert renamed.materialize(MARCH) == 2
    assert renamed.latest(["ann"]).values.silence.tolist() == [40]


def test_a_reader_of_the_former_catalogue_takes_no_value_for_another(store, renamed):
    assert store.latest(["ann"]).values.recency.tolist() == [40]
    list(renamed.build([MARCH]))
    renamed.materialize(MARCH)
    after = store.latest(["ann"])
    assert after.status.tolist() == ["outdated"]
    assert after.values.isna().all(axis=None)


def test_a_registry_of_the_former_catalogue_keeps_its_names(renamed):
    latest = renamed.latest(["ann"])
    assert "silence" not in latest.values
    assert latest.values.recency.tolist() == [40]


def test_a_load_that_dies_half_way_does_not_count_and_can_be_repeated(store, monkeypatch):
    april = datetime(2024, 4, 30, 12)
    list(store.build([april]))
    monkeypatch.setattr(module, "_CHUNK", 1)
    with monkeypatch.context() as broken:
        broken.setattr(online, "put", fail_at_call(2, online.put))
        with pytest.raises(OSError, match="no space"):
            store.materialize(april)
    assert store.latest(["ann", "bob"]).as_of.tolist() == [april, MARCH]
    assert store.newest_online() == MARCH
    assert store.materialize(april) == 2
    assert store.newest_online() == april


def fail_at_call(number, call):
    """The call, but for one that fails."""
    calls = iter(range(1, 100))

    def failing(*arguments):
        if next(calls) == number:
            raise OSError("no space left on the device")
        return call(*arguments)

    return failing


def test_customers_that_do_not_arrive_are_counted(store, monkeypatch):
    april = datetime(2024, 4, 30, 12)
    list(store.build([april]))
    write = module._Rows.write
    monkeypatch.setattr(
        module._Rows, "write", lambda rows, ids, data: write(rows, ids[1:], data[1:])
    )
    assert refusal(store.materialize, april).startswith(
        "2 customers were given to the online store, and 1 of them stand in it."
    )
    assert store.newest_online() == MARCH


def test_who_became_internal_is_not_online_after_the_next_load(store):
    bring(store.workspace, world(customers=["bob  2024-02-24  is_internal=true"]))
    again = FeatureStore(store.workspace)
    list(again.build([MARCH]))
    assert again.materialize(MARCH) == 1
    assert again.latest(["ann", "bob"]).status.tolist() == ["present", "missing"]


def test_readers_are_answered_while_a_load_runs(store, monkeypatch):
    april = datetime(2024, 4, 30, 12)
    crowd = [f"c{n:03d}  2024-04-01  {n}" for n in range(100)]
    bring(store.workspace, world(*crowd))
    store = FeatureStore(store.workspace)
    list(store.build([april]))
    store.apply()
    reader, seen, stopped = FeatureStore(store.workspace), [], threading.Event()

    def read():
        while not stopped.is_set():
            seen.append(reader.latest(["ann", "c099"]).as_of.tolist())

    def put_and_wait_for_a_reader(*arguments, put=online.put):
        put(*arguments)
        wait_for_a_reader()

    def wait_for_a_reader():
        enough = len(seen) + 2
        until(lambda: len(seen) >= enough)

    thread = threading.Thread(target=read)
    monkeypatch.setattr(module, "_CHUNK", 50)
    monkeypatch.setattr(online, "put", put_and_wait_for_a_reader)
    thread.start()
    try:
        wait_for_a_reader()
        assert store.materialize(april) == 102
    finally:
        stopped.set()
        thread.join()
    assert seen[0] == [MARCH, pd.NaT]
    assert [april, pd.NaT] in seen, "a look in the middle of the load"
    assert reader.latest(["ann", "c099"]).as_of.tolist() == [april, april]


def test_an_online_file_that_is_deleted_is_missed_and_filled_again(store):
    assert store.latest(["ann"]).status.tolist() == ["present"]
    file = store.workspace.feast / "online.db"
    file.unlink()
    assert refusal(store.latest, ["ann"]) == (
        f"The online store {file} does not answer: the file is gone. "
        "See that it is there and running; when it is empty, load it: holdfast materialize."
    )
    assert FeatureStore(store.workspace).materialize(MARCH) == 2
    assert store.latest(["ann"]).status.tolist() == ["present"], "of the new file"


def test_a_partition_cut_in_half_is_not_loaded(store):
    part = store.snapshots.folder(rhythm, MARCH) / "part.parquet"
    whole = part.read_bytes()
    part.write_bytes(whole[: len(whole) // 2])
    assert refusal(store.materialize, MARCH).startswith(
        "There is no feature snapshot at 2024-03-31."
    )
    part.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2))
    assert refusal(store.materialize, MARCH).startswith(
        "The feature snapshot at 2024-03-31 is damaged"
    )


def test_views_that_are_no_longer_in_the_catalogue_leave_the_registry(store):
    families = store.snapshots.families
    fewer = FeatureStore(store.workspace)
    fewer.snapshots.__dict__["families"] = families[:-1]
    fewer.apply()
    names = {view.name for view in fewer._feast.list_feature_views()}
    assert names == {"online", *(family.name for family in families[:-1])}
