"""Every listed family, compiled once and asked of one world after the other.

Compiling some hundred features takes seconds, asking them a fraction of one. Values are spelled
out, so that the last bit of a number counts when two of them are compared.
"""

from __future__ import annotations

from functools import cache

import ibis
import ibis.expr.types as ir
from hypothesis import HealthCheck, Phase, settings

from features import backend
from features.catalog import FAMILIES
from features.events import TABLES, Events
from tests.features.worlds import AS_OF
from tests.world import World, as_table

# The same worlds on every run, so that a failure comes from a change of the code. Few of them,
# because each asks every feature of up to six customers. A failing world is shown as it is: to
# find a smaller one takes minutes.
few_worlds = settings(
    max_examples=10,
    phases=[Phase.generate],
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

Spelled = dict[str, dict[str, dict[str, str]]]  # family -> customer -> feature -> value


class Catalogue:
    """The listed families at AS_OF, over tables of fixed names whose rows come and go."""

    def __init__(self) -> None:
        self._engine = backend.connect("duckdb")
        events = Events(**{n: ibis.table(t.schema(), name=f"any_{n}") for n, t in TABLES.items()})
        self._populations: dict[str, str] = {}
        self._queries: dict[str, str] = {}
        for family in FAMILIES:
            everybody = family.everybody(events, AS_OF)
            if everybody is not None:
                self._populations[family.name] = _sql(everybody)
                everybody = ibis.table(everybody.schema(), name=f"everybody_{family.name}")
            self._queries[family.name] = _sql(family.compute(events, AS_OF, population=everybody))

    def values(self, world: World, among: World | None = None) -> Spelled:
        """All features of a world; among: the world of everybody to compare with."""
        self._take(among or world)
        for family, query in self._populations.items():
            table = f"everybody_{family}"
            self._engine.raw_sql(f"CREATE OR REPLACE TEMP TABLE {table} AS {query}")
        if among:
            self._take(world)
        return {family: self._answer(query) for family, query in self._queries.items()}

    def _take(self, world: World) -> None:
        for name, table in TABLES.items():
            rows = as_table(getattr(world, name), table).to_pyarrow()
            self._engine.create_table(f"any_{name}", rows, temp=True, overwrite=True)

    def _answer(self, query: str) -> dict[str, dict[str, str]]:
        cursor = self._engine.raw_sql(query)
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        values = {row.pop("customer_id"): {n: repr(v) for n, v in row.items()} for row in rows}
        assert len(values) == len(rows), "a customer stands twice in the features"
        return values


@cache
def catalogue() -> Catalogue:
    """The one catalogue of this process."""
    return Catalogue()


def _sql(table: ir.Table) -> str:
    return str(ibis.to_sql(table, dialect="duckdb"))
