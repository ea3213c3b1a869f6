"""The engine that computes: one ibis connection, and the few calls each engine spells its own way.

Which one is the environment variable HOLDFAST_ENGINE: `duckdb`, or `spark`, which stands in a file
of its own. What is computed from events is the engine's; raw files are read and checked by the
embedded engine, DuckDB, under both.
"""

from __future__ import annotations

import os
import tempfile
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from features.errors import EngineError, UserError

EMBEDDED = "duckdb"
ENGINE_ERRORS = (duckdb.Error, EngineError)
# Per cent of the machine's memory for an engine before it spills to disk: half, so that what is
# beside it (models, a service, the threads that compute alone) has room.
_MEMORY_SHARE = 50
FILES = "files"  # what a source's query calls the rows it reads
_local = threading.local()

Range = tuple[str | None, str | None]  # from this customer id on, up to and without this one


@dataclass(frozen=True)
class Source:
    """Rows that queries read under a name: Parquet files or a table, and which of them to load.

    query: SQL of the embedded engine that selects from a table called FILES, if from any.
    """

    name: str
    rows: Sequence[Path] | pa.Table
    query: str


def chosen() -> str:
    """The engine that HOLDFAST_ENGINE names, else the embedded one."""
    return os.environ.get("HOLDFAST_ENGINE", EMBEDDED)


def connect(engine: str | None = None) -> ibis.BaseBackend:
    """The connection of this thread to an engine, opened at the first call.

    engine: one of ENGINES; default: the one that HOLDFAST_ENGINE names, else the embedded one.
    Raises UserError for another engine, and for one that is not installed.
    """
    engine = engine or chosen()
    if engine not in ENGINES:
        raise UserError(
            f"The engine {engine!r} was asked for, but Holdfast runs on {' and '.join(ENGINES)}. "
            "Set HOLDFAST_ENGINE to one of these."
        )
    if not hasattr(_local, engine):
        setattr(_local, engine, ENGINES[engine]())
    return getattr(_local, engine)


def answer(sources: Sequence[Source], queries: Mapping[str, str], within: Range) -> list[pa.Table]:
    """The answers to queries of the embedded engine, one after the other, on this thread alone.

    sources: what the queries read, loaded first. queries: name -> SQL; an answer stands under its
    name for the queries after it. within: of sources with a customer_id only these customers.
    """
    if not hasattr(_local, "alone"):
        _local.alone = _duckdb(threads=1)
    answers = []
    with _local.alone.con.cursor() as connection:  # what it makes ends with it
        connection.execute("SET TimeZone = 'UTC'")
        for source in sources:
            _within(connection, source.rows, within).create_view(FILES, replace=True)
            connection.execute(f"CREATE TEMP TABLE {source.name} AS {source.query}")
        for name, query in queries.items():
            answers.append(connection.sql(query).to_arrow_table())
            connection.register(name, answers[-1])
    return answers


class Planned:
    """Queries planned once over tables whose rows change: for answers that somebody waits for.

    To plan the queries of a wide catalogue takes many times longer than to run them over a few
    rows. DuckDB 2.0 keeps a plan only while its optimizer is off, the query has no parameter and
    nothing is created, not even a view. So what changes must come in a table, and what is loaded
    must be named in the statement that loads it.
    """

    def __init__(self, sources: Sequence[Source], queries: Mapping[str, str]) -> None:
        """Load sources, one after the other, and plan queries (name -> SQL) over them."""
        self._loader = _duckdb(threads=1).con
        for source in sources:
            if isinstance(source.rows, pa.Table):
                self._loader.from_arrow(source.rows).create_view(FILES, replace=True)
            self._loader.execute(f"CREATE TABLE {source.name} AS {_with_files(source)}")
        self._names = list(queries)
        # The longest first, so that each planner gets about the same work.
        longest = sorted(queries, key=lambda name: len(queries[name]), reverse=True)
        count = cores()
        self._planners = [(self._loader.cursor(), longest[i::count]) for i in range(count)]
        self._pool = ThreadPoolExecutor(count)
        list(self._pool.map(lambda planner: _plan(planner[0], planner[1], queries), self._planners))

    def load(self, sources: Sequence[Source]) -> None:
        """Put the rows of sources, which are files, in the place of those before."""
        self._loader.begin()
        try:
            for source in sources:
                self._loader.execute(f"DELETE FROM {source.name}")
                self._loader.execute(f"INSERT INTO {source.name} {_with_files(source)}")
            self._loader.commit()
        except duckdb.Error:
            self._loader.rollback()
            raise

    def answer(self) -> list[pa.Table]:
        """The answer to each query over the rows of now, side by side on the cores."""
        answers = self._pool.map(lambda planner: _run(*planner), self._planners)
        found = {name: rows for part in answers for name, rows in part.items()}
        return [found[name] for name in self._names]


