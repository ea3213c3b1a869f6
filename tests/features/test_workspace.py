"""Given files, what a workspace holds of them, or a sentence and nothing at all."""

from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import received
from features.errors import UserError
from features.events import TABLES, TRANSACTIONS, UNNAMED
from features.reading import ColumnMapping, read
from features.workspace import (
    Workspace,
    event_files,
    events_digest,
    ingest,
    open_events,
)
from tests.world import as_table, world

HEADER = "customer_id,happened_at,amount\n"
GOOD = "".join(f"c{number},2024-01-{number % 28 + 1:02d},{number}\n" for number in range(38))


@pytest.fixture
def bring(workspace, tmp_path):
    """Ingest some CSV texts, table by table, and give the reports."""

    def ingest_texts(time_format=None, **texts):
        tables = {}
        for name, text in texts.items():
            path = tmp_path / f"{name}.csv"
            path.write_text(text)
            tables[name] = read(path, TABLES[name], ColumnMapping())
        return ingest(workspace, tables, time_format)

    return ingest_texts


def stored(workspace, table="transactions"):
    return getattr(open_events(workspace), table).to_pyarrow().to_pylist()


def files(workspace):
    return sorted(
        str(path.relative_to(workspace.root))
        for path in workspace.root.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    )


def test_rows_in_are_rows_stored(workspace, bring):
    (report,) = bring(transactions=HEADER + " 007 ,2024-01-03,1.5\nann,2024-01-04T10:00+02:00,2\n")
    assert report.sentence() == "transactions: 2 rows taken"
    assert [(r["customer_id"], f"{r['happened_at']}", r["amount"]) for r in stored(workspace)] == [
        ("007", "2024-01-03 00:00:00", 1.5),
        ("ann", "2024-01-04 08:00:00", 2.0),
    ]


def test_bad_rows_below_the_share_are_set_aside_with_reasons_and_counted(workspace, bring):
    (report,) = bring(transactions=HEADER + GOOD + "ann,soon,5\nann,2024-01-03,-inf\n")
    assert (report.good, report.bad) == (
        38, {"amount is infinite": 1, "happened_at is not a time": 1},
    )  # fmt: skip
    assert report.sentence() == (
        "transactions: 38 rows taken; 2 set aside "
        "(1 x amount is infinite, 1 x happened_at is not a time)"
    )
    assert report.aside.parent == workspace.events / "rejected"
    assert report.aside.read_text() == (
        "customer_id,happened_at,amount,reason\n"
        "ann,soon,5,happened_at is not a time\n"
        "ann,2024-01-03,-inf,amount is infinite\n"
    )
    assert len(stored(workspace)) == 38


def test_more_bad_rows_than_the_share_are_refused(workspace, bring):
    with pytest.raises(UserError) as refused:
        bring(transactions=HEADER + GOOD + "ann,soon,5\nann,2999-01-01,5\nann,2024-01-03,inf\n")
    assert str(refused.value) == (
        "3 of 41 rows of transactions cannot be used (1 rows: amount is infinite; "
        "1 rows: happened_at is in the future; 1 rows: happened_at is not a time), more than the "
        "5% that may be set aside. Correct the file, or the mapping and the time format with which "
        "it is read."
    )
    assert files(workspace) == []


GUEST = ",2024-01-03,5\n"


def test_guests_may_be_half_of_the_rows_and_are_counted_and_written_aside(workspace, bring):
    (report,) = bring(transactions=HEADER + GOOD + 38 * GUEST)
    assert (report.good, report.bad) == (38, {"customer_id is missing": 38})
    assert report.sentence() == (
        "transactions: 38 rows taken; 38 set aside (38 x customer_id is missing)"
    )
    assert report.aside.read_text().count("customer_id is missing") == 38
    assert received.refused(workspace.events, "transactions", UNNAMED) == 38


def test_more_guests_than_customers_are_refused(workspace, bring):
    with pytest.raises(UserError) as refused:
        bring(transactions=HEADER + GOOD + 39 * GUEST)
    assert str(refused.value) == (
        "39 of 77 rows of transactions name no customer (customer_id is missing), more than the "
        "50% that may be the orders of guests. Correct the file, or say which column names the "
        "customer: --column transactions.customer_id=COLUMN."
    )
    assert files(workspace) == []


