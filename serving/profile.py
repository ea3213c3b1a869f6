"""All that is known of one customer: features, score, recent events, and earlier scores."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from features.columns import Columns
from features.workspace import Workspace
from serving.answer import Call, answer
from serving.event_schemas import Feature, Profile
from serving.keeping import Handed
from serving.loaded import Asked, Loaded

MOST_EVENTS = 50  # what a person scrolls through
MOST_HISTORY = 24  # batches: two years of monthly ones
# What was said of a customer before: the risk, the value, and the classes that follow from them.
HISTORY = ("as_of", "status", "churn_probability", "churn_band", "cause", "lever", "expected_value",
           "abc", "tier", "stage", "max_spend")  # fmt: skip


def profile(
    customer_id: str,
    request_id: str,
    loaded: Loaded,
    space: Workspace,
    call: Call,
    keep: Callable[[Handed], None],
) -> Profile:
    """The profile of a customer; one who is not known has a score that says so, and no more.

    keep: takes the score, to be made again later.
    """
    began = time.time()
    rows = loaded.known([Asked(customer_id, request_id, explain=True)])
    (score,) = answer(rows, loaded.models, call)
    keep(Handed(rows, [score], loaded.models, call, began))
    is_known = score["status"] != "unknown"
    events = loaded.store.recent_events(customer_id, MOST_EVENTS)
    return Profile.model_construct(
        customer_id=customer_id,
        score=score,
        features=_features(rows, loaded) if is_known else [],
        events=[{name: _plain(value) for name, value in event.items()} for event in events],
        history=history(space, customer_id),
    )


def history(space: Workspace, customer_id: str) -> list[dict[str, Any]]:
    """What the newest batches said of a customer, newest first."""
    files = sorted(space.scores.glob("as_of=*/scores.parquet"), reverse=True)[:MOST_HISTORY]
    return [row for file in files for row in _rows(file, customer_id)]


def _rows(file: Path, customer_id: str) -> list[dict[str, Any]]:
    """The row of a customer in one score table, which is sorted by customer."""
    try:
        scores = ds.dataset(file)
        known = [name for name in HISTORY if name in scores.schema.names]
        table = scores.to_table(columns=known, filter=ds.field("customer_id") == customer_id)
    except (OSError, pa.ArrowInvalid):
        return []  # of another time, or replaced at this very moment
    # Scores of another time may lack a column that was not known then.
    return [{name: _plain(row.get(name)) for name in HISTORY} for row in table.to_pylist()]


def _features(rows: Columns, loaded: Loaded) -> list[dict[str, Any]]:
    words: Mapping[str, Any] = loaded.models.reference.words
    names = [name for name in loaded.models.reference.features if name in rows]
    return [
        Feature(
            name=name, family=words[name].family, about=words[name].about,
            value=_plain(rows[name].tolist()[0]),
        ).model_dump()
        for name in names
    ]  # fmt: skip


def _plain(value: Any) -> Any:
    """A value as JSON has it: a moment as text, nothing for NaN."""
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value != value else value
