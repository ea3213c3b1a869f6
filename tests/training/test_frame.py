"""Given purchases around a cut-off, the outcomes of its customers and the training panel."""

from datetime import datetime, timedelta

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from features.events import TABLES
from features.store import FeatureStore
from features.workspace import Workspace, ingest
from tests.world import world
from training import frame, sampling
from training.split import CutOff

AS_OF = datetime(2024, 3, 31, 23, 59, 59, 999999)
MARCH = CutOff(AS_OF, 30)  # asks until 2024-04-30T23:59:59.999999
JANUARY = CutOff(datetime(2024, 1, 31, 23, 59, 59, 999999), 30)
KNOWN_BY = datetime(2024, 5, 10)

GIVEN = world(
    "ann  2024-01-03  10",
    "ann  2024-03-31T23:59:59.999999  5",
    "ann  2024-04-30T23:59:59.999999  20",
    "bob  2024-01-05  10",
    "bob  2024-05-01T00:00:00  30",
    "cat  2024-02-01  10",
    "cat  2024-04-01T00:00:00  40",
    "cat  2024-04-10  -15",
    "dan  2024-02-02  10",
    "dan  2024-04-05  7  known_at=2024-05-20",
    "eve  2024-02-10  10",
    "zoe  2024-04-20  10",
    interactions=[
        "eve  2024-04-03  closure  detail=natural",
        "eve  2024-04-04  closure  detail=fault",
        "bob  2024-05-02  closure  detail=fault",
    ],
)
LATER = world(
    "ann  2024-04-15  99  known_at=2024-05-10T00:00:00.000001",
    "bob  2024-05-10T00:00:01  99",
    "gus  2024-05-11  99",
    interactions=["dan  2024-04-15  closure  detail=natural  known_at=2024-06-01"],
)


def store_of(given, folder):
    workspace = Workspace(folder)
    ingest(workspace, {name: getattr(given.events, name) for name in TABLES})
    store = FeatureStore(workspace)
    list(store.build([AS_OF, JANUARY.as_of]))
    store.apply()
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return store_of(GIVEN, tmp_path_factory.mktemp("frame"))


@pytest.fixture(scope="module")
def panel(store):
    return frame.panel(store, [MARCH, JANUARY], KNOWN_BY)


def of(panel, cutoff, column):
    rows = panel[panel.as_of == cutoff.as_of]
    return dict(zip(rows.customer_id, rows[column], strict=True))


def test_the_moment_itself_is_past_and_the_last_moment_of_the_horizon_is_future(panel):
    # ann's 5 came exactly at the cut-off, her 20 exactly at its horizon.
    assert of(panel, MARCH, "spend_total")["ann"] == 15
    assert of(panel, MARCH, "value")["ann"] == 20


def test_a_microsecond_after_the_horizon_is_not_asked_about(panel):
    assert (of(panel, MARCH, "bought")["bob"], of(panel, MARCH, "value")["bob"]) == (0, 0)


def test_a_microsecond_after_the_cutoff_is_future_and_returns_are_taken_off(panel):
    assert of(panel, MARCH, "spend_total")["cat"] == 10
    assert (of(panel, MARCH, "value")["cat"], of(panel, MARCH, "purchase_days")["cat"]) == (25, 1)


def test_what_was_learnt_after_the_moment_of_training_is_hidden(store, panel):
    assert of(panel, MARCH, "bought")["dan"] == 0
    june = frame.panel(store, [MARCH], known_by=datetime(2024, 6, 1))
    assert of(june, MARCH, "value")["dan"] == 7


def test_who_does_nothing_has_bought_nothing(panel):
    assert [of(panel, MARCH, name)["eve"] for name in ("bought", "purchase_days", "value")] == [
        0, 0, 0,
    ]  # fmt: skip


def test_the_reason_is_that_of_the_first_closure(panel):
    reasons = of(panel, MARCH, "closure_reason")
    assert reasons["eve"] == "natural"
    assert [who for who, reason in reasons.items() if isinstance(reason, str)] == ["eve"]


def test_a_row_is_a_customer_who_had_bought_by_the_cutoff(panel):
    assert list(of(panel, MARCH, "value")) == ["ann", "bob", "cat", "dan", "eve"]
    assert list(of(panel, JANUARY, "value")) == ["ann", "bob"]
    assert set(panel.horizon_days) == {30}


def test_every_cutoff_weighs_the_same(panel):
    assert panel.groupby("as_of").weight.sum().tolist() == pytest.approx([3.5, 3.5])
    assert panel.weight.sum() == pytest.approx(len(panel))


def test_events_known_later_change_nothing(panel, tmp_path):
    with_later = store_of(GIVEN.also(LATER), tmp_path)
    assert_frame_equal(frame.panel(with_later, [MARCH, JANUARY], KNOWN_BY), panel)


def test_the_first_and_the_last_event(store):
    assert frame.first_event(store) == datetime(2024, 1, 3)
    assert frame.last_event(store) == datetime(2024, 5, 2)


def test_outcomes_are_of_customers_with_events_in_the_future(store):
    asked = pd.Series(["ann", "bob", "cat", "eve", "zoe"])
    found = frame.outcomes(store, MARCH, KNOWN_BY, asked)
    assert sorted(found.customer_id) == ["ann", "cat", "eve", "zoe"]
    assert set(found.as_of) == {AS_OF}
    assert frame.outcomes(store, MARCH, KNOWN_BY, asked[:1]).customer_id.tolist() == ["ann"]
    assert frame.outcomes(store, CutOff(AS_OF + timedelta(days=300), 30), KNOWN_BY, asked).empty


def test_of_many_customers_some_are_drawn_with_all_that_is_known_of_them(store, panel, monkeypatch):
    monkeypatch.setattr(sampling, "MOST_CUSTOMERS", 4)
    few = frame.panel(store, [MARCH, JANUARY], KNOWN_BY)
    assert few.customer_id.tolist() == ["dan", "eve"]  # of five, by their hash
    everybody = panel[(panel.as_of == AS_OF) & panel.customer_id.isin(few.customer_id)]
    assert_frame_equal(few.drop(columns="weight"),
                       everybody.drop(columns="weight").reset_index(drop=True))  # fmt: skip
    assert frame.customers(store, AS_OF).customer_id.tolist() == ["dan", "eve"]
