"""The models and the feature store that answer together."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow.parquet as pq

from features.columns import Columns
from features.computation import PART
from features.errors import Unavailable, UserError
from features.snapshots import moment_name
from features.workspace import Workspace
from serving.former import Former
from training import champion
from training.model_set import ModelSet

if TYPE_CHECKING:
    from features.store import FeatureStore

log = logging.getLogger(__name__)

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
    """The models and the store that answer together, and the tiers before; replaced as one."""

    models: ModelSet
    store: FeatureStore
    former: Former = field(default_factory=Former)
    _probed: list[str] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def from_workspace(cls, space: Workspace) -> Loaded:
        """The champion of a workspace, tried on its examples, its store and its last scores."""
        from features.store import FeatureStore  # takes seconds; only workers need it

        return cls(champion.load(space), FeatureStore(space), Former.newest(space))

    def prepare(self) -> None:
        """Plan what a first event would have to wait for, up to some seconds."""
        try:
            self.store.push({})
        except UserError as error:  # events are refused then, and told why; scores are not
            log.warning("events cannot be taken: %s", error)

    def lacks(self) -> str | None:
        """Why these cannot answer now; None when they can.

        A store that holds nobody, or nobody any more, would call every customer unknown.
        """
        if self._holds_nobody():
            return _EMPTY
        found = self.store.latest([_NOBODY]).values.columns
        absent = [name for name in self.models.reference.features if name not in found]
        if absent:
            return f"the online store lacks {len(absent)} features, such as {absent[0]}"
        return None

    def _holds_nobody(self) -> bool:
        """Whether nothing was ever loaded, or what was is lost.

        The registry may be down, and may hang for as long as it likes, while scores go on. So it is
        asked only as long as no customer is known who is online.
        """
        if self._is_online(self._probed):
            return False
        try:
            newest = self.store.newest_online()
        except Unavailable:
            return bool(self._probed)
        self._probed[:] = [] if newest is None else self._some_of(newest)
        return newest is None or bool(self._probed and not self._is_online(self._probed))

    def _is_online(self, customer_ids: Sequence[str]) -> bool:
        return bool((self.store.latest(customer_ids).status != "missing").any())

    def _some_of(self, as_of: datetime) -> list[str]:
        """A few customers of the load of a moment; none where its snapshot is not at hand."""
        parts = self.store.workspace.features.glob(f"*/as_of={moment_name(as_of)}/{PART}")
        for part in parts:
            with pq.ParquetFile(part) as file:
                batch = next(file.iter_batches(_MOST_PROBED, columns=["customer_id"]), None)
            return batch.column(0).to_pylist() if batch else []
        return []

    def known(self, asked: Sequence[Asked]) -> Columns:
        """The newest online values of some customers, one row for each, with what was asked.

        Beside them the tier in which the last scores before each row's moment saw the customer.
        """
        found = self.store.newest([one.customer_id for one in asked])
        ids, requests, explain = zip(*asked, strict=True) if asked else ((), (), ())
        rows = found.with_columns({
            "customer_id": np.array(ids, dtype=object),
            "request_id": np.array(requests, dtype=object),
            "explain": np.array(explain, dtype=bool),
        })  # fmt: skip
        return self.former.joined(rows)
