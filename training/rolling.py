"""Rolling origins: the same test at several earlier moments, because one moment may be lucky.

Each origin is tested as if it were its own day: trained on cut-offs matured by then, so that no
training outcome reaches into the days tested (the embargo). Source of the protocol: Tashman (2000),
"Out-of-sample tests of forecasting accuracy", International Journal of Forecasting 16(4).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.store import FeatureStore
from training import evaluate
from training.evaluate import Backtest
from training.metrics import HIGHER_IS_BETTER, paired_bootstrap
from training.models.boosting import Boosting
from training.models.two_part import TwoPart

log = logging.getLogger(__name__)

ORIGINS = 4
# Origins half a horizon apart share half of their days at most: nearer they would say the same.
STEP = 0.5
# Below it the log of a chance would weigh one surprise like a thousand customers.
LEAST_CHANCE = 1e-4


def measure(
    store: FeatureStore,
    now: datetime,
    horizon_days: int,
    value_horizon_days: int,
    progress: Callable[[str], None] = log.info,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The summary and the gains of the churn and the value forecast at rolling origins.

    Where both have one horizon they are one forecast.
    """
    progress(f"value forecasts at {ORIGINS} earlier moments")
    value = backtests(store, now, value_horizon_days, TwoPart)
    if horizon_days == value_horizon_days:
        return summary(value), gains(value)
    progress(f"churn forecasts at {ORIGINS} earlier moments")
    churn = backtests(store, now, horizon_days, Boosting)
    of_value = summary(value)
    both = pd.concat([summary(churn), of_value[of_value.task == "clv"]], ignore_index=True)
    of_value = gains(value)
    return both, pd.concat([gains(churn), of_value[of_value.metric == "mae"]], ignore_index=True)


def backtests(
    store: FeatureStore,
    now: datetime,
    horizon_days: int,
    kind: type[Boosting] | type[TwoPart],
    origins: int = ORIGINS,
) -> list[Backtest]:
    """Tests at several origins, the newest first; fewer where the history ends, perhaps none."""
    step = timedelta(days=max(round(STEP * horizon_days), 1))
    tests = [evaluate.backtest(store, now - k * step, horizon_days, kind) for k in range(origins)]
    found: dict[datetime, Backtest] = {}
    for test in tests:
        if test is not None and test.origin.horizon_days == horizon_days:
            found.setdefault(test.origin.as_of, test)
    return list(found.values())


def summary(tests: Sequence[Backtest]) -> pd.DataFrame:
    """Model and baseline over the origins: task, model, metric, mean, deviation, worst, origins.

    worst: the value at the origin where the metric was worst. deviation: sample standard deviation
    over the origins, NaN for a single one.
    """
    tables = [_metrics(test).assign(origin=test.origin.as_of) for test in tests]
    columns = ["task", "model", "metric", "mean", "deviation", "worst", "origins"]
    if not tables:
        return pd.DataFrame(columns=columns)
    groups = pd.concat(tables).groupby(["task", "model", "metric"], sort=False)
    aggregates = {"mean": "mean", "deviation": "std", "low": "min", "high": "max",
                  "origins": "size"}  # fmt: skip
    found = groups.agg(**{name: ("value", how) for name, how in aggregates.items()}).reset_index()
    is_higher_better = found.metric.isin(HIGHER_IS_BETTER)
    found["worst"] = np.where(is_higher_better, found.low, found.high)
    return found[columns]


def gains(tests: Sequence[Backtest]) -> pd.DataFrame:
    """By how much the model beats the baseline, customer by customer of all origins.

    Columns metric, gain (mean loss of the baseline less that of the model), low, high: the 95 %
    interval of the paired bootstrap. Log-loss and Brier of active customers, absolute error of the
    value of all.
    """
    rows = []
    for name, losses in _losses(tests).items():
        worse, low, high = paired_bootstrap(*losses)
        rows.append((name, -worse, -high, -low))
    return pd.DataFrame(rows, columns=["metric", "gain", "low", "high"])


def in_words(found: pd.DataFrame, gained: pd.DataFrame) -> str:
    """Both tables as text, with what the forecast may know and when."""
    if found.empty:
        return "Not tested: the history is too short for a test at an earlier moment."
    tables = [
        table.to_string(index=False, float_format=lambda value: f"{value:.4g}", na_rep="")
        for table in (found, gained)
    ]
    return (
        f"{tables[0]}\n\nGain over the baseline, and its 95 % interval:\n{tables[1]}\n\n"
        "Lead time: the days forecast begin right after the moment of the features."
    )


def _metrics(test: Backtest) -> pd.DataFrame:
    found = evaluate.purchase_metrics(test.held_out)
    if isinstance(test.model, TwoPart):
        found = pd.concat([found, evaluate.value_metrics(test.held_out)])
    return found


def _losses(tests: Sequence[Backtest]) -> dict[str, tuple[NDArray, NDArray]]:
    """Loss of each customer and origin under the model and under the baseline, by metric."""
    if not tests:
        return {}
    held_out = pd.concat([test.held_out for test in tests], ignore_index=True)
    active = held_out[held_out.is_active]
    bought = active.bought.to_numpy(dtype=float)
    forecasts = ("purchase_probability", "baseline_probability")
    model, baseline = (active[name].to_numpy(dtype=float) for name in forecasts)
    found = {
        "log_loss": (_log_losses(bought, model), _log_losses(bought, baseline)),
        "brier": ((bought - model) ** 2, (bought - baseline) ** 2),
    }
    if "expected_value_median" in held_out:
        value = held_out.value.to_numpy(dtype=float)
        median = held_out.expected_value_median.to_numpy(dtype=float)
        rule = held_out.baseline_value.to_numpy(dtype=float)
        found["mae"] = np.abs(value - median), np.abs(value - rule)
    return found


def _log_losses(bought: NDArray, chance: NDArray) -> NDArray[np.float64]:
    inside = np.clip(chance, LEAST_CHANCE, 1.0 - LEAST_CHANCE)
    return -np.log(np.where(bought > 0, inside, 1.0 - inside))