def schema(source: Source) -> ibis.Schema:
    """The columns of a source and their types, as its query gives them."""
    connection = connect(EMBEDDED).con
    _within(connection, source.rows, (None, None)).create_view(FILES, replace=True)
    nothing = connection.sql(source.query).limit(0).to_arrow_table()
    return ibis.Schema.from_pyarrow(nothing.schema)


def cores() -> int:
    """How many threads may compute at once."""
    return os.cpu_count() or 1


def quiet() -> None:
    """Hush the engine's one warning: ibis 12 calls a function of DuckDB by its old name."""
    warnings.filterwarnings("ignore", message=r"fetch_arrow_table\(\) is deprecated")


def read_parquet(paths: list[Path], engine: str | None = None) -> ir.Table:
    """The rows of some Parquet files of one schema, as a lazy table; engine: see connect."""
    return connect(engine).read_parquet(
        [str(path) for path in paths], union_by_name=True, hive_partitioning=False
    )


def read_csv(path: Path, columns: list[str], delimiter: str) -> ir.Table:
    """The rows of a CSV file (gzip as well) with every column as text, as a lazy table.

    Text, because an id such as 00042 must keep its zeros and a bad number must keep its spelling
    until it is reported. Nothing is left to the engine to guess: one line of another length can
    turn its guess of the delimiter, and a quote after its sample is read as part of the value.
    Read by the embedded engine, like all raw files.
    """
    return connect(EMBEDDED).read_csv(
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
    """Within the block, the embedded engine looks at a file's values and not at its statistics.

    The statistics of a Parquet file written by others leave NaN out, and DuckDB 2.0 concludes that
    no value is NaN: isnan() of a NaN is then false. What it writes itself is not concerned.
    """
    connection = connect(EMBEDDED)
    connection.raw_sql("SET disabled_optimizers = 'statistics_propagation'")
    try:
        yield
    finally:
        connection.raw_sql("RESET disabled_optimizers")


def parse_timestamp(text: ir.StringValue, time_format: str) -> ir.TimestampValue:
    """The time, UTC, that a text means in a strptime format; null where it does not fit."""
    # The cast does something where the format has an offset: the engine then answers a zoned time.
    return _try_strptime(text, time_format).cast("timestamp('UTC', 6)").cast("timestamp(6)")


def write_parquet(table: ir.Table, path: Path, engine: str | None = None) -> None:
    """Write a lazy table to one Parquet file, whole or not at all; engine: see connect."""
    with whole_or_nothing(path) as temporary:
        connect(engine).to_parquet(table, str(temporary), compression="zstd")


def rows_of_customer(paths: Sequence[Path], customer_id: str) -> pa.Table:
    """One customer's rows of some Parquet files; of files sorted by customer little is read."""
    connection = connect(EMBEDDED).con
    rows = _within(connection, paths, (None, None))
    is_his = duckdb.ColumnExpression("customer_id") == duckdb.ConstantExpression(customer_id)
    return rows.filter(is_his).to_arrow_table()


def rows_where(paths: Sequence[Path], condition: str) -> pa.Table:
    """The rows of some Parquet files of which a condition holds; SQL that the caller has checked.

    Raises one of ENGINE_ERRORS when the engine cannot work it out.
    """
    rows = _within(connect(EMBEDDED).con, paths, (None, None))
    return rows.filter(condition).to_arrow_table()


def write_rows(rows: pa.Table, path: Path) -> None:
    """Write rows at hand to one Parquet file, as write_parquet would, whole or not at all."""
    with whole_or_nothing(path) as temporary:
        relation = connect(EMBEDDED).con.from_arrow(rows)
        relation.write_parquet(str(temporary), compression="zstd")


def write_csv(table: ir.Table, path: Path) -> None:
    """Write a lazy table of the embedded engine to one CSV file, whole or not at all."""
    with whole_or_nothing(path) as temporary:
        connect(EMBEDDED).to_csv(table, str(temporary))


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


def write_frame(frame: pd.DataFrame, path: Path) -> Path:
    """Write a frame as Parquet, whole or not at all; returns the path."""
    with whole_or_nothing(path) as temporary:
        # Microseconds: nanoseconds in Parquet break readers that cast them (DuckDB with Feast).
        frame.to_parquet(temporary, index=False, coerce_timestamps="us")
    return path


def _plan(planner: duckdb.DuckDBPyConnection, names: list[str], queries: Mapping[str, str]) -> None:
    planner.execute("SET TimeZone = 'UTC'")
    planner.execute("PRAGMA disable_optimizer")
    for name in names:
        planner.execute(f"PREPARE {name} AS {queries[name]}")


def _run(planner: duckdb.DuckDBPyConnection, names: list[str]) -> dict[str, pa.Table]:
    return {name: planner.sql(f"EXECUTE {name}").to_arrow_table() for name in names}


def _with_files(source: Source) -> str:
    """The query of a source, with its files named in it where they are files."""
    if isinstance(source.rows, pa.Table) or not source.rows:
        return source.query
    files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in source.rows)
    read = f"read_parquet([{files}], union_by_name=true, hive_partitioning=false)"
    return f"WITH {FILES} AS (SELECT * FROM {read}) SELECT * FROM ({source.query})"


