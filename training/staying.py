"""P(stays) by a churn definition that asks for something else than a purchase.

The same stack as that of a purchase, on the same buy-till-you-die forecast, learnt from those who
could leave: of who had left before, the definition asks nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from features.errors import UserError
from features.store import FeatureStore
from training import frame, split
from training.exposure import AS_THEY_ARE, Treated
from training.level import Level
from training.models.boosters import STANDARD, Trees
from training.models.boosting import MEMBERS, MOST_LOG_ODDS, Boosting
from training.models.offsets import Offsets
from training.sampling import counted, standing
from training.tasks import STAYS, Task

if TYPE_CHECKING:
    from training.evaluate import Backtest

# Of each outcome: below it nobody could say whether a forecast of them is right (evaluate.py).
LEAST_OUTCOMES = 30


def asking(panel: pd.DataFrame, churn: Task) -> pd.DataFrame:
    """The rows asked about, with the answer in the place of the purchase.

    Learners, tests and reports read what they forecast from `bought`.
    """
    if churn.rule.asks_for_purchase:
        return panel
    asked = panel[churn.rule.is_asked(panel, panel.horizon_days.to_numpy(dtype=float))]
    return answering(asked).reset_index(drop=True)


def answering(rows: pd.DataFrame) -> pd.DataFrame:
    """The same of all rows, whoever they are."""
    return rows.assign(bought=rows[STAYS]).drop(columns=STAYS)


def learn(
    store: FeatureStore,
    churn: Task,
    today: pd.DataFrame,
    as_of: datetime,
    test: Backtest | None,
    trees: Trees = STANDARD,
    treated: Treated = AS_THEY_ARE,
) -> tuple[Boosting, pd.DataFrame]:
    """The model for the customers of today, calibrated by its test, and what it learnt from.

    The snapshots of the cut-offs must be built. Raises UserError as `fit` does.
    """
    panel = panel_of(store, churn, as_of, treated)
    model = fit(panel, today, as_of, store.feature_names, churn, trees)
    if test is not None and isinstance(test.model, Boosting):
        tested = test.held_out[test.held_out.is_active]
        model.calibrate(test.model, tested, today[churn.is_asked(today)])
    return model, asking(panel, churn)


def panel_of(
    store: FeatureStore, churn: Task, as_of: datetime, treated: Treated = AS_THEY_ARE
) -> pd.DataFrame:
    """The panel of the matured cut-offs at a moment, which must be built."""
    first, days = frame.first_event(store), churn.horizon_days
    cutoffs = split.training_cutoffs(first, as_of, days, churn.rule.wait_days)
    return frame.panel(store, cutoffs, known_by=as_of, churn=churn, treated=treated)


def fit(
    panel: pd.DataFrame,
    today: pd.DataFrame,
    as_of: datetime,
    features: Sequence[str],
    churn: Task,
    trees: Trees = STANDARD,
) -> Boosting:
    """The stack of the chance to stay, for the customers of `today`; see Boosting.fit.

    panel: with the outcome of STAYS beside `bought` and `value`. Raises UserError when too few left
    or stayed, or when nobody can leave today.
    """
    offsets, rows = Offsets.learn(panel, today, as_of)
    rows = asking(rows, churn)
    present = today[churn.rule.is_asked(today, today.horizon_days.to_numpy(dtype=float))]
    _refuse_too_few(counted(rows), present, churn)
    tilt = _tilt(rows)
    rows["offset_odds"] = tilt * rows.logit_purchase
    shift = rows.groupby(["as_of", "horizon_days"])[["offset_odds", "bought", "stands_for"]].apply(
        _shift
    )
    moments = pd.MultiIndex.from_frame(rows[["as_of", "horizon_days"]])
    rows["offset_odds"] += shift.reindex(moments).to_numpy()
    # All of it is carried on, unlike the level of purchases (training/level.py): what lies between
    # to stay and to buy belongs to the business, and not to a season.
    level = Level(float(shift.mean()), offsets.level.money, tilt)
    offsets = Offsets(offsets.repeat_buying, level)
    model = Boosting.on_offsets(offsets, rows, present, features, trees)
    # Of purchases the forecast deserves a start before the learners (training/models/stack.py); of
    # staying it is a tilted forecast of something else, and one of equals.
    model.weights = [1.0 / len(MEMBERS)] * len(MEMBERS)
    model.settle(offsets.columns(present))
    return model


def _tilt(rows: pd.DataFrame) -> float:
    """What a unit of the log odds of a purchase is worth in those of staying.

    Not one, and it may be negative: who has paid for a year stays and buys nothing.
    """
    log_odds = rows.logit_purchase.to_numpy(dtype=float).reshape(-1, 1)
    stays = rows.bought.to_numpy(dtype=float)
    return float(LogisticRegression().fit(log_odds, stays, standing(rows)).coef_[0, 0])


def _shift(rows: pd.DataFrame) -> float:
    """What makes such a forecast right in total at one cut-off, on the log odds."""
    log_odds = rows.offset_odds.to_numpy(dtype=float)
    stays, stands = rows.bought.to_numpy(dtype=float), standing(rows)
    # As if one more had stayed, and one had left: no rate of a few is 0 or 1.
    rate = ((stands * stays).sum() + 1.0) / (stands.sum() + 2.0)

    def gap(shift: float) -> float:
        return float(np.average(expit(log_odds + shift), weights=stands)) - rate

    return float(brentq(gap, -MOST_LOG_ODDS, MOST_LOG_ODDS))


def _refuse_too_few(rows: pd.DataFrame, present: pd.DataFrame, churn: Task) -> None:
    stayed: NDArray = rows.bought.to_numpy(dtype=float)
    left = int(len(stayed) - stayed.sum())
    if min(left, len(stayed) - left) < LEAST_OUTCOMES:
        raise UserError(
            f"Churn by {churn.rule.kind} was asked for, but at the past moments to learn from "
            f"{left} left and {len(stayed) - left} stayed, and {LEAST_OUTCOMES} of each are "
            "needed. Bring a longer history, or use a longer horizon or another definition."
        )
    if present.empty:
        raise UserError(
            f"Churn by {churn.rule.kind} was asked for, but nobody is left who could still leave. "
            "Use another definition, or an earlier moment."
        )
