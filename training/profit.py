"""From which risk on a contact pays, what it earns, and how much of that hangs on the save rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from training.retention import Assumptions, Costs
from training.savings import THRESHOLDS

FloatArray = NDArray[np.float64]

# A save rate from no study of the trade may be off by as much either way.
FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
CURVE = ("threshold", "contacted", "cost", "saved_value", "profit")
SENSITIVITY = ("factor", "save_rate", "threshold", "threshold_profit", "contacted", "profit",
               "contacted_as_assumed", "profit_as_assumed", "regret")  # fmt: skip


@dataclass(frozen=True)
class Contacts:
    """Whom to contact and what it is expected to earn, money in currency units.

    threshold: the risk from which on a contact is made; None where each customer has his own.
    """

    threshold: float | None
    contacted: int
    cost: float
    saved_value: float

    @property
    def profit(self) -> float:
        """What the contacts save, less their cost."""
        return self.saved_value - self.cost


def curve(risk: ArrayLike, value: ArrayLike, given: Assumptions) -> pd.DataFrame:
    """Expected profit of contacting everybody above a risk: CURVE, one row per THRESHOLDS.

    risk: P(leaves), (n,), null where nobody is asked about; value: if retained, (n,), currency
    units. Expected by the forecast itself, which is as good as its calibration.
    """
    known, worth = _known(risk, value)
    cost = given.cost_for(worth) if len(worth) else 0.0
    ordered = np.argsort(-known, kind="stable")
    saved = np.r_[0.0, np.cumsum((given.save_rate * known * worth.clip(min=0.0))[ordered])]
    many = np.searchsorted(-known[ordered], -THRESHOLDS, side="left")
    found = pd.DataFrame({"threshold": THRESHOLDS, "contacted": many, "cost": many * cost,
                          "saved_value": saved[many]})  # fmt: skip
    return found.assign(profit=found.saved_value - found.cost)[list(CURVE)]


def best_threshold(risk: ArrayLike, value: ArrayLike, given: Assumptions) -> Contacts:
    """The one risk for all from which on contacts earn most; the highest of equals."""
    found = curve(risk, value, given)[::-1].reset_index(drop=True)
    at, many, cost, saved, _ = found.to_numpy(dtype=np.float64)[found.profit.argmax()]
    return Contacts(float(at), int(many), float(cost), float(saved))


def own_thresholds(risk: ArrayLike, value: ArrayLike, given: Assumptions) -> Contacts:
    """Each customer above his own threshold (Costs.threshold): no other set earns more."""
    known, worth = _known(risk, value)
    return _contacts(known, worth, given, _worth_it(known, worth, given))


def sensitivity(
    risk: ArrayLike, value: ArrayLike, given: Assumptions, factors: Sequence[float] = FACTORS
) -> pd.DataFrame:
    """What becomes of optimum and profit if a contact keeps more or fewer: SENSITIVITY, per factor.

    threshold, threshold_profit: of the best one for all. contacted, profit: at own thresholds, had
    the rate been known. contacted_as_assumed, profit_as_assumed: of those chosen at the assumed
    rate, when the rate is in truth this one; regret: what that costs against having known.
    Rates above 1 are taken as 1.
    """
    known, worth = _known(risk, value)
    fixed = Assumptions(given.cost_for(worth) if len(worth) else 0.0, given.save_rate)
    assumed = _worth_it(known, worth, fixed)
    rows = []
    for factor in factors:
        true = Assumptions(fixed.contact_cost, min(factor * given.save_rate, 1.0))
        one, own = (way(known, worth, true) for way in (best_threshold, own_thresholds))
        as_assumed = _contacts(known, worth, true, assumed)
        rows.append((factor, true.save_rate, one.threshold, one.profit, own.contacted, own.profit,
                     as_assumed.contacted, as_assumed.profit,
                     own.profit - as_assumed.profit))  # fmt: skip
    return pd.DataFrame(rows, columns=list(SENSITIVITY))


def _known(risk: ArrayLike, value: ArrayLike) -> tuple[FloatArray, FloatArray]:
    p, worth = np.asarray(risk, dtype=np.float64), np.asarray(value, dtype=np.float64)
    asked = np.isfinite(p) & np.isfinite(worth)
    return p[asked], worth[asked]


def _worth_it(risk: FloatArray, value: FloatArray, given: Assumptions) -> NDArray[np.bool_]:
    cost = given.cost_for(value) if len(value) else 0.0
    return risk > Costs.of(value, cost, given.save_rate).threshold()


def _contacts(
    risk: FloatArray, value: FloatArray, given: Assumptions, chosen: NDArray[np.bool_]
) -> Contacts:
    cost = given.cost_for(value) if len(value) else 0.0
    saved = given.save_rate * (risk * value.clip(min=0.0))[chosen].sum()
    return Contacts(None, int(chosen.sum()), float(chosen.sum() * cost), float(saved))
