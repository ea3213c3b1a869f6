"""Rows that repeat another one exactly, counted in a sorted file without holding it in memory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Repeats:
    """The rows of a file, how many repeat an earlier one, and whether none stands alone."""

    rows: int
    repeated: int
    none_alone: bool


def count_repeats(path: Path) -> Repeats:
    """Count the repeated rows of a Parquet file that is sorted by all its columns.

    Equal rows stand side by side there, so each row is compared with the one before it, batch
    after batch; what grows with the file is one byte a row.
    """
    parts, last = [np.empty(0, dtype=bool)], None
    for batch in pq.ParquetFile(path).iter_batches():
        rows = pa.Table.from_batches([batch] if last is None else [last, batch])
        parts.append(_differs(rows)[0 if last is None else 1 :])
        last = batch.slice(batch.num_rows - 1)
    differs = np.concatenate(parts)
    alone = differs & np.append(differs[1:], True)
    return Repeats(len(differs), int((~differs).sum()), len(differs) > 0 and not alone.any())


def _differs(rows: pa.Table) -> np.ndarray:
    """Whether each row differs from the one before; the first one does."""
    same = np.ones(rows.num_rows - 1, dtype=bool)
    for column in rows.itercolumns():
        if not same.any():
            break
        here, before = column.slice(1), column.slice(0, len(same))
        equal = pc.fill_null(pc.equal(here, before), False)
        both_empty = pc.and_(pc.is_null(here), pc.is_null(before))
        same &= pc.or_(equal, both_empty).to_numpy()
    return np.append(True, ~same)
