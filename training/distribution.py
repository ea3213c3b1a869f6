"""One input as it was distributed, small enough to be kept beside the models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.drift import ks, psi

KNOTS = 101  # percentiles; the Kolmogorov-Smirnov distance is exact to one of a hundred
DIGITS = 6  # significant, of a stored number: a profile tells of a distribution
MOST_TEXTS = 50  # values that are told apart; the rarer ones count together


class Moved(NamedTuple):
    """How far values stand from a distribution.

    psi: population stability index, missing as a class of its own. ks: Kolmogorov-Smirnov distance
    of the known values, NaN for texts. missing: share of missing values now. new: share of texts
    that were not there then. classes: how many the index compares.
    """

    psi: float
    ks: float
    missing: float
    new: float
    classes: int


@dataclass(frozen=True)
class Numbers:
    """Numbers: percentiles of the known ones, decile edges, customers by class.

    edges: unique deciles, ascending; counts: at most the first edge, ..., above the last, missing.
    """

    knots: tuple[float, ...]
    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, values: pd.Series) -> Numbers:
        """The distribution of a column."""
        numbers = _floats(values)
        known = numbers[np.isfinite(numbers)]
        knots = _rounded(np.quantile(known, np.linspace(0, 1, KNOTS))) if len(known) else ()
        edges = tuple(dict.fromkeys(knots[10:-1:10]))
        return cls(knots, edges, tuple(_by_edges(numbers, edges)))

    @property
    def missing(self) -> float:
        """Share of missing values then."""
        return self.counts[-1] / max(sum(self.counts), 1)

    def moved(self, values: pd.Series) -> Moved:
        """How far other customers' values are from these."""
        numbers = _floats(values)
        known = numbers[np.isfinite(numbers)]
        missing = 1.0 - len(known) / max(len(numbers), 1)
        index = psi(self.counts, _by_edges(numbers, self.edges))
        return Moved(index, ks(np.array(self.knots), known), missing, 0.0, len(self.counts))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {"knots": self.knots, "edges": self.edges, "counts": self.counts}


@dataclass(frozen=True)
class Texts:
    """Texts: customers by value, the most frequent MOST_TEXTS; the rest, and missing."""

    values: Mapping[str, int]
    others: int
    nothing: int

    @classmethod
    def of(cls, values: pd.Series) -> Texts:
        """The distribution of a column."""
        counts = values.dropna().astype(str).value_counts()
        counts = counts.sort_index(kind="stable").sort_values(ascending=False, kind="stable")
        kept = counts[:MOST_TEXTS]
        named = {str(name): int(count) for name, count in kept.items()}
        return cls(named, int(counts[MOST_TEXTS:].sum()), int(values.isna().sum()))

    @property
    def missing(self) -> float:
        """Share of missing values then."""
        every = sum(self.values.values()) + self.others + self.nothing
        return self.nothing / max(every, 1)

    def moved(self, values: pd.Series) -> Moved:
        """How far other customers' values are from these."""
        known = values.dropna().astype(str)
        counts = known.value_counts()
        seen = [int(counts.get(name, 0)) for name in self.values]
        rest, nothing = len(known) - sum(seen), len(values) - len(known)
        then = [*self.values.values(), self.others, self.nothing]
        new = rest / max(len(values), 1) if not self.others else 0.0  # else the rest is no news
        missing = nothing / max(len(values), 1)
        return Moved(psi(then, [*seen, rest, nothing]), float("nan"), missing, new, len(then))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {"values": dict(self.values), "others": self.others, "nothing": self.nothing}


Distribution: TypeAlias = Numbers | Texts


def distribution_of(values: pd.Series) -> Distribution:
    """The distribution of a column: numbers, or texts."""
    return Numbers.of(values) if _is_number(values) else Texts.of(values)


def from_dict(stored: Mapping[str, Any]) -> Distribution:
    """What `to_dict` stored."""
    if "values" in stored:
        return Texts(**stored)
    return Numbers(*(tuple(stored[name]) for name in ("knots", "edges", "counts")))


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)


def _floats(values: pd.Series) -> NDArray[np.float64]:
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(f"{value:.{DIGITS}g}") for value in values)


def _by_edges(numbers: NDArray[np.float64], edges: Sequence[float]) -> list[int]:
    known = numbers[np.isfinite(numbers)]
    classes = np.searchsorted(np.asarray(edges), known, side="left")
    counts = np.bincount(classes, minlength=len(edges) + 1)
    return [*counts.tolist(), len(numbers) - len(known)]
