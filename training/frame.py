"""The training panel: features known at a cut-off beside the outcome of the days after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import ibis
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features import moment
from features.events import TABLES
from features.store import FeatureStore
from training import exposure
from training.exposure import AS_THEY_ARE, Treated
from training.sampling import drawn
from training.split import CutOff
from training.tasks import CHURN, OUTCOMES, STAYS, Task


def customers(store: FeatureStore, as_of: datetime) -> pd.DataFrame:
    """One row per customer who had bought by a built moment, all features: drawn if many."""
    ids = _buyers(store, as_of)
    return store.snapshot(as_of, ids[drawn(ids, of=len(ids))].tolist())


def panel(
    store: FeatureStore,
    cutoffs: Sequence[CutOff],
    known_by: datetime,
    churn: Task = CHURN,
    treated: Treated = AS_THEY_ARE,
) -> pd.DataFrame:
    """One row per cut-off and customer who had bought by it: features, outcomes, weight.

    Columns: customer_id, as_of, horizon_days, every feature, every outcome, what campaigns did
    (exposure.PANEL_COLUMNS), and `weight`, which sums to one per cut-off, times the mean number of
    rows, so that no cut-off counts double; within one it is as `stands_for`, by treated. Of
    many customers some are drawn, the same at every cut-off (sampling.drawn). A churn question that
    asks for something else than a purchase adds the outcome STAYS, of everybody.
    known_by: the moment of training; nothing learned later is used. The cut-offs must be built.
    """
    chosen = _chosen(store, cutoffs)
    asked = pd.concat(
        [
            pd.DataFrame({"customer_id": ids, "as_of": pd.Timestamp(cutoff.as_of),
                          "horizon_days": cutoff.horizon_days})
            for cutoff, ids in chosen.items()
        ],
        ignore_index=True,
    )  # fmt: skip
    rows = store.history(asked)
    rows.insert(2, "horizon_days", asked.horizon_days)
    known = pd.concat([outcomes(store, cutoff, known_by, ids) for cutoff, ids in chosen.items()])
    joined = rows.merge(known, on=["customer_id", "as_of"], how="left", validate="one_to_one")
    for name, nothing in _outcomes_of_nobody(store).items():
        if nothing is not None:
            joined[name] = joined[name].fillna(nothing)
    met = [exposure.told(store, cutoff, known_by, ids, treated) for cutoff, ids in chosen.items()]
    joined = joined.merge(pd.concat(met), on=["customer_id", "as_of"], how="left")
    for name, otherwise in exposure.PANEL_COLUMNS.items():
        joined[name] = joined[name].fillna(otherwise).astype(type(otherwise))
    per_cutoff = joined.groupby("as_of").stands_for.transform("sum")
    joined["weight"] = len(joined) / len(cutoffs) / per_cutoff * joined.stands_for
    if not churn.rule.asks_for_purchase:
        joined[STAYS] = _stays(store, joined, known_by, churn)
    return joined


def _stays(
    store: FeatureStore, rows: pd.DataFrame, known_by: datetime, churn: Task
) -> NDArray[np.float64]:
    """Who has not left by the definition of a churn question, 0 or 1."""
    found = np.full(len(rows), np.nan)
    for _, part in rows.reset_index(drop=True).groupby(["as_of", "horizon_days"]):
        days = int(part.horizon_days.iloc[0])
        found[part.index] = churn.rule.stayed(store.snapshots.events, part, days, known_by)
    return found


def outcomes(
    store: FeatureStore, cutoff: CutOff, known_by: datetime, customers: pd.Series
) -> pd.DataFrame:
    """One row per customer with an event in the cut-off's future: customer_id, as_of, OUTCOMES.

    customers: the ids of those who are asked about.
    """
    events = store.snapshots.events
    chosen = ibis.memtable({"customer_id": customers.tolist()}, schema={"customer_id": "string"})
    found = pd.DataFrame({"customer_id": pd.Series(dtype=str)})
    for source in sorted({outcome.source for outcome in OUTCOMES}):
        rows = moment.future(getattr(events, source), cutoff.as_of, cutoff.horizon_days, known_by)
        rows = rows.semi_join(chosen, "customer_id")
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


def _chosen(store: FeatureStore, cutoffs: Sequence[CutOff]) -> dict[CutOff, pd.Series]:
    buyers = {cutoff: _buyers(store, cutoff.as_of) for cutoff in cutoffs}
    most = max(map(len, buyers.values()))
    return {cutoff: ids[drawn(ids, of=most)] for cutoff, ids in buyers.items()}


def _buyers(store: FeatureStore, as_of: datetime) -> pd.Series:
    rhythm = next(f for f in store.snapshots.families if f.name == "rhythm")
    snapshot = store.snapshots.read(rhythm, as_of)
    bought = snapshot.filter(snapshot.purchase_days_total > 0)
    return bought.select("customer_id").order_by("customer_id").to_pandas().customer_id


def _outcomes_of_nobody(store: FeatureStore) -> dict[str, float | None]:
    events = store.snapshots.events
    values: dict[str, float | None] = {}
    for outcome in OUTCOMES:
        nothing = getattr(events, outcome.source).filter(False)
        value = nothing.agg(value=outcome.value(nothing)).to_pyarrow().to_pylist()[0]["value"]
        values[outcome.name] = None if value is None else float(value)
    return values
