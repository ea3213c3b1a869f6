"""Which customers teach what: by a hash of the id, so the same at every moment and on any machine.

Every choice reads other digits of the hash than the others, so that one says nothing of another.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Every moment of a panel has so many customers at most: rates are known to a third of a point then,
# and memory and time no longer grow with the business.
MOST_CUSTOMERS = 30_000
# Differences between customers are learnt from so many rows; more only take longer.
MOST_ROWS = 50_000
# One customer in this many is kept aside to choose the number of trees and the penalty.
ASIDE_ONE_IN = 4
_HASHES = float(2**64)


def drawn(customers: pd.Series, of: int) -> NDArray[np.bool_]:
    """Whether a customer is one of about MOST_CUSTOMERS from among `of`; all are when they fit.

    Who is drawn from among many is drawn from among fewer too.
    """
    return _hashed(customers) / _HASHES < MOST_CUSTOMERS / max(of, 1)


def kept_aside(customers: pd.Series) -> NDArray[np.bool_]:
    """Whether a row's customer is kept aside: a customer in all or no cut-off."""
    return _hashed(customers) % ASIDE_ONE_IN == 0


def thinned(panel: pd.DataFrame) -> pd.DataFrame:
    """At most about MOST_ROWS rows, whole customers, with a new index."""
    if len(panel) <= MOST_ROWS:
        return panel.reset_index(drop=True)
    place = (_hashed(panel.customer_id) // ASIDE_ONE_IN) % len(panel)
    return panel[place < MOST_ROWS].reset_index(drop=True)


def standing(rows: pd.DataFrame) -> NDArray[np.float64]:
    """How many customers each row of a panel stands for, (n,); 1 where nothing is told."""
    if "stands_for" not in rows:
        return np.ones(len(rows))
    return rows.stands_for.to_numpy(dtype=float)


def counted(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that stand for anybody: learnt by control, treated ones may not (exposure.py)."""
    counts = standing(rows) > 0.0
    return rows if counts.all() else rows[counts]  # of all of them no copy


def crowding(rows: pd.DataFrame) -> float:
    """How many customers a unit of evidence has to stand for, at least 1: Kish's design effect.

    Who stands for four is no more evidence than one. Source: Kish (1965), Survey Sampling, 11.7.
    """
    stands = standing(rows)
    return float(np.sum(stands**2) / np.sum(stands))


def _hashed(customers: pd.Series) -> NDArray:
    hashed = pd.util.hash_pandas_object(customers.astype(str), index=False)
    return hashed.to_numpy(dtype=np.uint64)
