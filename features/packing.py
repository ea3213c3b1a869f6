"""One customer's features as one value: how they travel through the online store.

A packed row is a header, the float64 numbers one after the other, and the texts as a JSON list. It
loads and reads many times faster than one row per feature, and the bits of a number stay as they
are (DECISIONS.md). The header says which features were packed, so that a row is never read under
the names of another catalogue, and when: Feast's own time of a row has whole seconds only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from features.columns import Columns, Places

# Little-endian on every machine. Times are microseconds since 1970.
HEADER = np.dtype([("layout", "<u8"), ("as_of", "<M8[us]"), ("computed_at", "<M8[us]")])
_NUMBER = np.dtype("<f8")
_KEYS = ("customer_id", "event_timestamp")  # the columns of a snapshot that are no features
NO_LAYOUT = 0  # of a row without values

_NOBODY = np.array((NO_LAYOUT, "NaT", "NaT"), dtype=HEADER).tobytes()


@dataclass(frozen=True)
class Latest:
    """The newest online values of some customers.

    values: one row per customer asked for, in that order, one column per feature.
    as_of: the moment each row stands at (NaT when missing).
    status: present; stale when it is older than was allowed; outdated when it was packed under
    another catalogue, so that its values cannot be read and are null; missing.
    """

    values: pd.DataFrame
    as_of: pd.Series
    status: pd.Series


@dataclass(frozen=True)
class Stamp:
    """How new values are: the moment they stand at, and when they were computed.

    Of two rows the one of the later moment is newer; of one moment, the one computed later.
    """

    as_of: datetime
    computed_at: datetime


@dataclass(frozen=True)
class Layout:
    """The names of the numbers and of the texts of a packed row, in the order they are packed."""

    numbers: tuple[str, ...]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, schemas: Iterable[pa.Schema]) -> Self:
        """The layout for the features of some families' snapshots."""
        fields = [field for schema in schemas for field in schema if field.name not in _KEYS]
        return cls(
            tuple(field.name for field in fields if not _is_text(field.type)),
            tuple(field.name for field in fields if _is_text(field.type)),
        )

    @classmethod
    def of_tags(cls, tags: Mapping[str, str]) -> Self:
        """The layout that the tags of a view tell."""
        return cls(*(tuple(n for n in tags[key].split(",") if n) for key in ("numbers", "texts")))

    @property
    def tags(self) -> dict[str, str]:
        """The layout as tags of a view."""
        return {"numbers": ",".join(self.numbers), "texts": ",".join(self.texts)}

    @cached_property
    def digest(self) -> int:
        """A number that tells this layout from others; it stands in every packed row."""
        text = json.dumps([self.numbers, self.texts])
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")

    def pack(self, families: Sequence[pa.RecordBatch], stamp: Stamp) -> list[bytes]:
        """The packed rows of some customers, who stand in the same order in every family."""
        columns = {name: b.column(name) for b in families for name in b.schema.names}
        rows = np.empty(families[0].num_rows, self._row)
        rows["header"] = (self.digest, stamp.as_of, stamp.computed_at)
        for position, name in enumerate(self.numbers):
            rows["numbers"][:, position] = columns[name].to_numpy(zero_copy_only=False)
        width, packed = self._row.itemsize, rows.tobytes()
        numbers = [packed[start : start + width] for start in range(0, len(packed), width)]
        if not self.texts:
            return numbers
        texts = zip(*(columns[name].to_pylist() for name in self.texts), strict=True)
        return [row + json.dumps(told).encode() for row, told in zip(numbers, texts, strict=True)]

    def unpack(self, rows: Sequence[bytes | None]) -> Latest:
        """The values of packed rows, None where there is no row."""
        found = self.columns(rows)
        places = np.full((len(rows), len(self._index)), np.nan)
        places[:, : len(self.numbers)] = found.numbers
        values = pd.DataFrame(places, columns=self._index)
        # Each text has its place in the frame already: to insert columns takes longer than
        # everything else.
        for position, name in enumerate(self.texts, start=len(self.numbers)):
            values.isetitem(position, found[name])
        return Latest(values, pd.Series(found["as_of"]), pd.Series(found["status"], dtype=object))

    def columns(self, rows: Sequence[bytes | None]) -> Columns:
        """The same as arrays, with `as_of` and `status` among them; see Latest."""
        header = headers(rows)
        is_ours = header["layout"] == self.digest
        whole = [row if row and ours else self._unread
                 for row, ours in zip(rows, is_ours, strict=True)]  # fmt: skip
        is_there = header["layout"] != NO_LAYOUT
        width = self._row.itemsize
        packed = np.frombuffer(b"".join([row[:width] for row in whole]), self._row)
        others: dict[str, NDArray[Any]] = {
            "as_of": np.where(is_there, header["as_of"], np.datetime64("NaT", "us")),
            "status": np.where(is_ours, "present", np.where(is_there, "outdated", "missing")),
        }
        if self.texts:
            texts = [json.loads(row[width:]) for row in whole]
            for position, name in enumerate(self.texts):
                others[name] = np.array([row[position] for row in texts], dtype=object)
        return Columns(packed["numbers"], self._places, others)

    @cached_property
    def _row(self) -> np.dtype:
        return np.dtype([("header", HEADER), ("numbers", _NUMBER, (len(self.numbers),))])

    @cached_property
    def _unread(self) -> bytes:
        """What stands for a row that cannot be read: no number and no text."""
        numbers = np.full(len(self.numbers), np.nan, _NUMBER).tobytes()
        return _NOBODY + numbers + json.dumps([None] * len(self.texts)).encode()

    @cached_property
    def _places(self) -> Places:
        return Places(self.numbers)

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index([*self.numbers, *self.texts])


def nothing(stamp: Stamp) -> bytes:
    """A row that says of a customer that there is nothing to say, such as of our own accounts."""
    return np.array((NO_LAYOUT, stamp.as_of, stamp.computed_at), dtype=HEADER).tobytes()


def headers(rows: Sequence[bytes | None]) -> np.ndarray:
    """The header of each packed row; NaT where there is no row."""
    size = HEADER.itemsize
    return np.frombuffer(b"".join([row[:size] if row else _NOBODY for row in rows]), HEADER)


def _is_text(dtype: pa.DataType) -> bool:
    return pa.types.is_string(dtype) or pa.types.is_large_string(dtype)
