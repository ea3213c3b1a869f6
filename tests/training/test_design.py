"""Given feature rows, the matrix a model reads."""

import json

import numpy as np
import pandas as pd
import pytest

from features import catalog
from features.errors import UserError
from training.models.design import Design

ROWS = pd.DataFrame(
    {
        "recency": [3.0, 40.0, np.nan],
        "always": [1.0, 1.0, 1.0],
        "plan": ["gold", "basic", None],
        "age": [10.0, 50.0, 90.0],
        "nothing": pd.Series([None, None, None], dtype=object),
    }
)
DESIGN = Design.of(ROWS, ["recency", "always", "plan", "age", "nothing"])


def test_constant_columns_are_dropped_and_texts_get_a_column_per_value():
    assert DESIGN.columns == ["recency", "age", "plan=basic", "plan=gold"]


def test_the_matrix_of_three_rows():
    expected = [[3, 10, 0, 1], [40, 50, 1, 0], [np.nan, 90, 0, 0]]
    found = DESIGN.matrix(ROWS)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.array(expected, dtype=np.float32))


def test_a_category_never_seen_has_zero_everywhere():
    unseen = pd.DataFrame({"recency": [1.0], "age": [2.0], "plan": ["platinum"]})
    assert DESIGN.matrix(unseen).tolist() == [[1, 2, 0, 0]]


def test_the_order_is_the_stored_one_whatever_the_rows_have():
    shuffled = ROWS[["plan", "nothing", "age", "recency"]].assign(more=7.0)
    np.testing.assert_array_equal(DESIGN.matrix(shuffled), DESIGN.matrix(ROWS))


def test_a_value_that_varies_only_by_missing_is_kept():
    rows = pd.DataFrame({"survey": [5.0, np.nan]})
    assert Design.of(rows, ["survey"]).columns == ["survey"]


def test_a_rare_category_gets_no_column():
    rows = pd.DataFrame({"city": ["Rome"] * 150 + ["Oslo"]})
    assert Design.of(rows, ["city"]).columns == ["city=Rome"]


def test_a_missing_column_is_named():
    with pytest.raises(UserError) as refused:
        DESIGN.matrix(ROWS.drop(columns=["age", "plan"]))
    assert str(refused.value) == (
        "A score needs 3 features, but age, plan are not there. Give every feature the model was "
        "trained with; null is a valid value."
    )


def test_many_missing_columns_are_named_in_part():
    names = [f"f{i}" for i in range(7)]
    design = Design(tuple(names), {})
    with pytest.raises(UserError, match="but f0, f1, f2, f3, f4 and more are not there"):
        design.matrix(pd.DataFrame(index=[0]))


def test_it_is_the_same_from_json():
    assert Design.from_dict(json.loads(json.dumps(DESIGN.to_dict()))) == DESIGN


def test_what_is_for_rules_alone_is_no_input_whoever_asks():
    rows = pd.DataFrame({"recency": [1.0, 2.0], "spend_compounded_10pct": [3.0, 4.0]})
    assert Design.of(rows, list(rows)).columns == ["recency"]
    assert "spend_compounded_10pct" in catalog.rules_only()
    assert "recency" not in catalog.rules_only()
