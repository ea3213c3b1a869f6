"""The workspace: where events, features, models, scores and reports of one business live.

The place is the environment variable HOLDFAST_HOME, default `./workspace`. All in it but `scores`,
`served`, `models`, `mlflow` and `monitor`, which are history, can be rebuilt from input and code.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import ibis
import ibis.expr.types as ir

from features import backend, events, journal, received
from features.durable import publish
from features.errors import UserError
from features.events import PROVENANCE, TABLES, Events, EventTable
from features.ledger import Ledger
from features.repeats import Repeats, count_repeats

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Workspace:
    """The folders of one workspace; nothing is created until something is written."""

    root: Path

    @classmethod
    def from_environment(cls) -> Workspace:
        """The workspace that HOLDFAST_HOME names."""
        return cls(Path(os.environ.get("HOLDFAST_HOME", "workspace")).absolute())

    @property
    def events(self) -> Path:
        """Checked events, Parquet, one folder per table."""
        return self.root / "events"

    @property
    def features(self) -> Path:
        """Feature snapshots, Parquet: `<family>/as_of=<moment>/part.parquet`."""
        return self.root / "features"

    @property
    def feast(self) -> Path:
        """Feast's registry and the embedded online store."""
        return self.root / "feast"

    @property
    def mlflow(self) -> Path:
        """The embedded tracking database and its artifacts."""
        return self.root / "mlflow"

    @property
    def models(self) -> Path:
        """The promoted models as plain folders, and which of them is the champion."""
        return self.root / "models"

    @property
    def scores(self) -> Path:
        """Score tables, one per moment."""
        return self.root / "scores"

    @property
    def reports(self) -> Path:
        """HTML reports, one per moment."""
        return self.root / "reports"

    @property
    def monitor(self) -> Path:
        """What monitoring saw, one folder per moment."""
        return self.root / "monitor"


@dataclass(frozen=True)
class TableReport:
    """What became of one table: rows taken, of them repeated, and those refused by reason.

    known: rows that were taken before and are not stored again.
    """

    table: str
    good: int
    repeated: int
    bad: Mapping[str, int]
    aside: Path | None
    known: int = 0

    def sentence(self) -> str:
        """The report as a person reads it."""
        text = f"{self.table}: {self.good:,} rows taken"
        if self.repeated:
            text += f" ({self.repeated:,} of them repeat an earlier row exactly and are kept)"
        if self.known:
            text += f"; {self.known:,} were taken before"
        if self.bad:
            reasons = ", ".join(f"{count:,} x {reason}" for reason, count in self.bad.items())
            text += f"; {sum(self.bad.values()):,} set aside ({reasons})"
        return text


def ingest(
    workspace: Workspace,
    tables: Mapping[str, ir.Table],
    time_format: str | None = None,
) -> list[TableReport]:
    """Check raw tables and add their good rows to the workspace's events, all tables or none.

    tables: table name -> raw rows with canonical column names. The same rows ingested twice are
    stored once, since a file is named by its content; a customer who comes again replaces the row
    of before. Bad rows are written to `events/rejected`, the counts to `events/received`.
    Raises UserError when a table cannot be read to its end, when more than MOST_UNNAMED_SHARE of
    its order lines or contacts name no customer, when more than MOST_BAD_SHARE of its other rows
    are bad, or when every row stands in it at least twice; then nothing is stored.
    """
    staging = workspace.events / f".staging-{uuid.uuid4().hex}"
    with journal.reading(workspace.events):
        try:
            with backend.reading_foreign_files():
                staged = [_stage(staging, TABLES[n], raw, time_format) for n, raw in tables.items()]
            for report, repeats in staged:
                _refuse_if_unfit(report, stands_twice=repeats.none_alone)
            if "customers" in tables:
                add_older_customers(workspace, staging)
            return [_publish(workspace, staging, report) for report, _ in staged]
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def open_events(workspace: Workspace) -> Events:
    """All events of the workspace as lazy tables.

    Raises UserError when there are no transactions.
    """
    if not event_files(workspace, "transactions"):
        raise UserError(
            f"The workspace {workspace.root} has no transactions yet. "
            "Bring some in first: holdfast ingest --transactions FILE."
        )
    return Events(**{name: _open_table(workspace, table) for name, table in TABLES.items()})


def event_files(workspace: Workspace, table: str) -> list[Path]:
    """The Parquet files of one table, in the order of their names."""
    journal.settle(workspace.events)
    return sorted((workspace.events / table).glob("*.parquet"))


def events_digest(workspace: Workspace) -> str:
    """A short digest of all events: it changes when their content does, or files are merged."""
    names = [f"{table}/{path.name}" for table in TABLES for path in event_files(workspace, table)]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def _stage(
    staging: Path, table: EventTable, raw: ir.Table, time_format: str | None
) -> tuple[TableReport, Repeats]:
    checked = events.check(table, raw, datetime.now(UTC).replace(tzinfo=None), time_format)
    good_path = staging / f"{table.name}.parquet"
    try:
        backend.write_parquet(checked.good, good_path, backend.EMBEDDED)
    except backend.ENGINE_ERRORS as error:
        raise UserError(
            f"The {table.name} cannot be read to the end: {str(error).splitlines()[0]}. "
            "Correct the file, or the mapping and the time format with which it is read."
        ) from None
    bad, aside = _set_aside(staging, table, checked.bad)
    repeats = count_repeats(good_path)
    return TableReport(table.name, repeats.rows, repeats.repeated, bad, aside), repeats


