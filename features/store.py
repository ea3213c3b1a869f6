"""The feature store: training sets joined point-in-time, and the newest values online.

The only file that imports feast. Views and entity are derived from the catalogue and applied from
here, so nobody writes them by hand. Online, a customer is one packed row (packing.py), written by
loads and pushes under the rules of online.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from features import backend, catalog, compaction, erasure, journal, moment, online, pushes, recent
from features.chunks import chunks, together
from features.columns import Columns
from features.erasure import Erased
from features.errors import UserError
from features.family import Family
from features.lean_import import lean
from features.outage import identity, online_store_answering, registry_answering
from features.packing import Latest, Layout, Stamp, nothing
from features.pushes import Pushed
from features.ready import Ready
from features.snapshots import Snapshots
from features.store_settings import settings
from features.workspace import Workspace

with lean():
    import feast
    from feast.infra.key_encoding_utils import serialize_entity_key
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey
    from feast.protos.feast.types.Value_pb2 import Value
    from feast.types import Bytes, Float64, String

# A training row takes the snapshot of its own moment; the width only bounds Feast's join.
_OFFLINE_TTL = timedelta(days=31)
_ONLINE, _PACKED = "online", "packed"  # the view of the packed rows, and its one field
_CHUNK = 5_000  # customers written at a time: a push waits for them half a second at most


class FeatureStore:
    """Feast over one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.snapshots = Snapshots(workspace)
        self._ready = Ready()

    def build(self, moments: Iterable[datetime]) -> Iterable[tuple[str, datetime]]:
        """Compute missing snapshots and yield each family and moment; see Snapshots.build."""
        return self.snapshots.build(moments)

    @registry_answering()
    def apply(self) -> None:
        """Bring Feast's registry to today's catalogue."""
        views = [self._offline_view(family) for family in self.snapshots.families]
        layout = Layout.of(schema.to_pyarrow() for schema in self._schemas.values())
        latest = _online_view(layout, catalog.version(self.snapshots.families))
        training = feast.FeatureService(name="training", features=[*views])
        today: list[Any] = [_customer(), *views, latest, training]
        registry = self._feast
        with self._alone():
            before = self._find_online_view()
            if before and Layout.of_tags(before.tags) != layout:
                # With it goes the record of its loads: what they wrote cannot be read any more.
                registry.delete_feature_view(_ONLINE)
            registry.apply(today, objects_to_delete=self._others(today), partial=False)
        registry.refresh_registry()  # one that a thread renews would still be the older one
        for kept in ("_online_view", "_layout"):
            self.__dict__.pop(kept, None)

    @registry_answering()
    def history(self, customers: pd.DataFrame) -> pd.DataFrame:
        """One row per given row: all features as they were known at its `as_of`.

        customers: columns customer_id and as_of (naive UTC); the order is kept, rows may repeat.
        Joined point-in-time by Feast from the built snapshots. Numbers are float64, texts objects.
        Raises UserError when a moment is not built: the join would take older values silently.
        """
        for as_of in customers.as_of.unique():
            self.snapshots.refuse_unbuilt(pd.Timestamp(as_of).to_pydatetime())
        moments = customers.as_of.astype("datetime64[us]").dt.tz_localize("UTC")
        asked = {"customer_id": customers.customer_id, "event_timestamp": moments}
        entity_rows = pd.DataFrame({name: each.to_numpy() for name, each in asked.items()})
        entity_rows["row"] = np.arange(len(customers))  # Feast keeps no order
        if self._is_on_spark:
            backend.connect("spark")  # Feast takes the session it finds
        joined = self._feast.get_historical_features(
            entity_rows, features=self._feast.get_feature_service("training")
        ).to_df()
        if len(joined) != len(customers):
            raise RuntimeError(f"Feast gave {len(joined)} rows for {len(customers)} asked for.")
        values = joined.sort_values("row").set_index(customers.index)[list(self.feature_names)]
        return pd.concat([customers[["customer_id", "as_of"]], values], axis=1)

    def snapshot(self, as_of: datetime, customers: Sequence[str] | None = None) -> pd.DataFrame:
        """One row per customer known at a built moment, all features, by id; or some of them."""
        return together(self.snapshots, as_of, customers)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """All features in the catalogue's order."""
        return tuple(f.name for family in self.snapshots.families for f in family.features)

    @registry_answering()
    def materialize(self, as_of: datetime) -> int:
        """Load the snapshot of a moment into the online store; returns the customers loaded.

        Customers for whom the store holds newer values, such as pushed ones, keep those. The load
        counts (see newest_online) when all of it is online.
        Raises UserError when the snapshot is not built, when the store already stands at a newer
        moment, and when not every customer stands in it afterwards.
        """
        compaction.compact(self.workspace)
        self.snapshots.look_again()
        with journal.reading(self.workspace.events):  # an erased customer is not loaded again
            return self._load(as_of)

    @registry_answering()
    def newest_online(self) -> datetime | None:
        """The moment of the newest load that was finished; None before the first."""
        view = self._find_online_view()
        ends = [end for _, end in view.materialization_intervals] if view else []
        return max(ends).astimezone(UTC).replace(tzinfo=None) if ends else None

    @registry_answering()
    def latest(
        self,
        customer_ids: Sequence[str],
        now: datetime | None = None,
        max_age: timedelta | None = None,
    ) -> Latest:
        """The newest online values of some customers, in the order asked, each with its status.

        max_age: values that are older than that at `now` (naive UTC; default: the clock) are
        stale; default: none is. They are given all the same.
        Raises UserError when the features were never applied, or the store does not answer.
        """
        latest = self._layout.unpack(self._rows.read(customer_ids))
        if max_age is not None:
            is_stale = moment.is_stale(latest.as_of, now or moment.now(), max_age)
            latest.status[is_stale & (latest.status == "present")] = "stale"
        return latest

    @registry_answering()
    def newest(self, customer_ids: Sequence[str]) -> Columns:
        """The same as arrays, with `as_of` and `status` among them."""
        return self._layout.columns(self._rows.read(customer_ids))

    @registry_answering()
    def push(
        self,
        tables: Mapping[str, ir.Table],
        as_of: datetime | None = None,
        time_format: str | None = None,
        event_ids: Mapping[str, Sequence[str]] | None = None,
    ) -> Pushed:
        """Take new events of some customers, and bring those customers' online values up to date.

        tables: table name -> raw rows with canonical columns, checked row by row like files; none
        plan what the first push would wait for. as_of: the moment the features are computed at,
        naive UTC; default: now. It is moved on to the newest snapshot and to what is online for
        these customers, if that is later.
        event_ids: `transactions` or `interactions` -> the id of each row, in their order: one that
        was taken before is not stored again, and refused when it came with other content.
        Raises UserError, and stores nothing, when the store holds another catalogue than today's.
        """
        self.snapshots = self.snapshots.renewed()
        to = pushes.Online(self._rows, self._lock, self._online_view.tags)
        pushed = pushes.push(to, self._ready, self.snapshots, tables, as_of, time_format, event_ids)
        compaction.compact_in_passing(self.workspace)
        self.snapshots = self.snapshots.renewed()  # with the events that are new
        return pushed

    @registry_answering()
    def erase(self, customer_id: str) -> Erased:
        """Remove a customer: his events, rows set aside, event ids, features, and what is online.

        What was built for the others stays valid. Waits for builds, loads and pushes that run, so
        that none brings him back. What is left when it fails is removed when it is called again.
        """
        with journal.replacing(self.workspace.events):
            erased = erasure.erase(self.workspace, customer_id)
            return replace(erased, online=self.forget([customer_id]) > 0)

    @registry_answering()
    def forget(self, customer_ids: Sequence[str]) -> int:
        """Take customers whose events went out of what is online; returns how many were there."""
        self._ready = Ready()  # the one before may hold events that went
        self.snapshots.look_again()
        if self._find_online_view() is None:
            return 0
        with online.writing(self._lock):
            return sum(map(self._rows.erase, customer_ids))

    def recent_events(self, customer_id: str, most: int) -> list[dict[str, Any]]:
        """The newest events of a customer; see recent.recent_events."""
        return recent.recent_events(self.workspace, customer_id, most)

    def _load(self, as_of: datetime) -> int:
        stamp = Stamp(as_of, moment.now())
        online.refuse_older(as_of, self.newest_online())
        self.snapshots.refuse_unbuilt(as_of)
        self.apply()
        some = chunks(self.snapshots, as_of, _CHUNK)
        count = online.load(self._rows, self._lock, some, self._layout, stamp)
        # Who became internal since an earlier load is in no snapshot, and is not online either.
        internal = self.snapshots.internal_customers()
        with online.writing(self._lock):
            online.put(self._rows, internal, [nothing(stamp)] * len(internal), stamp)
        self._record_load(as_of)
        return count

    @cached_property
    def _feast(self) -> feast.FeatureStore:
        config = feast.RepoConfig(**settings(self.workspace))
        with self._alone():
            store = feast.FeatureStore(config=config)
        if store.config.offline_store.type == "spark":
            # Feast says so at each look at the registry; the tests say whether it works.
            warnings.filterwarnings("ignore", "The spark .* is an experimental feature")
        return store

    def _alone(self) -> AbstractContextManager[None]:
        """Within it no other process writes the registry; two would each create its tables."""
        return online.writing(self.workspace.feast / "registry.lock")

    def _record_load(self, as_of: datetime) -> None:
        end, project = as_of.replace(tzinfo=UTC), self._feast.project
        start = end - timedelta(microseconds=1)
        self._feast.registry.apply_materialization(self._online_view, project, start, end)

    @property
    def _rows(self) -> _Rows:
        """What is online; opened anew when the file of the store was replaced by another."""
        if self._opened.is_replaced():
            del self._feast, self._opened
        return self._opened

    @cached_property
    def _opened(self) -> _Rows:
        return _Rows(self._feast)

    def _others(self, today: list[Any]) -> list[Any]:
        """The views and services in the registry that are not of today's catalogue."""
        names = {thing.name for thing in today}
        store = self._feast
        registered: list[Any] = [*store.list_feature_services(), *store.list_feature_views()]
        return [thing for thing in registered if thing.name not in names]

    def _find_online_view(self) -> feast.FeatureView | None:
        """The view of what is online as the registry has it; None before the first apply."""
        return next((v for v in self._feast.list_feature_views() if v.name == _ONLINE), None)

    @cached_property
    def _online_view(self) -> feast.FeatureView:
        """The same, kept: to ask the registry takes longer than to read a customer."""
        view = self._find_online_view()
        if view is None:
            raise UserError(
                "The registry of the feature store does not know today's features yet. "
                "Load them first: holdfast materialize."
            )
        return view

    @cached_property
    def _layout(self) -> Layout:
        return Layout.of_tags(self._online_view.tags)

    @property
    def _lock(self) -> Path:
        return self.workspace.feast / "online.lock"

    def _offline_view(self, family: Family) -> feast.FeatureView:
        parts = f"{self.workspace.features / family.name}/as_of=*/part.parquet"
        return feast.FeatureView(
            name=family.name,
            description=family.about,
            entities=[_customer()],
            ttl=_OFFLINE_TTL,
            schema=[
                feast.Field(name=name, dtype=String if is_text else Float64, description=about)
                for name, is_text, about in self._columns(family)
            ],
            source=_source(f"{family.name}_snapshots", parts, self._is_on_spark),
            online=False,
        )

    @property
    def _is_on_spark(self) -> bool:
        return self._feast.config.offline_store.type == "spark"

    def _columns(self, family: Family) -> list[tuple[str, bool, str]]:
        """Each feature of a family: its name, whether it is text, its description."""
        schema = self._schemas[family.name]
        return [(f.name, schema[f.name].is_string(), f.about) for f in family.features]

    @cached_property
    def _schemas(self) -> dict[str, ibis.Schema]:
        return catalog.schemas(self.snapshots.families, self.snapshots.events)


