"""Where a plan lies, and how it is written: whole or not at all, with all it rests on."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features import backend
from features.computation import KEPT, PART
from features.errors import UserError
from features.store import FeatureStore
from features.workspace import Workspace
from serving import batch, made_of
from serving.planner import CONTACTED, Plan

_METADATA = b"holdfast_plan"


def path(space: Workspace, as_of: datetime) -> Path:
    """Where the plan of a moment lies: beside its scores."""
    return batch.score_path(space, as_of).with_name("plan.parquet")


def with_contacts(store: FeatureStore, scores: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Scores with the days since each customer was contacted, where contacts are known.

    Read from the features the scores were made of, which later events do not change; from the
    snapshot of the moment where scores have kept none.
    """
    told = _contacts(store, as_of)
    if told is None:
        return scores
    days = told.set_index("customer_id").days_since_going_out
    return scores.assign(**{CONTACTED: scores.customer_id.map(days)})


def _contacts(store: FeatureStore, as_of: datetime) -> pd.DataFrame | None:
    columns = ["customer_id", "days_since_going_out"]
    kept = made_of.folder_of(store.workspace, as_of) / KEPT / "contact" / PART
    if kept.exists():
        return pd.read_parquet(kept, columns=columns)
    family = next((f for f in store.snapshots.families if f.name == "contact"), None)
    if family is None or not store.snapshots.is_built(family, as_of):
        return None
    return store.snapshots.read(family, as_of).select(*columns).to_pandas()


def write(made: Plan, path: Path) -> Path:
    """Write a plan as .parquet, with its facts in the file's metadata, or as .csv; whole or not."""
    if path.suffix not in (".parquet", ".csv"):
        raise UserError(f"A plan cannot be written to {path}. Name a .parquet or a .csv file.")
    with backend.whole_or_nothing(path) as temporary:
        if path.suffix == ".csv":
            made.table.to_csv(temporary, index=False)
        else:
            rests = {"facts": dict(made.facts), "assumptions": list(made.assumptions),
                     "prices": dict(made.prices)}  # fmt: skip
            table = pa.Table.from_pandas(made.table, preserve_index=False)
            pq.write_table(table.replace_schema_metadata({_METADATA: json.dumps(rests)}), temporary)
    return path


def read(path: Path) -> Plan:
    """The plan of a .parquet file that `write` wrote."""
    table = pq.read_table(path)
    rests = json.loads(table.schema.metadata[_METADATA])
    facts, prices = rests["facts"], rests["prices"]
    return Plan(table.to_pandas(), facts, tuple(rests["assumptions"]), prices)
