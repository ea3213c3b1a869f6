"""Loading and reading all features online, beside the same features laid out as Feast does.

Feast's own layout is one row per feature, as several hundred times a customer take too long to
load; it is given fewer customers, and loading is compared per customer. On SQLite, and on Redis
where HOLDFAST_REDIS says where one runs.
"""

import contextlib
import io
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import feast
import ibis
import numpy as np
import pandas as pd
import yaml
from feast.types import Float64, String

from features import backend, workspace
from features.events import INTERACTION_KINDS
from features.store import FeatureStore
from features.workspace import Workspace
from tests.benchmarks import shop
from tests.benchmarks.timing import side_by_side

CUSTOMERS, CONTACTS = 100_000, 1_000_000
RIVALS = 1_000  # customers of the other layout: as many as are read at once at most
AS_OF = datetime(2024, 1, 1)
# Customers read at once -> how often, by us and in Feast's own layout, which takes seconds at last.
READS = {1: (1_000, 100), 10: (400, 40), 100: (100, 10), 1_000: (40, 4)}
PUSHES = 10


def table() -> str:
    """Loads, reads and pushes on each store, in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        space = _build(Path(folder) / "workspace")
        parts = [_compare(space, Path(folder) / name, online) for name, online in _stores(folder)]
    return "\n\n".join(parts)


def _build(root: Path) -> Workspace:
    """A workspace with the features of every customer at one moment."""
    space, raw = Workspace(root), root.with_name("raw")
    raw.mkdir()
    shop.write_lines(raw / "lines.parquet", CUSTOMERS * shop.LINES_PER_CUSTOMER)
    _write_contacts(raw / "contacts.parquet")
    files = {"transactions": "lines", "interactions": "contacts"}
    workspace.ingest(
        space, {t: backend.read_parquet([raw / f"{name}.parquet"]) for t, name in files.items()}
    )
    for _ in FeatureStore(space).build([AS_OF]):
        pass
    return space


def _write_contacts(path: Path) -> None:
    duckdb.connect().execute(f"""
        COPY (SELECT 'C' || lpad((hash(i) % {CUSTOMERS})::VARCHAR, 8, '0') AS customer_id,
                     TIMESTAMP '{shop.BEGIN}' + to_seconds(hash(i * 7) % {shop.DAYS * 86_400})
                       AS happened_at,
                     {list(INTERACTION_KINDS)}[1 + i % {len(INTERACTION_KINDS)}] AS kind,
                     if(hash(i * 5) % 2 = 0, 'in', 'out') AS direction,
                     ['phone', 'email', 'web'][1 + i % 3] AS channel,
                     (1 + hash(i * 13) % 10)::DOUBLE AS value,
                     'k' || (i // 4)::VARCHAR AS case_id
              FROM range({CONTACTS}) AS numbers(i)) TO '{path}' (FORMAT parquet)
    """)


def _stores(folder: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each online store's name and Feast's settings for it."""
    yield "SQLite", {"type": "sqlite", "path": f"{folder}/SQLite/online.db"}
    if address := os.environ.get("HOLDFAST_REDIS"):
        yield "Redis", {"type": "redis", "connection_string": address}


def _compare(space: Workspace, folder: Path, online: dict[str, str]) -> str:
    folder.mkdir()
    with _settings(folder, online):
        ours = FeatureStore(space)
        for _ in ours.build([AS_OF]):  # anew after the pushes into the store before
            pass
        load = _seconds(lambda: ours.materialize(AS_OF))
        rival, references = _plain_feast(ours, folder, online)
        rival_load = _seconds(lambda: _load(rival))
        rows = [_reading(ours, rival, references, count) for count in READS]
        pushes = [_seconds(partial(_push, ours, number)) for number in range(PUSHES)]
    per_customer = load / CUSTOMERS, rival_load / RIVALS
    return "\n".join([
        f"| {folder.name}, {len(ours.feature_names)} features | Holdfast | p99 "
        "| Feast's own layout | ratio |",
        "|---|---|---|---|---|",
        f"| load {CUSTOMERS:,} customers (Feast: {RIVALS:,}) | {load:.1f} s | "
        f"| {rival_load:.1f} s | {per_customer[0] / per_customer[1]:.3f} per customer |",
        *rows,
        f"| push one order, and see it | {np.median(pushes):.2f} s | {max(pushes):.2f} s | | |",
    ])  # fmt: skip


@contextlib.contextmanager
def _settings(folder: Path, online: dict[str, str]) -> Iterator[None]:
    """Within the block, feature stores stand on the given online store and a registry beside it."""
    embedded = Path(workspace.__file__).with_name("feature_store.yaml").read_text()
    chosen = yaml.safe_load(embedded) | {
        "project": "benchmark",
        "registry": {"registry_type": "sql", "path": f"sqlite:///{folder}/registry.db"},
        "online_store": online,
    }
    path = folder / "store.yaml"
    path.write_text(yaml.safe_dump(chosen))
    before = os.environ.get("HOLDFAST_FEATURE_STORE")
    os.environ["HOLDFAST_FEATURE_STORE"] = str(path)
    try:
        yield
    finally:
        del os.environ["HOLDFAST_FEATURE_STORE"]
        if before is not None:
            os.environ["HOLDFAST_FEATURE_STORE"] = before


def _reading(
    ours: FeatureStore, rival: feast.FeatureStore, references: list[str], count: int
) -> str:
    """One line of the table: some customers read at once, each time others."""
    rng = np.random.default_rng(count)
    known = pd.read_parquet(_rows_of(rival)).customer_id.tolist()

    def asked() -> list[str]:
        return rng.choice(known, count, replace=False).tolist()

    def in_feast(customer_ids: list[str]) -> pd.DataFrame:
        rows = [{"customer_id": customer} for customer in customer_ids]
        return rival.get_online_features(references, rows).to_df()

    mine, others = side_by_side(ours.latest, in_feast, asked, READS[count])
    (middle, slow), other = 1e3 * np.quantile(mine, [0.5, 0.99]), 1e3 * np.median(others)
    return (
        f"| read {count:,} | {middle:.2f} ms | {slow:.2f} ms | {other:.1f} ms "
        f"| {middle / other:.3f} |"
    )


def _push(store: FeatureStore, number: int) -> None:
    """A new order of a customer, and a look at it."""
    line = {"customer_id": f"C{number:08d}", "happened_at": "2024-01-01", "amount": 10.0 + number}
    pushed = store.push({"transactions": ibis.memtable(pd.DataFrame([line]))})
    assert store.latest(pushed.customers).as_of[0] == pushed.as_of


def _plain_feast(
    ours: FeatureStore, folder: Path, online: dict[str, str]
) -> tuple[feast.FeatureStore, list[str]]:
    """The same snapshot in a store of its own, with every feature a field of one view."""
    folder = folder / "rival"
    folder.mkdir()
    rows = ours.snapshot(AS_OF)[:RIVALS].drop(columns="as_of")
    names = [name for name in rows if name != "customer_id"]
    rows["event_timestamp"] = pd.Series(AS_OF, rows.index).dt.tz_localize("UTC")
    rows = rows.astype({"event_timestamp": "datetime64[us, UTC]"})
    rows.to_parquet(folder / "rows.parquet", index=False)
    chosen: dict[str, Any] = dict(online)
    if "path" in chosen:
        chosen["path"] = str(folder / "online.db")
    store = feast.FeatureStore(
        config=feast.RepoConfig(
            project="rival",
            provider="local",
            registry={"registry_type": "sql", "path": f"sqlite:///{folder}/registry.db"},
            offline_store={"type": "duckdb"},
            online_store=chosen,
            entity_key_serialization_version=3,
        )
    )
    entity = feast.Entity(
        name="customer", join_keys=["customer_id"], value_type=feast.ValueType.STRING
    )
    view = feast.FeatureView(
        name="plain",
        entities=[entity],
        ttl=timedelta(days=3650),
        schema=[
            feast.Field(name=name, dtype=String if rows[name].dtype == object else Float64)
            for name in names
        ],
        source=feast.FileSource(
            path=str(folder / "rows.parquet"), timestamp_field="event_timestamp"
        ),
    )
    store.apply([entity, view])
    return store, [f"plain:{name}" for name in names]


def _rows_of(rival: feast.FeatureStore) -> Path:
    return Path(rival.get_feature_view("plain").batch_source.path)


def _load(store: feast.FeatureStore) -> None:
    end = AS_OF.replace(tzinfo=UTC)
    with contextlib.redirect_stdout(io.StringIO()):  # Feast prints its progress
        store.materialize(end - timedelta(seconds=1), end)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
