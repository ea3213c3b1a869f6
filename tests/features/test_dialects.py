"""What is computed beside the families' queries, as the SQL of warehouses; see test_catalog."""

from datetime import timedelta

import ibis
import pytest
import sqlglot

from features import moment
from features.catalog import FAMILIES
from features.events import TABLES, Events
from tests.features.test_catalog import AS_OF, DIALECTS
from training.tasks import OUTCOMES

EVENTS = Events(**{name: ibis.table(table.schema(), name=name) for name, table in TABLES.items()})
COMPARING = [family for family in FAMILIES if family.population]


def names(table, dialect):
    """All names in a table's query, as the dialect itself reads it."""
    query = sqlglot.parse_one(str(ibis.to_sql(table, dialect=dialect)), read=dialect)
    return {identifier.name for identifier in query.find_all(sqlglot.exp.Identifier)}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("family", COMPARING, ids=lambda family: family.name)
def test_what_everybody_looks_like_is_a_query_and_a_table_to_compare_with(family, dialect):
    everybody = family.everybody(EVENTS, AS_OF)
    assert names(everybody, dialect) >= set(everybody.columns)
    stored = ibis.table(everybody.schema(), name="population")
    rows = family.compute(EVENTS, AS_OF, population=stored)
    assert names(rows, dialect) >= {"population", *(f.name for f in family.features)}


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.name)
def test_an_outcome_is_a_query(outcome, dialect):
    table = getattr(EVENTS, outcome.source)
    future = moment.future(table, AS_OF, 90, known_by=AS_OF + timedelta(days=90))
    values = future.group_by("customer_id").agg(value=outcome.value(future))
    assert names(values, dialect) >= {"customer_id", "value"}
