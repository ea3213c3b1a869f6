"""Apache Spark as the engine: one session of the process, and a connection to it.

The only file that knows pyspark. Spark's master is what SPARK_MASTER says, or an installation of
one's own (SPARK_HOME, SPARK_CONF_DIR); without either, two cores of this machine do the work. The
workspace must lie where this process and Spark's workers both see it.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pandas as pd
from ibis.backends.pyspark import Backend
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from pyspark.errors import PySparkException, PySparkRuntimeError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import TimestampType

from features.errors import EngineError, UserError

# What the values of the features depend on, and the form of the files.
_MEANING = {
    "spark.sql.session.timeZone": "UTC",
    # Our times carry no zone mark; read as zoned ones they would be compared in the session's zone.
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # An impossible cast or a division by zero is an error, not a null that no other engine has.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}
_QUIET = {"spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
# A session on this machine alone: nothing listens beyond it.
_ALONE = {
    "spark.master": "local[2]",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    # The driver does all the work here; Spark's 1 GB is for one that only directs.
    "spark.driver.memory": "4g",
    # Four pieces a core, which Spark joins when they are small; its 200 are for a cluster.
    "spark.sql.shuffle.partitions": "8",
}
_ELSEWHERE = ("SPARK_HOME", "SPARK_CONF_DIR")


def connect() -> ibis.BaseBackend:
    """A connection to the session of this process, which is started at the first call.

    Raises UserError when there is no Java runtime to start it with.
    """
    Spark.register_options()
    return Spark().connect(_session())


def map_frames(
    rows: pd.DataFrame,
    function: Callable[[Iterable[pd.DataFrame]], Iterable[pd.DataFrame]],
    schema: str,
) -> pd.DataFrame:
    """What a function makes of some rows, each row a piece of work for one of Spark's workers.

    rows: few and small; what they stand for is read where the work is done. function: of frames
    with a row or more to frames with the columns of `schema`, a list such as "number bigint"; it
    and its module must be installed where the workers are.
    Raises EngineError when a piece of work fails, with the last thing that it said.
    """
    frame = _session().createDataFrame(rows).repartition(len(rows))
    try:
        # Not toPandas, which warns of an error beside raising it.
        found = frame.mapInPandas(function, schema).collect()
    except PySparkException as error:
        raise EngineError(_last_words(str(error)) or type(error).__name__) from error
    return pd.DataFrame([row.asDict() for row in found])


def _last_words(message: str) -> str:
    """The last line of a message before the frames of Java: there a worker's Python says it."""
    lines = message.partition("\tat ")[0].splitlines()
    return next((line for line in reversed(lines) if line.strip()), "")


class Spark(Backend):
    """An ibis connection to Spark that answers the calls of `features.backend` as DuckDB's does."""

    def read_parquet(
        self, paths: list[str], /, *, union_by_name: bool, hive_partitioning: bool
    ) -> ir.Table:
        """The rows of some Parquet files of one schema, as a lazy table."""
        frame = self._session.read.parquet(
            *paths, mergeSchema=union_by_name, recursiveFileLookup=not hive_partitioning
        )
        name = ibis.util.gen_name("read_parquet")
        frame.createOrReplaceTempView(name)
        return self.table(name)

    def get_schema(self, table_name: str, /, **place: Any) -> ibis.Schema:
        """The columns of a table; ibis leaves unsaid that times have microseconds, and a zone."""
        schema = dict(super().get_schema(table_name, **place))
        for field in self._session.table(table_name).schema:
            if schema[field.name].is_timestamp():
                zone = "UTC" if isinstance(field.dataType, TimestampType) else None
                schema[field.name] = schema[field.name].copy(timezone=zone, scale=6)
        return ibis.schema(schema)

    def to_parquet(self, table: ir.Table, path: str, /, *, compression: str) -> None:
        """Write a lazy table to one Parquet file; Spark itself writes folders of several.

        Raises EngineError when Spark cannot compute its rows.
        """
        folder = Path(f"{path}.parts")
        try:
            self._one_part(table).write.parquet(str(folder), compression=compression)
            (part,) = folder.glob("part-*.parquet")
            part.replace(path)
        except PySparkException as error:
            raise EngineError(str(error)) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _one_part(self, table: ir.Table) -> DataFrame:
        """The rows in one piece, in the table's order.

        The order is applied to that piece. Spark's own ORDER BY would compute the rows twice, once
        to divide them into ranges, and joining the ranges does not promise to keep them in turn.
        """
        self._run_pre_execute_hooks(table)
        asked = table.op()
        if not isinstance(asked, ops.Sort):
            return self._frame(table).repartition(1)
        turn = {True: F.asc_nulls_last, False: F.desc_nulls_last}
        keys = [turn[key.ascending](key.name) for key in asked.keys]
        return self._frame(asked.parent.to_expr()).repartition(1).sortWithinPartitions(*keys)

    def _frame(self, table: ir.Table) -> DataFrame:
        """The rows as Spark's own lazy table, with a zone mark on the times that have one.

        The mark is set here because both kinds of time are TIMESTAMP in ibis's SQL for Spark.
        """
        frame = self._session.sql(self.compile(table))
        zoned = [n for n, t in table.schema().items() if t.is_timestamp() and t.timezone]
        return frame.withColumns({name: F.col(name).cast("timestamp_ltz") for name in zoned})

    def _register_in_memory_table(self, op: ops.InMemoryTable) -> None:
        # Through pandas, as ibis does it, a null number would become NaN.
        rows = self._session.createDataFrame(op.data.to_pyarrow(op.schema))
        rows.createOrReplaceTempView(op.name)


class _Compiler(PySparkCompiler):
    def visit_CountStar(self, op: ops.CountStar, *, arg: Any, where: Any) -> Any:
        if where is None:
            return super().visit_CountStar(op, arg=arg, where=where)
        # ibis adds up the condition, and a sum of nothing is null where a count of nothing is 0.
        return self.f.count_if(where)


Spark.compiler = _Compiler()


@cache
def _session() -> SparkSession:
    settings: dict[str, Any] = _MEANING | _QUIET
    if "SPARK_MASTER" in os.environ:
        settings["spark.master"] = os.environ["SPARK_MASTER"]
    elif not any(name in os.environ for name in _ELSEWHERE):
        settings |= _ALONE
    if settings.get("spark.master", "").startswith("local"):
        # The workers are on this machine; Spark would take the first Python on the PATH.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        shared = SparkSession.builder.appName("holdfast").config(map=settings).getOrCreate()
    except PySparkRuntimeError as error:
        if error.getCondition() != "JAVA_GATEWAY_EXITED":
            raise
        raise UserError(
            "The engine spark was asked for, but its Java could not be started. Install a Java "
            "runtime (version 17 or 21) and let JAVA_HOME or PATH lead to it, or set "
            "HOLDFAST_ENGINE=duckdb."
        ) from None
    # The context is shared with whoever else uses Spark here; views and settings are our own, since
    # Feast changes on its session how a quoted column is read.
    session = shared.newSession()
    for name, value in _MEANING.items():
        session.conf.set(name, value)
    return session