class _Rows:
    """The packed rows in the online store of Feast, reached without a look at the registry."""

    def __init__(self, store: feast.FeatureStore) -> None:
        self._provider, self._config = store.provider, store.config
        self._view = _online_view(Layout((), ()), "")
        where = store.config.online_store
        self._name = Path(where.path) if where.type == "sqlite" else where.type
        self._identity = self._identify()

    def is_replaced(self) -> bool:
        """Whether the store is another file by now than the one that is open."""
        return self._identity != self._identify()

    def read(self, customer_ids: Sequence[str]) -> list[bytes | None]:
        """See online.Rows."""
        if not customer_ids:
            return []
        keys = [_key(customer_id) for customer_id in customer_ids]
        with online_store_answering(self._name):
            found = self._provider.online_read(self._config, self._view, keys, [_PACKED])
        return [values[_PACKED].bytes_val or None if values else None for _, values in found]

    def write(self, customer_ids: Sequence[str], rows: Sequence[bytes]) -> None:
        """See online.Rows."""
        # Feast's time of a row is when it was written: Redis drops a row that is not newer, such
        # as a snapshot that was computed again for the same moment.
        now = datetime.now(UTC)
        given: list[Any] = [
            (_key(customer_id), {_PACKED: Value(bytes_val=row)}, now, None)
            for customer_id, row in zip(customer_ids, rows, strict=True)
        ]
        with online_store_answering(self._name):
            self._provider.online_write_batch(self._config, self._view, given, None)

    def erase(self, customer_id: str) -> bool:
        """See online.Rows; a store that cannot delete one customer keeps an empty row of him."""
        if self.read([customer_id]) == [None]:
            return False
        project, version = self._config.project, self._config.entity_key_serialization_version
        key = serialize_entity_key(_key(customer_id), version)
        with online_store_answering(self._name):  # Feast has no call for it
            if isinstance(self._name, Path):
                online.delete_from_sqlite(self._name, f"{project}_{_ONLINE}", key)
            elif self._name == "redis":
                store: Any = self._provider.online_store
                client = store._get_client(self._config.online_store)
                client.delete(key + project.encode())
        if self.read([customer_id]) != [None]:
            self.write([customer_id], [b""])
        return True

    def _identify(self) -> tuple[int, int] | None:
        return identity(self._name) if isinstance(self._name, Path) else None


def _customer() -> feast.Entity:
    return feast.Entity(
        name="customer", join_keys=["customer_id"], value_type=feast.ValueType.STRING
    )


def _key(customer_id: str) -> EntityKey:
    return EntityKey(join_keys=["customer_id"], entity_values=[Value(string_val=customer_id)])


def _online_view(layout: Layout, version: str) -> feast.FeatureView:
    return feast.FeatureView(
        name=_ONLINE,
        description="The newest values of each customer, packed.",
        entities=[_customer()],
        ttl=timedelta(0),  # never expires here: Feast does not look at the age of what it reads
        schema=[feast.Field(name=_PACKED, dtype=Bytes)],
        source=_source("online_rows", "packed.parquet"),  # never read: rows are written by us
        tags={"catalog": version, **layout.tags},
    )


def _source(name: str, path: str, is_on_spark: bool = False) -> feast.data_source.DataSource:
    """Parquet files, which may be a glob, as Feast reads them."""
    if not is_on_spark:
        return feast.FileSource(name=name, path=path, timestamp_field="event_timestamp")
    from feast.infra.offline_stores.contrib.spark_offline_store.spark_source import SparkSource

    return SparkSource(
        name=name, path=path, file_format="parquet", timestamp_field="event_timestamp"
    )
