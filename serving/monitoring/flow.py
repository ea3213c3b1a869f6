"""How scores moved from one score file to the next: bands, and tiers of the same customers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from serving.monitoring.made import Made
from serving.monitoring.reading import RETRAIN, Reading
from serving.monitoring.usual import FACTOR
from training.drift import psi, psi_by_chance

MOST_FILES = 8  # to learn from what is usual between two
LEAST_PAIRS = 3  # of earlier files; of fewer nothing is usual yet
TIER_FLOOR = 0.10  # share of the customers who changed their tier
BAND_FLOOR, CHANCE = 0.10, 0.999
BANDS = ("low", "medium", "high")


def bands(files: Sequence[Made]) -> Iterator[Reading]:
    """Index of the risk bands of the two newest score files, newest first; nothing of one file."""
    if len(files) < 2:
        return
    now, before = (_shares(made.rows()) for made in files[:2])
    found = psi(before, now)
    limit = max(BAND_FLOOR, psi_by_chance(len(BANDS), before.sum(), now.sum(), CHANCE))
    high_now, high_before = (counts[-1] / max(counts.sum(), 1) for counts in (now, before))
    facts = {"high": float(high_now), "before": float(high_before),
             "since": f"{files[1].as_of:%Y-%m-%d}"}  # fmt: skip
    yield Reading("churn_band", found, limit, "bands", facts, RETRAIN)


def tiers(files: Sequence[Made]) -> Iterator[Reading]:
    """Share of customers whose tier changed between the two newest files, against earlier pairs.

    Between files that lie apart for longer more change; so the share is that of a month.
    """
    some = files[:MOST_FILES]
    if len(some) < LEAST_PAIRS + 2:
        return
    rows = [made.rows()[["customer_id", "tier"]].dropna() for made in some]
    days = [(a.as_of - b.as_of).days for a, b in pairwise(some)]
    changed = [_changed(b, a) * _month(d) for a, b, d in
               zip(rows, rows[1:], days, strict=False)]  # fmt: skip
    limit = max(TIER_FLOOR, FACTOR * max(changed[1:]))
    facts = {"share": changed[0], "most": max(changed[1:]), "since": f"{some[1].as_of:%Y-%m-%d}"}
    yield Reading("tier", changed[0], limit, "tiers", facts, RETRAIN)


def _month(days: int) -> float:
    # A share that changes by chance steps grows with the root of the time.
    return float(np.sqrt(30.0 / max(days, 1)))


def _shares(rows: pd.DataFrame) -> np.ndarray:
    counts = rows.churn_band.value_counts()
    return np.array([int(counts.get(band, 0)) for band in BANDS])


def _changed(before: pd.DataFrame, now: pd.DataFrame) -> float:
    both = before.merge(now, on="customer_id", suffixes=("_before", ""))
    return float((both.tier != both.tier_before).mean()) if len(both) else 0.0
