"""New events of some customers: stored for good, and those customers' features computed anew.

A push is to be seen within a second, so nobody else is looked at: the customers' own events are
read from the event files, which are sorted by customer, and they are compared with what the newest
snapshot says of everybody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import ibis.expr.types as ir
import numpy as np

from features import catalog, journal, moment, online, taking
from features.errors import UserError
from features.online import Rows
from features.packing import Layout, Stamp, headers, nothing
from features.ready import Ready
from features.snapshots import Snapshots
from features.workspace import TableReport


@dataclass(frozen=True)
class Pushed:
    """What became of a push.

    reports: per table, the rows taken and those refused, by reason. rows: per table, what became of
    each given row in their order: `taken`, `repeated` when it was taken before, else the reason why
    it was refused. customers: who had rows taken or repeated; their values online, or that there
    are none, stand at `as_of`.
    """

    reports: Sequence[TableReport]
    rows: Mapping[str, Sequence[str]]
    customers: Sequence[str]
    as_of: datetime


@dataclass(frozen=True)
class Online:
    """Where the values of pushed customers go.

    rows: the store. lock: of who writes into it. tags: what it was loaded with, the layout of the
    rows and the version of the catalogue.
    """

    rows: Rows
    lock: Path
    tags: Mapping[str, str]


def push(
    online_store: Online,
    ready: Ready,
    snapshots: Snapshots,
    tables: Mapping[str, ir.Table],
    as_of: datetime | None,
    time_format: str | None,
    event_ids: Mapping[str, Sequence[str]] | None,
) -> Pushed:
    """Take rows and bring their customers' online values up to date; see FeatureStore.push."""
    if online_store.tags["catalog"] != catalog.version(snapshots.families):
        raise UserError(
            "The features have changed since the online store was loaded, so a push cannot be "
            "taken: it would stand beside values of the former features. "
            "Load today's first: holdfast materialize."
        )
    newest = newest_snapshot(snapshots)
    moments = [as_of or moment.now(), newest]
    events = snapshots.workspace.events
    with journal.reading(events), online.writing(online_store.lock):
        if not tables:
            ready.rows(snapshots, [], max(moments), newest)
        taken = taking.take(snapshots.workspace, tables, time_format, event_ids)
        if customer_ids := taken.customer_ids:
            found = headers(online_store.rows.read(customer_ids))["as_of"]
            moments += found[~np.isnat(found)].tolist()
            stamp = Stamp(max(moments), computed_at=moment.now())
            layout = Layout.of_tags(online_store.tags)
            rows = _packed(ready, snapshots, newest, customer_ids, layout, stamp)
            online.put(online_store.rows, customer_ids, rows, stamp)
    return Pushed(taken.reports, taken.rows, customer_ids, max(moments))


def _packed(
    ready: Ready,
    snapshots: Snapshots,
    newest: datetime,
    customer_ids: Sequence[str],
    layout: Layout,
    stamp: Stamp,
) -> list[bytes]:
    """The packed row of each customer at a stamp; one who is not known has an empty one."""
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
