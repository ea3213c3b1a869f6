"""The engine that computes: one ibis connection, and the few calls each engine spells its own way.

The only file that knows an engine. Which one is the environment variable HOLDFAST_ENGINE.
"""

from __future__ import annotations

import os
import threading
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir

from features.errors import UserError

ENGINES = ("duckdb",)
ENGINE_ERRORS = (duckdb.Error,)
_local = threading.local()


def connect(url: str | None = None) -> ibis.BaseBackend:
    """The connection of this thread to the engine, opened at the first call.

    url: an ibis URL such as `duckdb://`; default: the engine named by HOLDFAST_ENGINE (`duckdb`).
    Raises UserError for an engine that is not in ENGINES.
    """
    engine = (url or os.environ.get("HOLDFAST_ENGINE", "duckdb")).split(":", 1)[0]
    if engine not in ENGINES:
        raise UserError(
            f"The engine {engine!r} was asked for, but Holdfast runs on {', '.join(ENGINES)}. "
            "Set HOLDFAST_ENGINE to one of these."
        )
    if not hasattr(_local, "connection"):
        connection = ibis.duckdb.connect()
        connection.raw_sql("SET TimeZone = 'UTC'")
        # A progress bar of the engine would write over ours.
        connection.raw_sql("SET enable_progress_bar = false")
        _local.connection = connection
    return _local.connection


def quiet() -> None:
    """Hush the engine's one warning: ibis 12 calls a function of DuckDB by its old name."""
    warnings.filterwarnings("ignore", message=r"fetch_arrow_table\(\) is deprecated")


def read_parquet(paths: list[Path]) -> ir.Table:
    """The rows of some Parquet files of one schema, as a lazy table."""
    return connect().read_parquet(
        [str(path) for path in paths], union_by_name=True, hive_partitioning=False
    )


def read_csv(path: Path, columns: list[str], delimiter: str) -> ir.Table:
    """The rows of a CSV file (gzip as well) with every column as text, as a lazy table.

    Text, because an id such as 00042 must keep its zeros and a bad number must keep its spelling
    until it is reported. Nothing is left to the engine to guess: one line of another length can
    turn its guess of the delimiter, and a quote after its sample is read as part of the value.
    """
    return connect().read_csv(
        str(path),
        columns=dict.fromkeys(columns, "VARCHAR"),
        delim=delimiter,
        quote='"',
        escape='"',
        header=True,
        auto_detect=False,
    )


@contextmanager
def reading_foreign_files() -> Iterator[None]:
    """Within the block, the engine looks at the values of a file and not at its statistics.

    The statistics of a Parquet file written by others leave NaN out, and DuckDB 2.0 concludes that
    no value is NaN: isnan() of a NaN is then false. What it writes itself is not concerned.
    """
    connection = connect()
    connection.raw_sql("SET disabled_optimizers = 'statistics_propagation'")
    try:
        yield
    finally:
        connection.raw_sql("RESET disabled_optimizers")


def parse_timestamp(text: ir.StringValue, time_format: str) -> ir.TimestampValue:
    """The time, UTC, that a text means in a strptime format; null where it does not fit."""
    # The cast does something where the format has an offset: the engine then answers a zoned time.
    return _try_strptime(text, time_format).cast("timestamp('UTC', 6)").cast("timestamp(6)")


def write_parquet(table: ir.Table, path: Path) -> None:
    """Write a lazy table to one Parquet file, whole or not at all."""
    with whole_or_nothing(path) as temporary:
        connect().to_parquet(table, str(temporary), compression="zstd")


def write_csv(table: ir.Table, path: Path) -> None:
    """Write a lazy table to one CSV file, whole or not at all."""
    with whole_or_nothing(path) as temporary:
        connect().to_csv(table, str(temporary))


@contextmanager
def whole_or_nothing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without an error.

    The rename is atomic on one file system: a reader sees the old file or the new one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@ibis.udf.scalar.builtin(name="try_strptime")
def _try_strptime(text: str, time_format: str) -> ibis.dtype("timestamp(6)"):  # type: ignore[valid-type]
    """DuckDB's strptime that answers null instead of an error."""


quiet()