def test_guests_do_not_hide_the_faults_of_the_other_rows(workspace, bring):
    # 3 of 41 are more than a twentieth; of all 61 rows they would be less.
    with pytest.raises(UserError, match="3 of 41 rows of transactions that name a customer cannot"):
        bring(transactions=HEADER + GOOD + 20 * GUEST + 3 * "ann,soon,5\n")


def test_a_customer_without_an_id_is_no_guest(workspace, bring):
    some = "".join(f"c{number}\n" for number in range(9))
    with pytest.raises(UserError, match="1 of 10 rows of customers cannot be used"):
        bring(customers="customer_id,first_seen_at\n" + some.replace("\n", ",2024-01-01\n")
              + ",2024-01-01\n")  # fmt: skip


def test_a_few_repeated_rows_are_kept_and_told(workspace, bring):
    (report,) = bring(transactions=HEADER + GOOD + "c1,2024-01-02,1\n")
    assert report.sentence() == (
        "transactions: 39 rows taken (1 of them repeat an earlier row exactly and are kept)"
    )
    assert len(stored(workspace)) == 39


def test_a_file_pasted_into_itself_is_refused(workspace, bring):
    with pytest.raises(UserError) as refused:
        bring(transactions=HEADER + GOOD + GOOD)
    assert str(refused.value) == (
        "Every row of transactions stands at least twice (76 rows, 38 of them repeats), as if the "
        "file had been pasted into itself. Remove the repeated rows."
    )
    assert files(workspace) == []


def test_a_line_of_another_length_far_down_is_refused(workspace, bring):
    many = "".join(f"c{number},2024-01-03,5\n" for number in range(60_000))
    with pytest.raises(UserError) as refused:
        bring(transactions=HEADER + many + "ann,2024-01-03,5,6\n")
    assert str(refused.value) == (
        "The transactions cannot be read to the end: Invalid Input Error: CSV Error on Line: "
        "60002. Correct the file, or the mapping and the time format with which it is read."
    )
    with pytest.raises(
        UserError, match=r"^The customers cannot be read to the end: .* Line: 60002"
    ):
        bring(customers="customer_id,since,age\n" + many + "ann,2024-01-03,5,6\n")
    assert files(workspace) == []


def test_a_time_format_that_is_none_is_refused(workspace, bring):
    with pytest.raises(UserError) as refused:
        bring(transactions=HEADER + GOOD, time_format="%Q")
    assert str(refused.value) == (
        "The transactions cannot be read to the end: Invalid Input Error: Failed to parse format "
        "specifier %Q: Unrecognized format for strftime/strptime: %Q. "
        "Correct the file, or the mapping and the time format with which it is read."
    )
    assert files(workspace) == []


def test_when_the_second_table_is_bad_the_first_is_not_stored_either(workspace, bring):
    with pytest.raises(UserError, match="1 of 1 rows of interactions cannot be used"):
        bring(
            transactions=HEADER + GOOD,
            interactions="customer_id,happened_at,kind\nann,soon,visit\n",
        )
    assert files(workspace) == []


def test_the_same_file_twice_is_stored_once(workspace, bring):
    bring(transactions=HEADER + GOOD)
    once, digest = files(workspace), events_digest(workspace)
    bring(transactions=HEADER + GOOD)
    assert files(workspace) == once
    assert events_digest(workspace) == digest
    assert len(stored(workspace)) == 38


def test_the_same_rows_in_another_order_are_stored_once(workspace, bring):
    """Lines of one order share customer and time, so only their other columns can order them."""
    lines = [f"ann,2024-01-03,{amount}\n" for amount in range(1, 3000)]
    bring(transactions=HEADER + "".join(lines))
    once = files(workspace)
    bring(transactions=HEADER + "".join(lines[::-1]))
    assert files(workspace) == once


