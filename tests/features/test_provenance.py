"""Where rows come from is kept where it is told, seen by no feature, and breaks nothing older."""

from datetime import datetime

import ibis
import pandas as pd
import pyarrow.parquet as pq
import pytest

from features import compaction
from features.events import PROVENANCE, TABLES
from features.ledger import content_of
from features.snapshots import Snapshots
from features.store import FeatureStore
from features.workspace import event_files, ingest, open_events

MARCH = datetime(2024, 3, 31, 23, 59, 59, 999999)
OLD = {"customer_id": ["ann"], "happened_at": ["2024-03-01"], "amount": [10.0]}
TOLD = {
    "customer_id": ["bob", "bob"], "happened_at": ["2024-03-02", "2024-03-02"],
    "amount": [5.0, 5.0], "source": ["till", " shop "], "lawful_basis": ["contract", None],
}  # fmt: skip


def bring(space, columns, table="transactions"):
    return ingest(space, {table: ibis.memtable(pd.DataFrame(columns))})


def stored(space):
    return [pq.read_schema(path).names for path in event_files(space, "transactions")]


def test_a_file_that_does_not_tell_is_stored_as_ever(workspace):
    bring(workspace, OLD)
    assert stored(workspace) == [list(TABLES["transactions"].column_names())]


def test_a_file_that_tells_keeps_it_beside_the_others_and_features_do_not_see_it(workspace):
    bring(workspace, OLD)
    before = Snapshots(workspace).queries
    bring(workspace, TOLD)
    assert sorted(map(len, stored(workspace))) == [11, 13]
    assert not set(PROVENANCE) & set(open_events(workspace).transactions.columns)
    after = Snapshots(workspace)
    assert after.queries == before
    list(after.build([MARCH]))
    rows = FeatureStore(workspace).snapshot(MARCH).set_index("customer_id")
    assert rows.spend_total.to_dict() == {"ann": 10.0, "bob": 10.0}
    recent = FeatureStore(workspace).recent_events("bob", 9)
    assert sorted(event["source"] for event in recent) == ["shop", "till"]


def test_the_same_rows_in_another_order_are_one_file(workspace):
    bring(workspace, TOLD)
    bring(workspace, {name: values[::-1] for name, values in TOLD.items()})
    assert len(event_files(workspace, "transactions")) == 1


def test_files_that_tell_and_files_that_do_not_are_merged(workspace, monkeypatch):
    bring(workspace, OLD)
    bring(workspace, TOLD)
    monkeypatch.setattr(compaction, "MOST", 1)
    assert compaction.compact(workspace) == 2
    (path,) = event_files(workspace, "transactions")
    assert sorted(map(str, pq.read_table(path).column("source").to_pylist())) == [
        "None", "shop", "till"
    ]  # fmt: skip


def test_an_event_of_before_is_the_same_event_where_nothing_is_told():
    row = {"customer_id": "ann", "amount": 1.0}
    assert content_of(row) == content_of({**row, "source": None, "lawful_basis": None})
    assert content_of(row) != content_of({**row, "source": "till"})


@pytest.mark.parametrize("name", PROVENANCE)
def test_every_column_can_come_with_both_tables_of_events(name):
    for table in ("transactions", "interactions"):
        assert name in [column.name for column in TABLES[table].columns]


def test_a_customers_column_of_such_a_name_is_one_of_his_profile(workspace):
    bring(workspace, OLD)
    bring(workspace, {"customer_id": ["ann"], "source": ["fair"]}, "customers")
    assert open_events(workspace).customers.source.to_pyarrow().to_pylist() == ["fair"]