def _within(
    connection: duckdb.DuckDBPyConnection, rows: Sequence[Path] | pa.Table, within: Range
) -> duckdb.DuckDBPyRelation:
    if isinstance(rows, pa.Table):
        return connection.from_arrow(rows)
    files = [str(path) for path in rows]
    relation = connection.read_parquet(files, union_by_name=True, hive_partitioning=False)
    if "customer_id" not in relation.columns:
        return relation
    customer, (start, end) = duckdb.ColumnExpression("customer_id"), within
    if start is not None:
        relation = relation.filter(customer >= duckdb.ConstantExpression(start))
    if end is not None:
        relation = relation.filter(customer < duckdb.ConstantExpression(end))
    return relation


def _duckdb(threads: int | None = None) -> ibis.BaseBackend:
    connection = ibis.duckdb.connect()
    connection.raw_sql("SET TimeZone = 'UTC'")
    # What does not fit into memory goes where the system keeps such things, not where we stand, and
    # to a place that no other connection uses: their files would have the same names.
    spill = Path(tempfile.gettempdir()) / f"holdfast-{uuid.uuid4().hex}"
    connection.raw_sql(f"SET temp_directory = '{spill}'")
    share = _MEMORY_SHARE // cores() if threads else _MEMORY_SHARE
    connection.raw_sql(f"SET memory_limit = '{share}%'")
    if threads:
        connection.raw_sql(f"SET threads = {threads}")
    # A progress bar of the engine would write over ours. In a notebook that cannot draw one it is
    # off, and even to say so is refused.
    [(shows_bar,)] = connection.con.sql("SELECT current_setting('enable_progress_bar')").fetchall()
    if shows_bar:
        connection.raw_sql("SET enable_progress_bar = false")
    return connection


def _spark() -> ibis.BaseBackend:
    try:
        from features import spark
    except ImportError as missing:
        raise UserError(
            f"The engine spark was asked for, but {missing.name} is not installed. Install Spark "
            "with pip install 'holdfast[production]', and a Java runtime (version 17 or 21) for it."
        ) from None
    return spark.connect()


ENGINES: Mapping[str, Callable[[], ibis.BaseBackend]] = {EMBEDDED: _duckdb, "spark": _spark}


@ibis.udf.scalar.builtin(name="try_strptime")
def _try_strptime(text: str, time_format: str) -> ibis.dtype("timestamp(6)"):  # type: ignore[valid-type]
    """DuckDB's strptime that answers null instead of an error."""


quiet()
