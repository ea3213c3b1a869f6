"""Everyone at one moment -> a table with the service's columns, written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pandas as pd

from features import backend, chunks
from features.errors import UserError
from features.snapshots import moment_name
from features.store import FeatureStore
from features.workspace import Workspace
from serving.policy import Policy
from serving.reasons import factors, in_words
from serving.score import score
from training.model_set import ModelSet

# Customers scored at a time: several hundred features of so many take some tens of megabytes.
_CHUNK = 20_000


def score_everyone(
    space: Workspace, models: ModelSet, policy: Policy, as_of: datetime
) -> pd.DataFrame:
    """One row per customer with at least one purchase by `as_of`; see score.COLUMNS.

    Beside them `top_factors`, the reasons of the churn probability in words, and how the expected
    value comes in over time (TwoPart.by_horizon). The snapshot of the moment is built when it is
    missing.
    """
    store = FeatureStore(space)
    for _ in store.build([as_of]):
        pass
    parts = [_scored(rows, models, policy) for rows in _buyers(store, as_of)]
    if not parts:
        raise UserError(
            f"Scores were asked for as of {as_of:%Y-%m-%d}, but nobody had bought by then. "
            "Use a later moment."
        )
    return pd.concat(parts, ignore_index=True)


def _buyers(store: FeatureStore, as_of: datetime) -> Iterator[pd.DataFrame]:
    for rows in chunks.frames(store.snapshots, as_of, _CHUNK):
        bought = rows[rows.purchase_days_total > 0]
        if len(bought):
            yield bought.reset_index(drop=True)


def _scored(rows: pd.DataFrame, models: ModelSet, policy: Policy) -> pd.DataFrame:
    reasons = pd.Series([in_words(few) for few in factors(rows, models)], rows.index, dtype=object)
    scores = score(rows, models, policy).assign(top_factors=reasons)
    asked = rows.assign(horizon_days=models.tasks["clv"].horizon_days)
    return scores.join(models.clv.by_horizon(asked, scores.expected_value))


def score_path(space: Workspace, as_of: datetime) -> Path:
    """Where the scores of a moment lie."""
    return space.scores / f"as_of={moment_name(as_of)}" / "scores.parquet"


def write(scores: pd.DataFrame, path: Path) -> Path:
    """Write a score table as Parquet (or CSV by the path's ending), whole or not at all."""
    with backend.whole_or_nothing(path) as temporary:
        if path.suffix == ".csv":
            scores.to_csv(temporary, index=False)
        else:
            # Microseconds: nanoseconds in Parquet break readers that cast them (DuckDB with Feast).
            scores.to_parquet(temporary, index=False, coerce_timestamps="us")
    return path
