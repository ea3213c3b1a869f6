"""How the snapshots of a moment are computed: range by range of customers, or all at once.

The embedded engine loads the past of a range of customers once, and every family is answered from
there; another engine spreads the work itself and is given each family as one expression.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import ibis
import pyarrow as pa

from features import backend, ranges
from features.backend import FILES, Source
from features.errors import UserError
from features.events import TABLES, Events
from features.family import Family
from features.queries import KNOWN, Queries, facts_of

PART = "part.parquet"
FACTS = "population.parquet"  # what everybody's past says, for the families that compare
KEPT = "features"  # the folder beside scores with the parts they were made of
STAMP = "event_timestamp"  # a column of the snapshots: the moment they stand at


@dataclass(frozen=True)
class Computation:
    """What is computed: families at a moment, each into a folder of its own."""

    families: Sequence[Family]
    as_of: datetime
    folders: Mapping[str, Path]

    def run(self, events: Events, files: Mapping[str, list[Path]], queries: Queries) -> None:
        """Write every family's rows, and what everybody's past says where a family compares.

        files: the event files, the same rows as `events`, by table.
        Raises UserError when the engine cannot compute them, such as sums beyond all reason.
        """
        try:
            self._run(events, files, queries)
        except backend.ENGINE_ERRORS as error:
            raise UserError(
                f"The features at {self.as_of:%Y-%m-%d %H:%M} cannot be computed: "
                f"{str(error).splitlines()[0]}. Nothing was written; look whether the amounts are "
                "in the unit you think, and whether disk and memory have room."
            ) from error

    def _run(self, events: Events, files: Mapping[str, list[Path]], queries: Queries) -> None:
        for family in self._comparing():
            facts = family.everybody(events, self.as_of)
            backend.write_parquet(facts, self.folders[family.name] / FACTS)
        if backend.chosen() == backend.EMBEDDED:
            self._in_ranges(files, queries.at(self.as_of))
        else:
            self._at_once(events)

    def _in_ranges(self, files: Mapping[str, list[Path]], queries: Queries) -> None:
        sources = [Source(name, rows_of(name, files[name]), queries.past[name]) for name in TABLES]
        for family in self._comparing():
            rows = [self.folders[family.name] / FACTS]
            sources.append(Source(facts_of(family.name), rows, f"SELECT * FROM {FILES}"))
        # Not called as the family alone: a family may have the name of an event table.
        names = {f"{family.name}_rows": family.name for family in self.families}
        asked = {KNOWN: queries.known} | {name: queries.rows[f] for name, f in names.items()}
        paths = {name: self.folders[family] / PART for name, family in names.items()}
        cut = ranges.of_files(itertools.chain(*files.values()), ranges.ROWS)
        ranges.write(sources, asked, cut, paths, self._stamped)

    def _stamped(self, rows: pa.Table) -> pa.Table:
        # Feast joins on zoned microseconds; another precision fails in its materialization. The
        # column is not called as_of, because the folder's name would then overwrite it.
        stamp = pa.scalar(self.as_of.replace(tzinfo=UTC), pa.timestamp("us", "UTC"))
        return rows.append_column(STAMP, pa.repeat(stamp, rows.num_rows))

    def _at_once(self, events: Events) -> None:
        stamp = ibis.literal(self.as_of, type="timestamp(6)").cast("timestamp('UTC', 6)")
        comparing = self._comparing()
        for family in self.families:
            folder = self.folders[family.name]
            facts = backend.read_parquet([folder / FACTS]) if family in comparing else None
            rows = family.compute(events, self.as_of, population=facts)
            rows = rows.mutate(**{STAMP: stamp}).order_by("customer_id")
            backend.write_parquet(rows, folder / PART)

    def _comparing(self) -> list[Family]:
        return [family for family in self.families if family.population]


def rows_of(table: str, files: list[Path]) -> list[Path] | pa.Table:
    """The event files of a table; a table without rows when there are none."""
    return files or TABLES[table].schema().to_pyarrow().empty_table()
