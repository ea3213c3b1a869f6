"""The strongest reasons behind a churn probability, for those who have one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from training.model_set import ModelSet, is_active
from training.models.explanation import Factor, sentence

MOST_FACTORS = 3  # what somebody reads in the middle of a call
# Customers explained at a time: a part for each of several hundred features takes a megabyte per
# few hundred of them.
_CHUNK = 20_000


def factors(rows: pd.DataFrame, models: ModelSet) -> list[list[Factor]]:
    """The strongest factors of each row, the strongest first; none for who was not active.

    rows: features, of customers with at least one purchase.
    """
    task = models.tasks["churn"]
    found: list[list[Factor]] = [[] for _ in range(len(rows))]
    active = np.flatnonzero(is_active(rows, task))
    for start in range(0, len(active), _CHUNK):
        positions = active[start : start + _CHUNK]
        chosen = rows.iloc[positions].assign(horizon_days=task.horizon_days)
        for position, few in zip(positions, models.explain(chosen, MOST_FACTORS), strict=True):
            found[position] = few
    return found


def in_words(factors: list[Factor]) -> str | None:
    """The factors as one text; None without any."""
    return "; ".join(sentence(factor) for factor in factors) or None