def test_another_file_is_added_and_changes_the_digest(workspace, bring):
    bring(transactions=HEADER + GOOD)
    digest = events_digest(workspace)
    bring(transactions=HEADER + "zoe,2024-02-01,7\n")
    assert len(event_files(workspace, "transactions")) == 2
    assert len(stored(workspace)) == 39
    assert events_digest(workspace) != digest


def test_a_customer_who_comes_again_replaces_the_row_of_before(workspace, bring):
    bring(
        transactions=HEADER + GOOD,
        customers="customer_id,first_seen_at,age,city\nann,2024-01-01,33,Rome\nbob,2024-01-02,,\n",
    )
    bring(customers="customer_id,first_seen_at,age,plan\nbob,2024-01-02,44,gold\ncid,,55,\n")
    assert len(event_files(workspace, "customers")) == 1
    columns = ("customer_id", "age", "city", "plan")
    assert [tuple(row[name] for name in columns) for row in stored(workspace, "customers")] == [
        ("ann", 33.0, "Rome", None),
        ("bob", 44.0, None, "gold"),
        ("cid", 55.0, None, None),
    ]


def test_the_same_customers_twice_are_stored_once(workspace, bring):
    people = "customer_id,plan\nbob,gold\nann,iron\n"
    bring(customers=people)
    once = files(workspace)
    bring(customers=people)
    assert files(workspace) == once


def test_a_table_without_rows_leaves_no_file(workspace):
    nothing = as_table([], TABLES["interactions"]).select("customer_id", "happened_at", "kind")
    (report,) = ingest(workspace, {"interactions": nothing})
    assert report.sentence() == "interactions: 0 rows taken"
    assert files(workspace) == []


def test_a_table_that_was_never_given_has_no_rows_and_its_columns(workspace, bring):
    bring(transactions=HEADER + GOOD)
    events = open_events(workspace)
    assert events.interactions.count().execute() == 0
    assert events.interactions.schema() == TABLES["interactions"].schema()
    assert events.customers.schema() == TABLES["customers"].schema()


def test_a_workspace_without_transactions_is_refused(workspace):
    with pytest.raises(UserError) as refused:
        open_events(workspace)
    assert str(refused.value) == (
        f"The workspace {workspace.root} has no transactions yet. "
        "Bring some in first: holdfast ingest --transactions FILE."
    )


def test_nan_in_a_parquet_file_of_others_is_found(workspace, tmp_path):
    """The file's statistics leave NaN out; an engine that believes them finds none."""
    rows = world(*[f"c{number} 2024-01-03 {number}" for number in range(40)]).transactions
    spoiled = as_table([{**rows[0], "amount": float("nan")}, *rows], TRANSACTIONS)
    path = tmp_path / "sales.parquet"
    pq.write_table(spoiled.to_pyarrow(), path)
    (report,) = ingest(workspace, {"transactions": read(path, TRANSACTIONS, ColumnMapping())})
    assert report.sentence() == "transactions: 40 rows taken; 1 set aside (1 x amount is missing)"


@pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
def test_nanoseconds_in_a_parquet_file_of_others_are_read(workspace, tmp_path, zone):
    """What pandas writes: the last nanosecond of a day belongs to that day."""
    last = pa.array([1704326399999999999], pa.timestamp("ns", zone))
    columns = {"customer_id": ["ann"], "happened_at": last, "amount": [5.0]}
    path = tmp_path / "sales.parquet"
    pq.write_table(pa.table(columns), path)
    ingest(workspace, {"transactions": read(path, TRANSACTIONS, ColumnMapping())})
    (row,) = stored(workspace)
    assert row["happened_at"] == row["known_at"] == datetime(2024, 1, 3, 23, 59, 59, 999999)


def test_the_place_of_the_workspace_is_an_environment_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "here"))
    assert Workspace.from_environment() == Workspace(tmp_path / "here")
    monkeypatch.delenv("HOLDFAST_HOME")
    monkeypatch.chdir(tmp_path)
    assert Workspace.from_environment() == Workspace(tmp_path / "workspace")
    assert not (tmp_path / "workspace").exists()
