"""Looked-up Shapley values are XGBoost's own, for every row, alone or among others."""

import numpy as np
import pytest
import xgboost as xgb

from training.models import boosters
from training.models.boosters import Inputs
from training.models.tree_parts import BLOCK, TreeParts

SEEDS = range(6)


def rows_of(seed, n=400, columns=4):
    """Whole numbers between 0 and 5, a fifth of them missing: most stand on some threshold."""
    chance = np.random.default_rng(seed)
    matrix = chance.integers(0, 6, (n, columns)).astype(np.float32)
    matrix[chance.random(matrix.shape) < 0.2] = np.nan
    return matrix


def fitted(matrix, seed=0, rounds=20, **parameters):
    """Few columns and small leaves: trees that split by one column again and again."""
    chance = np.random.default_rng(seed)
    known = np.nan_to_num(matrix, nan=4.0)
    label = (known.prod(axis=1) % 3 + chance.random(len(matrix)) > 1.5).astype(float)
    given = boosters.PARAMETERS | {"objective": "binary:logistic", "eta": 0.3} | parameters
    return xgb.train(given, xgb.DMatrix(matrix, label), rounds)


def exact(booster, matrix):
    return booster.predict(xgb.DMatrix(matrix), pred_contribs=True)[:, :-1]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_parts_are_those_that_xgboost_works_out(seed, depth):
    matrix = rows_of(seed)
    booster = fitted(matrix, seed, max_depth=depth)
    found = TreeParts.of(booster).contributions(matrix)
    assert np.abs(found).max() > 0.1
    assert found == pytest.approx(exact(booster, matrix), abs=1e-5)


def test_a_column_that_splits_at_every_level_is_one_player():
    matrix = rows_of(1, columns=1)
    booster = fitted(matrix, seed=1)
    splits = booster.trees_to_dataframe().query("Feature != 'Leaf'").groupby("Tree").size()
    assert splits.max() > 3  # so that some path has it more than once
    found = TreeParts.of(booster).contributions(matrix)
    assert found == pytest.approx(exact(booster, matrix), abs=1e-5)


def test_a_value_next_to_a_threshold_goes_the_way_it_goes_in_xgboost():
    matrix = rows_of(2) / np.float32(7.0)  # no threshold is a round number
    booster = fitted(matrix, seed=2)
    splits = booster.trees_to_dataframe().query("Feature == 'f0'").Split.to_numpy(np.float32)
    around = np.concatenate([splits, *(np.nextafter(splits, np.float32(to)) for to in (-9, 9))])
    near = np.resize(matrix, (len(around), matrix.shape[1]))
    near[:, 0] = around
    found = TreeParts.of(booster).contributions(near)
    assert found == pytest.approx(exact(booster, near), abs=1e-5)


def test_one_split_has_the_difference_to_the_mean_over_the_rows_fitted():
    matrix = np.array([[0.0], [0.0], [0.0], [1.0]], dtype=np.float32)
    booster = xgb.train(
        {"objective": "reg:squarederror", "base_score": 0.0, "eta": 1.0, "lambda": 0.0},
        xgb.DMatrix(matrix, [0.0, 0.0, 0.0, 8.0]), 1,
    )  # fmt: skip
    found = TreeParts.of(booster).contributions(matrix)
    assert found[:, 0] == pytest.approx([-2.0, -2.0, -2.0, 6.0])


def test_trees_of_one_leaf_have_no_parts():
    matrix = rows_of(3)
    booster = fitted(matrix, min_child_weight=1e6)
    assert not TreeParts.of(booster).contributions(matrix).any()


def test_a_row_has_the_same_bits_alone_as_among_others():
    matrix = rows_of(4, n=2 * BLOCK + 7)
    parts = TreeParts.of(fitted(matrix))
    alone = [parts.contributions(matrix[at : at + 1])[0] for at in range(len(matrix))]
    assert np.array_equal(parts.contributions(matrix), alone)
    assert parts.contributions(matrix[:0]).shape == (0, 4)


@pytest.mark.parametrize(
    "parameters",
    [{"max_depth": 4}, {"booster": "dart", "rate_drop": 0.5}, {"booster": "gblinear"}],
    ids=["deeper", "weighted", "no trees"],
)
def test_what_cannot_be_looked_up_is_left_to_xgboost(parameters):
    matrix = rows_of(5)
    kept = {} if parameters.get("booster") != "gblinear" else {"tree_method": "auto"}
    booster = fitted(matrix, **parameters, **kept)
    assert TreeParts.of(booster) is None
    found = boosters.contributions(booster, Inputs(matrix))
    assert np.array_equal(found, exact(booster, matrix))


def test_categories_are_left_to_xgboost():
    matrix = np.nan_to_num(rows_of(6))
    data = xgb.DMatrix(matrix, matrix[:, 0] % 2, feature_types=["c"] * 4, enable_categorical=True)
    booster = xgb.train(boosters.PARAMETERS | {"max_cat_to_onehot": 1}, data, 2)
    assert TreeParts.of(booster) is None


def test_several_margins_are_left_to_xgboost():
    matrix = rows_of(8)
    classes = fitted(matrix, objective="multi:softprob", num_class=3)
    targets = xgb.train({"max_depth": 2}, xgb.DMatrix(matrix, np.nan_to_num(matrix[:, :2])), 2)
    assert TreeParts.of(classes) is None
    assert TreeParts.of(targets) is None


def test_a_stored_booster_has_the_parts_of_the_one_that_was_fitted(tmp_path):
    matrix = rows_of(7)
    booster = fitted(matrix)
    boosters.save(booster, tmp_path / "trees.ubj")
    stored = boosters.contributions(boosters.load(tmp_path / "trees.ubj"), Inputs(matrix))
    assert np.array_equal(stored, boosters.contributions(booster, Inputs(matrix)))
    assert stored == pytest.approx(exact(booster, matrix), abs=1e-5)
