"""The training panel: features known at a cut-off beside the outcome of the days after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pandas as pd

from features import moment
from features.events import TABLES
from features.store import FeatureStore
from training.split import CutOff
from training.tasks import OUTCOMES


def panel(store: FeatureStore, cutoffs: Sequence[CutOff], known_by: datetime) -> pd.DataFrame:
    """One row per cut-off and customer who had bought by it: features, outcomes, weight.

    Columns: customer_id, as_of, horizon_days, every feature, every outcome, and `weight`, which
    sums to one per cut-off, times the mean number of rows, so that no cut-off counts double.
    known_by: the moment of training; nothing learned later is used. The cut-offs must be built.
    """
    buyers = pd.concat([_buyers(store, cutoff) for cutoff in cutoffs], ignore_index=True)
    rows = store.history(buyers)
    rows.insert(2, "horizon_days", buyers.horizon_days)
    known = pd.concat([outcomes(store, cutoff, known_by) for cutoff in cutoffs])
    joined = rows.merge(known, on=["customer_id", "as_of"], how="left", validate="one_to_one")
    for name, nothing in _outcomes_of_nobody(store).items():
        if nothing is not None:
            joined[name] = joined[name].fillna(nothing)
    per_cutoff = joined.groupby("as_of").as_of.transform("size")
    joined["weight"] = len(joined) / len(cutoffs) / per_cutoff
    return joined


def outcomes(store: FeatureStore, cutoff: CutOff, known_by: datetime) -> pd.DataFrame:
    """One row per customer with an event in the cut-off's future: customer_id, as_of, OUTCOMES."""
    events = store.snapshots.events
    found = pd.DataFrame({"customer_id": pd.Series(dtype=str)})
    for source in sorted({outcome.source for outcome in OUTCOMES}):
        rows = moment.future(getattr(events, source), cutoff.as_of, cutoff.horizon_days, known_by)
        asked = {o.name: o.value(rows) for o in OUTCOMES if o.source == source}
        values = rows.group_by("customer_id").agg(**asked).to_pandas()
        found = found.merge(values, on="customer_id", how="outer")
    found.insert(1, "as_of", cutoff.as_of)
    return found.astype({"bought": "Float64", "purchase_days": "Float64"})


def first_event(store: FeatureStore) -> datetime:
    """When the first transaction of the business happened."""
    return store.snapshots.events.transactions.happened_at.min().execute().to_pydatetime()


def last_event(store: FeatureStore) -> datetime:
    """When the last event of the business that we know of happened."""
    events = store.snapshots.events
    tables = [getattr(events, name) for name in TABLES if name != "customers"]
    lasts = [table.happened_at.max().execute() for table in tables]
    return max(last for last in lasts if pd.notna(last)).to_pydatetime()


def _buyers(store: FeatureStore, cutoff: CutOff) -> pd.DataFrame:
    rhythm = next(f for f in store.snapshots.families if f.name == "rhythm")
    snapshot = store.snapshots.read(rhythm, cutoff.as_of)
    bought = snapshot.filter(snapshot.purchase_days_total > 0)
    ids = bought.select("customer_id").order_by("customer_id").to_pandas()
    return ids.assign(as_of=pd.Timestamp(cutoff.as_of), horizon_days=cutoff.horizon_days)


def _outcomes_of_nobody(store: FeatureStore) -> dict[str, float | None]:
    events = store.snapshots.events
    values: dict[str, float | None] = {}
    for outcome in OUTCOMES:
        nothing = getattr(events, outcome.source).filter(False)
        value = nothing.agg(value=outcome.value(nothing)).to_pyarrow().to_pylist()[0]["value"]
        values[outcome.name] = None if value is None else float(value)
    return values
