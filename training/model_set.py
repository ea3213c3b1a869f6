"""The four models that answer together, as folders of JSON and .ubj files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from features.family import Family
from training.models.boosting import Boosting
from training.models.churn_type import ChurnType
from training.models.explanation import Explanation, Factor, Word
from training.models.tier import TierTransition
from training.models.two_part import TwoPart
from training.tasks import TASKS, Task
from training.value_tiers import TierCuts

PERCENTILE_KNOTS = 101


@dataclass(frozen=True)
class Reference:
    """The snapshot the models were trained for, from which ranks and cuts are taken.

    trained_as_of: the moment of training. features: every feature in order. words: what each says.
    churn_percentiles: churn probability of the active customers at each percentile 0..100.
    """

    trained_as_of: datetime
    catalog: str
    features: tuple[str, ...]
    words: Mapping[str, Word]
    churn_percentiles: tuple[float, ...]
    tier_cuts: TierCuts


@dataclass
class ModelSet:
    """Churn, churn type, value and tier with their tasks, as trained together."""

    tasks: Mapping[str, Task]
    churn: Boosting
    clv: TwoPart
    churn_type: ChurnType
    tier: TierTransition
    reference: Reference
    versions: Mapping[str, str]

    def explain(self, rows: pd.DataFrame, most: int) -> list[list[Factor]]:
        """The strongest factors of each row's churn probability, at most `most`.

        rows: features with `horizon_days`, of customers with at least one purchase.
        """
        return Explanation.of(self.churn, rows).factors(self.reference.words, most)

    def strongest_families(self, rows: pd.DataFrame) -> pd.Series:
        """Mean absolute effect of each family on the churn probability of some rows."""
        return Explanation.of(self.churn, rows).by_family(self.reference.words)

    def save(self, folder: Path) -> None:
        """Write one folder per model, each with `task.json` beside its model files."""
        for name, task in self.tasks.items():
            getattr(self, name).save(folder / name)
            meta = {
                "task": name,
                "version": task.version,
                "horizon_days": task.horizon_days,
                "definition": task.definition,
                "trained_as_of": self.reference.trained_as_of.isoformat(),
                "catalog": self.reference.catalog,
                "features": list(self.reference.features),
            }
            (folder / name / "task.json").write_text(json.dumps(meta, indent=1))
        words = json.dumps(self.reference.words, ensure_ascii=False)
        (folder / "churn" / "words.json").write_text(words, encoding="utf-8")
        ranks = {"churn_percentiles": list(self.reference.churn_percentiles)}
        (folder / "churn" / "ranks.json").write_text(json.dumps(ranks))
        cuts = json.dumps(self.reference.tier_cuts.to_dict())
        (folder / "tier" / "cuts.json").write_text(cuts)

    @classmethod
    def load(cls, folders: Mapping[str, Path], versions: Mapping[str, str]) -> ModelSet:
        """The models of four folders, one per task; versions: task -> name@version."""
        metas = {name: _read(folders[name] / "task.json") for name in TASKS}
        meta = metas["churn"]
        return cls(
            tasks={n: replace(TASKS[n], horizon_days=metas[n]["horizon_days"]) for n in TASKS},
            churn=Boosting.load(folders["churn"]),
            clv=TwoPart.load(folders["clv"]),
            churn_type=ChurnType.load(folders["churn_type"]),
            tier=TierTransition.load(folders["tier"]),
            reference=Reference(
                trained_as_of=datetime.fromisoformat(meta["trained_as_of"]),
                catalog=meta["catalog"],
                features=tuple(meta["features"]),
                words={n: Word(*w) for n, w in _read(folders["churn"] / "words.json").items()},
                churn_percentiles=tuple(
                    _read(folders["churn"] / "ranks.json")["churn_percentiles"]
                ),
                tier_cuts=TierCuts.from_dict(_read(folders["tier"] / "cuts.json")),
            ),
            versions=dict(versions),
        )


def percentiles(probability: np.ndarray) -> tuple[float, ...]:
    """The values at each percentile 0..100; all zero when there are none."""
    if len(probability) == 0:
        return (0.0,) * PERCENTILE_KNOTS
    return tuple(np.percentile(probability, np.linspace(0, 100, PERCENTILE_KNOTS)).tolist())


def is_active(rows: pd.DataFrame, task: Task) -> pd.Series:
    """Whether a customer has bought within the task's active days, boolean."""
    return rows.recency.lt(task.active_days)


def words_of(families: Iterable[Family]) -> dict[str, Word]:
    """What each feature of some families says."""
    return {f.name: Word(family.name, f.about) for family in families for f in family.features}


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))
