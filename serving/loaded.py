"""The models and the feature store that answer together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from features.columns import Columns
from features.computation import PART
from features.errors import Unavailable
from features.snapshots import moment_name
from features.workspace import Workspace
from training import champion
from training.model_set import ModelSet

if TYPE_CHECKING:
    from features.store import FeatureStore

_NOBODY = "?"  # an id to ask the online store for; whose it is does not matter
_EMPTY = "the online store holds nobody; load it: holdfast materialize"
_MOST_PROBED = 8  # of a load; of these not every one is erased before the next load


class Asked(NamedTuple):
    """One customer to answer about, in which call, and whether with factors."""

    customer_id: str
    request_id: str
    explain: bool


@dataclass(frozen=True)
class Loaded:
    """The models and the store that answer together; replaced as one."""

    models: ModelSet
    store: FeatureStore

    @classmethod
    def from_workspace(cls, space: Workspace) -> Loaded:
        """The champion of a workspace, tried on its examples, and its feature store."""
        from features.store import FeatureStore  # takes seconds; only workers need it

        return cls(champion.load(space), FeatureStore(space))

    def lacks(self) -> str | None:
        """Why these cannot answer now; None when they can.

        The registry only tells whether a load was ever finished: while it is down, scores go on.
        A store that has lost what was loaded would call every customer unknown.
        """
        loaded: list[str] = []
        try:
            newest = self.store.newest_online()
            if newest is None:
                return _EMPTY
            loaded = self._some_of(newest)
        except Unavailable:
            pass
        found = self.store.latest(loaded or [_NOBODY])
        if loaded and (found.status == "missing").all():
            return _EMPTY
        absent = [name for name in self.models.reference.features if name not in found.values]
        if absent:
            return f"the online store lacks {len(absent)} features, such as {absent[0]}"
        return None

    def _some_of(self, as_of: datetime) -> list[str]:
        """A few customers of the load of a moment; none where its snapshot is not at hand."""
        parts = self.store.workspace.features.glob(f"*/as_of={moment_name(as_of)}/{PART}")
        for part in parts:
            with pq.ParquetFile(part) as file:
                batch = next(file.iter_batches(_MOST_PROBED, columns=["customer_id"]), None)
            return batch.column(0).to_pylist() if batch else []
        return []

    def known(self, asked: Sequence[Asked]) -> Columns:
        """The newest online values of some customers, one row for each, with what was asked."""
        found = self.store.newest([one.customer_id for one in asked])
        ids, requests, explain = zip(*asked, strict=True) if asked else ((), (), ())
        return found.with_columns({
            "customer_id": np.array(ids, dtype=object),
            "request_id": np.array(requests, dtype=object),
            "explain": np.array(explain, dtype=bool),
        })  # fmt: skip
