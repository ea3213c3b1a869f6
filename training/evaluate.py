"""The test of a procedure: as if it were an earlier day, and beside the baseline.

A backtest trains on what was known at the test origin and forecasts the days after it, whose
outcome is known by now. Nothing of those days is used in its training.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import pandas as pd

from features.errors import UserError
from features.store import FeatureStore
from training import frame, segments, split, staying
from training.exposure import AS_THEY_ARE, Treated
from training.metrics import CHURN_METRICS, TYPE_METRICS, VALUE_METRICS
from training.models import RIVALS
from training.models.boosters import STANDARD, Trees
from training.models.boosting import Boosting
from training.models.churn_type import ChurnType, told
from training.models.tier import TierTransition
from training.models.two_part import TwoPart
from training.sampling import counted
from training.split import CutOff
from training.tasks import CHURN, TIERS, Task

log = logging.getLogger(__name__)

# The least leavers on which the log-loss of six causes says anything.
LEAST_TYPED = 30


@dataclass(frozen=True)
class Backtest:
    """Forecasts at a test origin beside what happened.

    held_out: one row per customer with a purchase by the origin: features, outcomes, forecasts of
    the model (purchase_probability, expected_value, ..., for `clv` also the interval) and of the
    baseline (baseline_probability, baseline_value), and is_active: who is asked about. Where churn
    is something else than no purchase, bought and purchase_probability are of who stays by its
    definition, and the panel has those asked about alone. model: what was tested. panel: what it
    learnt from. seconds: what the forecasts took, from the events on; of snapshots that
    were there already, what the others took; NaN when all were there.
    """

    origin: CutOff
    panel: pd.DataFrame
    held_out: pd.DataFrame
    model: Boosting | TwoPart
    seconds: float = np.nan

    @cached_property
    def churn_groups(self) -> pd.DataFrame:
        """How right it was on churn, by group (segments.of_churn), worked out once."""
        return segments.of_churn([self])

    @cached_property
    def value_groups(self) -> pd.DataFrame:
        """How right it was on value, by group (segments.of_value), worked out once."""
        return segments.of_value([self])


def backtest(
    store: FeatureStore,
    now: datetime,
    horizon_days: int,
    kind: type[Boosting] | type[TwoPart],
    churn: Task = CHURN,
    trees: Trees = STANDARD,
    treated: Treated = AS_THEY_ARE,
) -> Backtest | None:
    """Test a model class at the newest origin; None when the history is too short for a test.

    churn: the question whose active customers are meant, and what they are tested for; its horizon
    is that of the test. treated: by control, who was treated is not among the held out either. All
    snapshots it needs are built.
    """
    try:
        origin, panel, today, seconds = at_origin(store, now, horizon_days, churn, treated)
        start = time.perf_counter()
        model, forecast = _forecast(kind, panel, today, store.feature_names, churn, trees)
    except UserError as reason:
        log.info("no test at an earlier moment: %s", reason)
        return None
    seconds += time.perf_counter() - start
    if not churn.rule.asks_for_purchase:
        panel, today = staying.asking(panel, churn), staying.answering(today)
    held_out = today.join(forecast).assign(
        **_of_rivals(panel, today),
        is_active=churn.rule.is_asked(today, origin.horizon_days),
        bought=today.bought.astype(float),
    )
    held_out = counted(held_out).reset_index(drop=True)
    return Backtest(origin, panel, held_out, model, seconds)


def _forecast(
    kind: type[Boosting] | type[TwoPart],
    panel: pd.DataFrame,
    today: pd.DataFrame,
    features: Sequence[str],
    churn: Task,
    trees: Trees,
) -> tuple[Boosting | TwoPart, pd.DataFrame]:
    """A model learnt from a panel, and its forecast of the customers of today."""
    as_of, asks_for_purchase = today.as_of.iloc[0].to_pydatetime(), churn.rule.asks_for_purchase
    if issubclass(kind, TwoPart):
        value = kind.fit(panel, today, as_of, features, trees)
        forecast = value.predict(today)
        if not asks_for_purchase:
            stays = staying.fit(panel, today, as_of, features, churn, trees)
            forecast = forecast.assign(purchase_probability=stays.predict(today))
        return value, forecast
    model = (kind.fit(panel, today, as_of, features, trees) if asks_for_purchase
             else staying.fit(panel, today, as_of, features, churn, trees))  # fmt: skip
    chances = {"purchase_probability": model.predict(today)}
    return model, pd.DataFrame(chances, index=today.index)


def _of_rivals(panel: pd.DataFrame, today: pd.DataFrame) -> dict[str, pd.Series]:
    """<name>_probability and <name>_value of each rival, learnt from the same panel."""
    said = {name: rival.fit(panel).predict(today) for name, rival in RIVALS.items()}
    return {
        f"{name}_{short}": rows[column]
        for name, rows in said.items()
        for short, column in (("probability", "purchase_probability"), ("value", "expected_value"))
    }


def at_origin(
    store: FeatureStore,
    now: datetime,
    horizon_days: int,
    churn: Task = CHURN,
    treated: Treated = AS_THEY_ARE,
) -> tuple[CutOff, pd.DataFrame, pd.DataFrame, float]:
    """What a test at the newest origin is made of, with all snapshots built.

    Returns the origin, the panel to learn from, the customers to forecast with what came, and the
    seconds it took from the events on. Raises UserError when the history is too short.
    """
    origin = newest_origin(store, now, horizon_days, churn)
    of_features = _prepared(store, (*_cutoffs(store, origin, churn), origin))
    start = time.perf_counter()
    panel = panel_of(store, origin, churn, treated)
    today = frame.panel(store, [origin], known_by=now, churn=churn, treated=treated)
    return origin, panel, today, of_features + time.perf_counter() - start


def newest_origin(
    store: FeatureStore, now: datetime, horizon_days: int, churn: Task = CHURN
) -> CutOff:
    """The newest moment at which a test can stand; see split.test_origin."""
    return split.test_origin(frame.first_event(store), now, horizon_days, churn.rule.wait_days)


def panel_of(
    store: FeatureStore, origin: CutOff, churn: Task = CHURN, treated: Treated = AS_THEY_ARE
) -> pd.DataFrame:
    """What a test at an origin learns from; its snapshots are built."""
    cutoffs = _cutoffs(store, origin, churn)
    return frame.panel(store, cutoffs, known_by=origin.as_of, churn=churn, treated=treated)


def _cutoffs(store: FeatureStore, origin: CutOff, churn: Task) -> tuple[CutOff, ...]:
    first, wait = frame.first_event(store), churn.rule.wait_days
    return split.training_cutoffs(first, origin.as_of, origin.horizon_days, wait)


def _prepared(store: FeatureStore, needed: Sequence[CutOff]) -> float:
    """Build the snapshots that are missing; returns the seconds that all of them take."""
    snapshots = store.snapshots
    moments = [cutoff.as_of for cutoff in needed]
    built = [all(snapshots.is_built(f, at) for f in snapshots.families) for at in moments]
    start = time.perf_counter()
    for _ in store.build(moments):
        pass
    seconds = time.perf_counter() - start
    store.apply()
    missing = built.count(False)
    return seconds / missing * len(moments) if missing else np.nan


def purchase_metrics(held_out: pd.DataFrame) -> pd.DataFrame:
    """Churn metrics of model and baseline on the active customers: task, model, metric, value."""
    active = held_out[held_out.is_active]
    left = 1.0 - active.bought.to_numpy(dtype=float)
    forecasts = {"model": active.purchase_probability} | _of_tested(active, "probability")
    return _table(
        ("churn", name, metric, function(left, 1.0 - np.asarray(chance, dtype=float)))
        for name, chance in forecasts.items()
        for metric, function in CHURN_METRICS.items()
        if len(active)
    )


def _of_tested(held_out: pd.DataFrame, short: str) -> dict[str, pd.Series]:
    """What each rival of a test said, by its name."""
    named = {name: f"{name}_{short}" for name in RIVALS}
    return {name: held_out[column] for name, column in named.items() if column in held_out}


def value_metrics(held_out: pd.DataFrame) -> pd.DataFrame:
    """Value metrics of mean, median and baseline on all customers: task, model, metric, value."""
    value = held_out.value.to_numpy(dtype=float)
    forecasts = {
        "model": held_out.expected_value,
        "model (median)": held_out.expected_value_median,
    } | _of_tested(held_out, "value")
    inside = (held_out.expected_value_low <= value) & (value <= held_out.expected_value_high)
    rows = [
        ("clv", name, metric, function(value, np.asarray(forecast, dtype=float)))
        for name, forecast in forecasts.items()
        for metric, function in VALUE_METRICS.items()
    ]
    return _table([*rows, ("clv", "model", "coverage_90", float(inside.mean()))])


def type_test(
    test: Backtest, features: Sequence[str], churn: Task = CHURN
) -> tuple[pd.DataFrame, float]:
    """Metrics of the causes at the origin of a churn test, and the strength that suits them.

    The causes are learnt from the panel of that test alone. churn: the question tested.
    """
    panel = test.panel
    asked = panel[churn.rule.is_asked(panel, test.origin.horizon_days)]
    model = ChurnType.fit(asked, features)
    leavers, label = _leavers(model, test.held_out)
    if len(leavers) < LEAST_TYPED:
        return _table([]), 1.0
    return type_metrics(model, test.held_out), model.strength_on(leavers, label)


def _leavers(model: ChurnType, held_out: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """The active customers who left and told a cause the model knows, and those causes.

    Causes that only the rules name are left out, and those told before: to forecast a rule from
    its own signs, or what is known, is no proof.
    """
    left = held_out.is_active & (held_out.bought == 0) & told(held_out).isna()
    given = held_out[left & held_out.closure_reason.isin(list(model.shares))]
    return given.reset_index(drop=True), given.closure_reason.reset_index(drop=True)


def type_metrics(model: ChurnType, held_out: pd.DataFrame) -> pd.DataFrame:
    """Metrics of the cause shares on those who left, beside the shares of the whole business."""
    leavers, label = _leavers(model, held_out)
    known = list(model.shares)
    if len(leavers) < LEAST_TYPED:
        return _table([])
    prior = pd.DataFrame([model.shares] * len(leavers))[known]
    return _class_metrics("churn_type", label, known, model.predict(leavers)[known], prior)


def tier_metrics(model: TierTransition, rows: pd.DataFrame) -> pd.DataFrame:
    """Metrics of the next tier on rows the model had not seen, beside the transition matrix."""
    known = [tier for tier in TIERS if (rows.tier_next == tier).any()]
    forecast, prior = model.predict(rows)[known], model.baseline(rows.tier)[known]
    if len(rows) < LEAST_TYPED or len(known) < 2 or not np.all(forecast.sum(axis=1) > 0):
        return _table([])
    shares = [table.div(table.sum(axis=1), axis=0) for table in (forecast, prior)]
    return _class_metrics("tier", rows.tier_next, known, *shares)


def _class_metrics(
    task: str, label: pd.Series, known: list[str], forecast: pd.DataFrame, prior: pd.DataFrame
) -> pd.DataFrame:
    position = label.map(known.index).to_numpy()
    return _table(
        (task, name, metric, function(position, np.asarray(shares, dtype=float)))
        for name, shares in (("model", forecast), ("baseline", prior))
        for metric, function in TYPE_METRICS.items()
    )


def _table(rows: object) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["task", "model", "metric", "value"])  # type: ignore[call-overload]
