"""Pushed rows checked one by one, told what became of each, and stored once whatever fails.

A handful of rows is checked in one query. The good ones of a table are one file; with event ids its
name tells the ids as well, so that two equal events under two ids are two. What is acknowledged is
on disk.
"""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from features import backend, events, moment, received, workspace
from features.durable import publish
from features.errors import Unavailable, UserError
from features.events import GIVEN, REASON, TABLES, EventTable
from features.ledger import Entry, Ledger, content_of, digest
from features.workspace import TableReport, Workspace

TAKEN, REPEATED = "taken", "repeated"  # any other outcome of a row is the reason of its refusal
_NO_ID = "event_id is missing"
_OTHER_CONTENT = "event_id was taken before with other content"
_WITH_IDS = ("transactions", "interactions")  # a customer's row replaces the one before


@dataclass(frozen=True)
class Taken:
    """Per table a report and the outcome of each row in order; and whose rows were good."""

    reports: Sequence[TableReport]
    rows: Mapping[str, Sequence[str]]
    customer_ids: Sequence[str]


@dataclass(frozen=True)
class _Batch:
    """The rows of one table: in the stored form, as given, their outcomes and their ids."""

    table: EventTable
    stored: pa.Table
    given: pa.Table
    outcomes: list[str]
    ids: Sequence[str] | None
    contents: Sequence[str]

    def of(self, *outcomes: str) -> list[int]:
        """The positions of the rows with one of these outcomes."""
        return [i for i, outcome in enumerate(self.outcomes) if outcome in outcomes]


