"""What a churn probability was worth when it was tested: its interval.

At the test the forecasts of some hundred customers about as much at risk are held against how many
of them left. Where 41 % were told to leave, perhaps 33 % to 50 % may have been right; a customer of
41 % has that interval. It knows the luck of the test and the model's own bias there, and not how
much another season may differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

COVERAGE = 0.90
MOST_GROUPS = 10
LEAST_TESTED = 50  # customers of a group; the interval of fewer says hardly anything


@dataclass(frozen=True)
class Reliability:
    """How far a probability may be off, by groups of equal size.

    edges: the greatest probability of each group but the last. below, above: what to take off and
    to add, probability.
    """

    edges: Sequence[float]
    below: Sequence[float]
    above: Sequence[float]

    @classmethod
    def of(cls, probability: ArrayLike, left: ArrayLike) -> Self | None:
        """Measured on customers tested: what they were told, and whether they left, both (n,).

        None where too few were tested. The interval is Jeffreys': Brown, Cai, DasGupta (2001),
        Interval estimation for a binomial proportion, Statistical Science 16(2), eq. 6.
        """
        told, happened = np.asarray(probability, float), np.asarray(left, float)
        count = min(MOST_GROUPS, len(told) // LEAST_TESTED)
        if count == 0:
            return None
        groups = np.array_split(np.argsort(told, kind="stable"), count)
        tail = (1.0 - COVERAGE) / 2.0
        below, above = [], []
        for group in groups:
            leavers, stayers = happened[group].sum() + 0.5, (1.0 - happened[group]).sum() + 0.5
            low, high = betaincinv(leavers, stayers, [tail, 1.0 - tail])
            below.append(max(float(told[group].mean() - low), 0.0))
            above.append(max(float(high - told[group].mean()), 0.0))
        return cls([float(told[group].max()) for group in groups[:-1]], below, above)

    def interval(self, probability: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The least and the greatest that a probability may be, both (n,); NaN where it is."""
        group = np.searchsorted(self.edges, np.nan_to_num(probability))
        low = probability - np.asarray(self.below)[group]
        high = probability + np.asarray(self.above)[group]
        return np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {"edges": list(self.edges), "below": list(self.below), "above": list(self.above)}

    @classmethod
    def from_dict(cls, stored: Mapping | None) -> Self | None:
        """What `to_dict` stored; None for None."""
        return cls(**stored) if stored else None
