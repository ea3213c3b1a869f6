"""Probes for leaks: signs that a test is too good to be true, each of which stops a training.

A forecast of people is never nearly perfect. When it seems so, something of the answer has slipped
into the question: a column filled in after the customer left, or a past that was written later.
Sources of the signs: published leaks, such as those of the KKBox churn data (AUC .99 when customers
are split at random, .64 when time is).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray

from features.errors import UserError
from training.evaluate import Backtest
from training.metrics import roc_auc
from training.models import boosters
from training.models.design import Design
from training.sampling import kept_aside, thinned
from training.tasks import CHURN, Task

# No honest forecast of shoppers came near in any published study of the sets we know.
MOST_AUC = 0.95
# Subscribers are surer: who paid for a year buys nothing in it, so when and for how much a customer
# bought may alone reach MOST_AUC, and then no column is to blame. The limit is where the columns
# brought in would take away half of what purchases alone get wrong, and never above LEAK_AUC, the
# level of the published leaks.
PURCHASES = ("recency", "age", "purchase_days_total", "day_amount_last", "day_amount_mean")
LEAK_AUC = 0.99
# The same learner, tested on other customers of the same moments and on a later moment: on sets
# without a leak the two differ by a few points of AUC.
MOST_GAP = 0.15
LEAST_TESTED = 100  # of each outcome: below it an AUC is too rough to accuse anybody
NOT_RUN = "Leakage probes were not run"
ROUNDS = 60  # enough for a learner that is to be compared with itself only


def check(test: Backtest, features: Sequence[str], churn: Task = CHURN) -> str:
    """Refuse to go on when a test of the churn forecast is too good to be true; else say so.

    churn: the question tested.

    Raises UserError for a single feature, or a model, that separates the active customers with an
    AUC above MOST_AUC (more where purchases alone come near it), and for a learner that knows other
    customers of the same moments far better than a later moment.
    """
    active = test.held_out[test.held_out.is_active]
    bought = active.bought.to_numpy(dtype=float)
    if min(bought.sum(), len(bought) - bought.sum()) < LEAST_TESTED:
        return (
            f"{NOT_RUN}: they need {LEAST_TESTED} customers who left and as many "
            f"who stayed, and of {len(active):,} active ones {int(bought.sum()):,} stayed."
        )
    panel = test.panel[
        churn.rule.is_asked(test.panel, test.panel.horizon_days.to_numpy(dtype=float))
    ]
    most = _most_auc(panel, active, bought, features)
    looked_at = _refuse_prophets(active, bought, features, most)
    auc = roc_auc(bought, active.purchase_probability)
    if auc > most:
        raise UserError(
            f"The churn model was tested on an earlier moment and its AUC is {auc:.3f}, which no "
            "honest forecast of people reaches: something of the answer is in the features. Look "
            "at the columns you brought in for one that is filled in when a customer leaves."
        )
    gap = _refuse_gap(panel, active, bought, features)
    learner = "" if gap is None else (
        f"; a learner has {gap[0]:.3f} on other customers of its own moments, {gap[1]:.3f} on a "
        f"later moment (at most {MOST_GAP} apart)"
    )  # fmt: skip
    return (
        f"Leakage probes passed: none of {looked_at} features alone, nor the model (AUC "
        f"{auc:.3f}), tells {len(active):,} active customers apart with an AUC above {most:.2f}"
        f"{learner}."
    )


def _most_auc(
    panel: pd.DataFrame, active: pd.DataFrame, bought: NDArray, features: Sequence[str]
) -> float:
    """The AUC above which a leak is the likelier reason, from MOST_AUC to LEAK_AUC."""
    aucs = _aucs(panel, active, bought, [name for name in PURCHASES if name in features])
    wrong = 1.0 - aucs[1] if aucs else 1.0
    return float(np.clip(1.0 - wrong / 2.0, MOST_AUC, LEAK_AUC))


def _refuse_prophets(
    active: pd.DataFrame, bought: NDArray, features: Sequence[str], most: float
) -> int:
    """How many features were looked at: those that are numbers."""
    numeric = [name for name in features if pd.api.types.is_numeric_dtype(active[name])]
    for name in numeric:
        values = active[name].to_numpy(dtype=float, na_value=np.nan)
        auc = _separation(bought, values)
        if auc > most:
            raise UserError(
                f"The feature {name} alone tells who stayed in the days after it with an AUC of "
                f"{auc:.3f}: it knows the future. Look when its column is filled in; give that "
                "moment as known_at, or leave the column out."
            )
    return len(numeric)


def _separation(bought: NDArray, values: NDArray) -> float:
    """AUC of a feature in the better direction; what is missing ranks below or above all."""
    known = np.isfinite(values)
    if not known.any():
        return 0.5
    ends = float(values[known].min()) - 1.0, float(values[known].max()) + 1.0
    aucs = [roc_auc(bought, _ranks(np.where(known, values, end))) for end in ends]
    return max(max(auc, 1.0 - auc) for auc in aucs)


def _ranks(values: NDArray) -> NDArray[np.float64]:
    """Values as chances, in their order, because the metric takes chances."""
    _, ranks = np.unique(values, return_inverse=True)
    return ranks / max(int(ranks.max()), 1)


def _refuse_gap(
    panel: pd.DataFrame, active: pd.DataFrame, bought: NDArray, features: Sequence[str]
) -> tuple[float, float] | None:
    aucs = _aucs(panel, active, bought, features)
    if aucs and aucs[0] - aucs[1] > MOST_GAP:
        raise UserError(
            f"A learner tells other customers of the same moments with an AUC of {aucs[0]:.3f}, "
            f"but those of a later moment with only {aucs[1]:.3f}: what it learnt from the past "
            "was written there afterwards. Look for a column whose old values were filled in later."
        )
    return aucs


def _aucs(
    panel: pd.DataFrame, active: pd.DataFrame, bought: NDArray, features: Sequence[str]
) -> tuple[float, float] | None:
    """AUC of a plain learner on other customers of the same moments, and on the later moment.

    None where nothing can be learnt: without features, or with one outcome only.
    """
    rows = thinned(panel)
    aside = kept_aside(rows.customer_id)
    label = rows.bought.to_numpy(dtype=float)
    if not all(0.0 < label[part].mean() < 1.0 for part in (aside, ~aside) if part.any()):
        return None
    design = Design.of(rows, features)
    if not design.columns:
        return None
    matrix = design.matrix(rows)
    learner = xgb.train(
        boosters.PARAMETERS | {"objective": "binary:logistic"},
        xgb.DMatrix(matrix[~aside], label[~aside]),
        ROUNDS,
    )
    other = roc_auc(label[aside], learner.inplace_predict(matrix[aside]))
    return other, roc_auc(bought, learner.inplace_predict(design.matrix(active)))
