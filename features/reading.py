"""Files of any column names -> raw tables with canonical names.

The names come from a mapping the user gives, from the canonical names, or from a guess that is
shown. Nothing is judged here but the file itself; `events.check` judges the rows.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import logging
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import ibis.expr.types as ir
import yaml

from features import backend
from features.errors import UserError
from features.events import CUSTOMERS, TABLES, EventTable

log = logging.getLogger(__name__)

_CHUNK = 1 << 20  # bytes read at a time: large enough to be fast, small enough to be forgotten
_DELIMITERS = ",;\t|"
_NUMBER = r"^[+-]?(0|[1-9][0-9]*)([.][0-9]+)?$"  # 00042 is a code, not a number


@dataclass(frozen=True)
class ColumnMapping:
    """How a source names things: per table, canonical name -> column of the file."""

    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    time_format: str | None = None


def read_mapping(path: Path | None, flags: list[str]) -> ColumnMapping:
    """The mapping of a YAML file, with `table.name=column` flags laid over it.

    The file has one key per table with `canonical name: column of the file`, and may have
    `time_format`, a strptime format for all times.
    Raises UserError for an unknown table or canonical name, or a file that is not such a mapping.
    """
    given = _load_yaml(path) if path else {}
    time_format = given.pop("time_format", None)
    columns: dict[str, dict[str, str]] = {name: dict(names) for name, names in given.items()}
    for flag in flags:
        target, _, source = flag.partition("=")
        table, _, name = target.partition(".")
        if not (source and name):
            raise UserError(
                f"The column flag {flag!r} cannot be read. Write table.name=column, "
                "for example transactions.amount=Total."
            )
        columns.setdefault(table, {})[name] = source
    for table, names in columns.items():
        _check_names(table, names)
    return ColumnMapping(columns, time_format)


def read(path: Path, table: EventTable, mapping: ColumnMapping) -> ir.Table:
    """A CSV (also gzipped) or Parquet file as a lazy table with canonical column names.

    Columns without a canonical name are left out, but for `customers`, where they are kept as
    profile columns; in a CSV file, one in which every value is a number is read as numbers.
    Raises UserError for a file that is missing, empty, not text in UTF-8, not readable as a table,
    or that lacks a needed column.
    """
    raw = _open(path, table)
    names = _names(path, table, list(raw.columns), mapping.columns.get(table.name, {}))
    columns: dict[str, ir.Value] = {name: raw[source] for name, source in names.items()}
    if table is CUSTOMERS:
        others = [name for name in raw.columns if name not in names.values()]
        numbers = [] if path.suffix == ".parquet" else _number_columns(raw, others)
        for other in others:
            value = raw[other].try_cast("float64") if other in numbers else raw[other]
            columns.setdefault(_tidy(other), value)
    return raw.select(**columns)


def _number_columns(raw: ir.Table, names: list[str]) -> list[str]:
    """The text columns that hold numbers and blanks only, and not blanks alone."""
    if not names:
        return []
    texts = {name: raw[name].strip().nullif("") for name in names}
    facts = raw.agg(**{name: text.re_search(_NUMBER).all() for name, text in texts.items()})
    try:
        answers = facts.to_pyarrow().to_pylist()[0]
    except backend.ENGINE_ERRORS:
        return []  # a broken line further down is reported when the rows are read
    return [name for name, is_number in answers.items() if is_number]


def _load_yaml(path: Path) -> dict:
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"The mapping file {path} does not exist. Check the path.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"The mapping file {path} is not valid YAML: {error}.") from None
    tables = given if isinstance(given, dict) else {}
    if not tables or not all(isinstance(v, dict) for k, v in tables.items() if k != "time_format"):
        raise UserError(
            f"The mapping file {path} must have one key per table with canonical names below it, "
            "for example:\ntransactions:\n  customer_id: Customer ID\n  amount: Total"
        )
    return tables


def _check_names(table: str, names: Mapping[str, str]) -> None:
    if table not in TABLES:
        raise UserError(f"The mapping names a table {table!r}; the tables are {', '.join(TABLES)}.")
    columns = [column.name for column in TABLES[table].columns]
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise UserError(
            f"The mapping names {', '.join(unknown)} in {table}; the columns of {table} are "
            f"{', '.join(columns)}."
        )


def _open(path: Path, table: EventTable) -> ir.Table:
    if not path.is_file():
        raise UserError(f"The {table.name} file {path} does not exist. Check the path.")
    if path.stat().st_size == 0:
        raise UserError(f"The {table.name} file {path} is empty. Export it again with a header.")
    try:
        if path.suffix == ".parquet":
            raw = backend.read_parquet([path], backend.EMBEDDED)
        else:
            _check_utf8(path)
            raw = backend.read_csv(path, *_header(path))
        empty = raw.limit(1).count().execute() == 0
    except backend.ENGINE_ERRORS as error:
        raise UserError(
            f"The {table.name} file {path} cannot be read as a table: "
            f"{str(error).splitlines()[0]}. Give a CSV file with a header line, or Parquet."
        ) from None
    if empty:
        raise UserError(f"The {table.name} file {path} has a header but no rows. Export it again.")
    return raw


def _header(path: Path) -> tuple[list[str], str]:
    """The column names of a CSV file, and the delimiter that its first line has most of."""
    with _unpacked(path) as stream:
        line = stream.readline().decode("utf-8-sig").rstrip("\r\n")
    delimiter = max(_DELIMITERS, key=line.count)
    given = next(csv.reader([line], delimiter=delimiter), [])
    # Nameless is the index column of a data frame written with it.
    names = [name or f"column{position}" for position, name in enumerate(given)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        what = f"the column {' and '.join(twice)} more than once" if twice else "no column names"
        raise UserError(f"The first line of {path} has {what}. Give each column one name there.")
    return names, delimiter


def _unpacked(path: Path) -> IO[bytes]:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def _check_utf8(path: Path) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with _unpacked(path) as stream:
            while chunk := stream.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise UserError(
            f"The file {path} is not UTF-8 text (byte {error.object[error.start]:#04x} cannot be "
            "read). Convert it first, for example: iconv -f LATIN1 -t UTF-8 FILE > NEW_FILE."
        ) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"The file {path} is not a whole gzip file: {error}.") from None


def _names(
    path: Path, table: EventTable, columns: list[str], mapped: Mapping[str, str]
) -> dict[str, str]:
    """Canonical name -> column of the file; what is needed is there or the call is refused."""
    absent = [f"{source} (for {name})" for name, source in mapped.items() if source not in columns]
    if absent:
        raise UserError(
            f"The mapping asks for {', '.join(absent)}, but {path} has {', '.join(columns)}. "
            "Correct the mapping."
        )
    names = dict(mapped)
    for column in table.columns:
        if column.name not in names:
            source = _guess(column.name, column.aliases, columns, set(names.values()))
            if source:
                names[column.name] = source
    missing = [
        column.name for column in table.columns if column.needed and column.name not in names
    ]
    if missing:
        raise UserError(
            f"The {table.name} file {path} needs the column {' and '.join(missing)}, but it has "
            f"{', '.join(columns)}. Rename a column, or say which one is meant: "
            f"--column {table.name}.{missing[0]}=COLUMN."
        )
    for name, source in names.items():
        if name != source:
            log.info("%s: %s is read from the column %s", path.name, name, source)
    return names


def _guess(name: str, aliases: tuple[str, ...], columns: list[str], taken: set[str]) -> str | None:
    """The column called so or by an alias, whatever its capitals, blanks and signs."""
    bare_names = {_tidy(column).replace("_", ""): column for column in columns}
    for candidate in (name, *aliases):
        column = bare_names.get(candidate.replace("_", ""))
        if column is not None and column not in taken:
            return column
    return None


def _tidy(name: str) -> str:
    """The name in lower case, with one underscore for whatever is no letter or digit."""
    return re.sub(r"[\W_]+", "_", name.lower()).strip("_")
