"""The four models that answer together, as folders of JSON and .ubj files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Columns, Rows
from features.errors import UserError
from features.family import Family
from training import examples, value_tiers
from training.business_facts import BusinessFacts
from training.definitions import INACTIVITY, Definition
from training.input_profile import InputProfile
from training.lifecycle import Matrix
from training.models.boosting import Boosting, Forecast
from training.models.churn_type import ChurnType
from training.models.explanation import Explanation, Factor, Word
from training.models.offsets import Outlook
from training.models.tier import TierTransition
from training.models.two_part import TwoPart
from training.reliability import Reliability
from training.tasks import TASKS, Task, churn_by
from training.value_classes import ValueCuts
from training.value_tiers import TierCuts

PERCENTILE_KNOTS = 101
PURCHASE = "purchase"  # beside the churn model, the folder of the purchase model if it has its own


@dataclass(frozen=True)
class Reference:
    """The snapshot the models were trained for, from which ranks and cuts are taken.

    trained_as_of: the moment of training. features: every feature in order. words: what each says.
    churn_percentiles: churn probability of the active customers at each percentile 0..100;
    churn_percentiles_by_stage: the same within each lifecycle stage. stage_moves: share of each
    stage that is in each a churn horizon later. facts: what the business's data show at all.
    tier_cuts, value_cuts: of the classes by forecast value, and by past value.
    youngest_days, most_purchase_days: the shortest history and the most purchase days there.
    reliability: how far a churn probability may be off; None without a test. examples: rows to try
    the models on (examples.py).
    """

    trained_as_of: datetime
    catalog: str
    features: tuple[str, ...]
    words: Mapping[str, Word]
    churn_percentiles: tuple[float, ...]
    churn_percentiles_by_stage: Mapping[str, tuple[float, ...]]
    stage_moves: Matrix
    facts: BusinessFacts
    tier_cuts: TierCuts
    value_cuts: ValueCuts
    youngest_days: float
    most_purchase_days: float
    reliability: Reliability | None
    examples: Sequence[Mapping[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """What of it is in no other file, JSON-ready."""
        return {
            "churn_percentiles": list(self.churn_percentiles),
            "churn_percentiles_by_stage": dict(self.churn_percentiles_by_stage),
            "stage_moves": self.stage_moves,
            "facts": self.facts.to_dict(),
            "youngest_days": self.youngest_days,
            "most_purchase_days": self.most_purchase_days,
            "reliability": self.reliability.to_dict() if self.reliability else None,
        }


@dataclass
class ModelSet:
    """Churn, churn type, value and tier with their tasks, as trained together.

    purchase: of the chance of a purchase in the churn horizon, where churn is something else than
    none; None where the churn model says it itself.
    """

    tasks: Mapping[str, Task]
    churn: Boosting
    clv: TwoPart
    churn_type: ChurnType
    tier: TierTransition
    reference: Reference
    versions: Mapping[str, str]
    purchase: Boosting | None = None
    inputs: InputProfile | None = None  # of the training, for monitoring; older models have none

    def outlooks(self, rows: Columns) -> tuple[Outlook, Outlook]:
        """What buy-till-you-die says over the horizons of churn and of value, in one go."""
        tasks = self.tasks["churn"], self.tasks["clv"]
        horizons = [np.full(len(rows), float(task.horizon_days)) for task in tasks]
        first, second = self.churn.offsets, self.clv.purchase.offsets
        if first.repeat_buying == second.repeat_buying:  # as a rule: learnt from the same customers
            churn, value = first.repeat_buying.outlooks(rows, horizons)
            return churn, value
        return (
            first.repeat_buying.outlooks(rows, horizons[:1])[0],
            second.repeat_buying.outlooks(rows, horizons[1:])[0],
        )

    def explain(self, forecast: Forecast, most: int) -> list[list[Factor]]:
        """The strongest factors of each churn probability that was forecast, at most `most`."""
        explanation = Explanation.of_forecast(self.churn, forecast)
        return explanation.factors(self.reference.words, most)

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
                "rule": task.rule.to_dict(),
                "trained_as_of": self.reference.trained_as_of.isoformat(),
                "catalog": self.reference.catalog,
                "features": list(self.reference.features),
            }
            (folder / name / "task.json").write_text(json.dumps(meta, indent=1))
        if self.purchase is not None:
            self.purchase.save(folder / "churn" / PURCHASE)
        words = json.dumps(self.reference.words, ensure_ascii=False)
        (folder / "churn" / "words.json").write_text(words, encoding="utf-8")
        (folder / "churn" / "ranks.json").write_text(json.dumps(self.reference.to_dict()))
        tried = {"rows": list(self.reference.examples), "answers": self.answers()}
        (folder / "churn" / "examples.json").write_text(json.dumps(tried), encoding="utf-8")
        cuts = json.dumps(self.reference.tier_cuts.to_dict())
        (folder / "tier" / "cuts.json").write_text(cuts)
        classes = json.dumps(self.reference.value_cuts.to_dict())
        (folder / "clv" / "classes.json").write_text(classes)
        if self.inputs:
            (folder / "churn" / "inputs.json").write_text(json.dumps(self.inputs.to_dict()))

    @classmethod
    def load(cls, folders: Mapping[str, Path], versions: Mapping[str, str]) -> ModelSet:
        """The models of four folders, one per task; versions: task -> name@version.

        Raises UserError when they do not say of their examples what they said when they were saved.
        """
        metas = {name: _read(folders[name] / "task.json") for name in TASKS}
        meta = metas["churn"]
        tried = _read(folders["churn"] / "examples.json")
        ranks = _read(folders["churn"] / "ranks.json")
        models = cls(
            tasks={name: _task(name, meta) for name, meta in metas.items()},
            churn=Boosting.load(folders["churn"]),
            clv=TwoPart.load(folders["clv"]),
            churn_type=ChurnType.load(folders["churn_type"]),
            tier=TierTransition.load(folders["tier"]),
            reference=Reference(
                trained_as_of=datetime.fromisoformat(meta["trained_as_of"]),
                catalog=meta["catalog"],
                features=tuple(meta["features"]),
                words={n: Word(*w) for n, w in _read(folders["churn"] / "words.json").items()},
                churn_percentiles=tuple(ranks["churn_percentiles"]),
                churn_percentiles_by_stage={
                    stage: tuple(knots)
                    for stage, knots in ranks["churn_percentiles_by_stage"].items()
                },
                stage_moves=ranks["stage_moves"],
                facts=BusinessFacts.from_dict(ranks["facts"]),
                tier_cuts=TierCuts.from_dict(_read(folders["tier"] / "cuts.json")),
                value_cuts=ValueCuts.from_dict(_read(folders["clv"] / "classes.json")),
                youngest_days=ranks["youngest_days"],
                most_purchase_days=ranks["most_purchase_days"],
                reliability=Reliability.from_dict(ranks["reliability"]),
                examples=tried["rows"],
            ),
            versions=dict(versions),
            purchase=_purchase(folders["churn"] / PURCHASE),
            inputs=_inputs(folders["churn"] / "inputs.json"),
        )
        wrong = examples.differences(tried["answers"], models.answers())
        if wrong:
            raise UserError(
                f"The models {', '.join(versions.values())} were loaded, but of made-up customers "
                f"they no longer say what they said when they were stored ({', '.join(wrong)}). "
                "Return to the former ones (holdfast rollback), or train anew: holdfast train."
            )
        return models

    def answers(self) -> dict[str, list[float | None]]:
        """What the four models say of the reference's examples, a list for each number."""
        rows = Columns.of(examples.frame(self.reference.examples))

        def over(task: str) -> Columns:
            horizon = np.full(len(rows), self.tasks[task].horizon_days)
            return rows.with_columns({"horizon_days": horizon})

        value = self.clv.forecast(over("clv"))
        cuts = self.reference.tier_cuts
        tier = value_tiers.assign(value["expected_value"], rows, cuts, cost_to_serve=None)
        moves = self.tier.chances(rows.with_columns({"tier": tier}))
        said = {"churn": self.churn.predict(over("churn")), **value}
        if self.purchase is not None:
            said["purchase"] = self.purchase.predict(over("churn"))
        said |= {f"type_{cause}": p for cause, p in self.churn_type.shares_of(rows).items()}
        said |= {f"tier_next_{name}": p for name, p in moves.items()}
        return {name: [None if p != p else p for p in values.tolist()]
                for name, values in said.items()}  # fmt: skip


