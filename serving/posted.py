"""Events that were posted -> the feature store, and what became of each.

What arrives while others are being stored is stored with the next, in one go: features are computed
once for all the customers of a call, so a busy till costs little more than a quiet one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import ibis
import pyarrow as pa
from pydantic import BaseModel

from features.errors import Unavailable, UserError
from features.events import PROVENANCE, TABLES
from features.taking import REPEATED, TAKEN
from serving.event_schemas import EventsRequest, EventsResponse, Interaction, RefusedEvent, Taken
from serving.event_schemas import Transaction as TransactionRow

if TYPE_CHECKING:
    from features.store import FeatureStore

_KINDS = ("transactions", "interactions")
_MODELS: dict[str, type[BaseModel]] = {
    "transactions": TransactionRow,
    "interactions": Interaction,
}


class Outcome(NamedTuple):
    """What became of one row, and the moment at which its customer's features stand by now."""

    said: str
    as_of: datetime


class Posted(NamedTuple):
    """One row on its way: the list it came in, and itself."""

    kind: str
    row: TransactionRow | Interaction


def rows_of(request: EventsRequest) -> list[Posted]:
    """The rows of a request, list by list."""
    return [Posted(kind, row) for kind in _KINDS for row in getattr(request, kind)]


def store(rows: Sequence[Posted], features: FeatureStore, now: datetime) -> list[Outcome]:
    """Store rows of one or many requests; one outcome per row.

    Returns when they are on disk and their customers' new features online. Raises Unavailable when
    the store cannot take them now: the same rows can be sent again.
    """
    by_kind = {kind: [one.row for one in rows if one.kind == kind] for kind in _KINDS}
    given = {kind: found for kind, found in by_kind.items() if found}
    tables = {kind: ibis.memtable(_table(kind, found)) for kind, found in given.items()}
    ids = {kind: [row.event_id for row in found] for kind, found in given.items()}
    try:
        pushed = features.push(tables, as_of=now, event_ids=ids)
    except Unavailable:
        raise
    except UserError as error:  # of the store as it stands: the rows have been looked at
        raise Unavailable(str(error)) from error
    said = {kind: iter(outcomes) for kind, outcomes in pushed.rows.items()}
    return [Outcome(next(said[one.kind]), pushed.as_of) for one in rows]


def response(rows: Sequence[Posted], outcomes: Sequence[Outcome]) -> EventsResponse:
    """The answer to one request, from the outcomes of its rows."""
    good = [o.said in (TAKEN, REPEATED) for o in outcomes]
    customers = {one.row.customer_id.strip() for one, ok in zip(rows, good, strict=True) if ok}
    moments = [o.as_of for o, ok in zip(outcomes, good, strict=True) if ok]
    counts = {kind: _taken(kind, rows, outcomes) for kind in _KINDS}
    return EventsResponse(
        **counts,
        customers=sorted(customers),
        as_of=max(moments).isoformat() if moments else None,
    )


def _taken(kind: str, rows: Sequence[Posted], outcomes: Sequence[Outcome]) -> Taken:
    of_kind = [(one.row.event_id, o.said) for one, o in zip(rows, outcomes, strict=True)
               if one.kind == kind]  # fmt: skip
    said = Counter(outcome for _, outcome in of_kind)
    refused = [
        RefusedEvent(position=position, event_id=event_id, reason=outcome)
        for position, (event_id, outcome) in enumerate(of_kind)
        if outcome not in (TAKEN, REPEATED)
    ]
    return Taken(taken=said[TAKEN], repeated=said[REPEATED], refused=refused)


def _table(kind: str, rows: Sequence[TransactionRow | Interaction]) -> pa.Table:
    """The rows with the columns of their table; a time is a text until it is checked."""
    types = {"string": pa.string(), "float64": pa.float64()}
    columns = TABLES[kind].columns
    return pa.table({
        column.name: pa.array([getattr(row, column.name) for row in rows],
                              types.get(column.dtype, pa.string()))
        for column in columns
        if column.name in _MODELS[kind].model_fields
        # Where rows come from is stored only where it is told; see events.PROVENANCE.
        and (column.name not in PROVENANCE or any(getattr(row, column.name) for row in rows))
    })  # fmt: skip
