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

from features import backend, events, workspace
from features.errors import UserError
from features.events import TABLES
from features.packing import Layout, Stamp, nothing
from features.ready import Ready
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
    ready: Ready,
    snapshots: Snapshots,
    customer_ids: Sequence[str],
    layout: Layout,
    stamp: Stamp,
) -> list[bytes]:
    """The packed row of each customer at a stamp; one who is not known has an empty one.

    snapshots: with the events that are there by now; the stamp is not before the newest of them.
    """
    newest = newest_snapshot(snapshots)
    families = ready.rows(snapshots, customer_ids, stamp.as_of, newest)
    known = families[0].column("customer_id").to_pylist()
    rows = dict(zip(known, layout.pack(families, stamp), strict=True))
    return [rows.get(customer_id, nothing(stamp)) for customer_id in customer_ids]


def newest_snapshot(snapshots: Snapshots) -> datetime:
    """The newest moment at which every family has a snapshot; UserError when there is none."""
    folders = [snapshots.workspace.features / family.name for family in snapshots.families]
    moments = [
        {json.loads(path.read_text())["as_of"] for path in folder.glob("as_of=*/fingerprint.json")}
        for folder in folders
    ]
    shared = set.intersection(*moments)
    if not shared:
        raise UserError(
            "The pushed customers cannot be compared with the others, because no snapshot is "
            "built. Build and load one first: holdfast materialize."
        )
    return max(map(datetime.fromisoformat, shared))
