"""Simulated businesses at one moment: what was known then, what came after, and the truth behind.

All are of the same law and differ by their seed alone: nothing in the simulator is drawn for a
business as a whole, so its seasons, campaigns and hazards are those of every other one.
"""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

import ibis
import pandas as pd

from features import workspace
from features.datasets.simulated import Simulation, simulate
from features.store import FeatureStore
from features.workspace import Workspace
from serving.demo import AS_OF, HORIZON_DAYS, tables_of
from tests.benchmarks.models.questions import Past
from training import frame
from training.split import CutOff
from training.tasks import ACTIVE_HORIZONS

CUSTOMERS = 8_000  # about 4,000 active ones at AS_OF; Holdfast learns from them in minutes
EVERYTHING_KNOWN = datetime(2026, 1, 1)  # months after the last row of the simulation


def past(world: Simulation, root: Path) -> Past:
    """What the business knew at AS_OF, as the forecasters of every question get it."""
    known = {
        "customers": world.customers[world.customers.first_seen_at <= AS_OF],
        "transactions": _known(world.transactions),
        "interactions": _known(world.interactions),
    }
    space = Workspace(root)
    workspace.ingest(space, {name: ibis.memtable(rows) for name, rows in known.items()})
    return Past(space, known["transactions"], AS_OF, HORIZON_DAYS)


def _known(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of then; those without a time are kept, to be refused at ingest as always."""
    return rows[~(rows.happened_at > AS_OF) & ~(rows.known_at > AS_OF)]


def examples(world: Simulation) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """One row per customer who had bought by AS_OF, and the names of the features.

    Columns: every feature at AS_OF, every outcome of the days after it, `weight`, and the columns
    of Simulation.truth.
    """
    with tempfile.TemporaryDirectory() as folder:
        space = Workspace(Path(folder) / "workspace")
        workspace.ingest(space, tables_of(world))
        store = FeatureStore(space)
        for _ in store.build([AS_OF]):
            pass
        store.apply()
        rows = frame.panel(store, [CutOff(AS_OF, HORIZON_DAYS)], known_by=EVERYTHING_KNOWN)
        names = store.feature_names
    truth = world.truth(AS_OF, HORIZON_DAYS)
    return rows.merge(truth, on="customer_id", validate="one_to_one"), names


def others(seeds: range, customers: int) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The examples of several businesses, one under the other; `seed` names each."""
    parts, names = [], ()
    for seed in seeds:
        rows, names = examples(simulate(customers, seed))
        parts.append(rows.assign(seed=seed))
    return pd.concat(parts, ignore_index=True), names


def is_active(rows: pd.DataFrame) -> pd.Series:
    """Whether a customer is asked about: has bought in the days that count as active."""
    return rows.recency < ACTIVE_HORIZONS * HORIZON_DAYS


def has_cause(rows: pd.DataFrame) -> pd.Series:
    """Whether a customer buys nothing in the horizon because of having left for a cause."""
    return (rows.bought == 0) & rows.cause.notna()
