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
# Of the reference customers, by their forecast, so many evenly are kept: enough to find the cut of
# what is left after cost to half a percent of the customers, and exact of a smaller business.
KEPT = 1_000
TENURE_BANDS = (90, 365)  # days: newcomers, the first year, the others
# How far beyond its cut, as a share of it, a customer leaves a tier: with every day of silence a
# forecast sinks a little and with an order it rises again, and a tenth is beyond most of that.
CLEARLY = 0.10
_ROUNDING = 1e-9  # of a log that two engines may write differently in its last digit


@dataclass(frozen=True)
class TierCuts:
    """The cuts of one reference snapshot, money in currency units.

    most_valuable: forecast value from which a customer is MVC. possible: per tenure band, the
    value that the best fifth of it exceeds. values, contacts: of up to KEPT of the customers the
    forecast value and the contacts of a year, null where not known: where the cut lies once the
    cost to serve is known (Policy.net_cut).
    """

    most_valuable: float
    possible: tuple[float, ...]
    values: tuple[float, ...] = ()
    contacts: tuple[float | None, ...] = ()

    @classmethod
    def of(
        cls, value: pd.Series, age: pd.Series, contacts: NDArray[np.float64] | None = None
    ) -> TierCuts:
        """Measure the cuts on forecasts, ages (days since the first purchase) and contacts."""
        boundary = pareto_boundary(value.to_numpy(dtype=float))
        bands = _bands(age)
        overall = float(np.percentile(value, GROWABLE_PERCENTILE))
        possible = [
            float(np.percentile(value[bands == band], GROWABLE_PERCENTILE))
            if (bands == band).any()
            else overall
            for band in range(len(TENURE_BANDS) + 1)
        ]
        return cls(boundary, tuple(possible), *_kept(value.to_numpy(dtype=float), contacts))

    def to_dict(self) -> dict:
        """JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping) -> TierCuts:
        """The cuts that `to_dict` stored."""
        kept = (tuple(stored.get(name, ())) for name in ("values", "contacts"))
        return cls(float(stored["most_valuable"]), tuple(stored["possible"]), *kept)


def pareto_boundary(value: NDArray[np.float64]) -> float:
    """The least value among those who together bring PARETO_A of all; infinite without any."""
    ordered = np.sort(value.clip(min=0.0))[::-1]
    reached = np.cumsum(ordered) - ordered < PARETO_A * ordered.sum()
    return float(ordered[reached][-1]) if reached.any() else float("inf")


def assign(
    value: pd.Series | NDArray,
    rows: Rows,
    cuts: TierCuts,
    cost_to_serve: float | NDArray | None,
    margin_rate: float = 1.0,
    previous: pd.Series | NDArray | None = None,
    most_valuable: NDArray[np.float64] | None = None,
) -> NDArray[np.object_]:
    """The tier code of each row, (n,), in the order of precedence below-zero, MVC, MGC, maintain.

    value: forecast net money, in which the cuts were measured. rows: age, purchase_trend_90d
    and purchase_days_recent_90d. cost_to_serve: expected cost over the same horizon, for all or
    for each, (n,); None or NaN when it is not known, and then nobody is below zero, since revenue
    alone cannot tell. margin_rate: the margin per unit of money, from which that cost is paid.
    previous: the tier of each row before, null without one. Who has come in at the cut leaves only
    when clearly beyond it (CLEARLY): an MVC below nine tenths of the cut, an MGC with less than
    nine tenths of the gap or two purchase days fewer than the quarter before, and who was below
    zero with more than eleven tenths of his cost. most_valuable: the cut of each row where costs
    move it, (n,).
    """
    value = np.asarray(value, dtype=np.float64)
    was = np.full(len(value), None) if previous is None else np.asarray(previous, dtype=object)
    tier = np.full(len(value), "maintain", dtype=object)
    possible = np.array(cuts.possible)[_bands(rows["age"])]
    gap = LEAST_GAP_SHARE * possible
    if most_valuable is None:
        most_valuable = np.full(len(value), cuts.most_valuable)
    has_gap = (possible > 0) & (possible - value >= _eased(gap, was == "mgc", -CLEARLY))
    tier[has_gap & _is_growing(rows, was == "mgc")] = "mgc"
    tier[value >= _eased(most_valuable, was == "mvc", -CLEARLY)] = "mvc"
    if cost_to_serve is not None:
        cost = np.full(len(value), cost_to_serve, dtype=np.float64)
        tier[value * margin_rate <= _eased(cost, was == "below_zero", CLEARLY)] = "below_zero"
    return tier


def growable(rows: Rows, cuts: TierCuts) -> NDArray[np.float64]:
    """The forecast value up to which a growing customer is MGC, (n,), by his tenure band."""
    return (1.0 - LEAST_GAP_SHARE) * np.array(cuts.possible)[_bands(rows["age"])]


def _is_growing(rows: Rows, was_growing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether there were purchase days of late, and as many as in the quarter before.

    Who was growing may have one day fewer: a single order that crosses the edge of a quarter turns
    the sign of a trend, and next month it turns again.
    """
    days = numbers_of(rows, "purchase_days_recent_90d")
    allowed = np.where(was_growing, np.log((days + 1.0) / (days + 2.0)), 0.0)
    # The trend is ln((now + 1) / (before + 1)); of one day fewer it is this very number.
    is_level = numbers_of(rows, "purchase_trend_90d") >= allowed - _ROUNDING
    return is_level & (days > 0)


def _kept(
    value: NDArray[np.float64], contacts: NDArray[np.float64] | None
) -> tuple[tuple[float, ...], tuple[float | None, ...]]:
    """Values and contacts of KEPT customers, evenly by value; of all where there are fewer."""
    known = np.full(len(value), np.nan) if contacts is None else contacts
    places = np.linspace(0, len(value) - 1, min(KEPT, len(value))).round().astype(int)
    chosen = np.argsort(value, kind="stable")[places]
    told = [None if np.isnan(count) else float(count) for count in known[chosen]]
    return tuple(value[chosen].tolist()), tuple(told)


def _eased(cut: NDArray, is_in: NDArray[np.bool_], by: float) -> NDArray[np.float64]:
    """The cut, moved by a share of itself for those who are in the tier already."""
    return np.where(is_in, (1.0 + by) * cut, cut)


def _bands(age: pd.Series | NDArray) -> np.ndarray:
    return np.searchsorted(TENURE_BANDS, np.asarray(age, dtype=np.float64))
