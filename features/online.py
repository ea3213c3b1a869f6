"""Packed rows into the online store: a newer row is never overwritten, and every row is counted.

Stores differ in what they do with an older row: SQLite overwrites the newer one, Redis also drops
a row of the same moment in silence. So what is there is looked at before it is written, under a
lock that loads and pushes share, and looked at again afterwards.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa

from features.errors import UserError
from features.packing import NO_LAYOUT, Layout, Stamp, headers


class Rows(Protocol):
    """The packed rows of the online store, by customer."""

    def read(self, customer_ids: Sequence[str]) -> list[bytes | None]:
        """The row of each customer in the order asked; None where there is none."""

    def write(self, customer_ids: Sequence[str], rows: Sequence[bytes]) -> None:
        """Put the row of each customer in the place of the one before."""

    def erase(self, customer_id: str) -> bool:
        """Remove the row of a customer; whether there was one."""


@contextmanager
def writing(lock: Path) -> Iterator[None]:
    """Hold the one right to write online, waiting for it; readers need none.

    lock: a file for all who write to one store; held by the block, let go even by a process that
    dies in it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def refuse_older(as_of: datetime, newest: datetime | None) -> None:
    """Raise UserError when a load of a moment would come after one of a later moment."""
    if newest and newest > as_of:
        raise UserError(
            f"The online store stands at {newest:%Y-%m-%d %H:%M}, and {as_of:%Y-%m-%d %H:%M} "
            "is older: loading it would put old values over new ones. Use a later moment."
        )


def load(
    store: Rows, lock: Path, chunks: Iterable[list[pa.RecordBatch]], layout: Layout, stamp: Stamp
) -> int:
    """Write the customers of a snapshot, chunk by chunk; returns how many they are.

    A push finds its turn between two chunks. Raises UserError when not all stand online.
    """
    count = 0
    for families in chunks:
        customer_ids = families[0].column("customer_id").to_pylist()
        rows = layout.pack(families, stamp)
        with writing(lock):
            put(store, customer_ids, rows, stamp)
        count += len(customer_ids)
    return count


def put(store: Rows, customer_ids: Sequence[str], rows: Sequence[bytes], stamp: Stamp) -> None:
    """Write the rows of a stamp where nothing newer stands; only within `writing`.

    Raises UserError when not every row, or a newer one, is read back.
    """
    given = headers(rows)
    is_newer = _is_newer(headers(store.read(customer_ids)), given, stamp)
    wanted = np.flatnonzero(~is_newer).tolist()
    store.write([customer_ids[i] for i in wanted], [rows[i] for i in wanted])
    stand = int((is_newer | (headers(store.read(customer_ids)) == given)).sum())
    if stand != len(rows):
        raise UserError(
            f"{len(rows):,} customers were given to the online store, and {stand:,} of them stand "
            "in it. Look whether the store has room and keeps what it is given, and load again."
        )


def delete_from_sqlite(file: Path, table: str, entity_key: bytes) -> None:
    """Delete the row of one customer from Feast's table, so that no trace is in the free pages."""
    database = sqlite3.connect(file)
    try:
        database.execute("PRAGMA secure_delete = ON")
        with database:
            database.execute(f'DELETE FROM "{table}" WHERE entity_key = ?', (entity_key,))
    finally:
        database.close()


def _is_newer(found: np.ndarray, given: np.ndarray, stamp: Stamp) -> np.ndarray:
    """Which rows are newer than the stamp; one of another layout cannot be read, so it is not."""
    as_of, computed_at = np.datetime64(stamp.as_of, "us"), np.datetime64(stamp.computed_at, "us")
    is_read = (found["layout"] == given["layout"]) | (found["layout"] == NO_LAYOUT)
    is_later = (found["as_of"] == as_of) & (found["computed_at"] > computed_at)
    return is_read & ((found["as_of"] > as_of) | is_later)
