"""The feature store: training sets joined point-in-time, and the newest values online.

The only file that imports feast. Views, entity and services are derived from the catalogue and
applied from here, so nobody writes them by hand. Online, each family travels packed: its numbers
as one array, its texts as another, which loads and reads several times faster than one row per
feature (DECISIONS.md).
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import string
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Literal

import feast
import ibis
import numpy as np
import pandas as pd
import yaml
from feast.types import Array, Float64, String

from features import backend, catalog
from features.errors import UserError
from features.family import Family
from features.snapshots import Snapshots, moment_name
from features.workspace import Workspace

log = logging.getLogger(__name__)
backend.quiet()  # feast's import puts its own warning filters first

# A training row takes the snapshot of its own moment; the width only bounds Feast's join.
_OFFLINE_TTL = timedelta(days=31)
_PACKED = "_packed"
_STAMP = "as_of"  # microseconds since 1970; no feature may be called so
_EMBEDDED = Path(__file__).with_name("feature_store.yaml")

Status = Literal["present", "missing"]


@dataclass(frozen=True)
class Latest:
    """The newest online values of some customers.

    values: one row per customer asked for, in that order, one column per feature.
    as_of: the moment each row stands at (NaT when missing). status: present or missing; whether a
    present value is too old is for the reader's policy to say, who knows what time it is.
    """

    values: pd.DataFrame
    as_of: pd.Series
    status: pd.Series


class FeatureStore:
    """Feast over one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.snapshots = Snapshots(workspace)

    def build(self, moments: Iterable[datetime]) -> Iterable[tuple[str, datetime]]:
        """Compute missing snapshots and yield each family and moment; see Snapshots.build."""
        return self.snapshots.build(moments)

    def apply(self) -> None:
        """Bring Feast's registry to today's catalogue."""
        views = [self._offline_view(family) for family in self.snapshots.families]
        packed = [self._packed_view(family) for family in self.snapshots.families]
        version = catalog.version(self.snapshots.families)
        services = [
            feast.FeatureService(name="training", features=list(views), tags={"catalog": version}),
            feast.FeatureService(name="online", features=list(packed), tags={"catalog": version}),
        ]
        self.workspace.feast.mkdir(parents=True, exist_ok=True)
        self._feast.apply([_customer(), *views, *packed, *services])

    def history(self, customers: pd.DataFrame) -> pd.DataFrame:
        """One row per given row: all features as they were known at its `as_of`.

        customers: columns customer_id and as_of (naive UTC); the order is kept, rows may repeat.
        Joined point-in-time by Feast from the built snapshots. Numbers are float64, texts objects.
        Raises UserError when a moment is not built: the join would take older values silently.
        """
        for as_of in customers.as_of.unique():
            self._refuse_unbuilt(pd.Timestamp(as_of).to_pydatetime())
        moments = customers.as_of.astype("datetime64[us]").dt.tz_localize("UTC")
        entity_rows = pd.DataFrame({
            "customer_id": customers.customer_id.to_numpy(),
            "event_timestamp": moments.to_numpy(),
            "row": np.arange(len(customers)),  # Feast keeps no order
        })  # fmt: skip
        joined = self._feast.get_historical_features(
            entity_rows, features=self._feast.get_feature_service("training")
        ).to_df()
        if len(joined) != len(customers):
            raise RuntimeError(f"Feast gave {len(joined)} rows for {len(customers)} asked for.")
        joined = joined.sort_values("row").set_index(customers.index)
        values = joined[list(self.feature_names)]
        return pd.concat([customers[["customer_id", "as_of"]], values], axis=1)

    def snapshot(self, as_of: datetime) -> pd.DataFrame:
        """One row per customer known at a built moment, all features, by customer_id."""
        tables = [self.snapshots.read(family, as_of) for family in self.snapshots.families]
        joined = tables[0].drop("event_timestamp")
        for table in tables[1:]:
            joined = joined.inner_join(table.drop("event_timestamp"), "customer_id")
        frame = joined.order_by("customer_id").to_pandas()
        frame.insert(1, "as_of", as_of)
        return frame

    @property
    def feature_names(self) -> tuple[str, ...]:
        """All features in the catalogue's order."""
        return tuple(f.name for family in self.snapshots.families for f in family.features)

    def materialize(self, as_of: datetime) -> int:
        """Load the snapshot of a moment into the online store; returns the customers loaded.

        Raises UserError when the snapshot is not built, or when the store already holds a newer
        moment, which an older one would overwrite.
        """
        newest = self.newest_online()
        if newest and newest > as_of:
            raise UserError(
                f"The online store stands at {newest:%Y-%m-%d %H:%M}, and {as_of:%Y-%m-%d %H:%M} "
                "is older: loading it would put old values over new ones. Use a later moment."
            )
        self._refuse_unbuilt(as_of)
        counts = {self._pack(family, as_of) for family in self.snapshots.families}
        end = as_of.replace(tzinfo=UTC)
        views = [family.name + _PACKED for family in self.snapshots.families]
        with contextlib.redirect_stdout(io.StringIO()):  # Feast prints its progress
            self._feast.materialize(end - timedelta(microseconds=1), end, feature_views=views)
        return max(counts)

    def newest_online(self) -> datetime | None:
        """The moment that the online store stands at; None before the first load."""
        ends = [
            end
            for view in self._feast.list_feature_views()
            if view.name.endswith(_PACKED)
            for _, end in view.materialization_intervals
        ]
        return max(ends).astimezone(UTC).replace(tzinfo=None) if ends else None

    def latest(self, customer_ids: Sequence[str]) -> Latest:
        """The newest online values of some customers, in the order asked, each with its status."""
        rows = [{"customer_id": customer} for customer in customer_ids]
        response: Mapping[str, list] = defaultdict(list)
        if rows:  # Feast cannot answer about nobody
            response = self._feast.get_online_features(
                features=self._online_service, entity_rows=rows, full_feature_names=True
            ).to_dict()
        frames = [layout.unpack(response) for layout in self._layouts]
        stamps = [frame.pop(_STAMP) for frame in frames]  # the same in every family
        as_of = _moments(stamps[0].to_numpy())
        status = as_of.notna().map({True: "present", False: "missing"})
        return Latest(pd.concat(frames, axis=1), as_of, status)

    @cached_property
    def _feast(self) -> feast.FeatureStore:
        path = Path(os.environ.get("HOLDFAST_FEATURE_STORE", _EMBEDDED))
        self.workspace.feast.mkdir(parents=True, exist_ok=True)
        return feast.FeatureStore(config=_config(path, self.workspace))

    @cached_property
    def _online_service(self) -> feast.FeatureService:
        # Fetched once: a look-up per request costs more than the read itself.
        return self._feast.get_feature_service("online")

    @cached_property
    def _layouts(self) -> list[_Layout]:
        views = {v.name: v for v in self._feast.list_feature_views()}
        names = [p.name for p in self._online_service.feature_view_projections]
        return [_Layout.of(views[name]) for name in names]

    def _offline_view(self, family: Family) -> feast.FeatureView:
        folder = self.workspace.features / family.name
        return feast.FeatureView(
            name=family.name,
            description=family.about,
            entities=[_customer()],
            ttl=_OFFLINE_TTL,
            schema=[
                feast.Field(name=name, dtype=String if is_text else Float64, description=about)
                for name, is_text, about in self._columns(family)
            ],
            source=_source(f"{family.name}_snapshots", f"{folder}/as_of=*/part.parquet"),
            online=False,
        )

    def _packed_view(self, family: Family) -> feast.FeatureView:
        numbers, texts = self._packing(family)
        return feast.FeatureView(
            name=family.name + _PACKED,
            description=f"The newest values of {family.name}, packed.",
            entities=[_customer()],
            ttl=timedelta(0),  # never expires here: age is judged by the reader
            schema=[
                feast.Field(name="numbers", dtype=Array(Float64)),
                *([feast.Field(name="texts", dtype=Array(String))] if texts else []),
            ],
            source=_source(f"{family.name}{_PACKED}_file", str(self._packed_path(family))),
            tags={"numbers": ",".join(numbers), "texts": ",".join(texts)},
        )

    def _packing(self, family: Family) -> tuple[list[str], list[str]]:
        """The names of a family's numbers and of its texts, in the order they are packed.

        The moment travels as the last number: Feast's own time of a row has whole seconds only.
        """
        columns = self._columns(family)
        return (
            [*(name for name, is_text, _ in columns if not is_text), _STAMP],
            [name for name, is_text, _ in columns if is_text],
        )

    def _columns(self, family: Family) -> list[tuple[str, bool, str]]:
        """Each feature of a family: its name, whether it is text, its description."""
        schema = self._schemas[family.name]
        return [(f.name, schema[f.name].is_string(), f.about) for f in family.features]

    @cached_property
    def _schemas(self) -> dict[str, ibis.Schema]:
        moment = datetime(2000, 1, 1)  # a schema is the same at every moment
        snapshots = self.snapshots
        return {f.name: f.compute(snapshots.events, moment).schema() for f in snapshots.families}

    def _packed_path(self, family: Family) -> Path:
        return self.workspace.feast / "packed" / f"{family.name}.parquet"

    def _refuse_unbuilt(self, as_of: datetime) -> None:
        if not all(self.snapshots.is_built(family, as_of) for family in self.snapshots.families):
            raise UserError(
                f"There is no feature snapshot at {moment_name(as_of)}. "
                f"Build it first: holdfast build --as-of {moment_name(as_of)}."
            )

    def _pack(self, family: Family, as_of: datetime) -> int:
        stamp = ibis.literal(float(np.datetime64(as_of, "us").astype("int64")))
        rows = self.snapshots.read(family, as_of).mutate(**{_STAMP: stamp})
        numbers, texts = self._packing(family)
        arrays = {"numbers": ibis.array([rows[name].fill_null(np.nan) for name in numbers])}
        if texts:
            arrays["texts"] = ibis.array([rows[name].fill_null("") for name in texts])
        packed = rows.select("customer_id", "event_timestamp", **arrays)
        backend.write_parquet(packed, self._packed_path(family))
        return int(rows.count().execute())


