"""Sources mapped onto the three canonical tables: one file a source, all in one visible list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from features.datasets import cdnow, data365, online_retail, simulated


@dataclass(frozen=True)
class Dataset:
    """A source: its name, what it is, and how a folder of it becomes the canonical tables."""

    name: str
    about: str
    load: Callable[[Path], Mapping[str, pd.DataFrame]]


DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset("simulated", "A made business whose truth is known.", simulated.load),
        Dataset("cdnow", "CD web shop, one cohort of new customers, 1997-98.", cdnow.load),
        Dataset("cdnow_sample", "The 1/10 sample of CDNOW.", cdnow.load_sample),
        Dataset("online_retail", "UK gift-ware web shop, 2009-11.", online_retail.load),
        Dataset("data365", "Learning platform: purchases and use, 2022.", data365.load),
    )
}
