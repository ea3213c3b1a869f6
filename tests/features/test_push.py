"""Given customers online, what a push of new events changes, for whom and at which moment."""

from datetime import datetime, timedelta

import ibis
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from features.errors import UserError
from features.events import TABLES
from features.store import FeatureStore
from features.workspace import Workspace, event_files, ingest
from tests.world import world

MARCH = datetime(2024, 3, 31, 23, 59, 59, 999999)
APRIL = datetime(2024, 4, 10, 15, 0, 0, 7)

GIVEN = world(
    "ann  2024-01-03  10  order_id=a1 product_id=tea category=food channel=shop quantity=4",
    "ann  2024-02-20  20  order_id=a2 product_id=cup category=home channel=web margin=4",
    "bob  2024-02-25   5  order_id=b1 product_id=tea category=food",
    "cid  2024-03-03  50  order_id=c1 product_id=pot category=home discount=5",
    interactions=[
        "ann  2024-03-01  complaint in phone c1",
        "bob  2024-03-02  visit in web",
    ],
    customers=["ann  2024-01-01  kind=person city=Rome", "inn  2024-01-01  is_internal=true"],
)


def as_tables(given):
    """The tables of a world that have rows."""
    return {name: getattr(given.events, name) for name in TABLES if getattr(given, name)}


@pytest.fixture
def store(tmp_path):
    """A store over three customers, online at March's moment."""
    workspace = Workspace(tmp_path)
    ingest(workspace, as_tables(GIVEN))
    store = FeatureStore(workspace)
    list(store.build([MARCH]))
    store.materialize(MARCH)
    return store


def raw(*rows):
    return ibis.memtable(pd.DataFrame(rows))


def test_a_second_read_shows_what_was_pushed(store):
    new = world("ann  2024-04-09  7", interactions=["ann  2024-04-10T14:00  visit in web"])
    pushed = store.push(as_tables(new), APRIL)
    assert pushed.customers == ["ann"]
    assert {report.table: report.good for report in pushed.reports} == {
        "transactions": 1,
        "interactions": 1,
    }
    assert pushed.as_of == APRIL
    latest = store.latest(["ann", "bob"])
    assert latest.values.spend_total.tolist() == [37, 5]
    assert latest.values.recency.tolist() == [1, 35]
    assert latest.values.contacts_30d.tolist()[0] == 1
    assert latest.as_of.tolist() == [pd.Timestamp(APRIL), pd.Timestamp(MARCH)]


def test_every_pushed_feature_is_that_of_a_full_snapshot_at_the_same_moment(store):
    """What is compared with everybody is compared with the newest snapshot, as it is here."""
    list(store.build([APRIL]))
    new = world(
        "ann  2024-04-09T10:00  7  order_id=a3 product_id=pot category=home channel=web",
        "bob  2024-04-10T14:59  9  order_id=b2 product_id=tea category=food quantity=2",
        "dan  2024-04-01        3  order_id=d1",
        interactions=["bob  2024-04-02  survey in email - value=4"],
        customers=["ann  2024-01-01  kind=organisation city=Oslo"],
    )
    facts = facts_at(store, APRIL)
    pushed = store.push(as_tables(new), APRIL)
    assert pushed.customers == ["ann", "bob", "dan"]
    assert_online_as_computed(store, pushed.customers, APRIL, facts)


def facts_at(store, moment):
    """What everybody's past said at a built moment, by family; read now, as a push would."""
    found = {f.name: store.snapshots.population(f, moment) for f in store.snapshots.families}
    return {name: rows.to_pyarrow() for name, rows in found.items() if rows is not None}


def assert_online_as_computed(store, customers, moment, facts):
    latest = store.latest(customers).values
    for family in store.snapshots.families:
        population = ibis.memtable(facts[family.name]) if family.name in facts else None
        rows = family.compute(store.snapshots.events, moment, None, population).to_pandas()
        rows = rows.set_index("customer_id").loc[list(customers)].reset_index(drop=True)
        assert_frame_equal(latest[rows.columns], rows, check_exact=True)


