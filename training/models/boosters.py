"""XGBoost as this project uses it: one set of parameters, an offset, and the trees that help."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

from training.models.shallow_trees import ShallowTrees

# Several classes or quantiles are several trees a round: larger steps, or they take all the time.
MANY_TREES_ETA = 0.15
MOST_ROUNDS = 300
PATIENCE = 25  # rounds without gain on the customers kept aside
# A leaf stands on at least so many effective rows: 40 coin tosses know their rate to 8 points.
LEAST_LEAF_ROWS = 40.0


@dataclass(frozen=True)
class Trees:
    """How trees are grown. The defaults are the same for all data; a search may find others.

    Shallow, slow and strongly smoothed: the offset already knows most, and panels of overlapping
    cut-offs hold less than their number of rows says (MODELS 2.13, step 6).
    eta: step of a round. max_depth: at most 3, since deeper ones cannot be looked up
    (shallow_trees.py). subsample, colsample_bytree: shares of rows and columns a tree sees.
    smoothing: weight of the L2 penalty on a leaf. least_leaf_rows: effective rows of a leaf.
    """

    eta: float = 0.05
    max_depth: int = 3
    subsample: float = 0.7
    colsample_bytree: float = 0.6
    smoothing: float = 8.0
    least_leaf_rows: float = LEAST_LEAF_ROWS

    def parameters(self) -> dict[str, Any]:
        """What XGBoost is told."""
        told: dict[str, Any] = asdict(self)
        del told["least_leaf_rows"]  # see leaf_weight
        return told | {"lambda": told.pop("smoothing")}


STANDARD = Trees()
PARAMETERS: dict[str, object] = {
    **STANDARD.parameters(),
    "max_bin": 64, "tree_method": "hist", "nthread": 2, "seed": 0, "verbosity": 0,
}  # fmt: skip
# To hand a matrix to XGBoost takes as long as a hundred rows go down the trees here.
FEW = 64
# Made when a booster that is fitted is first looked up, and gone with it.
_LOOKED_UP: WeakKeyDictionary[xgb.Booster, ShallowTrees | None] = WeakKeyDictionary()


def leaf_weight(share: float, rows: float = LEAST_LEAF_ROWS) -> float:
    """min_child_weight for a yes/no outcome of a given rate: curvature of so many rows."""
    return max(rows * share * (1.0 - share), 1.0)


def fit(
    matrix: NDArray,
    label: NDArray,
    *,
    offset: NDArray | None,
    weight: NDArray,
    aside: NDArray,
    columns: list[str],
    **parameters: object,
) -> xgb.Booster:
    """Trees on all rows, as many as helped on the rows `aside` when fitted without them.

    aside: boolean, (n,), the rows of customers kept aside; offset: base margin, (n,) or (n, k).
    """
    given = PARAMETERS | parameters

    def data(rows: NDArray) -> xgb.DMatrix:
        margin = None if offset is None else offset[rows]
        return xgb.DMatrix(
            matrix[rows], label[rows], weight=weight[rows], base_margin=margin,
            feature_names=columns,
        )  # fmt: skip

    rounds = MOST_ROUNDS // 3  # without rows on both sides there is nothing to choose by
    if aside.any() and not aside.all():
        searched = xgb.train(
            given, data(~aside), MOST_ROUNDS, evals=[(data(aside), "aside")],
            early_stopping_rounds=PATIENCE, verbose_eval=False,
        )  # fmt: skip
        rounds = searched.best_iteration + 1
    return xgb.train(given, data(np.ones(len(label), dtype=bool)), rounds)


@dataclass(frozen=True)
class Inputs:
    """A matrix that several boosters read: to hand it over takes longer than to go down the trees.

    matrix: float32, (n, columns), missing as NaN. Columns are checked where it is made, by names.
    """

    matrix: NDArray[np.float32]

    @cached_property
    def data(self) -> xgb.DMatrix:
        """The matrix in XGBoost's hands."""
        return xgb.DMatrix(self.matrix)


def predict(booster: xgb.Booster, inputs: Inputs, offset: NDArray) -> NDArray[np.float64]:
    """Raw margins of the rows, (n,) or (n, k), on top of offsets of the same shape.

    Of a few rows they are looked up, to the same bits.
    """
    base = np.asarray(offset, dtype=np.float32)
    trees = _looked_up(booster) if len(base) <= FEW else None
    if trees is not None:
        return trees.margins(inputs.matrix, base).astype(np.float64)
    inputs.data.set_base_margin(base)
    raw = booster.predict(inputs.data, output_margin=True, validate_features=False)
    return np.asarray(raw, dtype=np.float64)


def contributions(booster: xgb.Booster, inputs: Inputs) -> NDArray[np.float64]:
    """Shapley values of the one margin, (n, columns), without the constant.

    Trees that cannot be looked up are left to XGBoost, which takes far longer.
    """
    trees = _looked_up(booster)
    if trees is not None and trees.outputs == 1:
        return trees.contributions(inputs.matrix)
    found = booster.predict(inputs.data, pred_contribs=True, validate_features=False)
    return found[:, :-1].astype(np.float64)


def _looked_up(booster: xgb.Booster) -> ShallowTrees | None:
    if booster not in _LOOKED_UP:
        _LOOKED_UP[booster] = ShallowTrees.of(booster)
    return _LOOKED_UP[booster]


def save(booster: xgb.Booster, path: Path) -> None:
    """Write a booster as .ubj."""
    booster.save_model(path)


def load(path: Path) -> xgb.Booster:
    """The booster that `save` wrote, on one thread: a service scales by workers."""
    booster = xgb.Booster(model_file=path)
    booster.set_param({"nthread": 1})
    return booster
