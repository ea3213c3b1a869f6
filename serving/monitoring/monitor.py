"""One look at everything as of a moment, and where it is kept."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features import backend
from features.snapshots import moment_name
from features.store import FeatureStore
from features.workspace import Workspace
from serving.monitoring import alarms, inputs, made, realised
from serving.monitoring.alarms import Heard, Seen
from serving.monitoring.flows import flows
from serving.monitoring.reading import Reading
from training import champion, frame, input_profile
from training.model_set import ModelSet
from training.proof import Proof

log = logging.getLogger(__name__)

RESULT, INPUTS = "monitoring.json", "inputs.parquet"
MOST_TOLD = 10  # features that the result names; all of them are in INPUTS


@dataclass(frozen=True)
class Monitoring:
    """What was seen at a moment, JSON-ready but for its alarms.

    as_of, made_at: the moment looked at, and that of the clock. trained_as_of, versions: of the
    champion. heard: one per alarm. inputs: the features that moved most against what is usual.
    graded: the score files whose outcome is known, as realised.Realised.to_dict.
    """

    as_of: datetime
    made_at: datetime
    trained_as_of: datetime
    versions: Mapping[str, str]
    heard: Sequence[Heard]
    inputs: Sequence[Mapping[str, Any]]
    graded: Sequence[Mapping[str, Any]]

    @property
    def ringing(self) -> list[tuple[str, Reading]]:
        """Each alarm that rings, by name, with each reading beyond its limit."""
        return [(one.alarm, reading) for one in self.heard for reading in one.beyond]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        moments = ("as_of", "made_at", "trained_as_of")
        return {
            **{name: getattr(self, name).isoformat() for name in moments},
            "versions": dict(self.versions),
            "alarms": [one.to_dict() for one in self.heard],
            "inputs": list(self.inputs),
            "graded": list(self.graded),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Monitoring:
        """What `to_dict` stored."""
        as_of, made_at, trained = (
            datetime.fromisoformat(stored[name]) for name in ("as_of", "made_at", "trained_as_of")
        )
        heard = [_heard(one) for one in stored["alarms"]]
        return cls(
            as_of, made_at, trained, stored["versions"], heard, stored["inputs"], stored["graded"]
        )


def run(
    space: Workspace,
    as_of: datetime,
    now: datetime,
    progress: Callable[[str], None] = log.info,
) -> Monitoring:
    """Look at sources, inputs, scores and outcomes as of a moment, and keep what was seen.

    The snapshot of the moment is built when it is missing. Of very many customers some are drawn.
    Raises UserError when nothing had happened by then, or no models were promoted.
    """
    store, models = FeatureStore(space), champion.load(space)
    progress("arrivals by source")
    arrived = flows(store.snapshots.events, as_of)
    progress("inputs and scores against training")
    table = _compared(store, models, as_of)
    progress("what was served against what came")
    files, proof = made.until(space, as_of), Proof.load(space.models / "proof")
    graded = list(realised.realised(store, files, models, as_of))
    heard = alarms.hear(Seen(as_of, arrived, table, files, graded, proof))
    found = Monitoring(
        as_of, now, models.reference.trained_as_of, models.versions, heard,
        _strongest(table), [one.to_dict() for one in graded],
    )  # fmt: skip
    _keep(space, found, table)
    return found


def newest(space: Workspace, as_of: datetime | None = None) -> Monitoring | None:
    """What was seen last, at `as_of` or before; None when nobody has looked."""
    latest = as_of or datetime.max
    found = [seen for path in sorted(space.monitor.glob(f"as_of=*/{RESULT}"))
             if (seen := read(path)).as_of <= latest]  # fmt: skip
    return max(found, key=lambda seen: seen.as_of, default=None)


def read(path: Path) -> Monitoring:
    """The result that lies in a file."""
    return Monitoring.from_dict(json.loads(path.read_text(encoding="utf-8")))


def result_path(space: Workspace, as_of: datetime) -> Path:
    """Where the result of a moment lies."""
    return space.monitor / f"as_of={moment_name(as_of)}" / RESULT


def _compared(store: FeatureStore, models: ModelSet, as_of: datetime) -> pd.DataFrame | None:
    if models.inputs is None:
        log.warning("The champion was trained before inputs were kept: no drift. Train anew.")
        return None
    for _ in store.build([as_of]):
        pass
    store.apply()
    rows = input_profile.scored(models, frame.customers(store, as_of))
    if len(rows) < inputs.LEAST_CUSTOMERS:
        log.warning("Only %d active customers: too few to tell a drift.", len(rows))
        return None
    families = {name: word.family for name, word in models.reference.words.items()}
    return inputs.compared(models.inputs, rows, families)


def _strongest(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    if table is None:
        return []
    first = table.assign(by=table.psi / table.psi_limit).sort_values(
        ["by", "name"], ascending=[False, True]
    )
    rows = first.drop(columns="by")[:MOST_TOLD].to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _keep(space: Workspace, found: Monitoring, table: pd.DataFrame | None) -> None:
    path = result_path(space, found.as_of)
    path.parent.mkdir(parents=True, exist_ok=True)
    if table is not None:
        backend.write_frame(table, path.with_name(INPUTS))
    with backend.whole_or_nothing(path) as temporary:
        temporary.write_text(json.dumps(_plain(found.to_dict()), indent=1), encoding="utf-8")


def _plain(value: Any) -> Any:
    """Numbers as JSON has them: of numpy none, and what is not known as null."""
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _heard(stored: Mapping[str, Any]) -> Heard:
    nearest = Reading(**stored["nearest"]) if stored["nearest"] else None
    beyond = tuple(Reading(**one) for one in stored["beyond"])
    return Heard(stored["alarm"], stored["is_known"], nearest, beyond)
