"""A built snapshot of all families: together, or a few thousand customers at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from datetime import datetime

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.computation import PART
from features.errors import UserError
from features.snapshots import Snapshots, moment_name


def chunks(snapshots: Snapshots, as_of: datetime, size: int) -> Iterator[list[pa.RecordBatch]]:
    """The rows of every family at a built moment, for `size` customers at a time.

    The files of one moment have the same customers in the same order, so they are read side by
    side: nothing is joined, and no more than one chunk is held in memory.
    Raises UserError when a file is damaged, RuntimeError when the families tell of others.
    """
    try:
        files = [pq.ParquetFile(snapshots.folder(f, as_of) / PART) for f in snapshots.families]
        for chunk in itertools.zip_longest(*(file.iter_batches(size) for file in files)):
            if not _are_side_by_side(chunk):
                raise RuntimeError(f"The families at {as_of} do not tell of the same customers.")
            yield list(chunk)
    except (pa.ArrowException, OSError) as error:
        name = moment_name(as_of)
        raise UserError(
            f"The feature snapshot at {name} is damaged: {error}. Remove the folders "
            f"features/*/as_of={name} of the workspace and build it again: "
            f"holdfast build --as-of {name}."
        ) from None


def frames(snapshots: Snapshots, as_of: datetime, size: int) -> Iterator[pd.DataFrame]:
    """The same as data frames: customer_id, as_of and all features, by id."""
    for families in chunks(snapshots, as_of, size):
        columns = {"customer_id": families[0].column("customer_id")}
        for rows, family in zip(families, snapshots.families, strict=True):
            columns |= {feature.name: rows.column(feature.name) for feature in family.features}
        frame = pa.table(columns).to_pandas()
        frame.insert(1, "as_of", as_of)
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


def _are_side_by_side(chunk: tuple[pa.RecordBatch | None, ...]) -> bool:
    customers = [None if rows is None else rows.column("customer_id") for rows in chunk]
    return all(ids is not None and ids.equals(customers[0]) for ids in customers)
