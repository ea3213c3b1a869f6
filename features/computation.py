"""How the snapshots of a moment are computed: range by range of customers, or all at once.

The embedded engine loads the past of a range of customers once, and every family is answered from
there; another engine spreads the work itself and is given each family as one expression. In both,
the family of the customers table comes first and tells the others who is known.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features import backend, moment, ranges
from features.backend import FILES, Source
from features.events import TABLES, Events
from features.family import Family

PART = "part.parquet"
POPULATION = "population.parquet"  # what everybody's past says, for the families that compare


@dataclass(frozen=True)
class Computation:
    """What is computed: families at a moment, each into a folder of its own.

    everyone: the family that tells who is known, and its snapshot's file when that is there
    already and not among the families.
    """

    families: Sequence[Family]
    as_of: datetime
    folders: Mapping[str, Path]
    everyone: tuple[Family, Path | None]

    def run(self, events: Events, files: Mapping[str, list[Path]]) -> None:
        """Write every family's rows, and what everybody's past says where a family compares.

        files: the event files, the same rows as `events`, by table.
        """
        for family in self.families:
            if family.population:
                everybody = family.everybody(events, self.as_of)
                backend.write_parquet(everybody, self.folders[family.name] / POPULATION)
        if backend.chosen() == backend.EMBEDDED:
            self._in_ranges(files)
        else:
            self._at_once(events)

    def _in_ranges(self, files: Mapping[str, list[Path]]) -> None:
        sources = [*(_past(name, files[name], self.as_of) for name in TABLES), *self._facts()]
        schemas = {source.name: backend.schema(source) for source in sources}
        named = {name: ibis.table(schema, name=name) for name, schema in schemas.items()}
        events = Events(**{name: named.pop(name) for name in TABLES})
        known = ibis.table({"customer_id": "string"}, name=self.everyone[0].name)
        queries = {
            family.name: _sql(self._rows(family, events, known, named.get(_population_of(family))))
            for family in self.families
        }
        paths = {family.name: self.folders[family.name] / PART for family in self.families}
        cut = ranges.of_files(itertools.chain(*files.values()), ranges.ROWS)
        ranges.write(sources, queries, cut, paths)

    def _at_once(self, events: Events) -> None:
        source, path = self.everyone
        for family in self.families:
            known = backend.read_parquet([path or self.folders[source.name] / PART])
            population = self.folders[family.name] / POPULATION
            everybody = backend.read_parquet([population]) if family.population else None
            rows = self._rows(family, events, known, everybody)
            backend.write_parquet(rows, self.folders[family.name] / PART)

    def _facts(self) -> list[Source]:
        """What the queries read beside the events."""
        source, path = self.everyone
        facts = [Source(source.name, [path], f"SELECT customer_id FROM {FILES}")] if path else []
        compare = [family for family in self.families if family.population]
        for family in compare:
            rows = [self.folders[family.name] / POPULATION]
            # Everybody's, whichever range of customers is looked at.
            facts.append(Source(_population_of(family), rows, f"SELECT * FROM {FILES}"))
        return facts

    def _rows(
        self,
        family: Family,
        events: Events,
        known: ir.Table,
        population: ir.Table | None,
    ) -> ir.Table:
        """The rows of a snapshot with its moment, by customer."""
        everyone = None if family is self.everyone[0] else known
        rows = family.compute(events, self.as_of, everyone, population)
        # Feast joins on zoned microseconds; another precision fails in its materialization. The
        # column is not called as_of, because the folder's name would then overwrite it.
        stamp = ibis.literal(self.as_of, type="timestamp(6)").cast("timestamp('UTC', 6)")
        return rows.mutate(event_timestamp=stamp).order_by("customer_id")


def _past(table: str, files: list[Path], as_of: datetime) -> Source:
    """The rows of an event table that a moment knows."""
    schema = TABLES[table].schema()
    if not files:
        rows: list[Path] | pa.Table = schema.to_pyarrow().empty_table()
    else:
        rows, schema = files, backend.read_parquet(files, backend.EMBEDDED).schema()
    unbound = ibis.table(schema, name=FILES)
    known = unbound if table == "customers" else moment.past(unbound, as_of).drop("days_ago")
    return Source(table, rows, _sql(known))


def _population_of(family: Family) -> str:
    return f"{family.name}_population"


def _sql(rows: ir.Table) -> str:
    return str(ibis.to_sql(rows, dialect="duckdb"))