def percentiles(probability: np.ndarray) -> tuple[float, ...]:
    """The values at each percentile 0..100; all zero when there are none."""
    if len(probability) == 0:
        return (0.0,) * PERCENTILE_KNOTS
    return tuple(np.percentile(probability, np.linspace(0, 100, PERCENTILE_KNOTS)).tolist())


@overload
def is_active(rows: pd.DataFrame, task: Task) -> pd.Series: ...


@overload
def is_active(rows: Columns, task: Task) -> NDArray[np.bool_]: ...


def is_active(rows: Rows, task: Task) -> pd.Series | NDArray[np.bool_]:
    """Whether a customer can leave by the task's definition, boolean."""
    active = task.is_active(rows)
    return pd.Series(active, rows.index) if isinstance(rows, pd.DataFrame) else active


def words_of(families: Iterable[Family]) -> dict[str, Word]:
    """What each feature of some families says."""
    return {f.name: Word(family.name, f.about) for family in families for f in family.features}


def _task(name: str, meta: Mapping[str, Any]) -> Task:
    """The task that was stored with a model."""
    rule = Definition.from_dict(meta["rule"]) if "rule" in meta else INACTIVITY
    horizon_days = meta["horizon_days"]
    if name == "churn":
        return churn_by(rule, horizon_days)
    return replace(TASKS[name], horizon_days=horizon_days, rule=rule)


def _purchase(folder: Path) -> Boosting | None:
    return Boosting.load(folder) if folder.exists() else None


def _inputs(path: Path) -> InputProfile | None:
    return InputProfile.from_dict(_read(path)) if path.exists() else None


def _read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))
