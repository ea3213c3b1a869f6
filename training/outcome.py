"""What came of a retraining, kept as JSON and told in a page that is read in ten seconds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from features import backend
from features.workspace import Workspace
from training import champion
from training.gate import Verdict
from training.model_set import ModelSet
from training.unfinished import OUTCOME


@dataclass(frozen=True)
class Outcome:
    """What came of a retraining.

    run_id: its MLflow run. versions: task -> registered version. promoted: whether they answer now.
    changes: what is other than in the champion before, a sentence each. seconds: by phase. again:
    whether this was found and not done.
    """

    run_id: str
    as_of: str
    versions: Mapping[str, str]
    promoted: bool
    verdict: Verdict
    changes: tuple[str, ...]
    seconds: Mapping[str, float]
    again: bool = False

    def facts(self) -> dict[str, Any]:
        """JSON-ready form."""
        found = {name: value for name, value in vars(self).items() if name != "verdict"}
        return found | {"verdict": self.verdict.to_dict(), "refusals": self.verdict.refusals}

    def in_words(self) -> str:
        """The page: what came of it, what changed, the gate, and why not."""
        names = ", ".join(f"{task}@{version}" for task, version in self.versions.items())
        if self.promoted:
            end = f"Promoted: {names}."
        else:
            end = (
                f"Refused by the gate: {names}. The champion stays; to promote it all the same, "
                "look at the reasons, then: holdfast promote."
            )
        if self.again:
            end += (
                f"\nThe same events, code and request were trained before (run {self.run_id}): "
                "nothing was done again. Use --force to do it anyway."
            )
        why = [f"- {reason}" for reason in self.verdict.refusals]
        taken = "  ".join(f"{name} {seconds:.0f} s" for name, seconds in self.seconds.items())
        return "\n".join([
            end,
            "", "What changed:", *(f"- {change}" for change in self.changes),
            "", "Gate:", self.verdict.in_words(),
            *(["", "Why not:", *why] if why else []),
            "", f"Run {self.run_id}; {taken}",
        ])  # fmt: skip

    def save(self, folder: Path) -> None:
        """Write it into a folder, whole or not at all."""
        with backend.whole_or_nothing(folder / OUTCOME) as temporary:
            temporary.write_text(json.dumps(self.facts(), indent=1))

    @classmethod
    def load(cls, folder: Path) -> Outcome | None:
        """The outcome that `save` wrote, or None."""
        if not (folder / OUTCOME).exists():
            return None
        stored = json.loads((folder / OUTCOME).read_text())
        del stored["refusals"]
        stored["verdict"] = Verdict.from_dict(stored["verdict"])
        stored["changes"] = tuple(stored["changes"])
        return replace(cls(**stored), again=True)


def changes(space: Workspace, models: ModelSet, figures: Mapping[str, tuple[float, float]]) -> list:
    """What is other in some models than in the champion, a sentence each.

    figures: what was measured -> (model, baseline) at the newest tested moment.
    """
    told = [
        f"{name} at the newest tested moment {ours:.4g}, of the baseline {theirs:.4g}"
        for name, (ours, theirs) in figures.items()
    ]
    pointer = space.models / "champion.json"
    if not pointer.exists():
        return ["there was no champion", *told]
    folder = champion.folders(space, champion.versions(space))["churn"]
    before, now = json.loads((folder / "task.json").read_text()), models.reference
    told.insert(
        0, f"trained as of {now.trained_as_of:%Y-%m-%d}, before {before['trained_as_of'][:10]}"
    )
    new = [name for name in now.features if name not in before["features"]]
    gone = [name for name in before["features"] if name not in now.features]
    told += [f"{len(names)} features {what}: {', '.join(names)}"
             for what, names in (("are new", new), ("are gone", gone)) if names]  # fmt: skip
    if before["catalog"] != now.catalog:
        told.append(f"the catalogue is {now.catalog}, before {before['catalog']}")
    if before["definition"] != models.tasks["churn"].definition:
        told.append(
            f"churn means {models.tasks['churn'].definition}, before {before['definition']}"
        )
    return told
