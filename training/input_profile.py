"""What the models were given when they learnt: the reference that monitoring compares with.

A feature that counts time moves by nature, and so does one that follows the season. So beside each
distribution stands how far it usually moves: the furthest that the same customers' business stood
from it at the cut-offs of the training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from training import distribution
from training.distribution import Distribution, distribution_of
from training.models.baseline import Baseline
from training.models.explanation import Explanation

if TYPE_CHECKING:
    from training.model_set import ModelSet

RISK, VALUE = "churn_probability", "expected_value"
SCORES = (RISK, VALUE)
# Customers that a mean effect is taken over: it is known to a few percent of itself.
MOST_EXPLAINED = 2_000


class Usual(NamedTuple):
    """The furthest that an input stood from training at the cut-offs before it; 0 without any.

    psi, ks: as in distribution.Moved. missing: difference of the shares, 0 to 1.
    """

    psi: float = 0.0
    ks: float = 0.0
    missing: float = 0.0


@dataclass(frozen=True)
class InputProfile:
    """The active customers of a training: each feature, and the two scores, as distributed.

    customers: how many. inputs: by feature, and by SCORES. usual: the same keys. importance: mean
    absolute effect of a feature on the churn probability, as a share of all of them; 0 to 1.
    baseline: the recency rule of the churn panel, to hold what is realised against.
    """

    customers: int
    inputs: Mapping[str, Distribution]
    usual: Mapping[str, Usual]
    importance: Mapping[str, float]
    baseline: Baseline | None

    @classmethod
    def of(
        cls,
        today: pd.DataFrame,
        earlier: Sequence[pd.DataFrame],
        names: Sequence[str],
        importance: Mapping[str, float],
        baseline: Baseline | None = None,
    ) -> InputProfile:
        """The profile of some customers, and how far others of earlier moments stand from it."""
        inputs = {name: distribution_of(today[name]) for name in names}
        usual = {name: _usual(inputs[name], [rows[name] for rows in earlier]) for name in names}
        return cls(len(today), inputs, usual, importance, baseline)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "customers": self.customers,
            "inputs": {name: given.to_dict() for name, given in self.inputs.items()},
            "usual": {name: [round(v, 6) for v in usual] for name, usual in self.usual.items()},
            "importance": {name: round(share, 6) for name, share in self.importance.items()},
            "baseline": self.baseline.to_dict() if self.baseline else None,
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> InputProfile:
        """What `to_dict` stored."""
        return cls(
            stored["customers"],
            {name: distribution.from_dict(given) for name, given in stored["inputs"].items()},
            {name: Usual(*usual) for name, usual in stored["usual"].items()},
            stored["importance"],
            Baseline.from_dict(stored["baseline"]) if stored["baseline"] else None,
        )


def of_training(models: ModelSet, today: pd.DataFrame, panel: pd.DataFrame) -> InputProfile:
    """The profile of the customers that models were trained for; panel: of the churn question."""
    now = scored(models, today)
    before = scored(models, panel)
    earlier = [rows for _, rows in before.groupby("as_of", sort=True)]
    names = [*models.reference.features, *SCORES]
    return InputProfile.of(now, earlier, names, _importance(models, now), Baseline.fit(panel))


def scored(models: ModelSet, rows: pd.DataFrame) -> pd.DataFrame:
    """The active customers among some, with SCORES: what a profile is taken of, and held to."""
    churn, value = models.tasks["churn"], models.tasks["clv"]
    active = rows[rows.recency < churn.active_days].reset_index(drop=True)
    if active.empty:
        return active.assign(**{name: pd.Series(dtype=float) for name in SCORES})
    risk = 1.0 - models.churn.predict(active.assign(horizon_days=churn.horizon_days))
    worth = models.clv.predict(active.assign(horizon_days=value.horizon_days)).expected_value
    return active.assign(**{RISK: np.asarray(risk, float), VALUE: worth.to_numpy(float)})


def _importance(models: ModelSet, rows: pd.DataFrame) -> dict[str, float]:
    if rows.empty:
        return {}
    few = rows[:MOST_EXPLAINED].assign(horizon_days=models.tasks["churn"].horizon_days)
    effects = Explanation.of(models.churn, few).effects.abs().mean()
    of_features = effects[effects.index.isin(models.reference.features) & (effects > 0.0)]
    return (of_features / of_features.sum()).to_dict()


def _usual(then: Distribution, earlier: Sequence[pd.Series]) -> Usual:
    moved = [then.moved(values) for values in earlier if len(values)]
    if not moved:
        return Usual()
    furthest = [float(np.nanmax([0.0, *values])) for values in (
        [one.psi for one in moved],
        [one.ks for one in moved],
        [abs(one.missing - then.missing) for one in moved],
    )]  # fmt: skip
    return Usual(*furthest)
