"""The retention job to the end: what went, the receipt, what is online, and what is said of it."""

import json
from datetime import datetime

import ibis
import pandas as pd
import pytest
from typer.testing import CliRunner

import holdfast
from features.events import TABLES
from features.expiry import starts
from features.store import FeatureStore
from features.workspace import Workspace, ingest
from serving import receipts
from serving.expiry import expire, in_words
from tests.world import world

NOW, MARCH = datetime(2024, 5, 1), datetime(2024, 3, 31, 23, 59, 59, 999999)
GIVEN = world("ann  2023-12-03  10", "ann  2024-02-20  20", "bob  2023-11-25   5")


@pytest.fixture
def space(tmp_path):
    space = Workspace(tmp_path / "w")
    ingest(space, {name: getattr(GIVEN.events, name) for name in TABLES if getattr(GIVEN, name)})
    store = FeatureStore(space)
    list(store.build([MARCH]))
    store.materialize(MARCH)
    return space


def test_who_has_nothing_left_is_not_online_and_the_others_are_counted_anew(space):
    expire(space, FeatureStore(space), starts(NOW, 122, {}), NOW)
    now = FeatureStore(space).latest(["ann", "bob"])
    assert now.status.tolist() == ["present", "missing"]
    assert now.values.spend_total.tolist()[0] == 20.0


def test_events_can_be_pushed_afterwards(space):
    expire(space, FeatureStore(space), starts(NOW, 122, {}), NOW)
    row = pd.DataFrame({"customer_id": ["ann"], "happened_at": ["2024-04-02"], "amount": [1.0]})
    FeatureStore(space).push({"transactions": ibis.memtable(row)}, NOW)
    assert FeatureStore(space).latest(["ann"]).values.spend_total.tolist() == [21.0]


def test_the_receipt_is_signed_and_names_nobody(space):
    facts = expire(space, FeatureStore(space), starts(NOW, 122, {}), NOW)
    (path,) = (space.root / "expiries").glob("*.json")
    kept = json.loads(path.read_text())
    assert kept == facts
    assert kept.pop("signature") == receipts.signature(space, kept)
    assert kept["rows"] == {"transactions": 2, "customers": 0, "interactions": 0}
    assert (kept["customers"], "bob" in path.read_text()) == (1, False)


def test_it_is_said_what_changes_for_those_who_stay(space):
    facts = expire(space, FeatureStore(space), starts(NOW, 122, {}), NOW)
    said = in_words(facts, is_done=True)
    assert "count from 2023-12-31 (transactions) on" in said
    assert "look back 730 days, and of these 122 are left" in said
    assert expire(space, FeatureStore(space), starts(NOW, 122, {}), NOW)["changes"] == []


def test_the_verb_tells_and_deletes_only_when_it_is_told_to(space, monkeypatch):
    monkeypatch.setenv("HOLDFAST_HOME", str(space.root))
    asked = ["expire", "--keep-days", "122", "--now", "2024-05-01T00:00", "--quiet"]
    told = CliRunner().invoke(holdfast.app, asked).stdout
    assert "Would be deleted" in told
    assert "2 rows of transactions" in told
    done = json.loads(CliRunner().invoke(holdfast.app, [*asked, "--yes", "--json"]).stdout)
    assert (done["done"], done["rows"]["transactions"]) == (True, 2)
    again = CliRunner().invoke(holdfast.app, [*asked, "--yes"]).stdout
    assert "nothing" in again
