"""Rolling origins: the same test at several earlier moments, because one moment may be lucky.

Each origin is tested as if it were its own day: trained on cut-offs matured by then, so that no
training outcome reaches into the days tested (the embargo). Source of the protocol: Tashman (2000),
"Out-of-sample tests of forecasting accuracy", International Journal of Forecasting 16(4).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.store import FeatureStore
from training import evaluate, probes, savings, segments, train, value_methods, words
from training.chance import paired_bootstrap
from training.evaluate import Backtest
from training.exposure import AS_THEY_ARE, BY_CONTROL, Treated
from training.metrics import HIGHER_IS_BETTER, log_losses
from training.models.boosting import Boosting
from training.models.two_part import TwoPart
from training.request import Request
from training.retention import Assumptions
from training.tasks import CHURN, Task

log = logging.getLogger(__name__)

ORIGINS = 4
# Origins half a horizon apart share half of their days at most: nearer they would say the same.
STEP = 0.5
BY_CONTROL_TESTED = (
    "Learnt and tested by control: without those whom a campaign with a control group treated."
)


@dataclass(frozen=True)
class Measured:
    """What the tests at rolling origins found.

    summary, gains: see the functions of that name. churn_segments, value_segments: see
    segments.py. savings: see savings.py. methods: see value_methods.py. probes: whether the leakage
    probes ran, in a sentence. gap_days: from a moment to the first day its forecast is about.
    treated: how customers of campaigns were learnt and tested (exposure.py).
    """

    summary: pd.DataFrame
    gains: pd.DataFrame
    churn_segments: pd.DataFrame
    value_segments: pd.DataFrame
    savings: pd.DataFrame
    methods: pd.DataFrame
    probes: str
    gap_days: int = 0
    treated: Treated = AS_THEY_ARE

    def facts(self) -> dict[str, object]:
        """Every table as records, JSON-ready: what is not known is null."""
        names = {"metrics": self.summary, "gains": self.gains, "savings": self.savings,
                 "churn_segments": self.churn_segments,
                 "value_segments": self.value_segments,
                 "value_methods": self.methods}  # fmt: skip
        facts: dict[str, object] = {"leakage_probes": self.probes, "treated": self.treated}
        for name, table in names.items():
            rows = table.astype(object).to_dict("records")
            facts[name] = [{k: None if pd.isna(v) else v for k, v in row.items()} for row in rows]
        return facts

    def in_words(self) -> str:
        """All of it as text."""
        parts = [
            in_words(self.summary, self.gains, self.gap_days),
            words.of_segments(self.churn_segments, self.value_segments),
            words.of_methods(self.methods),
            words.of_savings(self.savings),
            self.probes,
            BY_CONTROL_TESTED if self.treated == BY_CONTROL else "",
        ]
        return "\n\n".join(part for part in parts if part)


def measure(
    store: FeatureStore,
    request: Request,
    given: Assumptions,
    progress: Callable[[str], None] = log.info,
) -> Measured:
    """The churn and the value forecast at rolling origins; with one horizon they are one forecast.

    Raises UserError for a request that the data cannot carry, and when a test is too good to be
    true (probes.py).
    """
    train.check(store, request)
    progress(f"value forecasts at {ORIGINS} earlier moments")
    question = request.tasks["churn"]
    value = backtests(
        store, request.as_of, request.value_horizon_days, TwoPart,
        question if request.is_one_question else CHURN, treated=request.treated,
    )  # fmt: skip
    churn = value
    if not request.is_one_question:
        progress(f"churn forecasts at {ORIGINS} earlier moments")
        # With the value of the same days, which decides whom it pays to contact.
        churn = backtests(
            store, request.as_of, request.horizon_days, TwoPart, question, treated=request.treated
        )
    checked = train.NO_PROBES
    if churn:
        progress("leakage probes")
        checked = probes.check(churn[0], store.feature_names, question)
    progress("three ways to value a customer")
    methods = value_methods.compare(value, store)
    progress("groups of customers, and money")
    return Measured(
        _of_each(summary(churn), summary(value), "task", "clv"),
        _of_each(gains(churn), gains(value), "metric", "mae"),
        segments.of_churn(churn),
        segments.of_value(value),
        savings.measure(churn, given),
        methods,
        checked,
        question.rule.gap_days,
        request.treated,
    )


def _of_each(churn: pd.DataFrame, value: pd.DataFrame, column: str, name: str) -> pd.DataFrame:
    """Rows of churn from the churn tests, rows of value (`column` is `name`) from its own."""
    return pd.concat([churn[churn[column] != name], value[value[column] == name]],
                     ignore_index=True)  # fmt: skip


def backtests(
    store: FeatureStore,
    now: datetime,
    horizon_days: int,
    kind: type[Boosting] | type[TwoPart],
    churn: Task = CHURN,
    origins: int = ORIGINS,
    treated: Treated = AS_THEY_ARE,
) -> list[Backtest]:
    """Tests at several origins, the newest first; fewer where the history ends, perhaps none."""
    step = timedelta(days=max(round(STEP * horizon_days), 1))
    tests = [
        evaluate.backtest(store, now - k * step, horizon_days, kind, churn, treated=treated)
        for k in range(origins)
    ]
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
    interval of the paired bootstrap, in which a customer is drawn with all of his origins. Log-loss
    and Brier of active customers, absolute error of the value of all.
    """
    rows = [(name, *paired_bootstrap(*losses)) for name, losses in _losses(tests).items()]
    return pd.DataFrame(rows, columns=["metric", "gain", "low", "high"])


def in_words(found: pd.DataFrame, gained: pd.DataFrame, gap_days: int = 0) -> str:
    """Both tables as text, with what the forecast may know and when."""
    if found.empty:
        return "Not tested: the history is too short for a test at an earlier moment."
    tables = [
        table.to_string(index=False, float_format=lambda value: f"{value:.4g}", na_rep="")
        for table in (found, gained)
    ]
    begin = f"{gap_days} days" if gap_days else "right"
    return (
        f"{tables[0]}\n\nGain over the baseline, and its 95 % interval:\n{tables[1]}\n\n"
        f"Lead time: the days forecast begin {begin} after the moment of the features."
    )


def _metrics(test: Backtest) -> pd.DataFrame:
    found = evaluate.purchase_metrics(test.held_out)
    if isinstance(test.model, TwoPart):
        found = pd.concat([found, evaluate.value_metrics(test.held_out)])
    return found


def _losses(tests: Sequence[Backtest]) -> dict[str, tuple[NDArray, NDArray, NDArray]]:
    """Loss of each row under the baseline and under the model, and whose it is, by metric."""
    if not tests:
        return {}
    held_out = pd.concat([test.held_out for test in tests], ignore_index=True)
    active = held_out[held_out.is_active]
    found = {}
    if len(active):
        bought = active.bought.to_numpy(dtype=float)
        forecasts = ("baseline_probability", "purchase_probability")
        rule, model = (active[name].to_numpy(dtype=float) for name in forecasts)
        whose = active.customer_id.to_numpy()
        found["log_loss"] = log_losses(bought, rule), log_losses(bought, model), whose
        found["brier"] = (bought - rule) ** 2, (bought - model) ** 2, whose
    if "expected_value_median" in held_out:
        value = held_out.value.to_numpy(dtype=float)
        median = held_out.expected_value_median.to_numpy(dtype=float)
        rule, whose = held_out.baseline_value.to_numpy(dtype=float), held_out.customer_id.to_numpy()
        found["mae"] = np.abs(value - rule), np.abs(value - median), whose
    return found
