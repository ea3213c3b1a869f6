"""How customers moved: where they stood one churn horizon ago, and where they stand now.

It describes, it tests nothing: the models of today have learnt from the days between the two
moments. Source: PRODUCT 7, 9 and 15.3, the transition matrices.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pyarrow.parquet as pq

from features import chunks
from features.chunks import Built
from features.columns import Columns
from features.snapshots import Snapshots
from features.workspace import Workspace
from serving import batch, parts, segments
from serving.policy import Policy
from serving.score import score_columns
from training.model_set import ModelSet
from training.sampling import drawn
from training.tasks import TIERS

# The states of a customer who has bought, from the best; acquisition and prospect are before that.
STATES: Mapping[str, tuple[str, ...]] = {
    "tier": TIERS,
    "stage": ("growth", "maturity", "decline", "termination"),
    "rfm_class": (
        "important_value", "important_develop", "important_keep", "important_retain",
        "general_value", "general_develop", "general_keep", "general_retain",
    ),
    "ladder": ("partner", "advocate", "client", "customer"),
}  # fmt: skip
NEW, GONE = "new", "gone"
# Scores made within half a horizon of the moment asked for tell of it; others of another time.
NEAR = 0.5
RESCORED = "today's models"
STORED = "scores of then"
Facts: TypeAlias = dict[Hashable | None, Any]


def moves(
    space: Workspace,
    models: ModelSet,
    policy: Policy,
    as_of: datetime,
    scores: pd.DataFrame | None = None,
) -> dict[str, pd.DataFrame]:
    """Of each kind in STATES that scores have, the customers by state then (rows) and now, counts.

    Rows are the states and `new`, who had not bought by then; columns the states and `gone`, who
    is no longer scored. Then is one churn horizon before `as_of`, scored with today's models and
    stored cuts on the snapshot of that moment, which is built when it is missing. The tiers of
    then are those of a score file made within half a horizon of it, when there is one. Who has no
    state at one of the moments is not counted. Of more customers than sampling.MOST_CUSTOMERS
    some are drawn, always the same. The attrs of each table: `before`, the moment of then;
    `source`, RESCORED or STORED; `share`, drawn customers of all. Empty when nobody had bought
    by then.

    scores: the scores of now where they are at hand; default: the stored ones, else they are made.
    """
    horizon = timedelta(days=models.tasks["churn"].horizon_days)
    count = _count(space, as_of, scores)
    then = _scored(space, models, policy, as_of - horizon, count)
    if then.empty:
        return {}
    now = _now(space, models, policy, as_of, scores, count)
    share = len(now) / max(count, 1)
    facts: Facts = {"before": as_of - horizon, "source": RESCORED, "share": share}
    kinds = [kind for kind in STATES if kind in then and kind in now]
    found = {kind: _table(then[kind], now[kind], STATES[kind], facts) for kind in kinds}
    stored = _stored(space, as_of, horizon, count)
    if stored is not None and "tier" in found:
        moment, tiers = stored
        facts |= {"before": moment, "source": STORED}
        found["tier"] = _table(tiers, now["tier"], STATES["tier"], facts)
    return found


def _table(then: pd.Series, now: pd.Series, states: tuple[str, ...], facts: Facts) -> pd.DataFrame:
    """Customers by state then and now, from the state of each by customer_id."""
    unknown = then.index[then.isna()].union(now.index[now.isna()])
    both = pd.concat([then.rename("then"), now.rename("now")], axis=1).drop(unknown)
    counts = pd.crosstab(both.then.fillna(NEW), both.now.fillna(GONE))
    table = counts.reindex(index=[*states, NEW], columns=[*states, GONE], fill_value=0)
    table.attrs = dict(facts)
    return table


def _count(space: Workspace, as_of: datetime, scores: pd.DataFrame | None) -> int:
    """How many customers there are now."""
    if scores is not None:
        return len(scores)
    stored = batch.score_path(space, as_of)
    return batch.customers_in(stored) if stored.exists() else _built(space, as_of).customers()


def _now(
    space: Workspace,
    models: ModelSet,
    policy: Policy,
    as_of: datetime,
    scores: pd.DataFrame | None,
    count: int,
) -> pd.DataFrame:
    """The states of the drawn customers now, by customer_id."""
    if scores is not None:
        return _together([_drawn(scores, count)])
    stored = batch.score_path(space, as_of)
    if not stored.exists():
        return _scored(space, models, policy, as_of, count)
    return _together(_read(stored, list(STATES), count))


def _scored(
    space: Workspace, models: ModelSet, policy: Policy, as_of: datetime, count: int
) -> pd.DataFrame:
    """The states of the drawn customers who had bought by a moment, scored, by customer_id."""
    found = []
    for frame in chunks.frames(_built(space, as_of), parts.SIZE):
        rows = _drawn(parts.bought(frame), count)
        if len(rows):
            scores = score_columns(Columns.of(rows), models, policy).scores
            states = {kind: scores[kind] for kind in STATES if kind in scores}
            found.append(pd.DataFrame({"customer_id": scores["customer_id"], **states}))
    return _together(found)


def _stored(
    space: Workspace, as_of: datetime, horizon: timedelta, count: int
) -> tuple[datetime, pd.Series] | None:
    """The moment and the tiers of the scores made about one horizon ago; None without any."""
    path = segments.previous(space, as_of - (1.0 - NEAR) * horizon)
    if path is None:
        return None
    found = pd.concat(_read(path, ["as_of", "tier"], count)).set_index("customer_id")
    moment = found.as_of.iloc[0].to_pydatetime()
    return (moment, found.tier) if moment >= as_of - (1.0 + NEAR) * horizon else None


def _read(path: Path, names: list[str], count: int) -> list[pd.DataFrame]:
    """Some columns of the drawn customers in a score file, those that it has."""
    file = pq.ParquetFile(path)
    columns = ["customer_id", *(name for name in names if name in file.schema_arrow.names)]
    rows = (rows.to_pandas() for rows in file.iter_batches(parts.SIZE, columns=columns))
    return [_drawn(some, count) for some in rows]


def _drawn(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    return rows[drawn(rows.customer_id, of=count)]


def _together(found: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The states in some frames, by customer_id; empty without any."""
    some = [rows.set_index("customer_id") for rows in found]
    if not some:
        return pd.DataFrame()
    states = pd.concat(some)
    return states[[kind for kind in STATES if kind in states]]


def _built(space: Workspace, as_of: datetime) -> Built:
    snapshots = Snapshots(space)
    for _ in snapshots.build([as_of]):
        pass
    return Built.of(snapshots, as_of)
