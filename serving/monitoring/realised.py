"""What was really served against what came of it, once the horizon is over.

Beside the recency rule, with the interval of chance, against what the test at training promised;
of everybody, of those no campaign reached, and corrected: control customers standing for the
treated. The recency rule is the one of today's champion, so it may have seen a little of what it
is graded on; that favours the rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.store import FeatureStore
from serving.monitoring.made import Made
from serving.monitoring.reading import MEASURE, RETRAIN, Reading
from training import chance, exposure, frame
from training.metrics import equal_bins, log_losses
from training.model_set import ModelSet
from training.proof import Proof
from training.split import CutOff

FloatArray = NDArray[np.float64]

GROUPS = ("all", "not_treated", "corrected")
MODEL, BASELINE = "model", "baseline"
LEAST_REALISED = 100  # customers; the calibration of fewer is chance
VALUE_FLOOR = 0.10  # share of the total: what a forecast of a year may be off without an alarm


@dataclass(frozen=True)
class Realised:
    """One score file graded on one question, churn or clv.

    grades: one row per group of GROUPS and forecaster: group, forecaster, customers, told, came
    (means: probability to leave and share that left, or money), loss (log-loss, or mean absolute
    error in money) with low and high, calibration (expected calibration error, or total bias as a
    share) with calibration_low and calibration_high (of a bias) and by_chance (of a calibration).
    behind: loss of the model less that of the rule, with its interval, corrected; NaN without one.
    bands: band, customers, told, left, money, money_left (expected value of those who left), of
    churn. treated, control: customers whom campaigns reached, or spared, in the horizon.
    """

    task: str
    as_of: datetime
    horizon_days: int
    grades: pd.DataFrame
    behind: tuple[float, float, float]
    bands: pd.DataFrame
    treated: int
    control: int

    def grade(self, group: str, forecaster: str = MODEL) -> pd.Series | None:
        """One row of the grades."""
        rows = self.grades[(self.grades.group == group) & (self.grades.forecaster == forecaster)]
        return None if rows.empty else rows.iloc[0]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            **vars(self),
            "as_of": self.as_of.isoformat(),
            "grades": self.grades.to_dict("records"),
            "bands": self.bands.to_dict("records"),
        }


def realised(
    store: FeatureStore, files: list[Made], models: ModelSet, as_of: datetime
) -> Iterator[Realised]:
    """The newest file whose horizon is over by `as_of`, graded, of churn and of value."""
    for task in ("churn", "clv"):
        for made in files:
            cutoff = CutOff(made.as_of, made.horizon_days(task, models.tasks[task].horizon_days))
            if cutoff.matured_at <= as_of:
                rows = joined(store, made.rows(), cutoff, as_of, made.planned())
                if task == "churn":
                    rows = rows[rows.churn_probability.notna()].reset_index(drop=True)
                rows = _with_rule(store, rows, models, cutoff)
                if len(rows) >= LEAST_REALISED:
                    yield graded(task, rows, cutoff)
                break


def joined(
    store: FeatureStore,
    scores: pd.DataFrame,
    cutoff: CutOff,
    known_by: datetime,
    planned: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Scores with what came: left (0 or 1), value (money), treated, control, weight.

    planned, weight: as exposure.exposures has them.
    """
    ids = scores.customer_id
    came = frame.outcomes(store, cutoff, known_by, ids).set_index("customer_id")
    met = exposure.exposures(store, cutoff, known_by, ids, planned).set_index("customer_id")
    bought = ids.map(came.bought).astype(float).fillna(0.0)
    treated = ids.map(met.treated)
    return scores.assign(
        left=1.0 - bought,
        value=ids.map(came.value).astype(float).fillna(0.0),
        treated=treated.eq(True),
        control=treated.eq(False),
        weight=ids.map(met.weight).astype(float).fillna(1.0),
    )


def graded(task: str, rows: pd.DataFrame, cutoff: CutOff) -> Realised:
    """The grades of score rows that were joined with what came.

    rows: the columns of `joined` and, with a rule, baseline_risk and baseline_value.
    """
    pick = {
        "all": np.ones(len(rows)),
        "not_treated": (~rows.treated).to_numpy(float),
        "corrected": rows.weight.to_numpy(float),
    }
    forecasts = _forecasts(task, rows)
    grades = [
        {"group": group, "forecaster": name, **_grade(task, rows, told, pick[group])}
        for group in GROUPS
        for name, told in forecasts.items()
        if pick[group].sum() > 0
    ]
    return Realised(
        task, cutoff.as_of, cutoff.horizon_days, pd.DataFrame(grades),
        _behind(task, rows, forecasts, pick["corrected"]),
        bands(rows) if task == "churn" else pd.DataFrame(),
        int(rows.treated.sum()), int(rows.control.sum()),
    )  # fmt: skip