def _set_aside(
    staging: Path, table: EventTable, bad: ir.Table
) -> tuple[dict[str, int], Path | None]:
    """The bad rows by reason, and the CSV file they are written to; no file without any."""
    # Kept once, because each question to `bad` reads and checks the whole source again.
    kept_path, aside = staging / f"{table.name}-bad.parquet", staging / f"{table.name}.csv"
    backend.write_parquet(bad, kept_path, backend.EMBEDDED)
    kept = backend.read_parquet([kept_path], backend.EMBEDDED)
    reasons = kept.group_by("reason").agg(rows=kept.count()).execute()
    if reasons.empty:
        return {}, None
    backend.write_csv(kept, aside)
    return dict(sorted(zip(reasons.reason, reasons.rows.astype(int), strict=True))), aside


def _refuse_if_unfit(report: TableReport, *, stands_twice: bool) -> None:
    faults, unnamed = dict(report.bad), 0
    if report.table != "customers":  # a customer without an id is no guest
        unnamed = faults.pop(events.UNNAMED, 0)
    named = report.good + sum(faults.values())
    if unnamed > events.MOST_UNNAMED_SHARE * (named + unnamed):
        raise UserError(
            f"{unnamed:,} of {named + unnamed:,} rows of {report.table} name no customer "
            f"({events.UNNAMED}), more than the {events.MOST_UNNAMED_SHARE:.0%} that may be the "
            "orders of guests. Correct the file, or say which column names the customer: "
            f"--column {report.table}.customer_id=COLUMN."
        )
    if sum(faults.values()) > events.MOST_BAD_SHARE * named:
        reasons = "; ".join(f"{count:,} rows: {reason}" for reason, count in faults.items())
        whose = " that name a customer" if unnamed else ""
        raise UserError(
            f"{sum(faults.values()):,} of {named:,} rows of {report.table}{whose} cannot be used "
            f"({reasons}), more than the {events.MOST_BAD_SHARE:.0%} that may be set aside. "
            "Correct the file, or the mapping and the time format with which it is read."
        )
    if stands_twice:
        raise UserError(
            f"Every row of {report.table} stands at least twice ({report.good:,} rows, "
            f"{report.repeated:,} of them repeats), as if the file had been pasted into itself. "
            "Remove the repeated rows."
        )


def add_older_customers(workspace: Workspace, staging: Path) -> None:
    """Put the stored customers that do not come again under the new ones: one row per customer."""
    stored, staged = event_files(workspace, "customers"), staging / "customers.parquet"
    if not stored:
        return
    older = staging / "older.parquet"
    new, known = (backend.read_parquet(files, backend.EMBEDDED) for files in ([staged], stored))
    backend.write_parquet(known.anti_join(new, "customer_id"), older, backend.EMBEDDED)
    both = backend.read_parquet([staged, older], backend.EMBEDDED)
    backend.write_parquet(both.order_by("customer_id"), staged, backend.EMBEDDED)


def name_of(staged: Path, *more: str) -> str:
    """The name of an event file: a digest of its content and of what else tells it from others."""
    with staged.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
    for text in more:
        digest.update(f"\n{text}".encode())
    return f"{digest.hexdigest()[:16]}.parquet"


def keep_newest_customers(workspace: Workspace, newest: Path) -> None:
    """Remove the files of the customers that a newer one has replaced."""
    for outdated in set(event_files(workspace, "customers")) - {newest}:
        outdated.unlink()


def _publish(workspace: Workspace, staging: Path, report: TableReport) -> TableReport:
    if report.good == 0:
        return report
    staged = staging / f"{report.table}.parquet"
    final = workspace.events / report.table / name_of(staged)
    # What was merged with others, or rid of a customer, does not come back under its old name.
    if not Ledger(workspace.events).has_moved(report.table, final.name):
        publish(staged, final)
        if report.table == "customers":
            keep_newest_customers(workspace, final)
    received.keep(
        workspace.events, report.table, final.stem,
        good=report.good, repeated=report.repeated, bad=report.bad,
    )  # fmt: skip
    if report.aside is None:
        return report
    aside = workspace.events / "rejected" / f"{report.table}-{final.stem}.csv"
    aside.parent.mkdir(parents=True, exist_ok=True)
    report.aside.replace(aside)
    return TableReport(report.table, report.good, report.repeated, report.bad, aside)


def _open_table(workspace: Workspace, table: EventTable) -> ir.Table:
    files = event_files(workspace, table.name)
    if files:
        rows = backend.read_parquet(files)
        # A customer's column of such a name is one of his profile.
        told = [] if table is events.CUSTOMERS else [n for n in PROVENANCE if n in rows.columns]
        return rows.drop(*told)
    return ibis.memtable([], schema=table.schema())
