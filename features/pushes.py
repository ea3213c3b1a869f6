"""New events of some customers: stored for good, and those customers' features computed anew.

A push is to be seen within a second, so nobody else is looked at: the customers' own events are
read from the event files, which are sorted by customer, and they are compared with what the newest
snapshot says of everybody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import ibis.expr.types as ir
import pyarrow as pa

from features import backend, events, workspace
from features.backend import FILES, Source
from features.computation import rows_of
from features.errors import UserError
from features.events import TABLES
from features.packing import Layout, Stamp, nothing
from features.queries import KNOWN, facts_of
from features.snapshots import Snapshots
from features.workspace import TableReport, Workspace


@dataclass(frozen=True)
class Pushed:
    """What became of a push.

    reports: per table, the rows taken and those refused, by reason. customers: who had rows taken;
    their values online, or that there are none, stand at `as_of`.
    """

    reports: Sequence[TableReport]
    customers: Sequence[str]
    as_of: datetime


def store(
    space: Workspace, tables: Mapping[str, ir.Table], time_format: str | None
) -> tuple[list[TableReport], list[str]]:
    """Check raw tables row by row and store what is good; also returns whose rows those are.

    Each push is a file of its own, whole or not there, and named by its content: one that is
    repeated stores nothing twice.
    """
    now = datetime.now(UTC).replace(tzinfo=None)
    customer_ids: set[str] = set()
    with backend.reading_foreign_files():
        for name, raw in tables.items():
            good = events.check(TABLES[name], raw, now, time_format).good
            customer_ids.update(good.customer_id.to_pyarrow().to_pylist())
    reports = workspace.ingest(space, tables, time_format, refuse_unfit=False)
    return reports, sorted(customer_ids)


def packed(
    snapshots: Snapshots, customer_ids: Sequence[str], layout: Layout, stamp: Stamp
) -> list[bytes]:
    """The packed row of each customer at a stamp; one who is not known has an empty one.

    snapshots: with the events that are there by now; the stamp is not before the newest of them.
    """
    families = _rows(snapshots, customer_ids, stamp.as_of)
    known = families[0].column("customer_id").to_pylist()
    rows = dict(zip(known, layout.pack(families, stamp), strict=True))
    return [rows.get(customer_id, nothing(stamp)) for customer_id in customer_ids]


def _rows(
    snapshots: Snapshots, customer_ids: Sequence[str], as_of: datetime
) -> list[pa.RecordBatch]:
    """The rows of each family for those of the customers who are known, in the same order."""
    queries = snapshots.queries.at(as_of)
    theirs = _condition(customer_ids)
    sources = [
        Source(name, rows_of(name, workspace.event_files(snapshots.workspace, name)),
               f"SELECT * FROM ({queries.past[name]}) WHERE {theirs}")
        for name in TABLES
    ]  # fmt: skip
    everybody = f"SELECT * FROM {FILES}"
    facts = _facts(snapshots)
    sources += [Source(facts_of(name), rows, everybody) for name, rows in facts.items()]
    names = {f"{family.name}_rows": family.name for family in snapshots.families}
    asked = {KNOWN: queries.known} | {name: queries.rows[f] for name, f in names.items()}
    _, *families = backend.answer(sources, asked, (None, None))
    return [_as_batch(rows) for rows in families]


def newest_snapshot(snapshots: Snapshots) -> datetime:
    """The newest moment at which every family has a snapshot; UserError when there is none."""
    moments = [
        {
            datetime.fromisoformat(json.loads(path.read_text())["as_of"])
            for path in snapshots.folder(family, datetime.min).parent.glob(
                "as_of=*/fingerprint.json"
            )
        }
        for family in snapshots.families
    ]
    shared = set.intersection(*moments)
    if not shared:
        raise UserError(
            "The pushed customers cannot be compared with the others, because no snapshot is "
            "built. Build and load one first: holdfast materialize."
        )
    return max(shared)


def _facts(snapshots: Snapshots) -> dict[str, pa.Table]:
    """What the newest snapshot says of everybody, by family that compares."""
    newest = newest_snapshot(snapshots)
    facts = {f.name: snapshots.population(f, newest) for f in snapshots.families}
    return {name: rows.to_pyarrow() for name, rows in facts.items() if rows is not None}


def _condition(customer_ids: Sequence[str]) -> str:
    quoted = ", ".join("'" + customer_id.replace("'", "''") + "'" for customer_id in customer_ids)
    return f"customer_id IN ({quoted})"


def _as_batch(rows: pa.Table) -> pa.RecordBatch:
    batches = rows.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=rows.schema)