@dataclass(frozen=True)
class _Layout:
    """How one packed view is read back into named columns."""

    view: str
    numbers: list[str]
    texts: list[str]

    @classmethod
    def of(cls, view: feast.FeatureView) -> _Layout:
        names = {key: [n for n in view.tags[key].split(",") if n] for key in ("numbers", "texts")}
        return cls(view.name, **names)

    def unpack(self, response: Mapping[str, list]) -> pd.DataFrame:
        rows = response[f"{self.view}__numbers"]
        nothing = [np.nan] * len(self.numbers)
        numbers = np.array([nothing if row is None else row for row in rows], dtype=float)
        frame = pd.DataFrame(numbers.reshape(len(rows), len(self.numbers)), columns=self.numbers)
        for position, name in enumerate(self.texts):
            texts = response[f"{self.view}__texts"]
            frame[name] = [(row[position] or None) if row else None for row in texts]
        return frame


def _customer() -> feast.Entity:
    return feast.Entity(
        name="customer", join_keys=["customer_id"], value_type=feast.ValueType.STRING
    )


def _source(name: str, path: str) -> feast.FileSource:
    """Parquet files, which may be a glob, as Feast reads them."""
    return feast.FileSource(name=name, path=path, timestamp_field="event_timestamp")


def _config(path: Path, workspace: Workspace) -> feast.RepoConfig:
    if not path.is_file():
        raise UserError(
            f"The feature store configuration {path} does not exist. "
            "Correct HOLDFAST_FEATURE_STORE, or unset it to use the embedded configuration."
        )
    text = string.Template(path.read_text(encoding="utf-8"))
    places = {**os.environ, "HOLDFAST_HOME": str(workspace.root)}
    try:
        return feast.RepoConfig(**yaml.safe_load(text.substitute(places)))
    except KeyError as missing:
        raise UserError(
            f"The feature store configuration {path} needs the environment variable "
            f"{missing.args[0]}, which is not set. Set it, or use the embedded configuration."
        ) from None


def _moments(microseconds: np.ndarray) -> pd.Series:
    """Microseconds since 1970 as naive UTC times; NaN as NaT."""
    moments = np.full(len(microseconds), "NaT", dtype="datetime64[us]")
    known = ~np.isnan(microseconds)
    moments[known] = microseconds[known].astype("int64").view("datetime64[us]")
    return pd.Series(moments)
