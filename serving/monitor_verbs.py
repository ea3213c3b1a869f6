"""The verb of monitoring: holdfast monitor.

The rooms are imported inside it: their vendors take seconds, `--help` should not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.mouth import AsOf, Json, Mouth, Quiet

if TYPE_CHECKING:
    from pathlib import Path

    from serving.monitoring.monitor import Monitoring


def monitor(as_of: AsOf = "", quiet: Quiet = False, as_json: Json = False) -> None:
    """Whether inputs, scores and outcomes are still as they were: alarms, causes, advice.

    Exit code 0 whether or not an alarm rings: the work is done. `--json` counts them in `ringing`.
    """
    mouth = Mouth(quiet, as_json)
    from features.moment import now, parse_moment
    from features.store import FeatureStore
    from features.workspace import Workspace
    from serving.monitoring import monitor as way
    from training.frame import last_event

    space = Workspace.from_environment()
    moment = parse_moment(as_of) if as_of else last_event(FeatureStore(space))
    found = way.run(space, moment, now(), mouth.progress)
    path = way.result_path(space, moment)
    facts = way.read(path).to_dict()
    mouth.result({"ringing": len(found.ringing), **facts, "kept": path}, _in_words(found, path))


def _in_words(found: Monitoring, path: Path) -> str:
    from serving.monitoring.words import sentence
    from serving.report_parts.words import ENGLISH

    lines = [f"{alarm:21s} {sentence(ENGLISH, reading)}" for alarm, reading in found.ringing]
    silent = [one.alarm for one in found.heard if not one.is_known]
    quiet = len(found.heard) - len(silent) - sum(bool(one.beyond) for one in found.heard)
    told = [f"Not enough data or history for: {', '.join(silent)}."] if silent else []
    return "\n".join([
        f"As of {found.as_of:%Y-%m-%d}, models of {found.trained_as_of:%Y-%m-%d}: "
        f"{len(found.ringing)} readings ring, {quiet} alarms are quiet.",
        *lines, *told, f"Kept  {path}",
    ])  # fmt: skip
