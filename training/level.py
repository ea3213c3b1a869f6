"""The level of a forecast, kept apart from its ranking.

Whether next quarter is a good one concerns all customers alike and is known from few cut-offs; who
is better than whom is known from many customers. So each cut-off has its own shift against the
buy-till-you-die forecast, the learners learn only differences between customers of one cut-off,
and the target gets a shift shrunk from those of the same season last year or the newest ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit

from training.split import CutOff, is_season_matched

# How much of the measured shift is carried to the target: a matched season repeats nearly whole.
# The newest cut-offs of another season, or of a short span divided, say a quarter: over 156 past
# moments of two businesses, of parts of them and of made-up ones, a half was worse, and shares by
# how well the cut-offs agree no better. None at all was a little better still, but knows no trend.
SEASON_SHARE, NEWEST_SHARE = 0.9, 0.25
NEWEST_CUTS = 2
# A season counts as seen when this many horizons of history lay before it: in the first weeks of a
# record everybody looks new, and the shift tells of that and not of the season.
SEASON_HISTORY = 1.0
# A shift beyond e^4 in odds or money is a sign of nobody or everybody buying, not of a level.
MOST_SHIFT = 4.0


@dataclass(frozen=True)
class Level:
    """Shifts of one cut-off or target: `odds` on the logit of a purchase, `money` on log value.

    tilt: what that logit is multiplied with before; 1 where a purchase is what is asked.
    """

    odds: float
    money: float
    tilt: float = 1.0


def measure(
    forecast: pd.DataFrame, bought: NDArray, value: NDArray, stands_for: NDArray | None = None
) -> Level:
    """The shifts that make a cut-off's forecast right in total.

    forecast: logit_purchase and log_value of one cut-off's customers; bought, value: what they did;
    stands_for: how many customers each counts as, (n,), None: one.
    """
    log_odds = forecast.logit_purchase.to_numpy()
    stands_for = np.ones(len(bought)) if stands_for is None else stands_for
    rate = float(np.average(bought, weights=stands_for))

    def gap(shift: float) -> float:
        return float(np.average(expit(log_odds + shift), weights=stands_for)) - rate

    inside = gap(-MOST_SHIFT) < 0 < gap(MOST_SHIFT)
    odds = brentq(gap, -MOST_SHIFT, MOST_SHIFT) if inside else np.sign(-gap(0.0)) * MOST_SHIFT
    total = float(np.sum(stands_for * value))
    expected = float(np.sum(stands_for * np.exp(forecast.log_value)))
    money = np.log(max(total, 1e-9) / expected)
    return Level(float(odds), float(np.clip(money, -MOST_SHIFT, MOST_SHIFT)))


def expect(levels: dict[CutOff, Level], begun: datetime, as_of: datetime) -> Level:
    """The level to expect at a target moment, shrunk from the measured ones.

    begun: the first purchase of the business.
    """
    newest_first = sorted(levels, key=lambda cutoff: cutoff.as_of, reverse=True)
    matched = [c for c in newest_first if is_season_matched(c, as_of) and _is_seasoned(c, begun)]
    chosen, share = (
        (matched, SEASON_SHARE) if matched else (newest_first[:NEWEST_CUTS], NEWEST_SHARE)
    )
    return Level(
        odds=share * float(np.mean([levels[cutoff].odds for cutoff in chosen])),
        money=share * float(np.mean([levels[cutoff].money for cutoff in chosen])),
    )


def _is_seasoned(cutoff: CutOff, begun: datetime) -> bool:
    return (cutoff.as_of - begun).days >= SEASON_HISTORY * cutoff.horizon_days