def take(
    space: Workspace,
    tables: Mapping[str, ir.Table],
    time_format: str | None,
    event_ids: Mapping[str, Sequence[str]] | None = None,
) -> Taken:
    """Check raw tables row by row and store what is good and new.

    event_ids: table -> one id per row, in their order. Without ids, a call that is repeated as a
    whole stores nothing twice.
    Raises UserError when the ids do not fit the rows, and Unavailable when the rows cannot be
    stored; a call that failed can be made again.
    """
    ledger, ids = Ledger(space.events), event_ids or {}
    _refuse_other_tables(ids, tables)
    staging = space.events / f".staging-{uuid.uuid4().hex}"
    batches = [_check(ledger, TABLES[n], raw, time_format, ids.get(n)) for n, raw in tables.items()]
    try:
        files = [_stage(staging, space, batch) for batch in batches]
        batches = [_known(space, ledger, *pair) for pair in zip(batches, files, strict=True)]
        ledger_rows = {b.table.name: _entries(b, f) for b, f in zip(batches, files, strict=True)}
        if any(ledger_rows.values()):
            ledger.enter(ledger_rows)
        reports = [_publish(staging, space, *p) for p in zip(batches, files, strict=True)]
    except (OSError, sqlite3.Error, *backend.ENGINE_ERRORS) as error:
        raise Unavailable(
            f"The events cannot be stored: {error}. Look whether the disk has room, and push them "
            "again: what was stored already is not stored twice."
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    good = {c for b in batches for c in _customers(b, b.of(TAKEN, REPEATED))}
    return Taken(reports, {b.table.name: b.outcomes for b in batches}, sorted(good))


def _check(
    ledger: Ledger,
    table: EventTable,
    raw: ir.Table,
    time_format: str | None,
    ids: Sequence[str] | None,
) -> _Batch:
    try:
        with backend.reading_foreign_files():
            rows = events.judge(table, raw, moment.now(), time_format).to_pyarrow()
    except backend.ENGINE_ERRORS as error:
        raise UserError(
            f"The pushed {table.name} cannot be read: {str(error).splitlines()[0]}. "
            "Correct the rows, or the time format with which they are read."
        ) from error
    _refuse_other_count(table, ids, rows.num_rows)
    as_given = [name for name in rows.column_names if name.startswith(GIVEN)]
    stored = rows.drop_columns([*as_given, REASON])
    given = rows.select(as_given).rename_columns([name.removeprefix(GIVEN) for name in as_given])
    outcomes = [reason or TAKEN for reason in rows.column(REASON).to_pylist()]
    contents = [content_of(row) for row in stored.to_pylist()]
    batch = _Batch(table, stored, given, outcomes, ids, contents)
    return batch if ids is None else _compare(ledger, batch)


def _compare(ledger: Ledger, batch: _Batch) -> _Batch:
    """The same with the rows told whose id was taken before, or stands earlier in the batch."""
    good = batch.of(TAKEN)
    ids: Sequence[str] = batch.ids or ()
    known = ledger.taken(batch.table.name, [ids[i] for i in good if ids[i]])
    outcomes = list(batch.outcomes)
    for i in good:
        if not ids[i]:
            outcomes[i] = _NO_ID
        elif ids[i] in known:
            outcomes[i] = REPEATED if known[ids[i]] == batch.contents[i] else _OTHER_CONTENT
        else:
            known[ids[i]] = batch.contents[i]
    return replace(batch, outcomes=outcomes)


def _stage(staging: Path, space: Workspace, batch: _Batch) -> str:
    """Write the rows to be taken to a file; returns the name it is to have, empty without any."""
    taken = batch.of(TAKEN)
    if not taken:
        return ""
    path = staging / f"{batch.table.name}.parquet"
    order = [(n, "ascending") for n in events.order_of(batch.table, batch.stored.column_names)]
    rows = batch.stored.take(taken)
    backend.write_rows(rows.take(pc.sort_indices(rows, order)), path)
    if batch.table is events.CUSTOMERS:
        workspace.add_older_customers(space, staging)
    ids = sorted(batch.ids[i] for i in taken) if batch.ids is not None else []
    return workspace.name_of(path, *ids)


def _known(space: Workspace, ledger: Ledger, batch: _Batch, file: str) -> _Batch:
    """The same with the rows told that stand in a file of this very name already."""
    name = batch.table.name
    if not file:
        return batch
    if (space.events / name / file).exists() or ledger.has_moved(name, file):
        outcomes = [REPEATED if outcome == TAKEN else outcome for outcome in batch.outcomes]
        return replace(batch, outcomes=outcomes)
    return batch


def _entries(batch: _Batch, file: str) -> list[Entry]:
    if batch.ids is None:
        return []
    taken = batch.of(TAKEN)
    customers = _customers(batch, taken)
    return [
        Entry(batch.ids[i], customer, batch.contents[i], file)
        for i, customer in zip(taken, customers, strict=True)
    ]


def _publish(staging: Path, space: Workspace, batch: _Batch, file: str) -> TableReport:
    name = batch.table.name
    if batch.of(TAKEN):
        final = space.events / name / file
        publish(staging / f"{name}.parquet", final)
        if batch.table is events.CUSTOMERS:
            workspace.keep_newest_customers(space, final)
    bad = Counter(outcome for outcome in batch.outcomes if outcome not in (TAKEN, REPEATED))
    taken = [batch.contents[i] for i in batch.of(TAKEN)]
    repeated, known = len(taken) - len(set(taken)), len(batch.of(REPEATED))
    counts = dict(sorted(bad.items()))
    aside = _set_aside(space, batch)
    if aside:
        # Of a push without bad rows the event files tell as much, and a till pushes all day.
        received.keep(
            space.events, name, aside.stem.removeprefix(f"{name}-"),
            good=len(taken), repeated=repeated, bad=counts,
        )  # fmt: skip
    return TableReport(name, len(taken), repeated, counts, aside, known)


def _set_aside(space: Workspace, batch: _Batch) -> Path | None:
    """Keep the refused rows as they were given, with the reason."""
    refused = [i for i, o in enumerate(batch.outcomes) if o not in (TAKEN, REPEATED)]
    if not refused:
        return None
    reasons = pa.array([batch.outcomes[i] for i in refused], pa.string())
    rows = batch.given.take(refused).append_column("reason", reasons)
    mark = digest(repr(rows.to_pylist()))
    path = space.events / "rejected" / f"{batch.table.name}-{mark}.csv"
    backend.write_csv(ibis.memtable(rows), path)
    return path


def _customers(batch: _Batch, positions: list[int]) -> list[str]:
    ids = batch.stored.column("customer_id").to_pylist()
    return [ids[i] for i in positions]


def _refuse_other_tables(ids: Mapping[str, Sequence[str]], tables: Mapping[str, ir.Table]) -> None:
    others = [name for name in ids if name not in _WITH_IDS or name not in tables]
    if others:
        raise UserError(
            f"Event ids were given for {', '.join(others)}, but only the pushed rows of "
            f"{' and '.join(_WITH_IDS)} have ids. Leave the others out."
        )


def _refuse_other_count(table: EventTable, ids: Sequence[str] | None, rows: int) -> None:
    if ids is not None and len(ids) != rows:
        raise UserError(
            f"{len(ids):,} event ids were given for {rows:,} rows of {table.name}. "
            "Give one id for each row, in the order of the rows."
        )
