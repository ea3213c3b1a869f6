"""The four value classes of customers, by forecast value and stored cuts.

MVC 贵宾型, MGC 改进型, maintain 维持型, below-zero 放弃型. The cuts are measured once, on a
reference snapshot, and stored with the model: re-fitted cuts would let tiers drift silently. Who
was in a tier before leaves it only when he is clearly beyond the cut by which he came in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Rows, numbers_of

PARETO_A = 0.80  # the most valuable are those who together bring this share of the value
GROWABLE_PERCENTILE = 80  # what a customer could be worth: this percentile of his tenure band
# A gap below a quarter of that is no growth to speak of.
LEAST_GAP_SHARE = 0.25
TENURE_BANDS = (90, 365)  # days: newcomers, the first year, the others
# How far beyond its cut, as a share of it, a customer leaves a tier: with every day of silence a
# forecast sinks a little and with an order it rises again, and a tenth is beyond most of that.
CLEARLY = 0.10


@dataclass(frozen=True)
class TierCuts:
    """The cuts of one reference snapshot, money in currency units.

    most_valuable: forecast value from which a customer is MVC. possible: per tenure band, the
    value that the best fifth of it exceeds.
    """

    most_valuable: float
    possible: tuple[float, ...]

    @classmethod
    def of(cls, value: pd.Series, age: pd.Series) -> TierCuts:
        """Measure the cuts on forecast values and ages (days since the first purchase)."""
        ordered = np.sort(value.to_numpy(dtype=float).clip(min=0.0))[::-1]
        reached = np.cumsum(ordered) - ordered < PARETO_A * ordered.sum()
        boundary = float(ordered[reached][-1]) if reached.any() else float("inf")
        bands = _bands(age)
        overall = float(np.percentile(value, GROWABLE_PERCENTILE))
        possible = [
            float(np.percentile(value[bands == band], GROWABLE_PERCENTILE))
            if (bands == band).any()
            else overall
            for band in range(len(TENURE_BANDS) + 1)
        ]
        return cls(boundary, tuple(possible))

    def to_dict(self) -> dict:
        """JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping) -> TierCuts:
        """The cuts that `to_dict` stored."""
        return cls(float(stored["most_valuable"]), tuple(stored["possible"]))


def assign(
    value: pd.Series | NDArray,
    rows: Rows,
    cuts: TierCuts,
    cost_to_serve: float | NDArray | None,
    margin_rate: float = 1.0,
    previous: pd.Series | NDArray | None = None,
) -> NDArray[np.object_]:
    """The tier code of each row, (n,), in the order of precedence below-zero, MVC, MGC, maintain.

    value: forecast net money, in which the cuts were measured. rows: age, purchase_trend_90d
    and purchase_days_recent_90d. cost_to_serve: expected cost over the same horizon, for all or
    for each, (n,); None or NaN when it is not known, and then nobody is below zero, since revenue
    alone cannot tell. margin_rate: the margin per unit of money, from which that cost is paid.
    previous: the tier of each row before, null without one. Who has come in at the cut leaves only
    when clearly beyond it (CLEARLY): an MVC below nine tenths of the cut, an MGC with less than
    nine tenths of the gap, and who was below zero with more than eleven tenths of his cost.
    """
    value = np.asarray(value, dtype=np.float64)
    was = np.full(len(value), None) if previous is None else np.asarray(previous, dtype=object)
    tier = np.full(len(value), "maintain", dtype=object)
    possible = np.array(cuts.possible)[_bands(rows["age"])]
    gap, most_valuable = LEAST_GAP_SHARE * possible, np.full(len(value), cuts.most_valuable)
    has_gap = (possible > 0) & (possible - value >= _eased(gap, was == "mgc", -CLEARLY))
    has_bought = numbers_of(rows, "purchase_days_recent_90d") > 0
    is_growing = (numbers_of(rows, "purchase_trend_90d") >= 0) & has_bought
    tier[has_gap & is_growing] = "mgc"
    tier[value >= _eased(most_valuable, was == "mvc", -CLEARLY)] = "mvc"
    if cost_to_serve is not None:
        cost = np.full(len(value), cost_to_serve, dtype=np.float64)
        tier[value * margin_rate <= _eased(cost, was == "below_zero", CLEARLY)] = "below_zero"
    return tier


def growable(rows: Rows, cuts: TierCuts) -> NDArray[np.float64]:
    """The forecast value up to which a growing customer is MGC, (n,), by his tenure band."""
    return (1.0 - LEAST_GAP_SHARE) * np.array(cuts.possible)[_bands(rows["age"])]


def _eased(cut: NDArray, is_in: NDArray[np.bool_], by: float) -> NDArray[np.float64]:
    """The cut, moved by a share of itself for those who are in the tier already."""
    return np.where(is_in, (1.0 + by) * cut, cut)


def _bands(age: pd.Series | NDArray) -> np.ndarray:
    return np.searchsorted(TENURE_BANDS, np.asarray(age, dtype=np.float64))
