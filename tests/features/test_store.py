"""Given built snapshots, what training gets of them."""

import shutil
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from features.errors import UserError
from features.events import TABLES
from features.store import FeatureStore
from features.workspace import Workspace, ingest
from tests.world import world

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
def store(tmp_path_factory):
    """A store over two people with three snapshots."""
    workspace = Workspace(tmp_path_factory.mktemp("store"))
    ingest(workspace, {name: getattr(GIVEN.events, name) for name in TABLES})
    store = FeatureStore(workspace)
    list(store.build([JANUARY, FEBRUARY, MARCH]))
    store.apply()
    return store


def ask(*rows):
    return pd.DataFrame(rows, columns=["customer_id", "as_of"])


def refusal(call, *arguments):
    with pytest.raises(UserError) as refused:
        call(*arguments)
    return str(refused.value)


def test_history_has_a_row_for_each_row_asked_for_in_that_order(store):
    asked = ask(("bob", MARCH), ("ann", JANUARY), ("zoe", MARCH), ("ann", MARCH), ("ann", JANUARY))
    asked.index = pd.Index([7, 3, 3, 1, 0])
    history = store.history(asked)
    assert_frame_equal(history[["customer_id", "as_of"]], asked)
    assert history.spend_total.tolist() == pytest.approx([5, 10, np.nan, 30, 10], nan_ok=True)
    assert history.profile_kind.tolist() == ["organisation", "person", None, "person", "person"]


def test_history_equals_the_snapshots(store):
    snapshots = pd.concat([store.snapshot(moment) for moment in (JANUARY, FEBRUARY, MARCH)])
    snapshots = snapshots.sample(frac=1, random_state=1)
    history = store.history(snapshots[["customer_id", "as_of"]])
    assert list(history.columns) == ["customer_id", "as_of", *store.feature_names]
    assert_frame_equal(history, snapshots, check_dtype=False)


def test_history_keeps_the_order_of_many_rows(store):
    """Feast keeps none once there are more rows than one thread takes."""
    people = pd.DataFrame({
        "customer_id": np.random.default_rng(0).choice(["ann", "bob", "zoe"], 5_000),
        "as_of": np.random.default_rng(1).choice([FEBRUARY, MARCH], 5_000),
    })  # fmt: skip
    history = store.history(people)
    assert_frame_equal(history[["customer_id", "as_of"]], people)
    expected = people.customer_id.map({"ann": 30, "bob": 5, "zoe": np.nan})
    assert history.spend_total.equals(expected)


def test_history_before_a_customer_existed_is_empty(store):
    history = store.history(ask(("bob", JANUARY)))
    assert history[list(store.feature_names)].isna().all(axis=None)


def test_history_sees_nothing_that_came_after_its_moment(store):
    history = store.history(ask(("ann", JANUARY), ("ann", FEBRUARY), ("ann", MARCH)))
    assert history.spend_total.tolist() == [10, 30, 30]
    assert history.recency.tolist() == [28, 9, 40]


def test_history_of_nobody_has_the_columns(store):
    history = store.history(ask().astype({"as_of": "datetime64[us]"}))
    assert list(history.columns) == ["customer_id", "as_of", *store.feature_names]
    assert len(history) == 0


def test_history_at_a_moment_that_is_not_built_is_refused(store):
    """The join would silently take the values of the newest snapshot before."""
    asked = ask(("ann", MARCH), ("ann", datetime(2024, 3, 1)))
    assert refusal(store.history, asked) == (
        "There is no feature snapshot at 2024-03-01T00-00-00. "
        "Build it first: holdfast build --as-of 2024-03-01T00-00-00."
    )


def test_a_snapshot_is_one_row_per_customer_by_id_with_numbers_and_texts(store):
    snapshot = store.snapshot(MARCH)
    assert snapshot.customer_id.tolist() == ["ann", "bob"]
    assert (snapshot.as_of == MARCH).all()
    assert snapshot.profile_city.tolist() == ["Rome", None]
    values = snapshot.drop(columns=["customer_id", "as_of"])
    assert set(values.dtypes.astype(str)) == {"float64", "object"}


def test_a_configuration_that_needs_a_variable_that_is_not_set(workspace, tmp_path, monkeypatch):
    path = tmp_path / "store.yaml"
    path.write_text("project: holdfast\nregistry: ${HOLDFAST_REGISTRY}\n")
    monkeypatch.setenv("HOLDFAST_FEATURE_STORE", str(path))
    monkeypatch.delenv("HOLDFAST_REGISTRY", raising=False)
    assert refusal(FeatureStore(workspace).newest_online) == (
        f"The feature store configuration {path} needs the environment variable "
        "HOLDFAST_REGISTRY, which is not set. Set it, or use the embedded configuration."
    )


def test_a_configuration_that_does_not_exist(workspace, tmp_path, monkeypatch):
    path = tmp_path / "gone.yaml"
    monkeypatch.setenv("HOLDFAST_FEATURE_STORE", str(path))
    assert refusal(FeatureStore(workspace).newest_online) == (
        f"The feature store configuration {path} does not exist. "
        "Correct HOLDFAST_FEATURE_STORE, or unset it to use the embedded configuration."
    )


@pytest.mark.parametrize("text", ["a: [1", "a: $\n"])
def test_a_configuration_that_cannot_be_read(workspace, tmp_path, monkeypatch, text):
    path = tmp_path / "store.yaml"
    path.write_text(text)
    monkeypatch.setenv("HOLDFAST_FEATURE_STORE", str(path))
    said = refusal(FeatureStore(workspace).newest_online)
    assert said.startswith(f"The feature store configuration {path} cannot be read: ")
    assert said.endswith("Correct the file; a dollar sign that names no variable is written $$.")


def test_a_workspace_may_have_any_name(store, tmp_path):
    folder = tmp_path / "our shop: north #1, 'new'"
    shutil.copytree(store.workspace.root, folder)
    there = FeatureStore(Workspace(folder))
    there.materialize(MARCH)
    assert there.newest_online() == MARCH
