"""A snapshot has the same bytes whenever, wherever and from whichever files it is computed.

On a world large enough for several row groups and threads, where sums of floats would differ.
"""

from datetime import datetime, timedelta

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features import backend, ranges
from features.events import INTERACTION_KINDS, TABLES
from features.snapshots import Snapshots
from features.workspace import Workspace, ingest

AS_OF = datetime(2024, 3, 31, 12)
CUSTOMERS, LINES, CONTACTS = 5_000, 200_000, 40_000
STEPS = 3 * 365 * 144  # ten minutes each: three years, of which 90 days come after AS_OF
CHANCE = np.random.default_rng(20240331)


def times(rows):
    """When rows happened and, of one in ten late, when they were known."""
    end = np.datetime64(AS_OF + timedelta(days=90), "us")
    happened = end - CHANCE.integers(0, STEPS, rows) * np.timedelta64(10, "m")
    late = CHANCE.integers(0, 90, rows) * (CHANCE.random(rows) < 0.1)
    return {"happened_at": happened, "known_at": happened + late * np.timedelta64(1, "D")}


def some(rows, prefix, kinds, empty=0.1):
    """One of some texts for each row, or nothing."""
    texts = np.array([f"{prefix}{number}" for number in range(kinds)], dtype=object)
    return np.where(CHANCE.random(rows) < empty, None, texts[CHANCE.integers(0, kinds, rows)])


def money(rows):
    """Amounts of any size and with thirds, whose float sums depend on their order."""
    return np.exp(CHANCE.normal(3, 2, rows)) / 3 * np.where(CHANCE.random(rows) < 0.1, -1, 1)


def customers():
    listed = [f"c{number}" for number in range(0, CUSTOMERS, 2)]
    return {"customer_id": listed, "kind": some(len(listed), "kind", 2)}


def transactions():
    return {
        "customer_id": some(LINES, "c", CUSTOMERS, empty=0),
        **times(LINES),
        "order_id": some(LINES, "o", LINES // 3),
        "amount": money(LINES),
        "quantity": CHANCE.integers(1, 9, LINES) / 2,
        "product_id": some(LINES, "p", 300),
        "category": some(LINES, "k", 20),
        "channel": some(LINES, "ch", 4),
        "discount": np.abs(money(LINES)),
        "margin": money(LINES),
    }


def contacts():
    kinds = np.array(INTERACTION_KINDS, dtype=object)
    return {
        "customer_id": some(CONTACTS, "c", CUSTOMERS, empty=0),
        **times(CONTACTS),
        "kind": kinds[CHANCE.integers(0, len(kinds), CONTACTS)],
        "channel": some(CONTACTS, "ch", 4),
        "direction": np.array(["in", "out"])[CHANCE.integers(0, 2, CONTACTS)],
        "value": CHANCE.integers(0, 30, CONTACTS) / 3,
        "case_id": some(CONTACTS, "case", CONTACTS // 4, empty=0.5),
        "detail": some(CONTACTS, "d", 5),
    }


def table(columns, name):
    """Columns as a table with all columns of a canonical one."""
    schema = TABLES[name].schema().to_pyarrow()
    rows = len(columns["customer_id"])
    arrays = [pa.array(columns.get(f.name, np.full(rows, None)), f.type) for f in schema]
    return pa.table(arrays, schema=schema)


@pytest.fixture(scope="module")
def tables():
    """All that will ever be known."""
    made = {"customers": customers(), "transactions": transactions(), "interactions": contacts()}
    return {name: table(columns, name) for name, columns in made.items()}


@pytest.fixture(scope="module")
def at_the_time(tables, tmp_path_factory):
    """The snapshots as they were built at AS_OF, of what was known by then in one file each."""
    known = {
        name: rows if name == "customers" else rows.filter(pc.field("known_at") <= AS_OF)
        for name, rows in tables.items()
    }
    return built(tmp_path_factory.mktemp("then"), [known])


def built(root, deliveries):
    """The parts of all families at AS_OF, of events that came in some deliveries."""
    workspace = Workspace(root)
    for delivery in deliveries:
        ingest(workspace, {name: ibis.memtable(rows) for name, rows in delivery.items()})
    snapshots = Snapshots(workspace)
    list(snapshots.build([AS_OF]))
    folders = {family.name: snapshots.folder(family, AS_OF) for family in snapshots.families}
    return {name: (folder / "part.parquet").read_bytes() for name, folder in folders.items()}


def test_computed_later_from_more_events_in_other_files(tables, at_the_time, tmp_path):
    order = {name: CHANCE.permutation(rows.num_rows) for name, rows in tables.items()}
    deliveries = [
        {name: rows.take(order[name][turn::3]) for name, rows in tables.items()}
        for turn in range(3)
    ]
    assert differing(built(tmp_path, deliveries), at_the_time) == []


def test_computed_in_small_ranges_by_more_threads(tables, at_the_time, tmp_path, monkeypatch):
    monkeypatch.setattr(ranges, "ROWS", 30_000)
    monkeypatch.setattr(backend, "cores", lambda: 4)
    engine = backend.connect("duckdb")
    engine.raw_sql("SET threads = 4")
    try:
        assert differing(built(tmp_path, [tables]), at_the_time) == []
    finally:
        engine.raw_sql("RESET threads")


def differing(found, expected):
    """The families whose bytes are not the same."""
    assert found.keys() == expected.keys()
    return [name for name in expected if found[name] != expected[name]]
