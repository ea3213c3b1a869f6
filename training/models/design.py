"""Feature rows -> one numeric matrix of stored columns, the same in training and in serving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import UserError

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
        """The design of some feature columns: those that differ between rows."""
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

    def matrix(self, rows: pd.DataFrame) -> NDArray[np.float32]:
        """The rows as float32, shape (rows, columns), missing as NaN.

        Raises UserError when a column is missing.
        """
        missing = [name for name in [*self.numbers, *self.categories] if name not in rows]
        if missing:
            raise UserError(
                f"A score needs {len(self.numbers) + len(self.categories)} features, but "
                f"{', '.join(missing[:5])}{' and more' if len(missing) > 5 else ''} are not there. "
                "Give every feature the model was trained with; null is a valid value."
            )
        parts = [rows[list(self.numbers)].to_numpy(dtype=np.float32, na_value=np.nan)]
        for name, values in self.categories.items():
            given = rows[name].to_numpy(dtype=object)
            parts.append(np.column_stack([given == value for value in values]).astype(np.float32))
        return np.ascontiguousarray(np.hstack(parts))

    def to_dict(self) -> dict:
        """JSON-ready form."""
        return {"numbers": list(self.numbers), "categories": {k: list(v) for k, v in
                                                              self.categories.items()}}  # fmt: skip

    @classmethod
    def from_dict(cls, stored: Mapping) -> Design:
        """The design that `to_dict` stored."""
        categories = {name: tuple(values) for name, values in stored["categories"].items()}
        return cls(tuple(stored["numbers"]), categories)


def _frequent(texts: pd.Series) -> tuple[str, ...]:
    shares = texts.value_counts(normalize=True)
    return tuple(sorted(shares[shares >= LEAST_CATEGORY_SHARE].index[:MOST_CATEGORIES]))
