"""Ours and every peer in every metric, and whether a difference is more than chance.

A difference is taken on the same customers, and its 95 % interval from drawing customers with
replacement (paired bootstrap). It is turned so that above 0 is better for us in every metric.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tests.benchmarks.models.questions import Past, Question
from training import chance, metrics, train
from training.metrics import FloatArray, Metric

if TYPE_CHECKING:  # the peers are installed for the benchmark alone
    from tests.benchmarks.models.peers import Forecaster

ROUNDS = 200  # draws of customers: enough for the ends of a 95 % interval to two digits
OURS = "Holdfast"


def absolute_bias(actual: FloatArray, forecast: FloatArray) -> float:
    """How far the sum of the forecasts is off, relative to that of the actuals, 0 is best."""
    return abs(metrics.total_bias(actual, forecast))


@dataclass(frozen=True)
class Measure:
    """A metric: its name, what happened and what was forecast, and whether more is better."""

    name: str
    actual: str
    forecast: str
    function: Metric
    more_is_better: bool = False


MEASURES: tuple[Measure, ...] = (
    Measure("AUC", "bought", "purchase_probability", metrics.roc_auc, True),
    Measure("log-loss", "bought", "purchase_probability", metrics.log_loss),
    Measure("Brier", "bought", "purchase_probability", metrics.brier),
    Measure(
        "calibration error", "bought", "purchase_probability", metrics.expected_calibration_error
    ),
    Measure("orders: RMSE", "orders", "expected_orders", metrics.rmse),
    Measure("orders: absolute bias", "orders", "expected_orders", absolute_bias),
    Measure("value: normalized Gini", "value", "expected_value", metrics.normalized_gini, True),
    Measure("value: top 20 % capture", "value", "expected_value", metrics.capture_at_20, True),
    Measure("value: RMSE", "value", "expected_value", metrics.rmse),
    Measure("value: MAE (ours: the median)", "value", "expected_value_median", metrics.mae),
    Measure("value: decile error", "value", "expected_value", metrics.decile_error),
    Measure("value: absolute bias", "value", "expected_value", absolute_bias),
)


@dataclass(frozen=True)
class Answers:
    """Everybody's forecasts of one question, what happened, and the seconds each one took.

    forecasts: name -> one row per customer; a peer without a median has its mean in its place.
    """

    question: Question
    outcome: pd.DataFrame
    forecasts: Mapping[str, pd.DataFrame]
    seconds: Mapping[str, float]

    @property
    def coverage(self) -> float:
        """Share of the actual values inside our 90 % intervals."""
        ours = self.forecasts[OURS]
        return metrics.coverage(
            self.outcome.value, ours.expected_value_low, ours.expected_value_high
        )


def ask(question: Question, peers: Mapping[str, Forecaster], root: Path) -> Answers:
    """Put a question to everybody; what happened is looked up at the end."""
    past = question.past(root)
    forecasts, seconds = {}, {}
    _ = past.panel  # built before the clock starts: ours, and LightGBM's too
    for name, forecaster in {OURS: ours, **peers}.items():
        start = time.perf_counter()
        found = forecaster(past).reset_index(drop=True)
        seconds[name] = time.perf_counter() - start
        if "expected_value_median" not in found:
            found = found.assign(expected_value_median=found.expected_value)
        forecasts[name] = found
    return Answers(question, question.outcome(past.today.customer_id), forecasts, seconds)


def ours(past: Past) -> pd.DataFrame:
    """What `holdfast run` would answer, its test and its calibration included."""
    learned = train.learn(past.store, past.request)
    return learned.models.clv.predict(past.today)


def table(answers: Answers) -> pd.DataFrame:
    """One row per metric: everybody, the best peer, our gain over him and its interval."""
    rows = []
    for measure in MEASURES:
        actual = answers.outcome[measure.actual].to_numpy()
        scores = {name: measure.function(actual, forecast[measure.forecast].to_numpy())
                  for name, forecast in answers.forecasts.items()}  # fmt: skip
        rivals = {name: score for name, score in scores.items() if name != OURS}
        best = (max if measure.more_is_better else min)(rivals, key=rivals.__getitem__)
        low, high = _interval(measure, answers, best)
        difference = scores[OURS] - scores[best]
        gain = difference if measure.more_is_better else -difference
        rows.append(scores | {"metric": measure.name, "best peer": best, "gain": gain, "low": low,
                              "high": high})  # fmt: skip
    return pd.DataFrame(rows).set_index("metric")


def _interval(measure: Measure, answers: Answers, rival: str) -> tuple[float, float]:
    """The 95 % interval of our gain over a rival in one metric."""
    actual = answers.outcome[measure.actual].to_numpy()
    mine = answers.forecasts[OURS][measure.forecast].to_numpy()
    other = answers.forecasts[rival][measure.forecast].to_numpy()
    rng, n, sign = np.random.default_rng(0), len(actual), 1.0 if measure.more_is_better else -1.0
    gains = []
    for _ in range(ROUNDS):
        drawn = rng.integers(n, size=n)
        scores = [measure.function(actual[drawn], each[drawn]) for each in (mine, other)]
        gains.append(sign * (scores[0] - scores[1]))
    return chance.interval(gains)


def markdown(answers: Answers) -> str:
    """The table of a question: wins and losses alike."""
    found = table(answers)
    peers = [name for name in answers.forecasts if name != OURS]
    heads = [answers.question.name, OURS, *peers, "gain over the best peer", "95 % interval"]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for metric, row in found.iterrows():
        cells = [_bold(row[name], name == row["best peer"] or (name == OURS and row.gain > 0))
                 for name in (OURS, *peers)]  # fmt: skip
        interval = f"{row.low:+.3g} to {row.high:+.3g}"
        lines.append(f"| {metric} | {' | '.join(cells)} | {row.gain:+.3g} | {interval} |")
    seconds = " | ".join(f"{answers.seconds[name]:.0f}" for name in (OURS, *peers))
    lines.append(f"| seconds | {seconds} | | |")
    lines.append(f"| inside our 90 % interval | {answers.coverage:.3f} |{' |' * (len(heads) - 2)}")
    return "\n".join(lines)


def _bold(score: float, is_best: bool) -> str:
    return f"**{score:.4g}**" if is_best else f"{score:.4g}"
