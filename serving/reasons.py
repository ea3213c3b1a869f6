"""The strongest reasons behind a churn probability, for those who have one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from serving.score import Scored
from training.model_set import ModelSet
from training.models.explanation import Factor, sentence

MOST_FACTORS = 3  # what somebody reads in the middle of a call
# Customers explained at a time: a part for each of several hundred features takes a megabyte per
# few hundred of them.
_CHUNK = 20_000


def factors(
    scored: Scored, models: ModelSet, wanted: NDArray[np.bool_] | None = None
) -> list[list[Factor]]:
    """The strongest factors of each row, the strongest first; none for who has no churn risk.

    wanted: of these rows alone, (n,).
    """
    is_scored = scored.scores["status"] == "scored"
    found: list[list[Factor]] = [[] for _ in is_scored]
    explained = np.flatnonzero(is_scored if wanted is None else is_scored & wanted)
    for start in range(0, len(explained), _CHUNK):
        positions = explained[start : start + _CHUNK]
        chosen = scored.churn.chosen(positions)
        for position, few in zip(positions, models.explain(chosen, MOST_FACTORS), strict=True):
            found[position] = few
    return found


def in_words(factors: list[Factor]) -> str | None:
    """The factors as one text; None without any."""
    return "; ".join(sentence(factor) for factor in factors) or None
