"""Several forecasts of the same customers in every metric, and the first beside the second.

The ratio is that of the two scores; its 95 % interval comes from drawing customers with replacement
(paired bootstrap). Below 1 the first is better where less is better, above 1 where more is.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tests.benchmarks.models.comparison import Measure, absolute_bias
from training import chance, metrics
from training.metrics import Metric

ROUNDS = 300  # draws of customers: enough for the ends of a 95 % interval to two digits

OF_CHURN = (
    Measure("log-loss", "churned", "churn_probability", metrics.log_loss),
    Measure("Brier", "churned", "churn_probability", metrics.brier),
    Measure(
        "calibration error", "churned", "churn_probability", metrics.expected_calibration_error
    ),
    Measure("AUC", "churned", "churn_probability", metrics.roc_auc),
)
OF_VALUE = (
    Measure("value: MAE of the median", "value", "expected_value_median", metrics.mae),
    Measure("value: RMSE of the mean", "value", "expected_value", metrics.rmse),
    Measure("value: normalized Gini", "value", "expected_value", metrics.normalized_gini),
    Measure("value: absolute bias", "value", "expected_value", absolute_bias),
)


def table(
    measures: tuple[Measure, ...], happened: pd.DataFrame, forecasts: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """One row per metric: the score of each forecast, the ratio of the first two, low and high.

    happened and every forecast have one row per customer, in the same order. A forecast without
    the column of a metric has no score in it.
    """
    first, second = list(forecasts)[:2]
    rows = []
    for measure in measures:
        actual = happened[measure.actual].to_numpy(dtype=float)
        given = {name: each[measure.forecast].to_numpy(dtype=float)
                 for name, each in forecasts.items() if measure.forecast in each}  # fmt: skip
        scores = {name: measure.function(actual, each) for name, each in given.items()}
        low, high = _interval(measure.function, actual, given[first], given[second])
        rows.append({"metric": measure.name, **scores, "ratio": scores[first] / scores[second],
                     "low": low, "high": high})  # fmt: skip
    return pd.DataFrame(rows).set_index("metric").reindex(columns=[*forecasts, "ratio", "low",
                                                                   "high"])  # fmt: skip


def _interval(
    function: Metric, actual: np.ndarray, first: np.ndarray, second: np.ndarray
) -> tuple[float, float]:
    rng, n = np.random.default_rng(0), len(actual)
    found = []
    for _ in range(ROUNDS):
        drawn = rng.integers(n, size=n)
        found.append(function(actual[drawn], first[drawn]) / function(actual[drawn], second[drawn]))
    return chance.interval(found)


def markdown(found: pd.DataFrame, what: str) -> str:
    """The table in Markdown; a forecast without a score in a metric has a dash."""
    names = [name for name in found if name not in ("ratio", "low", "high")]
    heads = [what, *names, f"{names[0]} / {names[1]}", "95 % interval"]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for metric, row in found.iterrows():
        cells = ["-" if np.isnan(row[name]) else f"{row[name]:.4g}" for name in names]
        interval = f"{row.low:.3f} to {row.high:.3f}"
        lines.append(f"| {metric} | {' | '.join(cells)} | {row.ratio:.3f} | {interval} |")
    return "\n".join(lines)
