"""Is the model better than the rule it replaces? A letter, and the numbers behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serving.report_parts.numbers import TOP_SHARE

A_MARGIN = 0.05  # Dynamics 365 grades A from five percent better than its baseline
CLEAR = 2.0  # standard errors: a difference this large is chance about once in twenty tests


@dataclass(frozen=True)
class Comparison:
    """One quality of the model beside the same of the baseline, on the same customers.

    `gain` is the relative advantage of the model (0.05 = five percent better); `clear` says that
    the difference is more than two standard errors from none.
    """

    customers: int
    model: float
    baseline: float
    gain: float
    clear: bool

    @property
    def grade(self) -> str:
        """A: better by the margin and beyond chance. B: better. C: not better."""
        if self.gain >= A_MARGIN and self.clear:
            return "A"
        return "B" if self.gain > 0 else "C"


def compare_risk(
    probability: pd.Series, baseline: pd.Series, happened: pd.Series
) -> Comparison | None:
    """Brier scores (mean squared error of a probability, 0 is perfect) of model and baseline.

    All are (n,), happened is 0/1. Returns None when no customer has all three.
    """
    kept = pd.DataFrame({"model": probability, "baseline": baseline, "y": happened}).dropna()
    if kept.empty:
        return None
    model, base = (kept["model"] - kept["y"]) ** 2, (kept["baseline"] - kept["y"]) ** 2
    gain = _ratio(float(base.mean() - model.mean()), float(base.mean()))
    clear = _beyond_chance(base - model)
    return Comparison(len(kept), float(model.mean()), float(base.mean()), gain, clear)


def compare_value(expected: pd.Series, baseline: pd.Series, value: pd.Series) -> Comparison | None:
    """Share of the realised value held by each one's top fifth of customers, 0-1.

    Ranking before error, because a few large customers lead every squared error. Returns None when
    no customer has all three, or when the realised values do not add to more than zero.
    """
    kept = pd.DataFrame({"model": expected, "baseline": baseline, "value": value}).dropna()
    if not kept["value"].sum() > 0:
        return None
    top = {name: _weight_in_top(kept[name], TOP_SHARE) for name in ("model", "baseline")}
    model, base = (float((w * kept["value"]).sum() / kept["value"].sum()) for w in top.values())
    # Linearised difference of two ratios with the same denominator, for its standard error.
    pulls = (top["model"] - top["baseline"] - (model - base)) * kept["value"]
    pulls = pulls / kept["value"].mean() + (model - base)
    return Comparison(
        len(kept), model, base, _ratio(model - base, abs(base)), _beyond_chance(pulls)
    )


def _weight_in_top(score: pd.Series, share: float) -> pd.Series:
    """How much of each customer is in the top `share` by score: 1, 0, or a part when tied."""
    ahead = score.rank(method="min", ascending=False) - 1
    tied = score.groupby(score).transform("size")
    return ((share * len(score) - ahead) / tied).clip(0, 1)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else math.copysign(math.inf, part) if part else 0.0


def _beyond_chance(differences: pd.Series) -> bool:
    """Whether the mean of paired differences is above zero by more than chance explains."""
    if len(differences) < 2:
        return False
    error = float(differences.std(ddof=1)) / np.sqrt(len(differences))
    return bool(differences.mean() > CLEAR * error)
