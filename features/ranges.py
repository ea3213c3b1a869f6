"""Customers in ranges, so that events of any size are computed in bounded memory.

Event files are sorted by customer, so a range of customer ids is a few neighboring pieces of each.
As many ranges run side by side as there are cores, each on a thread of its own; what is in memory
at a time is their rows and never everybody's.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from features import backend
from features.backend import Range, Source

# Event rows of a range: with half of them, starting the queries takes a quarter of the time; with
# more, the work is the same and the memory grows.
ROWS = 400_000
# Rows of a row group. A fixed number, so that the ranges leave no trace in the file.
_ROW_GROUP = 100_000


def of_files(files: Iterable[Path], rows: int) -> list[Range]:
    """Ranges of customer ids with about `rows` event rows each, read off the files' footers."""
    starts = sorted(start for file in files for start in _row_groups(file))
    reached = list(itertools.accumulate(count for _, count in starts))
    wanted = range(rows, reached[-1] if reached else 0, rows)
    # A piece that begins within a customer leaves him to the range before it or takes him whole.
    # After the last piece nothing begins.
    following = [bisect.bisect_left(reached, rank) + 1 for rank in wanted]
    cuts = sorted({starts[piece][0] for piece in following if piece < len(starts)})
    bounds = [None, *cuts, None]
    return list(itertools.pairwise(bounds))


def write(
    sources: Sequence[Source],
    queries: Mapping[str, str],
    ranges: Sequence[Range],
    paths: Mapping[str, Path],
    finish: Callable[[pa.Table], pa.Table],
) -> None:
    """Answer queries range by range and write the rows of some of them, each to a Parquet file.

    sources, queries: see backend.answer; the queries treat one customer at a time, so that a range
    has what it needs. paths: name of a query -> file. finish: makes of an answer what is written.
    """
    with ExitStack() as files:
        outputs = {name: files.enter_context(_Output(path)) for name, path in paths.items()}
        for answers in _answers(sources, queries, ranges):
            for name, output in outputs.items():
                output.add(finish(answers[name]))


class _Output:
    """A Parquet file whose row groups have _ROW_GROUP rows, however many come at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._writer: pq.ParquetWriter | None = None
        self._rest: pa.Table | None = None

    def add(self, part: pa.Table) -> None:
        """Write what fills row groups, and keep the rest."""
        rows = part if self._rest is None else pa.concat_tables([self._rest, part])
        whole = rows.num_rows - rows.num_rows % _ROW_GROUP
        self._write(rows.slice(0, whole))
        self._rest = rows.slice(whole)

    def _write(self, rows: pa.Table) -> None:
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, rows.schema, compression="zstd")
        if rows.num_rows:
            # In one piece, so that the file does not tell in which pieces it came.
            self._writer.write_table(rows.combine_chunks(), row_group_size=_ROW_GROUP)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is None and self._rest is not None:
            self._write(self._rest)
        if self._writer is not None:
            self._writer.close()


def _answers(
    sources: Sequence[Source], queries: Mapping[str, str], ranges: Sequence[Range]
) -> Iterator[dict[str, pa.Table]]:
    def answer(within: Range) -> dict[str, pa.Table]:
        return dict(zip(queries, backend.answer(sources, queries, within), strict=True))

    workers = min(backend.cores(), len(ranges))
    if workers == 1:
        yield from map(answer, ranges)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(answer, ranges)


def _row_groups(file: Path) -> Iterator[tuple[str, int]]:
    """The first customer id and the number of rows of each row group."""
    metadata = pq.read_metadata(file)
    column = metadata.schema.to_arrow_schema().names.index("customer_id")
    for position in range(metadata.num_row_groups):
        group = metadata.row_group(position)
        statistics = group.column(column).statistics
        if statistics is not None and statistics.has_min_max:
            yield statistics.min, group.num_rows
