"""The newest events of one customer, for a person who looks at him."""

from __future__ import annotations

from typing import Any

from features import backend, journal, workspace
from features.workspace import Workspace

_TABLES = ("transactions", "interactions")


def recent_events(space: Workspace, customer_id: str, most: int) -> list[dict[str, Any]]:
    """The events of a customer, newest first: of each its table and the columns that are not empty.

    most: events at most. Of a moment, transactions come before interactions.
    """
    with journal.reading(space.events):
        found = [
            {"table": table} | {name: value for name, value in row.items() if value is not None}
            for table in _TABLES
            if (files := workspace.event_files(space, table))
            for row in backend.rows_of_customer(files, customer_id).to_pylist()
        ]
    return sorted(found, key=lambda event: event["happened_at"], reverse=True)[:most]
