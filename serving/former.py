"""The tier in which the newest batch before saw each customer, small enough to be held by all.

A row is given what was said before its own moment, so the batch of a moment and a service that asks
about the same moment give the same. Who was erased from the scores is not in here either.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.columns import Rows, with_columns
from features.snapshots import moment_of
from features.workspace import Workspace
from training.tasks import TIERS

log = logging.getLogger(__name__)

TIER_PREVIOUS = "tier_previous"
# Features stand at most at one batch more than they are scored by: those of the newest batch's own
# moment need the one before it, all later ones the newest.
_HELD = 2
_CODES = np.array([*TIERS, None], dtype=object)
_NONE = len(TIERS)
_ROWS = 100_000  # of a file at a time


class Stamp(NamedTuple):
    """By what a score file is known: another file in its place has another."""

    path: Path
    moment: datetime
    changed: int
    size: int
    number: int


@dataclass(frozen=True)
class _File:
    """The tiers of one score file: ids, UTF-8, sorted, (n,); codes, places in TIERS, (n,)."""

    moment: datetime
    ids: NDArray[np.bytes_]
    codes: NDArray[np.uint8]

    @classmethod
    def read(cls, stamp: Stamp) -> _File | None:
        """The tiers of a file; None, and a line in the log, when it cannot be read."""
        try:
            with pq.ParquetFile(stamp.path) as file:
                batches = file.iter_batches(_ROWS, columns=["customer_id", "tier"])
                parts = [(_bytes(batch["customer_id"]), _codes(batch["tier"])) for batch in batches]
        except (OSError, pa.ArrowException, KeyError) as error:
            log.warning("former tiers are not known, %s cannot be read: %s", stamp.path, error)
            return None
        if not parts:
            return None
        ids, codes = (np.concatenate(list(each)) for each in zip(*parts, strict=True))
        order = np.argsort(ids, kind="stable")
        return cls(stamp.moment, ids[order], codes[order])

    def lookup(self, wanted: Sequence[bytes]) -> NDArray[np.uint8]:
        """The code of each id, _NONE for who is not in the file."""
        width = self.ids.dtype.itemsize
        # Of the width of the ids, or all of these would be copied to another; the longer are cut.
        asked = np.array(wanted, dtype=f"S{width}")
        places = np.minimum(np.searchsorted(self.ids, asked), len(self.ids) - 1)
        is_whole = np.fromiter((len(one) <= width for one in wanted), bool, len(wanted))
        return np.where(is_whole & (self.ids[places] == asked), self.codes[places], _NONE)


@dataclass(frozen=True)
class Former:
    """What some score files said, the newest first; of none nobody has a former tier."""

    stamps: tuple[Stamp, ...] = ()
    _files: tuple[_File, ...] = ()

    @classmethod
    def of(cls, chosen: tuple[Stamp, ...]) -> Former:
        """Of some score files, the newest first."""
        files = [_File.read(stamp) for stamp in chosen]
        return cls(chosen, tuple(file for file in files if file is not None))

    @classmethod
    def newest(cls, space: Workspace) -> Former:
        """Of the newest score files of a workspace: what rows of any later moment may need."""
        return cls.of(stamps(space)[:_HELD])

    def is_current(self, space: Workspace) -> bool:
        """Whether the newest score files are those this was made of."""
        return self.stamps == stamps(space)[:_HELD]

    def tiers(
        self, customer_ids: NDArray[Any] | Sequence[str | None], as_of: NDArray[Any]
    ) -> NDArray[np.object_]:
        """The former tier of each customer at his moment, (n,), null without one.

        as_of: naive UTC, NaT for a customer who is not known.
        """
        codes = np.full(len(as_of), _NONE, dtype=np.uint8)
        if not self._files:
            return _CODES[codes]
        wanted = [(one or "").encode() for one in customer_ids]
        moments, is_open = (
            np.asarray(as_of, dtype="datetime64[us]"),
            np.ones(len(as_of), dtype=bool),
        )
        for file in self._files:
            is_later = is_open & (moments > np.datetime64(file.moment, "us"))
            if is_later.any():
                codes = np.where(is_later, file.lookup(wanted), codes)
            is_open &= ~is_later
        return _CODES[codes]

    def joined(self, rows: Rows) -> Any:
        """The rows, of the kind they are, with the column TIER_PREVIOUS.

        rows: customer_id and as_of.
        """
        ids, moments = np.asarray(rows["customer_id"]), np.asarray(rows["as_of"])
        return with_columns(rows, {TIER_PREVIOUS: self.tiers(ids.tolist(), moments)})


def stamps(space: Workspace) -> tuple[Stamp, ...]:
    """The score files of a workspace, those of the newest moment first."""
    found = []
    for path in space.scores.glob("as_of=*/scores.parquet"):
        moment = moment_of(path.parent)
        try:
            facts = path.stat()
        except FileNotFoundError:  # replaced, or removed, at this very moment
            continue
        if moment is not None:
            found.append(Stamp(path, moment, facts.st_mtime_ns, facts.st_size, facts.st_ino))
    return tuple(sorted(found, key=lambda stamp: stamp.moment, reverse=True))


def stamps_before(space: Workspace, as_of: datetime) -> tuple[Stamp, ...]:
    """The newest score file before a moment, alone: what a batch of that moment needs."""
    return tuple(stamp for stamp in stamps(space) if stamp.moment < as_of)[:1]


def _bytes(ids: pa.Array) -> NDArray[np.bytes_]:
    return np.array(ids.cast(pa.binary()).to_pylist(), dtype=bytes)


def _codes(tiers: pa.Array) -> NDArray[np.uint8]:
    places = pc.index_in(tiers, value_set=pa.array(TIERS))
    return pc.fill_null(places, _NONE).to_numpy(zero_copy_only=False).astype(np.uint8)
