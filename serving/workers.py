"""Parts spread over the cores of this machine, or over Spark's workers."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import partial

import pandas as pd
import threadpoolctl

from features import backend
from serving import parts
from serving.parts import Job

# Starting a process and its imports takes as long as some parts.
_FEW = 4
# Parts of a piece of work, at most: as many as are in a row group of the features (100,000
# customers), since who begins within one has to read what comes before in vain.
_RUN = 10
# Pieces for each worker, at least, so that none waits long for the last.
_PIECES = 4


def compute(job: Job, missing: Sequence[int], workers: int) -> Iterator[int]:
    """Compute some parts of a job; yields how many are done, piece by piece.

    workers: processes of this machine; few parts are computed in this one. With the engine spark
    the work is Spark's to spread.
    """
    pieces = runs(missing, max(1, min(_RUN, len(missing) // (workers * _PIECES))))
    if not pieces:
        return
    if backend.chosen() != backend.EMBEDDED:
        yield _on_spark(job, pieces)
    elif workers == 1 or len(missing) <= _FEW:
        yield from (parts.write(job, piece) for piece in pieces)
    else:
        yield from _in_processes(job, pieces, workers)


def runs(numbers: Sequence[int], most: int) -> list[range]:
    """Ascending numbers as runs of neighbors, each of `most` at most.

    >>> runs([0, 1, 2, 5, 6], 2)
    [range(0, 2), range(2, 3), range(5, 7)]
    """
    found: list[range] = []
    for number in numbers:
        if found and found[-1].stop == number and len(found[-1]) < most:
            found[-1] = range(found[-1].start, number + 1)
        else:
            found.append(range(number, number + 1))
    return found


def _in_processes(job: Job, pieces: Sequence[range], workers: int) -> Iterator[int]:
    spawn = multiprocessing.get_context("spawn")  # a copy of threads' locks may never be released
    with ProcessPoolExecutor(min(workers, len(pieces)), spawn, _begin) as pool:
        asked = [pool.submit(parts.write, job, piece) for piece in pieces]
        try:
            for done in as_completed(asked):
                yield done.result()
        except BrokenProcessPool:
            raise RuntimeError(
                "A process that scored a part was ended from outside, often because memory ran "
                "out. The finished parts are kept; run it again, and it goes on after them"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """Make this process a worker: one thread of its own, and no life after its parent."""
    threadpoolctl.threadpool_limits(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A pool's worker would wait forever for work from a parent that was killed.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _on_spark(job: Job, pieces: Sequence[range]) -> int:
    """Have Spark's workers compute the parts; the workspace lies where they all see it."""
    backend.connect()  # refuses in a sentence when Spark is not installed
    from features import spark

    asked = pd.DataFrame({"start": [p.start for p in pieces], "stop": [p.stop for p in pieces]})
    done = spark.map_frames(asked, partial(_write_all, job), "parts bigint")
    return int(done.parts.sum())


def _write_all(job: Job, asked: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    threadpoolctl.threadpool_limits(1)
    for rows in asked:
        pieces = [range(start, stop) for start, stop in zip(rows.start, rows.stop, strict=True)]
        yield pd.DataFrame({"parts": [parts.write(job, piece) for piece in pieces]})
