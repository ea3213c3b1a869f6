"""What is usual for a figure that is seen every week: judged by its own past alone.

A week is held against the mean of those before it, and the difference against the largest of the
past. No distribution is assumed, and a season that came last year is in what is usual.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BEFORE = 8  # weeks that a week is held against: long enough to be steady, short enough for trends
# The newest differences are no measure of what is usual: what is about to ring is in them already.
GAP = 4
LEAST_WEEKS = 12  # differences of the past; of fewer the largest says little
MOST_PAST = 52  # a year, so that every season is in it once
# Times the largest of the past. Of 50 normal differences the largest is at some 2.6 standard
# deviations; 1.75 times that is at 4.5, so that dozens of weekly figures ring seldom by chance.
FACTOR = 1.75


class Departure(NamedTuple):
    """How far the newest week stands from those before it, and how far would be unusual."""

    by: float
    limit: float

    @property
    def is_unusual(self) -> bool:
        """Whether it is further than is usual."""
        return abs(self.by) > self.limit


def departure(series: NDArray[np.float64], floor: float, window: int = 1) -> Departure | None:
    """The newest `window` weeks against the BEFORE weeks before them; None with too little past.

    series: newest first, (weeks,); NaN: not known. floor: the least difference that matters.
    """
    recent, before = _means(series, window), _means(series, BEFORE)
    count = len(series) - window - BEFORE + 1
    if count < 1 or not np.isfinite(recent[0]):
        return None
    differences = recent[:count] - before[window : window + count]
    return judged(differences, floor)


def judged(figures: NDArray[np.float64], floor: float) -> Departure | None:
    """The newest of weekly figures against the largest, by size, of the past ones, newest first."""
    past = np.abs(figures[GAP : GAP + MOST_PAST])
    past = past[np.isfinite(past)]
    if len(past) < LEAST_WEEKS or not np.isfinite(figures[0]):
        return None
    return Departure(float(figures[0]), max(floor, FACTOR * float(past.max())))


def _means(series: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """The mean of each week and the window - 1 before it; those that are known."""
    padded = np.r_[series, np.full(window - 1, np.nan)]
    windows = np.lib.stride_tricks.sliding_window_view(padded, window)
    known = np.isfinite(windows)
    count = known.sum(axis=1)
    sums = np.where(known, windows, 0.0).sum(axis=1)
    return np.divide(sums, count, out=np.full(len(series), np.nan), where=count > 0)