def bands(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per churn band: customers, told and left (customers), money, money_left."""
    each = pd.DataFrame({
        "band": rows.churn_band, "customers": 1, "told": rows.churn_probability, "left": rows.left,
        "money": rows.expected_value, "money_left": rows.expected_value * rows.left,
    })  # fmt: skip
    return each.groupby("band", as_index=False).sum()


def readings(found: Realised, proof: Proof) -> Iterator[Reading]:
    """What a graded file says against the promise of the test; see the alarms."""
    model = found.grade("corrected")
    if model is None:
        return
    facts = {"as_of": f"{found.as_of:%Y-%m-%d}", "told": model.told, "came": model.came,
             "treated": found.treated, "control": found.control}  # fmt: skip
    promised = _promised(found.task, proof)
    subject = f"{found.task} {facts['as_of']}"
    if np.isfinite(found.behind[0]):
        more = {**facts, "behind": found.behind[0]}
        yield Reading(subject, found.behind[1], 0.0, "behind_rule", more, MEASURE)
    if promised is None:
        return
    facts |= {"loss": model.loss, "promised": promised["loss"]}
    yield Reading(subject, model.low, promised["high"], "loss", facts, RETRAIN)
    if found.task == "churn":
        limit = promised["calibration"] + model.by_chance
        more = {**facts, "error": model.calibration}
        yield Reading(subject, model.calibration, limit, "calibration", more, RETRAIN)
    else:
        ends = model.calibration_low, model.calibration_high
        sure = max(ends[0], -ends[1], 0.0)  # the end nearer to none; 0 when chance may be all
        limit = VALUE_FLOOR + abs(promised["calibration"])
        yield Reading(subject, sure, limit, "bias", {**facts, "bias": model.calibration}, RETRAIN)


def _with_rule(
    store: FeatureStore, rows: pd.DataFrame, models: ModelSet, cutoff: CutOff
) -> pd.DataFrame:
    if models.inputs is None or models.inputs.baseline is None or rows.empty:
        return rows
    for _ in store.build([cutoff.as_of]):
        pass
    store.apply()
    features = store.snapshot(cutoff.as_of, rows.customer_id.tolist())
    features = features.set_index("customer_id").reindex(rows.customer_id).reset_index()
    said = models.inputs.baseline.predict(features.assign(horizon_days=cutoff.horizon_days))
    return rows.assign(
        baseline_risk=1.0 - said.purchase_probability.to_numpy(),
        baseline_value=said.expected_value.to_numpy(),
    )


def _forecasts(task: str, rows: pd.DataFrame) -> dict[str, FloatArray]:
    columns = {"churn": ("churn_probability", "baseline_risk"),
               "clv": ("expected_value", "baseline_value")}[task]  # fmt: skip
    pairs = zip((MODEL, BASELINE), columns, strict=True)
    return {name: rows[column].to_numpy(float) for name, column in pairs if column in rows}


def _losses(task: str, rows: pd.DataFrame, told: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The loss of each row, and what came."""
    came = rows["left" if task == "churn" else "value"].to_numpy(float)
    return (log_losses(came, told) if task == "churn" else np.abs(came - told)), came


def _grade(task: str, rows: pd.DataFrame, told: FloatArray, weight: FloatArray) -> dict[str, float]:
    loss, came = _losses(task, rows, told)
    sums = chance.resampled_sums(
        [weight * loss, weight, weight * told, weight * came], rows.customer_id
    )
    low, high = chance.interval(sums[:, 0] / sums[:, 1])
    mean = {name: float(np.average(values, weights=weight)) for name, values in
            (("told", told), ("came", came), ("loss", loss))}  # fmt: skip
    found = {"customers": int((weight > 0).sum()), **mean, "low": low, "high": high}
    if task == "churn":
        return found | _calibration(told, came, weight, rows.customer_id)
    bias = chance.interval(chance.ratio(sums[:, 2], sums[:, 3]) - 1.0)
    of_total = mean["told"] / mean["came"] - 1.0 if mean["came"] > 0 else float("nan")
    return found | {"calibration": of_total, "calibration_low": bias[0],
                    "calibration_high": bias[1]}  # fmt: skip


def _calibration(
    told: FloatArray, came: FloatArray, weight: FloatArray, customer: pd.Series
) -> dict[str, float]:
    """The expected calibration error by weight, and what chance alone would make of it."""
    apart = np.bincount(equal_bins(told), weight * (came - told))
    # Weights make chance larger, as of fewer customers: Kish (1965), Survey Sampling, 11.7.
    effective = weight.sum() ** 2 / (weight**2).sum() / (weight > 0).sum()
    some = weight > 0
    by_chance = chance.calibration_by_chance(told[some], customer[some]) / np.sqrt(effective)
    return {"calibration": float(np.abs(apart).sum() / weight.sum()), "by_chance": by_chance}


def _behind(
    task: str, rows: pd.DataFrame, forecasts: dict[str, FloatArray], weight: FloatArray
) -> tuple[float, float, float]:
    if BASELINE not in forecasts or weight.sum() <= 0:
        return (float("nan"),) * 3
    model, rule = (_losses(task, rows, forecasts[name])[0] for name in (MODEL, BASELINE))
    sums = chance.resampled_sums([weight * (model - rule), weight], rows.customer_id)
    low, high = chance.interval(sums[:, 0] / sums[:, 1])
    return float(np.average(model - rule, weights=weight)), low, high


def _promised(task: str, proof: Proof) -> dict[str, float] | None:
    """Loss with its interval, and calibration, of the test at training; None without one."""
    if proof.held_out is None:
        return None
    tested = proof.held_out
    if task == "churn":
        tested = tested[tested.is_active & tested.purchase_probability.notna()]
        told = 1.0 - tested.purchase_probability.to_numpy(float)
        tested = tested.assign(left=1.0 - tested.bought)
    else:
        tested = tested[tested.expected_value.notna()]
        told = tested.expected_value.to_numpy(float)
    tested = tested.reset_index(drop=True)
    return _grade(task, tested, told, np.ones(len(tested))) if len(tested) else None
