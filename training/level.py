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

# How much of the measured shift is carried to the target: a matched season repeats nearly whole;
# the newest cut-offs say half of it; divisions of a short span half as well (MODELS 2.13, step 5).
SEASON_SHARE, NEWEST_SHARE = 0.9, 0.5
NEWEST_CUTS = 2
# A shift beyond e^4 in odds or money is a sign of nobody or everybody buying, not of a level.
MOST_SHIFT = 4.0


@dataclass(frozen=True)
class Level:
    """Shifts of one cut-off or target: `odds` on the logit of a purchase, `money` on log value."""

    odds: float
    money: float


def measure(forecast: pd.DataFrame, bought: NDArray, value: NDArray) -> Level:
    """The shifts that make a cut-off's forecast right in total.

    forecast: logit_purchase and log_value of one cut-off's customers; bought, value: what they did.
    """
    log_odds = forecast.logit_purchase.to_numpy()
    rate = float(np.mean(bought))

    def gap(shift: float) -> float:
        return float(np.mean(expit(log_odds + shift))) - rate

    inside = gap(-MOST_SHIFT) < 0 < gap(MOST_SHIFT)
    odds = brentq(gap, -MOST_SHIFT, MOST_SHIFT) if inside else np.sign(-gap(0.0)) * MOST_SHIFT
    total, expected = float(np.sum(value)), float(np.sum(np.exp(forecast.log_value)))
    money = np.log(max(total, 1e-9) / expected)
    return Level(float(odds), float(np.clip(money, -MOST_SHIFT, MOST_SHIFT)))


def expect(levels: dict[CutOff, Level], as_of: datetime) -> Level:
    """The level to expect at a target moment, shrunk from the measured ones."""
    newest_first = sorted(levels, key=lambda cutoff: cutoff.as_of, reverse=True)
    matched = [cutoff for cutoff in newest_first if is_season_matched(cutoff, as_of)]
    same_horizon = len({cutoff.horizon_days for cutoff in newest_first}) == 1
    if matched:
        chosen, share = matched, SEASON_SHARE
    else:
        chosen, share = newest_first[:NEWEST_CUTS] if same_horizon else newest_first, NEWEST_SHARE
    return Level(
        odds=share * float(np.mean([levels[cutoff].odds for cutoff in chosen])),
        money=share * float(np.mean([levels[cutoff].money for cutoff in chosen])),
    )
