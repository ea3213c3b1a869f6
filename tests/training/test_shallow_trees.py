"""What is looked up is XGBoost's own: margins to the last bit, and Shapley values."""

import numpy as np
import pytest
import xgboost as xgb

from training.models import boosters
from training.models.boosters import Inputs
from training.models.shallow_trees import BLOCK, ShallowTrees

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
    found = ShallowTrees.of(booster).contributions(matrix)
    assert np.abs(found).max() > 0.1
    assert found == pytest.approx(exact(booster, matrix), abs=1e-5)


def test_a_column_that_splits_at_every_level_is_one_player():
    matrix = rows_of(1, columns=1)
    booster = fitted(matrix, seed=1)
    splits = booster.trees_to_dataframe().query("Feature != 'Leaf'").groupby("Tree").size()
    assert splits.max() > 3  # so that some path has it more than once
    found = ShallowTrees.of(booster).contributions(matrix)
    assert found == pytest.approx(exact(booster, matrix), abs=1e-5)


def test_a_value_next_to_a_threshold_goes_the_way_it_goes_in_xgboost():
    matrix = rows_of(2) / np.float32(7.0)  # no threshold is a round number
    booster = fitted(matrix, seed=2)
    splits = booster.trees_to_dataframe().query("Feature == 'f0'").Split.to_numpy(np.float32)
    around = np.concatenate([splits, *(np.nextafter(splits, np.float32(to)) for to in (-9, 9))])
    near = np.resize(matrix, (len(around), matrix.shape[1]))
    near[:, 0] = around
    found = ShallowTrees.of(booster).contributions(near)
    assert found == pytest.approx(exact(booster, near), abs=1e-5)


def test_one_split_has_the_difference_to_the_mean_over_the_rows_fitted():
    matrix = np.array([[0.0], [0.0], [0.0], [1.0]], dtype=np.float32)
    booster = xgb.train(
        {"objective": "reg:squarederror", "base_score": 0.0, "eta": 1.0, "lambda": 0.0},
        xgb.DMatrix(matrix, [0.0, 0.0, 0.0, 8.0]), 1,
    )  # fmt: skip
    found = ShallowTrees.of(booster).contributions(matrix)
    assert found[:, 0] == pytest.approx([-2.0, -2.0, -2.0, 6.0])


def test_trees_of_one_leaf_have_no_parts():
    matrix = rows_of(3)
    booster = fitted(matrix, min_child_weight=1e6)
    assert not ShallowTrees.of(booster).contributions(matrix).any()


def test_a_row_has_the_same_bits_alone_as_among_others():
    matrix = rows_of(4, n=2 * BLOCK + 7)
    parts = ShallowTrees.of(fitted(matrix))
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
    assert ShallowTrees.of(booster) is None
    found = boosters.contributions(booster, Inputs(matrix))
    assert np.array_equal(found, exact(booster, matrix))


def test_categories_are_left_to_xgboost():
    matrix = np.nan_to_num(rows_of(6))
    data = xgb.DMatrix(matrix, matrix[:, 0] % 2, feature_types=["c"] * 4, enable_categorical=True)
    booster = xgb.train(boosters.PARAMETERS | {"max_cat_to_onehot": 1}, data, 2)
    assert ShallowTrees.of(booster) is None


@pytest.mark.parametrize(
    ("outputs", "parameters"),
    [
        (1, {}),
        (1, {"max_depth": 1}),
        (1, {"min_child_weight": 1e6}),
        (3, {"objective": "multi:softprob", "num_class": 3}),
        (2, {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.9]}),
    ],
    ids=["trees", "stumps", "leaves", "classes", "quantiles"],
)
def test_margins_are_those_of_xgboost_to_the_last_bit(outputs, parameters):
    matrix = rows_of(8)
    booster = fitted(matrix, **parameters)
    offset = np.random.default_rng(8).normal(size=(len(matrix), outputs)).astype(np.float32)
    offset = offset[:, 0] if outputs == 1 else offset
    data = xgb.DMatrix(matrix, base_margin=offset)
    found = ShallowTrees.of(booster).margins(matrix, offset)
    assert np.array_equal(found, booster.predict(data, output_margin=True))
    assert np.array_equal(found[:1], ShallowTrees.of(booster).margins(matrix[:1], offset[:1]))


def test_few_rows_and_many_have_the_same_margins():
    matrix, offset = rows_of(9), np.zeros(400)
    booster = fitted(matrix)
    many = boosters.predict(booster, Inputs(matrix), offset)
    few = boosters.predict(booster, Inputs(matrix[: boosters.FEW]), offset[: boosters.FEW])
    assert np.array_equal(few, many[: boosters.FEW])


def test_the_parts_of_several_margins_are_left_to_xgboost():
    classes = fitted(rows_of(8), objective="multi:softprob", num_class=3)
    assert ShallowTrees.of(classes).outputs == 3


def test_a_stored_booster_has_the_parts_of_the_one_that_was_fitted(tmp_path):
    matrix = rows_of(7)
    booster = fitted(matrix)
    boosters.save(booster, tmp_path / "trees.ubj")
    stored = boosters.contributions(boosters.load(tmp_path / "trees.ubj"), Inputs(matrix))
    assert np.array_equal(stored, boosters.contributions(booster, Inputs(matrix)))
    assert stored == pytest.approx(exact(booster, matrix), abs=1e-5)
