"""Spark beside DuckDB: the same snapshots, feature by feature, of a shop with all its dirt."""

import math
import shutil
from contextlib import contextmanager
from datetime import datetime, timedelta

import ibis
import ibis.expr.operations as ops
import pandas as pd
import pyarrow.parquet as pq
import pytest

from features import backend, moment
from features.catalog import FAMILIES, every_feature
from features.datasets.simulated import simulate
from features.errors import EngineError, UserError
from features.events import TABLES, Events
from features.rhythm import rhythm
from features.snapshots import Snapshots
from features.store import FeatureStore
from features.workspace import Workspace, ingest, open_events
from tests import missing
from tests.features.test_catalog import AGES, AS_OF, CROWD, everything_at
from tests.world import world
from training.frame import panel
from training.split import CutOff
from training.tasks import OUTCOMES

pytestmark = pytest.mark.spark

# In the middle of a day, and at the end of one, with a year of history before it.
MOMENTS = (datetime(2024, 3, 31, 12), datetime(2025, 1, 31, 23, 59, 59, 999999))
CUSTOMERS = 300  # some two hundred of them are known at a moment: shoppers, prospects, returners
ENGINES = ("spark", "duckdb")
# Rounded differently by Java and by C, in the last digit; all else is exact.
ROUNDED = (ops.Ln, ops.Log, ops.Log2, ops.Log10, ops.Exp, ops.Power)


@contextmanager
def running_on(engine):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOLDFAST_ENGINE", engine)
        yield


@pytest.fixture(scope="module", autouse=True)
def spark():
    missing.spark()


@pytest.fixture(scope="module")
def spaces(tmp_path_factory):
    """Engine -> a workspace with the same events, and the snapshots that the engine built."""
    root = tmp_path_factory.mktemp("engines")
    made = simulate(CUSTOMERS, seed=1)
    ingest(
        Workspace(root / "duckdb"), {name: ibis.memtable(getattr(made, name)) for name in TABLES}
    )
    shutil.copytree(root / "duckdb", root / "spark")
    for engine in ENGINES:
        with running_on(engine):
            for _ in Snapshots(Workspace(root / engine)).build(MOMENTS):
                pass
    return {engine: Workspace(root / engine) for engine in ENGINES}


@pytest.fixture(scope="module")
def parts(spaces):
    """Engine -> family -> what is in its files of both moments."""
    return {
        engine: {
            family.name: [
                read(Snapshots(space).folder(family, at) / "part.parquet") for at in MOMENTS
            ]
            for family in Snapshots(space).families
        }
        for engine, space in spaces.items()
    }


def read(path):
    return pq.ParquetFile(path).read()


def differences(family, feature, found, expected):
    """The pairs of values that are not the same; a null is a null, and never NaN."""
    pairs = zip(found[feature.name].to_pylist(), expected[feature.name].to_pylist(), strict=True)
    unequal = [(ours, theirs) for ours, theirs in pairs if ours != theirs]
    if unequal and is_rounded(family.of([feature])):
        unequal = [pair for pair in unequal if not nearly(*pair)]
    return unequal


def is_rounded(family):
    unbound = Events(**{name: ibis.table(table.schema(), name) for name, table in TABLES.items()})
    return bool(family.compute(unbound, AS_OF).op().find(ROUNDED))


def nearly(found, expected):
    both = isinstance(found, float) and isinstance(expected, float)
    return both and math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-15)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_has_the_same_customers_columns_and_types(family, parts):
    for found, expected in zip(*(parts[engine][family.name] for engine in ENGINES), strict=True):
        assert found.column_names == expected.column_names
        assert found.schema.types == expected.schema.types
        assert str(found.schema.field("event_timestamp").type) == "timestamp[us, tz=UTC]"
        for column in ("customer_id", "event_timestamp"):
            assert found[column].to_pylist() == expected[column].to_pylist()
        assert len(found) > CUSTOMERS / 2


@pytest.mark.parametrize(
    ("family", "feature"), every_feature(), ids=[f.name for _, f in every_feature()]
)
def test_a_feature_has_the_same_values(family, feature, parts):
    for found, expected in zip(*(parts[engine][family.name] for engine in ENGINES), strict=True):
        assert differences(family, feature, found, expected) == []


def test_profile_columns_have_the_same_values(parts):
    (found, _), (expected, _) = (parts[engine]["relationship"] for engine in ENGINES)
    profile = [name for name in expected.column_names if name.startswith("profile_")]
    assert len(profile) == 6
    assert found.select(profile).to_pylist() == expected.select(profile).to_pylist()


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.name)
def test_an_outcome_has_the_same_values(outcome, spaces, tmp_path):
    values = {}
    for engine, space in spaces.items():
        with running_on(engine):
            table = getattr(open_events(space), outcome.source)
            future = moment.future(table, MOMENTS[0], 90, known_by=MOMENTS[1])
            rows = future.group_by("customer_id").agg(value=outcome.value(future))
            backend.write_parquet(rows.order_by("customer_id"), tmp_path / engine)
            values[engine] = read(tmp_path / engine).to_pylist()
    assert values["spark"] == values["duckdb"]
    assert any(row["value"] for row in values["spark"])


