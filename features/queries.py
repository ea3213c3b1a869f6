"""The queries of every family, written once and run at any moment over any customers.

To write the queries of a wide catalogue takes seconds, to run them over a few customers' events a
fraction of one. So they are written over tables that have only a name and over a moment that is
filled in later, and kept beside the snapshots as long as the code and the columns of the tables
stay the same. What a query says is also what tells a snapshot of another definition apart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Self

import ibis
import ibis.expr.types as ir

from features import backend, catalog, moment
from features.backend import FILES
from features.events import Events
from features.family import Family

KNOWN = "known_customers"
MOMENT = "moment_asked"  # a table of one row, `as_of`
_PLACE = "MOMENT_TO_FILL_IN()"


@ibis.udf.scalar.builtin(name="moment_to_fill_in")
def _moment() -> ibis.dtype("timestamp(6)"):  # type: ignore[valid-type]
    """Where the queries name the moment; no engine knows such a function."""


@dataclass(frozen=True)
class Queries:
    """SQL of the embedded engine over tables called as the event tables are.

    past: event table -> its rows that the moment knows, from a table called FILES. known: who is
    known. rows: family -> its rows, by customer, from the event tables, KNOWN, and a table called
    as `facts_of` says where the family compares. facts: family -> what everybody's past says.
    """

    past: Mapping[str, str]
    known: str
    rows: Mapping[str, str]
    facts: Mapping[str, str]

    @classmethod
    def of(cls, families: Sequence[Family], schemas: Mapping[str, ibis.Schema]) -> Self:
        """The queries of some families over event tables with these columns."""
        as_of: moment.Moment = _moment()
        events = Events(**{name: ibis.table(schemas[name], name=name) for name in schemas})
        known = moment.known_customers(events, as_of)
        everyone = ibis.table(known.schema(), name=KNOWN)
        facts = {family.name: family.everybody(events, as_of) for family in families}
        compared = {name: rows for name, rows in facts.items() if rows is not None}
        tables = {
            name: ibis.table(rows.schema(), name=facts_of(name)) for name, rows in compared.items()
        }
        rows = {f.name: f.compute(events, as_of, everyone, tables.get(f.name)) for f in families}
        return cls(
            {name: _past(name, schema, as_of) for name, schema in schemas.items()},
            to_sql(known),
            {name: to_sql(table.order_by("customer_id")) for name, table in rows.items()},
            {name: to_sql(table) for name, table in compared.items()},
        )

    @classmethod
    def kept(
        cls, file: Path, families: Sequence[Family], schemas: Mapping[str, ibis.Schema]
    ) -> Self:
        """The same from a file, when it holds those of this code, these families and columns."""
        columns = {name: str(schema) for name, schema in schemas.items()}
        key = [_code(), catalog.version(tuple(families)), columns]
        try:
            stored = json.loads(file.read_text(encoding="utf-8"))
            if stored["key"] == key:
                return cls(**stored["queries"])
        except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
            pass  # not there, or of another time: written anew
        queries = cls.of(families, schemas)
        with backend.whole_or_nothing(file) as temporary:
            text = json.dumps({"key": key, "queries": asdict(queries)}, indent=1)
            temporary.write_text(text, encoding="utf-8")
        return queries

    def at(self, as_of: datetime) -> Self:
        """These queries with the moment filled in."""
        literal = f"TIMESTAMP '{as_of.isoformat(sep=' ')}'"
        text = json.dumps(asdict(self)).replace(_PLACE, literal)
        return type(self)(**json.loads(text))

    def at_any_moment(self) -> dict[str, str]:
        """The rows of each family at the moment that the one row of the table MOMENT says."""
        return {
            family: query.replace(_PLACE, f"(SELECT as_of FROM {MOMENT})")
            for family, query in self.rows.items()
        }

    def definition(self, family: str) -> str:
        """A digest of what a family means, which changes when and only when its queries do."""
        texts = [self.known, self.rows[family], self.facts.get(family, "")]
        return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def facts_of(family: str) -> str:
    """What a family's query calls the table of what everybody's past says."""
    return f"{family}_facts"


def to_sql(rows: ir.Table) -> str:
    """The query in the embedded engine's words."""
    return str(ibis.to_sql(rows, dialect=backend.EMBEDDED))


def _past(table: str, schema: ibis.Schema, as_of: moment.Moment) -> str:
    rows = ibis.table(schema, name=FILES)
    return to_sql(rows if table == "customers" else moment.past(rows, as_of).drop("days_ago"))


@cache
def _code() -> str:
    """A digest of this room's code, which the queries are made by."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\n".join(path.read_bytes() for path in sources)).hexdigest()
