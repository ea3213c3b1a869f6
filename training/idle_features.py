"""Which features the last trainings made no use of: advice what could be left out, nothing more.

How much a churn model uses a feature is the mean size of its effect on the churn probabilities of
the customers of now (explanation.py), as a share of all features' effects. Every registered model
is looked at with the same customers, so that only the models differ. Source: item 11.4, what is of
no use is thrown away.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from features.errors import UserError
from features.workspace import Workspace
from training import sampling
from training.card import MOST_EXPLAINED
from training.models.boosting import Boosting
from training.models.explanation import REPEAT_BUYING, Explanation

TRAININGS = 3  # one may leave a feature out by luck; that three in a row do is no luck
# A share of all effects: a hundred features below it move a risk by a hundredth of what all do.
NEGLIGIBLE = 1e-4


@dataclass(frozen=True)
class Idle:
    """What the last trainings made no use of.

    versions: of the churn models looked at, the newest first. shares: share of each feature in the
    effects of each version, features x versions, 0 to 1. idle: the features below NEGLIGIBLE in
    all of them, those of the smallest largest share first.
    """

    versions: Sequence[str]
    shares: pd.DataFrame
    idle: Sequence[str]


def importance(model: Boosting, rows: pd.DataFrame) -> pd.Series:
    """Share of each feature in the sizes of all effects on the churn probabilities of some rows.

    rows: the features, with horizon_days. Sums to 1; REPEAT_BUYING is among them.
    """
    size = Explanation.of(model, rows).effects.abs().mean()
    return size / max(float(size.sum()), np.finfo(float).tiny)


def idle(shares: pd.DataFrame) -> list[str]:
    """The features whose share is below NEGLIGIBLE in every column, the least used first."""
    most = shares.drop(index=REPEAT_BUYING, errors="ignore").max(axis=1)
    return most[most < NEGLIGIBLE].sort_values(kind="stable").index.tolist()


def of_trainings(space: Workspace, customers: pd.DataFrame, trainings: int = TRAININGS) -> Idle:
    """What the newest registered churn models made no use of, on the customers of now.

    customers: customer_id and every feature of customers who have bought; of many some are drawn.
    Raises UserError when fewer models are registered, or one needs features that are gone.
    """
    folders = registered(space)[:trainings]
    if len(folders) < trainings:
        raise UserError(
            f"The features of {trainings} trainings were asked for, but the workspace has "
            f"{len(folders)} registered. Train more often, or ask for fewer: --trainings."
        )
    share = sampling.MOST_CUSTOMERS / MOST_EXPLAINED  # so many fewer are drawn than to learn from
    some = customers[sampling.drawn(customers.customer_id, of=int(share * len(customers)))]
    found = {f"churn@{folder.name}": _importance_of(folder, some) for folder in folders}
    shares = pd.DataFrame(found).fillna(0.0)  # a feature that a model does not know has no effect
    return Idle(list(found), shares, idle(shares))


def registered(space: Workspace) -> list[Path]:
    """The folders of the churn models in the workspace, the newest version first."""
    folders = [path.parent for path in space.models.glob("churn/*/task.json")]
    return sorted(folders, key=lambda folder: int(folder.name), reverse=True)


def _importance_of(folder: Path, customers: pd.DataFrame) -> pd.Series:
    meta: Mapping[str, Any] = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    gone = sorted(set(meta["features"]) - set(customers))
    if gone:
        raise UserError(
            f"The model churn@{folder.name} needs {', '.join(gone[:5])}, which today's catalogue "
            "does not have. Ask for fewer trainings: --trainings."
        )
    rows = customers.assign(horizon_days=meta["horizon_days"]).reset_index(drop=True)
    return importance(Boosting.load(folder), rows)
