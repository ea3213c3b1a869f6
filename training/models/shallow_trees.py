"""Shallow trees, looked up: margins of a few rows, and the Shapley values of many.

A tree of depth 3 has at most 7 splits, so at most 2^7 patterns of outcomes, and a row's leaf and
the parts of its margin depend on the row only through its pattern. The parts (Lundberg, Erion, Chen
et al. 2020, Nature Machine Intelligence 2, "From local explanations to global understanding with
explainable AI for trees"; the path-dependent ones, which XGBoost's pred_contribs gives) of every
pattern are computed once; a row then costs its comparisons, one look into the table per tree, and
the sums. Nothing is approximated, and margins are XGBoost's to the last bit: float32, tree by tree.

Every tree is written as a full one of 7 splits and 8 leaves, numbered like a heap, in which the
first child of a split is the default one, where missing values go. Where a tree ends early stands a
split that no value leaves. A pattern has bit i set when a row leaves the default way at split i.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import xgboost as xgb
from numpy.typing import NDArray

DEPTH = 3  # that of boosters.PARAMETERS; `_parts` holds the formula for so many on a path
SPLITS = 2**DEPTH - 1
PATTERNS = 2**SPLITS
# Column, threshold, whether the default is left, shares: nothing is below NaN.
NO_SPLIT = (0, np.nan, False, (1.0, 0.0))
BLOCK = 128  # rows at a time: what is made of them stays in the cache


class FullTree(NamedTuple):
    """A tree as a full one; of several trees every field has one more axis, in front.

    columns, thresholds, default_left: of the splits and of NO_SPLIT, so that a pattern is a byte,
    (8,). shares: of a split's rows those that go to each child, (8, 2). leaves: (8,).
    """

    columns: Any
    thresholds: Any
    default_left: Any
    shares: Any
    leaves: Any


@dataclass(frozen=True)
class ShallowTrees:
    """The trees of a booster, and what finds a row's leaf and parts in them.

    width: columns of a matrix. outputs: margins of a row, to which the trees add in turn. full: all
    trees.
    """

    width: int
    outputs: int
    full: FullTree

    @classmethod
    def of(cls, booster: xgb.Booster) -> ShallowTrees | None:
        """The trees of a booster, None where it is no plain sum of trees up to DEPTH.

        Categories, vectors in leaves, weighted or deeper trees are XGBoost's own, and several trees
        of an output at a time.
        """
        learner = json.loads(booster.save_raw("json"))["learner"]
        shape, model = learner["learner_model_param"], learner["gradient_booster"]
        if model["name"] != "gbtree":
            return None
        trees = [_full(tree) for tree in model["model"]["trees"]]
        found = [tree for tree in trees if tree is not None]
        if not found or len(found) < len(trees):
            return None
        outputs = max(int(shape["num_class"]), int(shape["num_target"]), 1)
        if any(told != n % outputs for n, told in enumerate(model["model"]["tree_info"])):
            return None
        full = FullTree(*map(np.array, zip(*found, strict=True)))
        return cls(width=booster.num_features(), outputs=outputs, full=full)

    def margins(
        self, matrix: NDArray[np.float32], offset: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Margins of the rows on top of offsets, both (n,) or (n, outputs).

        matrix: float32, (n, width), missing as NaN. For a few rows: of thousands, XGBoost's own way
        is the quicker one, to the same bits.
        """
        leaves = self._leaves.take(self._places * (SPLITS + 1) + LEAF_OF[self._patterns(matrix)])
        turns = [each.reshape(len(matrix), -1, self.outputs) for each in (offset, leaves)]
        # It adds one after the other, as a sum does not.
        found = np.add.accumulate(np.concatenate(turns, axis=1), axis=1, dtype=np.float32)
        return found[:, -1].reshape(offset.shape)

    def contributions(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """Shapley values of the one margin, (n, width), without the constant.

        A row has the same values alone as among others: they are summed in the order of the trees.
        """
        found = np.empty((len(matrix), self.width))
        for start in range(0, len(matrix), BLOCK):
            block = slice(start, start + BLOCK)
            found[block] = self._of_block(matrix[block])
        return found

    def _of_block(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        rows = self._places * PATTERNS + self._patterns(matrix)
        cells = np.arange(len(matrix))[:, None] * self.width + self._targets
        parts = self._parts.take(rows, axis=0)
        # It adds one after the other, which neither a product of matrices nor a sum does.
        sums = np.bincount(cells.ravel(), parts.ravel(), len(matrix) * self.width)
        return sums.reshape(matrix.shape).astype(np.float64, copy=False)

    def _patterns(self, matrix: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The pattern of each row in each tree, (n, trees)."""
        columns, thresholds, default_left = self._splits
        values = matrix.take(columns, axis=1)
        is_away = ((values < thresholds) != default_left) & ~np.isnan(values)
        return np.packbits(is_away, axis=1, bitorder="little")

    @cached_property
    def _splits(self) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.bool_]]:
        """Columns, thresholds and defaults of all splits one after the other."""
        thresholds = self.full.thresholds.ravel().astype(np.float32)
        return self.full.columns.ravel(), thresholds, self.full.default_left.ravel()

    @cached_property
    def _places(self) -> NDArray[np.intp]:
        return np.arange(len(self.full.leaves))

    @cached_property
    def _leaves(self) -> NDArray[np.float32]:
        return self.full.leaves.astype(np.float32).ravel()

    @cached_property
    def _parts(self) -> NDArray[np.float64]:
        """Of the splits of each tree under each pattern, (trees * PATTERNS, SPLITS)."""
        return _parts(self.full).reshape(-1, SPLITS)

    @cached_property
    def _targets(self) -> NDArray[np.intp]:
        """The columns that a row's parts belong to, (trees * SPLITS,)."""
        return self.full.columns[:, :SPLITS].ravel()


def _leaf_of(pattern: int) -> int:
    """The leaf, from 0, that a row with a pattern comes to."""
    node = 0
    for _ in range(DEPTH):
        node = 2 * node + 1 + (pattern >> node & 1)
    return node - SPLITS


LEAF_OF = np.array([_leaf_of(pattern) for pattern in range(PATTERNS)])


def _full(tree: Mapping[str, Any]) -> FullTree | None:
    """A tree of XGBoost's JSON, None if it is deeper than DEPTH or splits by categories."""
    left, right, cover = tree["left_children"], tree["right_children"], tree["sum_hessian"]
    nodes, found = [0], []
    for at in range(SPLITS):
        node = nodes[at]
        if left[node] < 0:
            nodes += [node, node]
            found.append(NO_SPLIT)
            continue
        is_left = bool(tree["default_left"][node])
        children = (left[node], right[node]) if is_left else (right[node], left[node])
        nodes += children
        shares = tuple(cover[child] / cover[node] for child in children)
        split = tree["split_indices"][node], tree["split_conditions"][node]
        found.append((*split, is_left, shares))
    leaves = nodes[SPLITS:]
    if any(tree["split_type"]) or any(left[node] >= 0 for node in leaves):
        return None
    columns, thresholds, default_left, shares = zip(*found, NO_SPLIT, strict=True)
    # In XGBoost's JSON a leaf's value stands where a split has its threshold.
    values = [tree["split_conditions"][node] for node in leaves]
    return FullTree(columns, thresholds, default_left, shares, values)


def _parts(full: FullTree) -> NDArray[np.float64]:
    """The Shapley values of every split of every tree under every pattern.

    A leaf is a game of its own, and the tree their sum: of those who take part, the columns on the
    path to it, each multiplies the leaf's value by whether the row goes its way (0 or 1) when it is
    known, and by the share of rows that go its way when it is not.
    """
    outcomes = np.arange(PATTERNS)[:, None] >> np.arange(SPLITS) & 1
    parts = np.zeros((len(full.leaves), PATTERNS, SPLITS))
    for leaf in range(SPLITS + 1):
        path, turns = (0, 1 + (leaf >> 2), 3 + (leaf >> 1)), (leaf >> 2, leaf >> 1 & 1, leaf & 1)
        value, columns = full.leaves[:, leaf, None], full.columns[:, path, None]
        known = [np.equal(outcomes[:, s], turn)[None] for s, turn in zip(path, turns, strict=True)]
        unknown = [full.shares[:, s, turn, None] for s, turn in zip(path, turns, strict=True)]
        for first, again in ((0, 1), (0, 2), (1, 2)):  # a column that splits twice takes part once
            is_same = columns[:, first] == columns[:, again]
            for factors in (known, unknown):
                both = np.where(is_same, factors[first] * factors[again], factors[first])
                factors[first], factors[again] = both, np.where(is_same, 1.0, factors[again])
        for own, a, b in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):
            # The mean over the orders in which three join: first, after one of the others, last.
            others = (unknown[a] * unknown[b] + known[a] * known[b]) / 3.0
            others = others + (known[a] * unknown[b] + unknown[a] * known[b]) / 6.0
            parts[:, :, path[own]] += value * (known[own] - unknown[own]) * others
    return parts
