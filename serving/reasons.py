"""The strongest reasons behind a churn probability, for those who have one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.columns import Columns, Rows
from training.model_set import ModelSet, is_active
from training.models.explanation import Factor, sentence

MOST_FACTORS = 3  # what somebody reads in the middle of a call
# Customers explained at a time: a part for each of several hundred features takes a megabyte per
# few hundred of them.
_CHUNK = 20_000


def factors(
    rows: Rows, models: ModelSet, wanted: NDArray[np.bool_] | None = None
) -> list[list[Factor]]:
    """The strongest factors of each row, the strongest first; none for who was not active.

    rows: features, of customers with at least one purchase. wanted: of these rows alone, (n,).
    """
    task, columns = models.tasks["churn"], Columns.of(rows)
    found: list[list[Factor]] = [[] for _ in range(len(rows))]
    explained = is_active(columns, task) if wanted is None else wanted
    active = np.flatnonzero(explained)
    for start in range(0, len(active), _CHUNK):
        positions = active[start : start + _CHUNK]
        horizon = np.full(len(positions), task.horizon_days)
        chosen = columns.chosen(positions).with_columns({"horizon_days": horizon})
        for position, few in zip(positions, models.explain(chosen, MOST_FACTORS), strict=True):
            found[position] = few
    return found


def in_words(factors: list[Factor]) -> str | None:
    """The factors as one text; None without any."""
    return "; ".join(sentence(factor) for factor in factors) or None
