"""Where scores go: a Parquet file, a CSV file, or a table of a database."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sql
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from features import backend
from features.errors import UserError

TABLE = "holdfast_scores"
# Rows sent to a database at a time: some megabytes as Python values.
_ROWS = 5_000


def write(scores: Path, target: str, table: str = TABLE) -> None:
    """Copy a score file to a path that ends in .parquet or .csv, or into a table of a database.

    target: a path, or an SQLAlchemy URL such as postgresql+psycopg://host/shop; a file is written
    whole or not at all. table: its name, after a schema and a dot if need be; made when it is
    missing. The rows of the same moment are replaced in one transaction and other moments stay, so
    that the table is a history and the same run may be repeated.
    Raises UserError for another target, a database that cannot be written and a table of others.
    """
    if "://" in target:
        _into_table(scores, target, table)
    elif target.endswith(".csv"):
        backend.write_csv(backend.read_parquet([scores], backend.EMBEDDED), Path(target))
    elif target.endswith(".parquet"):
        with backend.whole_or_nothing(Path(target)) as temporary:
            shutil.copyfile(scores, temporary)
    else:
        raise UserError(
            f"Scores cannot be written to {target}: it is neither a .parquet or .csv file nor the "
            "URL of a database. Name one such as scores.csv or postgresql+psycopg://host/shop."
        )


def _into_table(scores: Path, url: str, name: str) -> None:
    engine = _engine(url)
    try:
        _replace(pq.ParquetFile(scores), engine, name)
    except SQLAlchemyError as error:
        # What the driver says; the whole message has the statement and customers' values in it.
        said = str(getattr(error, "orig", None) or type(error).__name__).splitlines()[0]
        raise UserError(
            f"Scores cannot be written into the table {name} of {engine.url!r}: {said}. Nothing "
            "was changed; see that the database answers and its user may make and write the table."
        ) from None
    finally:
        engine.dispose()


def _engine(url: str) -> sql.Engine:
    try:
        return sql.create_engine(url)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        reason = f"its driver is not installed ({error})"
    except (ArgumentError, ValueError):
        reason = "it is no SQLAlchemy URL"  # what is wrong with it may be a password
    raise UserError(
        f"Scores cannot be written to the database {url.partition('://')[0]}://...: {reason}. "
        "Name one such as postgresql+psycopg://user@host/shop, and install its driver."
    )


def _replace(scores: pq.ParquetFile, engine: sql.Engine, name: str) -> None:
    """Put the rows of a file in place of those of the same moment, all or none."""
    table = _table(scores.schema_arrow, name)
    table.create(engine, checkfirst=True)
    _refuse_other_columns(table, engine)
    (as_of,) = next(scores.iter_batches(1, columns=["as_of"])).column(0).to_pylist()
    with engine.begin() as connection:
        connection.execute(table.delete().where(table.c.as_of == as_of))
        for rows in scores.iter_batches(_ROWS):
            connection.execute(table.insert(), rows.to_pylist())


def _table(schema: pa.Schema, name: str) -> sql.Table:
    place, _, own = name.rpartition(".")
    columns = [
        # Two runs that write one moment at once cannot both succeed.
        sql.Column(f.name, _type(f.type), primary_key=f.name in ("as_of", "customer_id"))
        for f in schema
    ]
    return sql.Table(own, sql.MetaData(), *columns, schema=place or None)


def _type(kind: pa.DataType) -> Any:
    if pa.types.is_timestamp(kind):
        return sql.DateTime()
    if pa.types.is_boolean(kind):
        return sql.Boolean()
    return sql.Double() if pa.types.is_floating(kind) else sql.Text()


def _refuse_other_columns(table: sql.Table, engine: sql.Engine) -> None:
    there = {c["name"] for c in sql.inspect(engine).get_columns(table.name, table.schema)}
    lacking = [column.name for column in table.columns if column.name not in there]
    if lacking:
        raise UserError(
            f"Scores cannot be written into the table {table.fullname}, which lacks the columns "
            f"{', '.join(lacking)}. Add them to it, or name another table."
        )