def test_a_later_push_of_the_same_process_sees_what_others_stored_and_built_meanwhile(store):
    store.push(as_tables(world("ann  2024-04-09  7  order_id=a3 product_id=pot")), APRIL)
    other, may = FeatureStore(store.workspace), datetime(2024, 5, 20, 11, 0, 0, 1)
    more = [f"c{n}  2024-05-0{n}  {n}0  order_id=n{n} product_id=tea" for n in range(1, 9)]
    ingest(store.workspace, as_tables(world(*more, "bob  2024-05-02  4  order_id=b9")))
    list(other.build([may]))
    new = world(
        "bob  2024-05-19  9  order_id=b2 product_id=cup category=home quantity=2",
        "c3   2024-05-19  2  order_id=n33",
        interactions=["bob  2024-05-18  survey in email - value=4", "c8  2024-05-01  complaint"],
    )
    later = may + timedelta(days=2, hours=7)
    pushed = store.push(as_tables(new), later)
    assert pushed.customers == ["bob", "c3", "c8"]
    assert_online_as_computed(store, pushed.customers, later, facts_at(other, may))
    assert store.latest(["bob"]).values.spend_total.tolist() == [18]


def test_what_became_of_each_row_is_told_and_a_known_id_is_not_counted_twice(store):
    rows = raw(
        {"customer_id": "ann", "happened_at": "2024-04-09", "amount": "seven"},
        {"customer_id": "bob", "happened_at": "2024-04-09", "amount": "7"},
    )
    for told in ("taken", "repeated"):
        pushed = store.push({"transactions": rows}, APRIL, event_ids={"transactions": ["x", "y"]})
        assert pushed.rows == {"transactions": ["amount is not a number", told]}
        assert pushed.customers == ["bob"]
    assert store.latest(["bob"]).values.spend_total.tolist() == [12]


def test_the_next_load_has_what_was_pushed(store):
    store.push(as_tables(world("ann  2024-04-09  7")), APRIL)
    again, evening = FeatureStore(store.workspace), APRIL + timedelta(hours=5)
    list(again.build([evening]))
    assert again.materialize(evening) == 3
    assert again.latest(["ann"]).values.spend_total.tolist() == [37]
    assert again.latest(["ann"]).as_of.tolist() == [pd.Timestamp(evening)]


def test_a_load_of_an_earlier_moment_keeps_what_was_pushed(store):
    noon = APRIL - timedelta(hours=3)
    list(store.build([noon]))
    store.push(as_tables(world("ann  2024-04-10T14:00  7")), APRIL)
    assert store.materialize(noon) == 3
    latest = store.latest(["ann", "bob"])
    assert latest.values.spend_total.tolist() == [37, 5]
    assert latest.as_of.tolist() == [pd.Timestamp(APRIL), pd.Timestamp(noon)]


def test_a_push_stands_at_the_newest_snapshot_when_that_is_later_than_now(store):
    """Most snapshots stand at the end of a day that is not over."""
    pushed = store.push(as_tables(world("ann  2024-03-31T12:00  7")), datetime(2024, 3, 31, 13))
    assert pushed.as_of == MARCH
    assert store.latest(["ann"]).values.spend_total.tolist() == [37]


def test_a_push_stands_at_what_is_online_for_the_customer_when_that_is_later(store):
    store.push(as_tables(world("ann  2024-04-09  7")), APRIL)
    late = store.push(as_tables(world("ann  2024-04-08  1")), APRIL - timedelta(days=1))
    assert late.as_of == APRIL
    assert store.latest(["ann"]).values.spend_total.tolist() == [38]


def test_a_push_at_no_moment_stands_at_now(store):
    before = datetime.now()
    pushed = store.push(as_tables(world("ann  2024-04-09  7")))
    assert timedelta(0) <= pushed.as_of - before < timedelta(minutes=5)


def test_a_repeated_push_stores_nothing_twice(store):
    for _ in range(2):
        pushed = store.push(as_tables(world("ann  2024-04-09  7")), APRIL)
        assert pushed.customers == ["ann"]
    assert len(event_files(store.workspace, "transactions")) == 2
    assert store.latest(["ann"]).values.spend_total.tolist() == [37]


