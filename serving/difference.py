"""Why a score moved: its change split into data, model, definition and policy; pure.

Each part is what its substitution changes, averaged over all orders in which the parts that differ
can be substituted: Shapley's value (Shapley 1953, "A value for n-person games"), as a decomposition
Shorrocks 2013 ("Decomposition procedures for distributional analysis: a unified framework based on
the Shapley value", Journal of Economic Inequality 11). No order is preferred and nothing is left
over: the parts of a figure sum to its change. A part that does not differ is not substituted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, permutations
from math import factorial
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Columns, Places
from serving.policy import Policy
from serving.score import Scored, score_columns
from training.model_set import ModelSet
from training.models.explanation import REPEAT_BUYING, Explanation

PARTS = ("data", "model", "definition", "policy")
NUMBERS = ("purchase_probability", "churn_probability", "leaving_probability", "expected_value",
           "clv_future", "expected_loss", "max_spend")  # fmt: skip
Few: TypeAlias = frozenset[str]  # the parts that were substituted
_NOTHING: Few = frozenset()
TEXTS = ("status", "tier", "stage", "churn_band", "cause", "lever")


@dataclass(frozen=True)
class Made:
    """What the scores of some customers are made of at one moment.

    rows: features, customer_id, as_of and tier_previous, (n,).
    """

    rows: Columns
    models: ModelSet
    policy: Policy


@dataclass(frozen=True)
class Split:
    """The change of one number, (n,): before, after, and the part of each of PARTS that differs.

    Null where a figure is null before, after, or on every way between.
    """

    before: NDArray[np.float64]
    after: NDArray[np.float64]
    parts: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Turn:
    """The change of one text, (n,): before, after, and who turned it.

    parts: share of the orders in which this part was the first to change it; 0 where none did.
    """

    before: NDArray[np.object_]
    after: NDArray[np.object_]
    parts: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Difference:
    """Two scores of the same customers, in the same order, and what lies between them.

    before, after: what each was made of. differs: the parts of PARTS that are not the same.
    """

    before: Made
    after: Made
    differs: tuple[str, ...]

    @classmethod
    def of(cls, before: Made, after: Made, *, is_same_model: bool) -> Difference:
        """The difference; a feature that one of the two does not know is null there.

        is_same_model: whether the model files are the same, which nobody can see from the models.
        """
        first, second = _alike(before.rows, after.rows)
        before, after = replace(before, rows=first), replace(after, rows=second)
        same = {
            "data": _are_equal(first, second),
            "model": is_same_model,
            "definition": dict(before.models.tasks) == dict(after.models.tasks),
            "policy": before.policy == after.policy,
        }
        return cls(before, after, tuple(part for part in PARTS if not same[part]))

    def number(self, name: str) -> Split:
        """The change of a numeric column of the scores."""
        values = {few: np.asarray(found.scores[name], dtype=np.float64)
                  for few, found in self._scored.items()}  # fmt: skip
        steps = self._room()
        for order, part, start, end in self._ways():
            steps[order, part] = values[end] - values[start]
        # An order that leads over a null tells nothing; the average is that of the others.
        is_whole = np.asarray(~np.isnan(steps).any(axis=1))
        total = np.where(is_whole[:, None], steps, 0.0).sum(axis=0)
        parts = np.where(is_whole.any(axis=0), total / np.maximum(is_whole.sum(axis=0), 1), np.nan)
        return Split(values[_NOTHING], values[frozenset(self.differs)], self._named(parts))

    def text(self, name: str) -> Turn:
        """The change of a column of texts."""
        values = {few: np.asarray(found.scores[name], dtype=object)
                  for few, found in self._scored.items()}  # fmt: skip
        first, last = values[_NOTHING], values[frozenset(self.differs)]
        turned = self._room()
        has_turned = np.asarray(last != first, dtype=bool)
        is_as_before = has_turned
        for order, part, start, end in self._ways():
            is_as_before = (is_as_before | (start == _NOTHING)) & has_turned
            is_other = np.asarray(values[end] != first, dtype=bool)
            turned[order, part] = is_as_before & is_other
            is_as_before = is_as_before & ~is_other
        return Turn(first, last, self._named(turned.mean(axis=0)))

    def features(self) -> pd.DataFrame:
        """What moved the data's part of the chance to buy nothing: feature, before, after, part.

        One row per feature of the first customer, the strongest first; part: probability, above 0
        where it raised the risk. Each is the difference of the churn model's own explanation under
        the same model, averaged like the parts, so their sum is the data's part of
        1 - purchase_probability. Empty when the data are the same.
        """
        if "data" not in self.differs:
            return pd.DataFrame(columns=["feature", "before", "after", "part"])
        others = [part for part in self.differs if part != "data"]
        total: dict[str, float] = {}
        for few, weight in _weighted(others):
            without, with_data = self._explained(few), self._explained(few | {"data"})
            for explained, sign in ((without, -1.0), (with_data, 1.0)):
                for name, part in zip(explained.names, explained.parts[0], strict=True):
                    total[name] = total.get(name, 0.0) + sign * weight * float(part)
        old, new = (self._explained(few) for few in (_NOTHING, frozenset(self.differs)))
        found = pd.DataFrame({
            "feature": list(total),
            "before": pd.Series([_value(old, name) for name in total], dtype=object),
            "after": pd.Series([_value(new, name) for name in total], dtype=object),
            "part": list(total.values()),
        })  # fmt: skip
        return found.sort_values("part", key=abs, ascending=False, ignore_index=True)

    def _explained(self, substituted: Few) -> Explanation:
        models, scored = self._mixed(substituted).models, self._scored[substituted]
        return Explanation.of_forecast(models.churn, scored.churn)

    def _mixed(self, substituted: Few) -> Made:
        """What scores are made of once some parts were substituted."""
        before, after = self.before, self.after
        models = after.models if "model" in substituted else before.models
        if "definition" in self.differs:  # else both ask the same
            asked = after.models if "definition" in substituted else before.models
            models = copy(models)
            models.tasks = asked.tasks
        return Made(
            after.rows if "data" in substituted else before.rows,
            models,
            after.policy if "policy" in substituted else before.policy,
        )

    @cached_property
    def _scored(self) -> dict[Few, Scored]:
        """The scores of every combination, computed once: sixteen at most."""
        found = {}
        for size in range(len(self.differs) + 1):
            for few in map(frozenset, combinations(self.differs, size)):
                made = self._mixed(few)
                found[few] = score_columns(made.rows, made.models, made.policy)
        return found

    def _ways(self) -> Iterator[tuple[int, int, Few, Few]]:
        """Every substitution of every order: order, part, what was substituted before and after."""
        for order, parts in enumerate(permutations(range(len(self.differs)))):
            start = _NOTHING
            for part in parts:
                end = start | {self.differs[part]}
                yield order, part, start, end
                start = end

    def _room(self) -> NDArray[np.float64]:
        """A place for a figure of each substitution, (orders, parts, n)."""
        count = len(self.differs)
        return np.zeros((factorial(count), count, len(self.before.rows)))

    def _named(self, parts: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        return dict(zip(self.differs, parts, strict=True))


def _weighted(others: Sequence[str]) -> Iterator[tuple[Few, float]]:
    """Some of the others, and the share of orders in which just these come before one more."""
    count = len(others) + 1
    for size in range(count):
        weight = factorial(size) * factorial(count - size - 1) / factorial(count)
        yield from ((frozenset(few), weight) for few in combinations(others, size))


def _alike(first: Columns, second: Columns) -> tuple[Columns, Columns]:
    """Both with the columns of both, null where one has none."""
    numbers = tuple(dict.fromkeys([*first.places, *second.places]))
    texts = [n for n in dict.fromkeys([*first.others, *second.others]) if n not in numbers]
    places = Places(numbers)
    return _widened(first, places, texts), _widened(second, places, texts)


def _widened(rows: Columns, places: Places, texts: Sequence[str]) -> Columns:
    numbers = np.full((len(rows), len(places)), np.nan)
    for name, place in places.items():
        if name in rows:
            numbers[:, place] = rows[name]
    others = {n: rows.others.get(n, np.full(len(rows), None, dtype=object)) for n in texts}
    return Columns(numbers, places, others)


def _are_equal(first: Columns, second: Columns) -> bool:
    return np.array_equal(first.numbers, second.numbers, equal_nan=True) and all(
        pd.Series(values).equals(pd.Series(second.others[name]))
        for name, values in first.others.items()
    )


def _value(explained: Explanation, name: str) -> float | str | None:
    """What is known of a feature of the first customer; of REPEAT_BUYING what the rhythm says."""
    if name == REPEAT_BUYING:
        return float(explained.rhythm[0])
    value: Any = np.asarray(explained.rows[name]).tolist()[0] if name in explained.rows else None
    return value if value == value else None
