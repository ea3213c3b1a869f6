"""What is kept ready between the pushes of a process: queries planned, what everybody's past says.

Three quarters of a push went into planning the same queries again. They are planned once, over
tables that hold the events of the pushed customers alone and are filled anew by each push.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from features import workspace
from features.backend import FILES, Planned, Source
from features.computation import FACTS, rows_of
from features.events import TABLES
from features.queries import KNOWN, MOMENT, facts_of
from features.snapshots import Snapshots


class Ready:
    """Computes the features of a few customers, one call at a time."""

    def __init__(self) -> None:
        self._planned: Planned | None = None
        self._over: object = None

    def rows(
        self, snapshots: Snapshots, customer_ids: Sequence[str], as_of: datetime, newest: datetime
    ) -> list[pa.RecordBatch]:
        """The rows of each family for those of the customers who are known, in the same order.

        snapshots: with the events that are there by now. newest: the moment of the snapshot that
        the customers are compared with. Events and facts are read anew when they have changed.
        """
        sources = _events(snapshots, customer_ids, as_of)
        facts = {
            family.name: snapshots.folder(family, newest) / FACTS
            for family in snapshots.families
            if family.population
        }
        over = (snapshots.queries, [(file, _version(file)) for file in facts.values()])
        if self._planned is None or self._over != over:
            self._planned = None  # its memory is free before the next one takes some
            self._planned = Planned([*_facts(facts), *sources], _queries(snapshots))
            self._over = over
        else:
            # A table without files had none when the queries were planned.
            self._planned.load([s for s in sources if not isinstance(s.rows, pa.Table)])
        return [_as_batch(rows) for rows in self._planned.answer()]


def _version(file: Path) -> tuple[int, int]:
    """What tells a file from the one that stood in its place before."""
    status = file.stat()
    return status.st_ino, status.st_mtime_ns


def _queries(snapshots: Snapshots) -> dict[str, str]:
    rows = snapshots.queries.at_any_moment()
    # Not called as the family alone: a family may have the name of an event table.
    return {f"{family.name}_rows": rows[family.name] for family in snapshots.families}


def _events(snapshots: Snapshots, customer_ids: Sequence[str], as_of: datetime) -> list[Source]:
    """The past of some customers, who of them is known, and the moment."""
    queries = snapshots.queries.at(as_of)
    sources = [Source(MOMENT, [], f"SELECT TIMESTAMP '{as_of.isoformat(sep=' ')}' AS as_of")]
    for name in TABLES:
        files = workspace.event_files(snapshots.workspace, name)
        query = f"SELECT * FROM ({queries.past[name]}) WHERE {_is_one_of(customer_ids)}"
        sources.append(Source(name, rows_of(name, files), query))
    return [*sources, Source(KNOWN, [], queries.known)]


def _facts(files: dict[str, Path]) -> list[Source]:
    return [
        Source(facts_of(name), [file], f"SELECT * FROM {FILES}") for name, file in files.items()
    ]


def _is_one_of(customer_ids: Sequence[str]) -> str:
    if not customer_ids:
        return "false"
    quoted = ", ".join("'" + customer_id.replace("'", "''") + "'" for customer_id in customer_ids)
    return f"customer_id IN ({quoted})"


def _as_batch(rows: pa.Table) -> pa.RecordBatch:
    batches = rows.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=rows.schema)