def test_rows_are_judged_one_by_one_and_the_bad_ones_named(store):
    rows = raw(
        {"customer_id": "ann", "happened_at": "2024-04-09", "amount": "seven"},
        {"customer_id": "bob", "happened_at": "2024-04-09", "amount": "7"},
        {"customer_id": "bob", "happened_at": "2024-04-09", "amount": "7"},
    )
    pushed = store.push({"transactions": rows}, APRIL)
    (report,) = pushed.reports
    assert (report.good, dict(report.bad)) == (2, {"amount is not a number": 1})
    assert pushed.customers == ["bob"]
    assert store.latest(["ann", "bob"]).values.spend_total.tolist() == [30, 19]


def test_a_push_without_a_good_row_changes_nothing(store):
    rows = raw({"customer_id": "ann", "happened_at": "soon", "amount": 7.0})
    pushed = store.push({"transactions": rows}, APRIL)
    assert pushed.customers == []
    assert dict(pushed.reports[0].bad) == {"happened_at is not a time": 1}
    assert store.latest(["ann"]).as_of.tolist() == [pd.Timestamp(MARCH)]


def test_a_customer_never_seen_is_known_by_the_first_push(store):
    assert store.latest(["o'dan"]).status.tolist() == ["missing"]
    store.push(as_tables(world("o'dan  2024-04-01  3")), APRIL)
    latest = store.latest(["o'dan"])
    assert latest.status.tolist() == ["present"]
    assert latest.values.spend_total.tolist() == [3]


def test_internal_customers_are_nowhere_and_who_becomes_one_leaves(store):
    new = world(
        "inn  2024-04-01  3", "cid  2024-04-01  3", customers=["cid  2024-03-03  is_internal=true"]
    )
    assert store.push(as_tables(new), APRIL).customers == ["cid", "inn"]
    assert store.latest(["inn", "cid"]).status.tolist() == ["missing", "missing"]


def test_events_after_the_moment_wait_for_a_later_one(store):
    new = as_tables(world("ann  2024-04-11  7"))
    store.push(new, APRIL)
    assert store.latest(["ann"]).values.spend_total.tolist() == [30]
    store.push(new, APRIL + timedelta(days=1))
    assert store.latest(["ann"]).values.spend_total.tolist() == [37]


def test_events_are_stored_before_they_are_online_so_that_a_push_may_be_repeated(store):
    file = store.workspace.feast / "online.db"
    file.rename(file.with_suffix(".away"))
    with pytest.raises(UserError, match="does not answer: the file is gone"):
        store.push(as_tables(world("ann  2024-04-09  7")), APRIL)
    file.with_suffix(".away").rename(file)
    store.push(as_tables(world("ann  2024-04-09  7")), APRIL)
    assert len(event_files(store.workspace, "transactions")) == 2
    assert store.latest(["ann"]).values.spend_total.tolist() == [37]


def test_a_push_under_another_catalogue_is_refused_and_stores_nothing(store):
    ingest(store.workspace, as_tables(world(customers=["bob  2024-02-24  segment=gold"])))
    again = FeatureStore(store.workspace)
    with pytest.raises(UserError, match="The features have changed since the online store"):
        again.push(as_tables(world("ann  2024-04-09  7")), APRIL)
    assert len(event_files(store.workspace, "transactions")) == 1


def test_a_push_into_a_store_that_was_never_filled_is_refused(tmp_path):
    ingest(Workspace(tmp_path), as_tables(GIVEN))
    store = FeatureStore(Workspace(tmp_path))
    with pytest.raises(UserError, match="does not know today's features yet"):
        store.push(as_tables(world("ann  2024-04-09  7")), APRIL)
    store.apply()
    with pytest.raises(UserError, match="no snapshot is built"):
        store.push(as_tables(world("ann  2024-04-09  7")), APRIL)
    assert len(event_files(store.workspace, "transactions")) == 1
