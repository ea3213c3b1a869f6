"""A tiny language for hand-made worlds, small enough to check by eye.

    given = world(
        "ann  2024-01-03  10",
        "ann  2024-02-20  20  order_id=o1 known_at=2024-02-22",
        interactions=["ann  2024-02-01  complaint in phone c1"],
        customers=["bob  2024-01-01  kind=person is_internal=true plan=gold"],
    )
    assert given.feature("spend_30d", as_of="2024-03-01") == {"ann": 20, "bob": 0}

A line is a customer, a time, and then: the amount of a purchase; the kind of an interaction, with
its direction, channel and case (`-` for none). Any other column follows as `column=value`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from features import backend, catalog
from features.events import CUSTOMERS, INTERACTIONS, TRANSACTIONS, Events, EventTable
from features.family import Family
from features.moment import parse_moment

Row = dict[str, object]
Values = dict[str, "float | str | None"]

_PLACES = {
    "customers": ("customer_id", "first_seen_at"),
    "transactions": ("customer_id", "happened_at", "amount"),
    "interactions": ("customer_id", "happened_at", "kind", "direction", "channel", "case_id"),
}


@dataclass(frozen=True)
class World:
    """The rows of the three tables as plain dictionaries."""

    customers: tuple[Row, ...]
    transactions: tuple[Row, ...]
    interactions: tuple[Row, ...]

    def also(self, *others: World) -> World:
        """This world with the rows of others after its own."""
        return World(
            sum((other.customers for other in others), self.customers),
            sum((other.transactions for other in others), self.transactions),
            sum((other.interactions for other in others), self.interactions),
        )

    @property
    def events(self) -> Events:
        """The three canonical tables."""
        return Events(
            customers=as_table(self.customers, CUSTOMERS),
            transactions=as_table(self.transactions, TRANSACTIONS),
            interactions=as_table(self.interactions, INTERACTIONS),
        )

    def feature(self, name: str, as_of: str | datetime) -> Values:
        """Customer -> value of one feature; null is None."""
        for family in catalog.families_for(self.events, has_interactions=True):
            chosen = [feature for feature in family.features if feature.name == name]
            if chosen:
                alone = family.of(chosen)
                return {who: row[name] for who, row in self.values(alone, as_of).items()}
        raise LookupError(f"No feature is called {name}.")

    def values(self, family: Family, as_of: str | datetime) -> dict[str, Values]:
        """Customer -> all features of a family."""
        moment = parse_moment(as_of) if isinstance(as_of, str) else as_of
        rows = backend.connect().to_pyarrow(family.compute(self.events, moment)).to_pylist()
        values = {row.pop("customer_id"): _plain(row) for row in rows}
        assert len(values) == len(rows), "a customer stands twice in the features"
        return values


def world(
    *purchases: str, interactions: Sequence[str] = (), customers: Sequence[str] = ()
) -> World:
    """The world that the lines describe; see the module for the language."""
    return World(
        customers=tuple(_read_line(line, CUSTOMERS) for line in customers),
        transactions=tuple(_read_line(line, TRANSACTIONS) for line in purchases),
        interactions=tuple(_read_line(line, INTERACTIONS) for line in interactions),
    )


def as_table(rows: Iterable[Row], table: EventTable) -> ir.Table:
    """Rows as a lazy table of the canonical schema, with profile columns as texts."""
    rows = list(rows)
    schema = table.schema().to_pyarrow()
    for name in dict.fromkeys(name for row in rows for name in row):
        if name not in schema.names:
            schema = schema.append(pa.field(name, pa.string()))
    return ibis.memtable(pa.Table.from_pylist(rows, schema=schema))


def _read_line(line: str, table: EventTable) -> Row:
    words = line.split()
    placed = [word for word in words if "=" not in word]
    row: Row = dict(zip(_PLACES[table.name], placed, strict=False))
    row |= dict(word.split("=", 1) for word in words if "=" in word)
    row = {name: _read_value(text, table, name) for name, text in row.items() if text != "-"}
    if "happened_at" in row:
        row.setdefault("known_at", row["happened_at"])
    return row


def _read_value(text: object, table: EventTable, name: str) -> object:
    dtype = {column.name: column.dtype for column in table.columns}.get(name, "string")
    if dtype.startswith("timestamp"):
        return datetime.fromisoformat(str(text))
    if dtype == "float64":
        return float(str(text))
    return text == "true" if dtype == "boolean" else text


def _plain(row: Values) -> Values:
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()}
