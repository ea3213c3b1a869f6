"""Sources mapped onto the three canonical tables: one file a source, all in one visible list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd

from features.datasets import cdnow, data365, data365_plans, online_retail, simulated
from features.errors import UserError


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
        Dataset("data365_plans", "The same with the ends of the plans.", data365_plans.load),
    )
}


def load_dataset(name: str, folder: str) -> dict[str, ir.Table]:
    """The tables of a known data set that have rows, ready for `workspace.ingest`.

    folder: where its files lie; not needed for `simulated`. Raises UserError for a name that is
    not listed or files that are not there.
    """
    if name not in DATASETS:
        raise UserError(f"The data set {name!r} is not known; there are {', '.join(DATASETS)}.")
    frames = DATASETS[name].load(Path(folder))
    return {table: ibis.memtable(frame) for table, frame in frames.items() if len(frame)}
