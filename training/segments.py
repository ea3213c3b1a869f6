"""How right the forecast is for each kind of customer: a good whole may hide two wrong halves.

SEGMENTS lists the ways to group customers; whatever is listed is reported. Groups are made of what
was known at the origin, never of what came after. All origins are taken together; the intervals
(95 %, customers drawn anew) tell a gap from chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training import chance, value_tiers
from training.metrics import coverage, expected_calibration_error, log_losses
from training.models.two_part import COVERAGE
from training.tasks import TIERS
from training.value_tiers import TierCuts

if TYPE_CHECKING:
    from training.evaluate import Backtest

# A share of 50 customers is known to 14 points at best, of fewer it is an anecdote.
LEAST_CUSTOMERS = 50
# With fewer leavers (or stayers, or buyers) one more of them moves the level by a tenth.
LEAST_EVENTS = 10
RECENCY_CUTS = (0.5, 1.0, 2.0)  # horizons; from two on a customer is no longer active

TOO_FEW = "too few"
WITHIN_CHANCE = "within chance"
CHURN_COLUMNS = (
    "segment", "group", "customers", "level", "level_low", "level_high", "worst_level",
    "calibration_error", "calibration_by_chance", "log_loss", "gain", "gain_low", "gain_high",
    "verdict",
)  # fmt: skip
VALUE_COLUMNS = (
    "segment", "group", "customers", "level", "level_low", "level_high", "worst_level",
    "coverage_90", "coverage_low", "coverage_high", "verdict", "interval_verdict",
)  # fmt: skip


@dataclass(frozen=True)
class Segment:
    """A way to group the customers of one origin.

    groups: the names of the groups, in order. needs: columns without which it cannot be made.
    place: the name of each row's group, (n,).
    """

    name: str
    groups: tuple[str, ...]
    needs: tuple[str, ...]
    place: Callable[[pd.DataFrame], NDArray]

    def suits(self, rows: pd.DataFrame) -> bool:
        """Whether the rows have what it needs."""
        return set(self.needs) <= set(rows.columns)


def _tier(rows: pd.DataFrame) -> NDArray:
    """The value class, by cuts measured on the forecasts of this very origin."""
    cuts = TierCuts.of(rows.expected_value, rows.age)
    return value_tiers.assign(rows.expected_value, rows, cuts, cost_to_serve=None)


def _recency(rows: pd.DataFrame) -> NDArray:
    horizons = rows.recency.to_numpy(dtype=float) / rows.horizon_days.to_numpy(dtype=float)
    return np.array(_RECENCY)[np.searchsorted(RECENCY_CUTS, horizons, side="right")]


def _orders(rows: pd.DataFrame) -> NDArray:
    days = rows.purchase_days_total.to_numpy(dtype=float)
    return np.array(_ORDERS)[np.clip(days, 1, 3).astype(int) - 1]


def _tenure(rows: pd.DataFrame) -> NDArray:
    is_new = rows.age.to_numpy(dtype=float) < rows.horizon_days.to_numpy(dtype=float)
    return np.where(is_new, "new", "settled")


_RECENCY = ("0 - 1/2 horizon", "1/2 - 1 horizon", "1 - 2 horizons", "longer ago")
_ORDERS = ("1", "2", "3 or more")
_TIER_NEEDS = ("expected_value", "age", "purchase_trend_90d", "purchase_days_recent_90d")
SEGMENTS: tuple[Segment, ...] = (
    Segment("everyone", ("",), (), lambda rows: np.full(len(rows), "")),
    Segment("tier", TIERS, _TIER_NEEDS, _tier),
    Segment("last order:", _RECENCY, ("recency", "horizon_days"), _recency),
    Segment("order days:", _ORDERS, ("purchase_days_total",), _orders),
    # New: the first purchase lies within the last horizon.
    Segment("tenure", ("new", "settled"), ("age", "horizon_days"), _tenure),
)


def of_churn(tests: Sequence[Backtest]) -> pd.DataFrame:
    """The churn forecast of active customers by group: CHURN_COLUMNS, one row per group.

    level: forecast leavers over actual ones, 1 is right. worst_level: that of the origin furthest
    from 1, since levels of several seasons may cancel. calibration_by_chance: what the error of
    a right forecast stays below in 95 of 100 cases. gain: log-loss of the baseline less that of
    the model. verdict: too high or too low (the level, beyond chance), uneven (of the calibration
    error alone this can be said), within chance, or too few to say; then no figure is given.
    """
    rows = _together(tests)
    return _by_group(rows[rows.is_active] if len(rows) else rows, _churn, CHURN_COLUMNS)


def of_value(tests: Sequence[Backtest]) -> pd.DataFrame:
    """The value forecast of all customers by group: VALUE_COLUMNS, one row per group.

    level: forecast money over actual money, 1 is right (total bias + 1). coverage_90: share of
    values inside the 90 % interval. interval_verdict: too narrow, too wide (beyond chance), or
    within chance.
    """
    rows = _together([test for test in tests if "expected_value" in test.held_out])
    return _by_group(rows, _value, VALUE_COLUMNS)


def of_newest(churn: Backtest | None, value: Backtest | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """of_churn and of_value of one test each, which may be the same; empty without a test."""
    return (
        churn.churn_groups if churn else of_churn([]),
        value.value_groups if value else of_value([]),
    )


def _together(tests: Sequence[Backtest]) -> pd.DataFrame:
    """The rows of all origins with a column per segment that suits them."""
    needed = ("customer_id", "is_active", "bought", "value", "purchase_probability",
              "baseline_probability", "expected_value", "expected_value_low",
              "expected_value_high")  # fmt: skip
    parts = []
    for number, test in enumerate(tests):
        rows = test.held_out
        groups = {s.name: s.place(rows) for s in SEGMENTS if s.suits(rows)}
        known = rows[[name for name in needed if name in rows]]
        parts.append(known.assign(origin=number, **groups))
    if not parts:
        return pd.DataFrame()
    rows = pd.concat(parts, ignore_index=True)
    # Numbers in the order of the ids, which are many times faster to tell apart than texts.
    return rows.assign(customer_id=pd.factorize(rows.customer_id, sort=True)[0])


def _by_group(
    rows: pd.DataFrame, figures: Callable[[pd.DataFrame], dict], columns: Sequence[str]
) -> pd.DataFrame:
    found = []
    for segment in SEGMENTS:
        for group in segment.groups if segment.name in rows else ():
            chosen = rows[rows[segment.name] == group]
            about = {"segment": segment.name, "group": group,
                     "customers": chosen.customer_id.nunique()}  # fmt: skip
            found.append(about | figures(chosen))
    return pd.DataFrame(found, columns=list(columns))


def _is_too_few(rows: pd.DataFrame, *events: float) -> bool:
    return rows.customer_id.nunique() < LEAST_CUSTOMERS or min(events) < LEAST_EVENTS


def _churn(rows: pd.DataFrame) -> dict:
    left = 1.0 - rows.bought.to_numpy(dtype=float)
    if _is_too_few(rows, left.sum(), (1.0 - left).sum()):
        return {"verdict": TOO_FEW}
    model = 1.0 - rows.purchase_probability.to_numpy(dtype=float)
    rule = 1.0 - rows.baseline_probability.to_numpy(dtype=float)
    losses = log_losses(left, model)
    gain = log_losses(left, rule) - losses
    drawn = chance.resampled_sums([model, left, gain, np.ones(len(rows))], rows.customer_id).T
    level_low, level_high = chance.interval(chance.ratio(drawn[0], drawn[1]))
    gain_low, gain_high = chance.interval(drawn[2] / drawn[3])
    error = expected_calibration_error(left, model)
    usual = chance.calibration_by_chance(model, rows.customer_id)
    verdict = _verdict(level_low, level_high, 1.0, ("too low", "too high"))
    return {
        "level": model.sum() / left.sum(), "level_low": level_low, "level_high": level_high,
        "worst_level": _worst_level(rows.origin, model, left),
        "calibration_error": error, "calibration_by_chance": usual,
        "log_loss": losses.mean(),
        "gain": gain.mean(), "gain_low": gain_low, "gain_high": gain_high,
        "verdict": "uneven" if verdict == WITHIN_CHANCE and error > usual else verdict,
    }  # fmt: skip


def _value(rows: pd.DataFrame) -> dict:
    value, forecast, low, high = (
        rows[name].to_numpy(dtype=float)
        for name in ("value", "expected_value", "expected_value_low", "expected_value_high")
    )
    if _is_too_few(rows, (value > 0).sum()) or value.sum() <= 0:
        return {"verdict": TOO_FEW, "interval_verdict": TOO_FEW}
    inside = (low <= value) & (value <= high)
    drawn = chance.resampled_sums([forecast, value, inside, np.ones(len(rows))], rows.customer_id).T
    level_low, level_high = chance.interval(chance.ratio(drawn[0], drawn[1]))
    inside_low, inside_high = chance.interval(drawn[2] / drawn[3])
    return {
        "level": forecast.sum() / value.sum(), "level_low": level_low, "level_high": level_high,
        "worst_level": _worst_level(rows.origin, forecast, value),
        "coverage_90": coverage(value, low, high),
        "coverage_low": inside_low, "coverage_high": inside_high,
        "verdict": _verdict(level_low, level_high, 1.0, ("too low", "too high")),
        "interval_verdict":
            _verdict(inside_low, inside_high, COVERAGE, ("too narrow", "too wide")),
    }  # fmt: skip


def _worst_level(origin: pd.Series, forecast: NDArray, actual: NDArray) -> float:
    """The level furthest from 1, as a factor, among origins where enough happened; or NaN."""
    where = origin.to_numpy(dtype=int)
    many = np.bincount(where, actual > 0)
    levels = chance.ratio(np.bincount(where, forecast), np.bincount(where, actual))
    known = levels[(many >= LEAST_EVENTS) & (levels > 0)]
    return float(known[np.argmax(np.abs(np.log(known)))]) if len(known) else np.nan


def _verdict(low: float, high: float, right: float, wrong: tuple[str, str]) -> str:
    """Which side of the right value the whole interval lies on, if it does."""
    if high < right:
        return wrong[0]
    return wrong[1] if low > right else WITHIN_CHANCE
