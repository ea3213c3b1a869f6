"""Given files and pushes, how many rows were taken and refused by reason, each counted once."""

import json

import ibis
import pandas as pd

from features.events import UNNAMED
from features.received import refused
from features.taking import take
from features.workspace import ingest


def orders(*customers):
    rows = [{"customer_id": c, "happened_at": "2024-04-09", "amount": 7.0} for c in customers]
    return ibis.memtable(pd.DataFrame(rows))


def counts(workspace):
    files = sorted((workspace.events / "received").glob("*"))
    return [json.loads(path.read_text()) for path in files]


MANY = [f"c{number}" for number in range(39)]


def test_an_ingest_leaves_its_counts(workspace):
    ingest(workspace, {"transactions": orders(*MANY, None)})
    assert counts(workspace) == [
        {"table": "transactions", "good": 39, "repeated": 0, "bad": {UNNAMED: 1}}
    ]
    assert refused(workspace.events, "transactions", UNNAMED) == 1
    assert refused(workspace.events, "interactions", UNNAMED) == 0


def test_the_same_rows_brought_twice_are_counted_once(workspace):
    for _ in range(2):
        ingest(workspace, {"transactions": orders(*MANY, None)})
        take(workspace, {"transactions": orders("zoe", None)}, None)
    assert refused(workspace.events, "transactions", UNNAMED) == 2


def test_a_push_is_counted_where_rows_of_it_were_refused(workspace):
    take(workspace, {"transactions": orders("ann")}, None)
    assert counts(workspace) == []
    take(workspace, {"transactions": orders("bob", None, " ")}, None)
    assert counts(workspace) == [
        {"table": "transactions", "good": 1, "repeated": 0, "bad": {UNNAMED: 2}}
    ]
