"""Loading and reading the online store beside the same features laid out as Feast does."""

import contextlib
import io
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feast
import ibis
import numpy as np
import pandas as pd
from feast.types import Float64

from features import workspace
from features.store import FeatureStore
from features.workspace import Workspace
from tests.benchmarks.timing import alternate

CUSTOMERS, LINES = 2_000, 20_000
AS_OF = datetime(2024, 12, 31)
READ = 100


def table() -> str:
    """The benchmark's result in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        space = Workspace(Path(folder) / "ours")
        workspace.ingest(space, {"transactions": ibis.memtable(_lines())})
        ours = FeatureStore(space)
        for _ in ours.build([AS_OF]):
            pass
        ours.apply()
        rival = _plain_feast(ours, Path(folder) / "rival")
        names = [f"plain:{name}" for name in ours.feature_names if "profile" not in name]
        end = AS_OF.replace(tzinfo=UTC)
        load = alternate(
            lambda: ours.materialize(AS_OF),
            lambda: _quietly(lambda: rival.materialize(end - timedelta(seconds=1), end)),
        )
        ids = list(ours.snapshot(AS_OF).customer_id[:READ])
        rows = [{"customer_id": customer} for customer in ids]
        read = alternate(
            lambda: ours.latest(ids), lambda: rival.get_online_features(names, rows).to_df()
        )
    return (
        f"| {CUSTOMERS:,} customers, {len(names)} features, SQLite | load, s | "
        f"read {READ}, ms |\n|---|---|---|\n"
        f"| Holdfast, packed | {load[0]:.2f} | {1e3 * read[0]:.1f} |\n"
        f"| Feast, one row per feature | {load[1]:.2f} | {1e3 * read[1]:.1f} |\n"
        f"| ratio | {load[0] / load[1]:.2f} | {read[0] / read[1]:.2f} |"
    )


def _quietly(work: Callable[[], object]) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        work()


def _lines() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "customer_id": [f"C{n:06d}" for n in rng.integers(0, CUSTOMERS, LINES)],
            "happened_at": pd.Timestamp("2023-01-31")
            + pd.to_timedelta(rng.integers(0, 700 * 86_400, LINES), unit="s"),
            "amount": rng.gamma(2.0, 20.0, LINES).round(2),
        }
    )


def _plain_feast(ours: FeatureStore, folder: Path) -> feast.FeatureStore:
    """The same snapshot in a store of its own, with every feature a field of one view."""
    folder.mkdir()
    rows = ours.snapshot(AS_OF).drop(columns=["profile_kind"], errors="ignore")
    rows["event_timestamp"] = pd.Timestamp(AS_OF, tz="UTC")
    rows = rows.drop(columns="as_of").astype({"event_timestamp": "datetime64[us, UTC]"})
    rows.to_parquet(folder / "rows.parquet", index=False)
    store = feast.FeatureStore(
        config=feast.RepoConfig(
            project="rival",
            provider="local",
            registry=f"{folder}/registry.db",
            offline_store={"type": "duckdb"},
            online_store={"type": "sqlite", "path": f"{folder}/online.db"},
            entity_key_serialization_version=3,
        )
    )
    entity = feast.Entity(
        name="customer", join_keys=["customer_id"], value_type=feast.ValueType.STRING
    )
    names = [name for name in rows if name not in ("customer_id", "event_timestamp")]
    view = feast.FeatureView(
        name="plain",
        entities=[entity],
        ttl=timedelta(days=3650),
        schema=[feast.Field(name=name, dtype=Float64) for name in names],
        source=feast.FileSource(
            path=str(folder / "rows.parquet"), timestamp_field="event_timestamp"
        ),
    )
    store.apply([entity, view])
    return store
