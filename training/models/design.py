"""Feature rows -> one numeric matrix of stored columns, the same in training and in serving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features import catalog
from features.columns import Columns, Rows
from features.errors import UserError
from training.models.boosters import Inputs

# A category held by fewer rows than this share teaches a tree more noise than news.
LEAST_CATEGORY_SHARE = 0.01
MOST_CATEGORIES = 10


@dataclass(frozen=True)
class Design:
    """Which columns a model reads, in which order.

    numbers: numeric features. categories: text feature -> the values that get a column of 0 and 1;
    any other value, and a missing one, has 0 in all of them.
    """

    numbers: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, rows: pd.DataFrame, features: Sequence[str]) -> Design:
        """The design of some feature columns: those that differ between rows.

        What is for rules alone (Feature.for_models) is left out, whoever asks.
        """
        features = [name for name in features if name not in catalog.rules_only()]
        numbers = [name for name in features if pd.api.types.is_numeric_dtype(rows[name])]
        varied = [name for name in numbers if rows[name].nunique(dropna=False) > 1]
        texts = [name for name in features if name not in numbers]
        categories = {name: _frequent(rows[name]) for name in texts}
        return cls(tuple(varied), {name: values for name, values in categories.items() if values})

    @property
    def columns(self) -> list[str]:
        """The names of the matrix's columns."""
        dummies = [
            f"{name}={value}" for name, values in self.categories.items() for value in values
        ]
        return [*self.numbers, *dummies]

    @cached_property
    def sources(self) -> list[str]:
        """The feature that each of the matrix's columns comes from; those of one stand together."""
        dummies = [name for name, values in self.categories.items() for _ in values]
        return [*self.numbers, *dummies]

    def matrix(self, rows: Rows) -> NDArray[np.float32]:
        """The rows as float32, shape (rows, columns), missing as NaN.

        Raises UserError when a column is missing.
        """
        missing = _lacking(rows, (*self.numbers, *self.categories))
        if missing:
            raise UserError(
                f"A score needs {len(self.numbers) + len(self.categories)} features, but "
                f"{', '.join(missing[:5])}{' and more' if len(missing) > 5 else ''} are not there. "
                "Give every feature the model was trained with; null is a valid value."
            )
        matrix = np.empty((len(rows), len(self.sources)), dtype=np.float32)
        matrix[:, : len(self.numbers)] = _numbers(rows, self.numbers)
        matrix[:, len(self.numbers) :] = 0.0
        for name, places in self._dummies.items():
            for row, value in enumerate(rows[name].tolist()):
                if value in places:
                    matrix[row, places[value]] = 1.0
        return matrix

    @cached_property
    def _dummies(self) -> dict[str, dict[str, int]]:
        """The column of each value of each category."""
        column = count(len(self.numbers))
        return {name: {value: next(column) for value in values}
                for name, values in self.categories.items()}  # fmt: skip

    def inputs(self, rows: Rows) -> Inputs:
        """The same, ready for several boosters."""
        return Inputs(self.matrix(rows))

    def to_dict(self) -> dict:
        """JSON-ready form."""
        return {"numbers": list(self.numbers), "categories": {k: list(v) for k, v in
                                                              self.categories.items()}}  # fmt: skip

    @classmethod
    def from_dict(cls, stored: Mapping) -> Design:
        """The design that `to_dict` stored."""
        categories = {name: tuple(values) for name, values in stored["categories"].items()}
        return cls(tuple(stored["numbers"]), categories)


def _lacking(rows: Rows, names: tuple[str, ...]) -> list[str]:
    if isinstance(rows, Columns):
        return rows.lacking(names)
    return [name for name in names if name not in rows]


def _numbers(rows: Rows, names: tuple[str, ...]) -> NDArray[np.float32]:
    if isinstance(rows, Columns):
        return rows.matrix(names)
    return rows[list(names)].to_numpy(dtype=np.float32, na_value=np.nan)


def _frequent(texts: pd.Series) -> tuple[str, ...]:
    shares = texts.value_counts(normalize=True)
    return tuple(sorted(shares[shares >= LEAST_CATEGORY_SHARE].index[:MOST_CATEGORIES]))
