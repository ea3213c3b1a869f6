"""Rows of features as arrays: what a score is computed on in the middle of somebody's click.

Every step on a data frame takes as long as a model does on one customer, whatever the step. So the
models read their columns by name from either, and what must be quick gives them arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class Selection(NamedTuple):
    """Some columns of a row: the place of each, 0 if it has none, its rank, and who has none."""

    places: NDArray[np.intp]
    ranks: Mapping[str, int]
    absent: tuple[str, ...]


class Places(dict[str, int]):
    """The place of each number in a row; what models ask for again and again is kept."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__({name: place for place, name in enumerate(names)})
        self._selections: dict[tuple[str, ...], Selection] = {}

    def selection(self, names: tuple[str, ...]) -> Selection:
        """Some of the names, in an order."""
        if names not in self._selections:
            places = np.array([self.get(name, 0) for name in names], dtype=np.intp)
            ranks = {name: rank for rank, name in enumerate(names)}
            absent = tuple(name for name in names if name not in self)
            self._selections[names] = Selection(places, ranks, absent)
        return self._selections[names]


@dataclass(frozen=True)
class Columns:
    """Some customers' values, by the names of their columns.

    numbers: float64, (n, k), whose columns `places` names. others: name -> (n,), the texts and
    moments, and what was computed since.
    """

    numbers: NDArray[np.float64]
    places: Places
    others: Mapping[str, NDArray[Any]]

    @classmethod
    def of(cls, rows: Rows) -> Columns:
        """The columns of a data frame; columns as they are."""
        if isinstance(rows, Columns):
            return rows
        numbers = rows.select_dtypes(["number", "bool"])
        others = {str(name): rows[name].to_numpy() for name in rows if name not in numbers}
        places = Places(map(str, numbers))
        return cls(numbers.to_numpy(dtype=np.float64, na_value=np.nan), places, others)

    def __len__(self) -> int:
        return len(self.numbers)

    def __contains__(self, name: object) -> bool:
        return name in self.places or name in self.others

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name in self.others:
            return self.others[name]
        return self.numbers[:, self.places[name]]

    def with_columns(self, columns: Mapping[str, NDArray[Any]]) -> Self:
        """These rows with more columns, or others in the place of some."""
        return type(self)(self.numbers, self.places, {**self.others, **columns})

    def chosen(self, which: NDArray[Any]) -> Self:
        """Some of the rows, by position or by a mask."""
        others = {name: values[which] for name, values in self.others.items()}
        return type(self)(self.numbers[which], self.places, others)

    def matrix(self, names: tuple[str, ...]) -> NDArray[np.float32]:
        """Columns that are numbers side by side, (n, names), as models read them."""
        places, ranks, _ = self.places.selection(names)
        matrix = self.numbers[:, places].astype(np.float32)
        for name, values in self.others.items():
            if name in ranks:
                matrix[:, ranks[name]] = values
        return matrix

    def is_null(self, names: tuple[str, ...]) -> NDArray[np.bool_]:
        """Whether each value of some columns is not known, (n, names)."""
        places, ranks, _ = self.places.selection(names)
        nulls = np.isnan(self.numbers[:, places])
        for name, values in self.others.items():
            if name in ranks:
                nulls[:, ranks[name]] = [value is None or value != value for value in values]
        return nulls

    def lacking(self, names: tuple[str, ...]) -> list[str]:
        """Which of some columns are not there."""
        return [n for n in self.places.selection(names).absent if n not in self.others]


Rows: TypeAlias = pd.DataFrame | Columns


def numbers_of(rows: Rows, name: str) -> NDArray[np.float64]:
    """One column as float64, (n,), missing as NaN."""
    return np.asarray(rows[name], dtype=np.float64)


def with_columns(rows: Rows, columns: Mapping[str, Any]) -> Any:
    """The rows, of the kind they are, with more columns; a scalar stands in every row."""
    if isinstance(rows, Columns):
        whole = {n: v if isinstance(v, np.ndarray) else np.full(len(rows), v)
                 for n, v in columns.items()}  # fmt: skip
        return rows.with_columns(whole)
    return rows.assign(**columns)
