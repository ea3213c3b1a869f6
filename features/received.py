"""What came in and what became of it, counted: a small file for each table of an ingest or push.

The counts are nobody's data: they stay when rows set aside are thrown away or a customer is erased.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path

from features.durable import publish


def keep(
    events: Path, table: str, name: str, *, good: int, repeated: int, bad: Mapping[str, int]
) -> Path:
    """Write the counts of one table to `received` in the folder of the events; returns the file.

    name: of what came, so that the same rows brought twice are counted once. good: rows taken, of
    them repeated; bad: rows refused, by reason.
    """
    final = events / "received" / f"{table}-{name}.json"
    final.parent.mkdir(parents=True, exist_ok=True)
    staged = final.with_name(f".staging-{uuid.uuid4().hex}")
    counts = {"table": table, "good": good, "repeated": repeated, "bad": dict(bad)}
    staged.write_text(json.dumps(counts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    publish(staged, final)
    return final


def refused(events: Path, table: str, reason: str) -> int:
    """Rows of a table that were refused for a reason so far."""
    paths = sorted((events / "received").glob(f"{table}-*.json"))
    counts = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    return sum(count["bad"].get(reason, 0) for count in counts)
