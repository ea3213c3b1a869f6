"""A customer erased to the end: events, features, online, scores, answers; and the receipt of it.

What cannot be erased is what models have learnt from him among thousands of others: the receipt
names those that may have, which are free of him once they are trained anew. It is kept without his
name: a keyed digest of his id, by which a receipt can be found and proven by whoever has the key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.dataset as ds
import pyarrow.parquet as pq

from features import backend
from features.workspace import Workspace
from serving import batch, kept_answers, made_of, receipts
from serving.event_schemas import Receipt
from training import unfinished

if TYPE_CHECKING:
    from features.store import FeatureStore

_ROW_GROUP = 20_000  # rows held in memory at a time
_ALL_EVENTS = 10**9
_CLOCKS_APART = 0.1  # seconds by which a file's time may lie before the clock's


def erase(space: Workspace, store: FeatureStore, customer_id: str, now: datetime) -> Receipt:
    """Remove a customer from the workspace and write the receipt; done twice it finds nothing.

    Reports are pages for readers and are not rewritten: those that name him are removed, as are
    parts of a batch or of a retraining that was ended. Raises Unavailable while one of them runs.
    """
    happened = [event["happened_at"] for event in store.recent_events(customer_id, _ALL_EVENTS)]
    models = _trained_since(space, min(happened)) if happened else []
    with ExitStack() as held:  # no batch that has read him writes his scores afterwards
        for folder in sorted(space.scores.glob("as_of=*")):
            held.enter_context(batch.alone(folder))
        held.enter_context(unfinished.alone(space))  # nor a retraining what it has read of him
        erased = store.erase(customer_id)
        unfinished.remove(space)
        changed = [file for file in _score_tables(space) if _without(file, customer_id)]
        for name in {file.parent.name for file in changed} | set(erased.kept):
            made_of.renew(space.scores / name)
        for parts in space.scores.glob("as_of=*/.parts-*"):
            shutil.rmtree(parts)
    served = kept_answers.erase(space, customer_id)
    for tested in space.models.glob("proof/*.parquet"):  # names whom the models were tested on
        _without(tested, customer_id)
    _remove_reports(space, customer_id)
    key = receipts.key(space)
    facts = {
        "customer": _digest(key, customer_id),
        "erased_at": now.isoformat(),
        "rows": dict(erased.rows),
        "snapshots": erased.snapshots,
        "was_online": erased.online,
        "score_tables": len(changed),
        "kept_features": len(erased.kept),
        "served_answers": served,
        "models": models,
        "note": "retrain" if models else None,
    }
    signature = receipts.signature(space, facts)
    receipt = Receipt(**facts, signature=signature)  # type: ignore[arg-type]
    name = f"{now:%Y-%m-%dT%H%M%S}-{receipt.customer[:12]}.json"
    with backend.whole_or_nothing(space.root / "erasures" / name) as temporary:
        temporary.write_text(receipt.model_dump_json(indent=1))
    # An answer about him may have been on its way: whoever writes one now sees the receipt first.
    kept_answers.erase(space, customer_id)
    return receipt


def erased_since(space: Workspace, seconds: float) -> Callable[[str], bool]:
    """Tells of a customer whether he was erased after a moment, seconds since 1970."""
    folder = space.root / "erasures"
    if not folder.exists() or folder.stat().st_mtime < seconds - _CLOCKS_APART:
        return lambda customer_id: False
    names = {
        json.loads(file.read_text())["customer"]
        for file in folder.glob("*.json")
        if file.stat().st_mtime >= seconds - _CLOCKS_APART
    }
    key = receipts.key(space)
    return lambda customer_id: _digest(key, customer_id) in names


def is_genuine(space: Workspace, receipt: Receipt) -> bool:
    """Whether a receipt was written by this workspace and is as it was written."""
    facts = receipt.model_dump(exclude={"signature"}, exclude_unset=True)
    return hmac.compare_digest(receipts.signature(space, facts), receipt.signature)


def _trained_since(space: Workspace, first: datetime) -> list[str]:
    """The model versions in the workspace that stood at a moment when he had an event."""
    metas = {
        file.parent: json.loads(file.read_text()) for file in space.models.glob("*/*/task.json")
    }
    return sorted(
        f"{folder.parent.name}@{folder.name}"
        for folder, meta in metas.items()
        if datetime.fromisoformat(meta["trained_as_of"]) >= first
    )


def _score_tables(space: Workspace) -> list[Path]:
    return sorted(space.scores.glob("as_of=*/*.parquet"))


def _without(file: Path, customer_id: str) -> int:
    """Write a table again without a customer, where it has him; returns whether it had, 0 or 1."""
    is_his = ds.field("customer_id") == customer_id
    table = ds.dataset(file)
    if "customer_id" not in table.schema.names or table.count_rows(filter=is_his) == 0:
        return 0
    with (
        backend.whole_or_nothing(file) as temporary,
        pq.ParquetWriter(temporary, table.schema) as writer,
    ):
        for rows in table.to_batches(filter=~is_his, batch_size=_ROW_GROUP):
            writer.write_batch(rows)
    return 1


def _remove_reports(space: Workspace, customer_id: str) -> None:
    for page in space.reports.glob("as_of=*/report*.html"):
        if customer_id in page.read_text(encoding="utf-8"):
            page.unlink()


def _digest(key: bytes, customer_id: str) -> str:
    return hmac.new(key, customer_id.encode(), hashlib.sha256).hexdigest()
