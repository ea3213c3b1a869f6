"""The retention job: what is past its period deleted everywhere, and the receipt of what went."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any

from features import backend, expiry, journal
from features.expiry import PERIODS, Expired, Starts
from features.family import WINDOWS
from features.workspace import Workspace
from serving import batch, receipts

if TYPE_CHECKING:
    from features.store import FeatureStore

# A window is compared with the one before it, so this much past is looked at beside the totals.
LONGEST_LOOK = 2 * max(WINDOWS)


def expire(space: Workspace, store: FeatureStore, since: Starts, now: datetime) -> dict[str, Any]:
    """Delete what is past its period, or nothing, and write the receipt, which is returned.

    since: starts by the name of a Period (expiry.starts). Done twice it finds nothing, and writes
    no receipt. Raises Unavailable while scores are written that are to go.
    """
    online = store.newest_online()
    with ExitStack() as held:
        for folder in sorted(space.scores.glob("as_of=*")):
            held.enter_context(batch.alone(folder))
        held.enter_context(journal.replacing(space.events))
        gone = expiry.expire(space, since, online)
        store.forget(gone.customers)
    if online and any(gone.rows.values()):
        for _ in store.build([online]):
            pass
        store.materialize(online)
    facts = receipt_of(gone, since, now)
    if not gone.found:
        return facts
    facts["signature"] = receipts.signature(space, facts)
    path = space.root / "expiries" / f"{now:%Y-%m-%dT%H%M%S}.json"
    with backend.whole_or_nothing(path) as temporary:
        temporary.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    return facts


def receipt_of(gone: Expired, since: Starts, now: datetime) -> dict[str, Any]:
    """What went, or would go, JSON-ready and without a name: see Expired; starts by kind, ISO."""
    return {
        "at": now.isoformat(),
        "kept_since": {name: start.isoformat() for name, start in since.items()},
        "rows": dict(gone.rows),
        "customers": len(gone.customers),
        "rejected": gone.rejected,
        "event_ids": gone.event_ids,
        "snapshots": gone.snapshots,
        **{kind: list(moments) for kind, moments in gone.moments.items()},
        "changes": list(_changes(gone, since, now)),
    }


def in_words(facts: Mapping[str, Any], *, is_done: bool) -> str:
    """The receipt as a person reads it."""
    verb = "Deleted" if is_done else "Would be deleted (nothing was; say --yes to do it)"
    kept = [
        f"  {period.name:13s} {_since(period.name, facts):32s} {period.why}" for period in PERIODS
    ]
    counts = {
        **{f"rows of {name}": count for name, count in facts["rows"].items()},
        "customers of whom nothing is left": facts["customers"],
        "files of rows set aside": facts["rejected"],
        "event ids": facts["event_ids"],
        "parts of feature snapshots": facts["snapshots"],
        "moments of scores": len(facts["scores"]),
        "moments of reports": len(facts["reports"]),
    }
    went = [f"  {count:,} {what}" for what, count in counts.items() if count]
    return "\n".join(["Kept:", *kept, f"{verb}:", *(went or ["  nothing"]), *facts["changes"]])


def _since(name: str, facts: Mapping[str, Any]) -> str:
    start = facts["kept_since"].get(name)
    return "until a period is given" if start is None else f"since {start[:16]}"


def _changes(gone: Expired, since: Starts, now: datetime) -> list[str]:
    """What is no longer as it was for those who stay, in sentences; none where no event goes."""
    cut = {table: since[table] for table, lost in gone.rows.items() if lost and table in since}
    tables = [table for table in cut if table in expiry.EVENTS]
    if not tables:
        return []
    starts = " and ".join(f"{cut[table]:%Y-%m-%d} ({table})" for table in tables)
    said = [
        f"Totals since the beginning, such as spend_total and purchase_days_total, and historical "
        f"value count from {starts} on.",
        "Every feature snapshot goes with the events it was counted from; what is online is "
        "counted anew. The models learnt from the longer past until they are trained anew: "
        "holdfast train, holdfast score.",
    ]
    shortest = min((now - cut[table]).days for table in tables)
    if shortest < LONGEST_LOOK:
        said.append(
            f"Some features look back {LONGEST_LOOK} days, and of these {shortest} are left: they "
            "see only that much, and there are fewer moments to learn from."
        )
    return said