def test_a_training_panel_is_the_same(spaces):
    panels = {}
    for engine, space in spaces.items():
        with running_on(engine):
            store = FeatureStore(space)
            store.apply()
            panels[engine] = panel(store, [CutOff(at, 90) for at in MOMENTS], datetime(2025, 6, 1))
    pd.testing.assert_frame_equal(panels["spark"], panels["duckdb"], rtol=1e-9)


def test_what_is_online_is_the_same(spaces):
    ids = ["C000001", "C000002", "C000003", "nobody"]
    latest = {}
    for engine, space in spaces.items():
        with running_on(engine):
            store = FeatureStore(space)
            store.apply()
            store.materialize(MOMENTS[1])
            latest[engine] = store.latest(ids)
    found, expected = latest["spark"], latest["duckdb"]
    assert list(found.status) == list(expected.status)
    assert list(found.as_of) == list(expected.as_of)
    pd.testing.assert_frame_equal(found.values, expected.values, rtol=1e-9)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_hand_made_world_has_the_same_values(family, tmp_path):
    """Few rows with many holes, in memory: what a simulated shop may never have."""
    given = CROWD.also(*[everything_at(AS_OF - timedelta(age)) for age in AGES]).events
    for engine in ENGINES:
        with running_on(engine):
            rows = family.compute(given, AS_OF).order_by("customer_id")
            backend.write_parquet(rows, tmp_path / engine)
    found, expected = (read(tmp_path / engine) for engine in ENGINES)
    assert found["customer_id"].to_pylist() == ["ann", "bob", "zoe"]
    unequal = {f.name: differences(family, f, found, expected) for f in family.features}
    assert {name: pairs for name, pairs in unequal.items() if pairs} == {}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_nobody_has_the_same_values(family, monkeypatch):
    """The engine that builds never computes these; every other engine must agree all the same."""
    monkeypatch.setattr(ibis.options, "default_backend", backend.connect("spark"))
    assert family.of(family.features).values_of_nobody == family.values_of_nobody


def test_the_engines_read_the_same_columns_and_types(spaces):
    schemas = {}
    for engine in ENGINES:
        with running_on(engine):
            events = open_events(spaces["duckdb"])
            snapshot = Snapshots(spaces["spark"]).read(rhythm, MOMENTS[0])
            tables = [*(getattr(events, name) for name in TABLES), snapshot]
            schemas[engine] = [table.schema() for table in tables]
    assert schemas["spark"] == schemas["duckdb"]


def test_a_snapshot_is_one_file_and_nothing_else_is_left(spaces):
    names = {path.name for path in spaces["spark"].features.rglob("*") if path.is_file()}
    assert names == {path.name for path in spaces["duckdb"].features.rglob("*") if path.is_file()}
    part = next(spaces["spark"].features.rglob("part.parquet"))
    assert pq.read_metadata(part).row_group(0).column(0).compression == "ZSTD"


def test_a_snapshot_of_one_engine_is_a_snapshot_to_the_other(spaces):
    for builder, reader in (("spark", "duckdb"), ("duckdb", "spark")):
        with running_on(reader):
            snapshots = Snapshots(spaces[builder])
            assert all(snapshots.is_built(f, at) for f in snapshots.families for at in MOMENTS)
            assert snapshots.read(rhythm, MOMENTS[0]).count().execute() > CUSTOMERS / 2


def test_computed_again_the_bytes_are_the_same(spaces, tmp_path):
    shutil.copytree(spaces["spark"].root, tmp_path / "again")
    before, after = (
        Snapshots(space).folder(rhythm, MOMENTS[0]) / "part.parquet"
        for space in (spaces["spark"], Workspace(tmp_path / "again"))
    )
    shutil.rmtree(after.parent)
    with running_on("spark"):
        list(Snapshots(Workspace(tmp_path / "again")).build(MOMENTS))
    assert after.read_bytes() == before.read_bytes()


def test_a_write_that_fails_leaves_what_was_there_and_nothing_half_written(spaces, tmp_path):
    (tmp_path / "numbers.parquet").write_text("as before")
    with running_on("spark"):
        customers = open_events(spaces["spark"]).customers
        no_number = customers.mutate(number=customers.customer_id.cast("float64"))
        with pytest.raises(EngineError, match="CAST_INVALID_INPUT"):
            backend.write_parquet(no_number, tmp_path / "numbers.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["numbers.parquet"]
    assert (tmp_path / "numbers.parquet").read_text() == "as before"


def test_sums_that_no_number_can_hold_are_refused_in_a_sentence(workspace):
    given = world(*[f"ann  2024-01-03  9e9  order_id=o{n}" for n in range(120)])
    ingest(workspace, {"transactions": given.events.transactions})
    with running_on("spark"), pytest.raises(UserError, match="2024-03-31 12:00 cannot be computed"):
        list(Snapshots(workspace).build([AS_OF]))
    assert list(workspace.features.rglob("part.parquet")) == []
