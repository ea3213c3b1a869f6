"""What a contact changes, learnt from past campaigns with control groups, and whether to trust it.

Two learners on the same trees: one model of each group and their difference (T-learner: Kuenzel,
Sekhon, Bickel, Yu (2019), Metalearners for estimating heterogeneous treatment effects, PNAS
116(10)), and a regression of the doubly robust pseudo-outcome (DR-learner: Kennedy (2023), Towards
optimal doubly robust estimation of heterogeneous causal effects, EJS 17(2)). The answer is the
second's, fixed before any test: it is right when either the outcome or who was treated is. All that
is told of them is told of customers who were not learnt from.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray

from features.columns import Rows
from features.store import FeatureStore
from training import campaigns
from training.models import boosters
from training.models.design import Design
from training.qini import Estimate, qini, share_above
from training.sampling import kept_aside

log = logging.getLogger(__name__)
FloatArray = NDArray[np.float64]

FOLDS = 3  # of customers; each learner is told of a third it has not seen
# A pseudo-outcome has a standard deviation of about one: of 400 its mean is known to 5 points.
LEAST_EFFECT_ROWS = 400.0
# A chance to be treated beyond these would let a few customers carry the whole estimate.
SURE = (0.05, 0.95)
_BOOSTERS = ("treated", "control", "effect_trees")


@dataclass(frozen=True)
class Proof:
    """What campaigns did, of customers not learnt from; each an Estimate with its 95 % interval.

    effect: of a contact on the chance to buy within the horizon. save_rate: share of leavers it
    kept, (churn of control - churn of treated) / churn of control. qini, qini_of_groups: area
    between the Qini curve and chance, of the DR- and of the T-learner. treated, control, campaigns:
    counts. imbalanced: features in which the groups differ.
    """

    effect: Estimate
    save_rate: Estimate
    qini: Estimate
    qini_of_groups: Estimate
    treated: int
    control: int
    campaigns: int
    imbalanced: int

    @property
    def basis(self) -> str:
        """individual, average or assumed: the most particular statement that is beyond chance."""
        if self.qini.low > 0.0:
            return "individual"
        return "average" if not self.effect.has_zero and not self.save_rate.has_zero else "assumed"

    def sentence(self) -> str:
        """Which effect may be used, and why."""
        what = {
            "individual": "The effect of a campaign is each customer's own, as past campaigns tell "
            f"(Qini {self.qini}).",
            "average": "Past campaigns do not tell whom they move (Qini "
            f"{self.qini}), so all are taken to be kept at the measured rate ({self.save_rate}).",
            "assumed": "What actions save is assumed: past campaigns tell neither whom they move "
            f"(Qini {self.qini}) nor that they keep anybody (effect {self.effect}).",
        }
        return what[self.basis]


@dataclass
class Uplift:
    """The effect of a contact on the chance to buy within the horizon, per customer."""

    horizon_days: int
    design: Design
    treated: xgb.Booster
    control: xgb.Booster
    effect_trees: xgb.Booster
    proof: Proof

    @classmethod
    def fit(cls, rows: pd.DataFrame, features: Sequence[str]) -> Uplift:
        """Learn from the rows of campaigns.panel, and test on customers left out in turn."""
        differing = campaigns.imbalanced(rows, features)
        design = Design.of(rows, features)
        data = _Data.of(rows, design, is_by_lot=differing.empty)
        fold = _folds(rows.customer_id, FOLDS, "fold of customer")
        by_effect, by_groups = np.empty(len(rows)), np.empty(len(rows))
        for number in range(FOLDS):
            out, learner = fold == number, _learn(data, np.flatnonzero(fold != number))
            by_effect[out] = learner.effect(data.matrix[out])
            by_groups[out] = learner.of_groups(data.matrix[out])
        scores = _doubly_robust(data, np.arange(len(rows)), fold)
        proof = _proof(rows, data, scores, by_effect, by_groups, len(differing))
        final = _learn(data, np.arange(len(rows)))
        horizon = int(rows.horizon_days.iloc[0])
        return cls(horizon, design, final.treated, final.control, final.trees, proof)

    def effect(self, rows: Rows) -> FloatArray:
        """By the DR-learner: points of the chance to buy that a contact adds, (n,)."""
        return self._learner.effect(self.design.matrix(rows))

    def effect_of_groups(self, rows: Rows) -> FloatArray:
        """The same by the T-learner."""
        return self._learner.of_groups(self.design.matrix(rows))

    @property
    def _learner(self) -> _Learner:
        return _Learner(self.treated, self.control, self.effect_trees)

    def save(self, folder: Path) -> None:
        """Write uplift.json and a .ubj for each booster."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in _BOOSTERS:
            boosters.save(getattr(self, name), folder / f"{name}.ubj")
        meta = {"horizon_days": self.horizon_days, "design": self.design.to_dict(),
                "proof": asdict(self.proof)}  # fmt: skip
        (folder / "uplift.json").write_text(json.dumps(meta), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Uplift:
        """What `save` wrote."""
        meta = json.loads((folder / "uplift.json").read_text(encoding="utf-8"))
        proof: dict[str, Any] = {
            k: Estimate(**v) if isinstance(v, dict) else v for k, v in meta["proof"].items()
        }
        trees = {name: boosters.load(folder / f"{name}.ubj") for name in _BOOSTERS}
        design = Design.from_dict(meta["design"])
        return cls(meta["horizon_days"], design, proof=Proof(**proof), **trees)


def learn(
    store: FeatureStore,
    as_of: datetime,
    horizon_days: int,
    progress: Callable[[str], None] = log.info,
) -> Uplift:
    """Learn from the campaigns in a business's interactions whose horizon was over by `as_of`.

    Raises UserError without campaigns, without control groups, or with too few customers in them.
    """
    rows = campaigns.panel(store, as_of, horizon_days, progress)
    progress(f"effects of contacts on {len(rows):,} customers of campaigns")
    return Uplift.fit(rows, store.feature_names)


@dataclass(frozen=True)
class _Data:
    """What the learners read of each row: matrix, bought and treated (0 or 1), and more.

    propensity: share of the campaign that was treated, by lot; None to learn it. aside: chooses the
    number of trees. half: of the customers, 0 or 1.
    """

    matrix: NDArray[np.float32]
    bought: FloatArray
    treated: FloatArray
    propensity: FloatArray | None
    aside: NDArray[np.bool_]
    half: NDArray[np.intp]
    columns: list[str]

    @classmethod
    def of(cls, rows: pd.DataFrame, design: Design, is_by_lot: bool) -> _Data:
        shares = campaigns.shares_treated(rows) if is_by_lot else None
        return cls(
            design.matrix(rows), rows.bought.to_numpy(dtype=np.float64),
            rows.treated.to_numpy(dtype=np.float64), shares, kept_aside(rows.customer_id),
            _folds(rows.customer_id, 2, "half of customer"), design.columns,
        )  # fmt: skip

    def chance(self, label: FloatArray, rows: NDArray[np.intp]) -> xgb.Booster:
        """Trees of a chance on some rows."""
        weight = boosters.leaf_weight(float(label[rows].mean()))
        return self._fit(label[rows], rows, objective="binary:logistic", min_child_weight=weight)

    def mean(self, label: FloatArray, rows: NDArray[np.intp]) -> xgb.Booster:
        """Trees of a mean on some rows; label: of these rows."""
        return self._fit(
            label, rows, objective="reg:squarederror", min_child_weight=LEAST_EFFECT_ROWS
        )

    def _fit(self, label: FloatArray, rows: NDArray[np.intp], **goal: object) -> xgb.Booster:
        return boosters.fit(
            self.matrix[rows], label, offset=None, weight=np.ones(len(rows)),
            aside=self.aside[rows], columns=self.columns, **goal,
        )  # fmt: skip


@dataclass(frozen=True)
class _Learner:
    treated: xgb.Booster
    control: xgb.Booster
    trees: xgb.Booster

    def effect(self, matrix: NDArray[np.float32]) -> FloatArray:
        return _answers(self.trees, matrix)

    def of_groups(self, matrix: NDArray[np.float32]) -> FloatArray:
        return _answers(self.treated, matrix) - _answers(self.control, matrix)


def _learn(data: _Data, rows: NDArray[np.intp]) -> _Learner:
    """Both learners from some rows alone; pseudo-outcomes are of halves that do not see them."""
    treated, control = _of_groups(data, rows)
    scores = _doubly_robust(data, rows, data.half[rows])
    return _Learner(treated, control, data.mean(scores[0] - scores[1], rows))


def _of_groups(data: _Data, rows: NDArray[np.intp]) -> tuple[xgb.Booster, xgb.Booster]:
    is_treated = data.treated[rows] == 1.0
    return data.chance(data.bought, rows[is_treated]), data.chance(data.bought, rows[~is_treated])


def _doubly_robust(
    data: _Data, rows: NDArray[np.intp], fold: NDArray[np.intp]
) -> tuple[FloatArray, FloatArray]:
    """Pseudo-outcomes of being treated and of being spared, (n,) each, cross-fitted over the folds.

    Their means are the chances to buy of everybody treated and of everybody spared; Kennedy (2023),
    algorithm 1.
    """
    found = np.empty((2, len(rows)))
    for number in np.unique(fold):
        out, learnt = fold == number, rows[fold != number]
        asked = rows[out]
        chance = np.clip(_propensity(data, learnt, asked), *SURE)
        for group, trees in enumerate(_of_groups(data, learnt)):
            mean = _answers(trees, data.matrix[asked])
            was = data.treated[asked] if group == 0 else 1.0 - data.treated[asked]
            share = chance if group == 0 else 1.0 - chance
            found[group, out] = mean + was * (data.bought[asked] - mean) / share
    return found[0], found[1]


def _propensity(data: _Data, learnt: NDArray[np.intp], asked: NDArray[np.intp]) -> FloatArray:
    if data.propensity is not None:
        return data.propensity[asked]
    return _answers(data.chance(data.treated, learnt), data.matrix[asked])


def _answers(trees: xgb.Booster, matrix: NDArray[np.float32]) -> FloatArray:
    found = trees.predict(xgb.DMatrix(matrix), validate_features=False)
    return np.asarray(found, dtype=np.float64)


def _folds(customers: pd.Series, count: int, key: str) -> NDArray[np.intp]:
    """The fold of each row's customer, (n,); another key (of 16 letters) divides otherwise."""
    hashed = pd.util.hash_pandas_object(customers.astype(str), index=False, hash_key=key)
    return (hashed.to_numpy(dtype=np.uint64) % count).astype(np.intp)


def _proof(
    rows: pd.DataFrame,
    data: _Data,
    scores: tuple[FloatArray, FloatArray],
    by_effect: FloatArray,
    by_groups: FloatArray,
    imbalanced: int,
) -> Proof:
    customer = rows.customer_id.to_numpy()
    if_treated, if_spared = scores
    effect = share_above(if_treated - if_spared, np.ones(len(rows)), customer)
    # Who is kept is counted in churn: 1 - P(buys) of the spared is what could be kept.
    rate = share_above(if_treated - if_spared, 1.0 - if_spared, customer)
    chance = data.propensity if data.propensity is not None else data.treated.mean()
    of = (data.bought, data.treated, chance, customer)
    treated = int(data.treated.sum())
    return Proof(
        effect, rate, qini(by_effect, *of), qini(by_groups, *of), treated, len(rows) - treated,
        int(rows.campaign.nunique()), imbalanced,
    )  # fmt: skip
