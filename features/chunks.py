"""A built snapshot of all families: together, or a few thousand customers at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.computation import PART
from features.errors import UserError
from features.snapshots import Snapshots, moment_name


@dataclass(frozen=True)
class Built:
    """Where the rows of a built moment lie: all that another process needs to read them.

    families: of each its file and the names of its features.
    """

    as_of: datetime
    families: tuple[tuple[Path, tuple[str, ...]], ...]

    @classmethod
    def of(cls, snapshots: Snapshots, as_of: datetime) -> Self:
        """The files of a built moment."""
        return cls(
            as_of,
            tuple(
                (snapshots.folder(family, as_of) / PART, tuple(f.name for f in family.features))
                for family in snapshots.families
            ),
        )

    def customers(self) -> int:
        """How many customers are known. Raises UserError when the file is damaged."""
        with _undamaged(self.as_of):
            return pq.read_metadata(self.families[0][0]).num_rows


def chunks(snapshots: Snapshots, as_of: datetime, size: int) -> Iterator[list[pa.RecordBatch]]:
    """The rows of every family at a built moment, for `size` customers at a time.

    The files of one moment have the same customers in the same order, so they are read side by
    side: nothing is joined, and no more than one chunk is held in memory.
    Raises UserError when a file is damaged, RuntimeError when the families tell of others.
    """
    return _side_by_side(Built.of(snapshots, as_of), size, 0)


def frames(built: Built, size: int, first: int = 0) -> Iterator[pd.DataFrame]:
    """The same as data frames: customer_id, as_of and all features, by id.

    first: number of the chunk to begin with; what lies well before it is not read.
    """
    for chunk in _side_by_side(built, size, first):
        columns = {"customer_id": chunk[0].column("customer_id")}
        for rows, (_, features) in zip(chunk, built.families, strict=True):
            columns |= {name: rows.column(name) for name in features}
        frame = pa.table(columns).to_pandas()
        frame.insert(1, "as_of", built.as_of)
        yield frame


def together(
    snapshots: Snapshots, as_of: datetime, customers: Sequence[str] | None = None
) -> pd.DataFrame:
    """One row per customer at a built moment: customer_id, as_of and all features, by id.

    customers: those alone, and of them who is known; default: everybody.
    """
    tables = [snapshots.read(f, as_of).drop("event_timestamp") for f in snapshots.families]
    if customers is not None:
        chosen = ibis.memtable({"customer_id": list(customers)}, schema={"customer_id": "string"})
        tables = [table.semi_join(chosen, "customer_id") for table in tables]
    joined = tables[0]
    for table in tables[1:]:
        joined = joined.inner_join(table, "customer_id")
    frame = joined.order_by("customer_id").to_pandas()
    frame.insert(1, "as_of", as_of)
    return frame


def _side_by_side(built: Built, size: int, first: int) -> Iterator[list[pa.RecordBatch]]:
    with _undamaged(built.as_of):
        files = [_from(pq.ParquetFile(path), size, first) for path, _ in built.families]
        for chunk in itertools.zip_longest(*files):
            if not _are_side_by_side(chunk):
                raise RuntimeError(
                    f"The families at {built.as_of} do not tell of the same customers."
                )
            yield list(chunk)


def _from(file: pq.ParquetFile, size: int, first: int) -> Iterator[pa.RecordBatch]:
    """The rows, `size` at a time, from a chunk on: from the last row group where one begins.

    Row groups of the embedded engine are multiples of the usual sizes; of a file with others, all
    is read, and what comes before is left out.
    """
    counts = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    begins = itertools.accumulate(counts, initial=0)
    group, begin = max((i, at) for i, at in enumerate(begins)
                       if at <= first * size and at % size == 0)  # fmt: skip
    rows = file.iter_batches(size, row_groups=range(group, len(counts)))
    return itertools.islice(rows, first - begin // size, None)


def _are_side_by_side(chunk: tuple[pa.RecordBatch | None, ...]) -> bool:
    customers = [None if rows is None else rows.column("customer_id") for rows in chunk]
    return all(ids is not None and ids.equals(customers[0]) for ids in customers)


@contextmanager
def _undamaged(as_of: datetime) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        name = moment_name(as_of)
        raise UserError(
            f"The feature snapshot at {name} is damaged: {error}. Remove the folders "
            f"features/*/as_of={name} of the workspace and build it again: "
            f"holdfast build --as-of {name}."
        ) from None
