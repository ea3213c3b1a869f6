"""Rows as arrays say what the data frame they were made from says."""

import numpy as np
import pandas as pd
import pytest

from features.columns import Columns, numbers_of, with_columns

ROWS = pd.DataFrame(
    {
        "customer_id": ["ann", "bob"],
        "as_of": pd.to_datetime(["2025-03-31", "2025-03-31"]),
        "orders": [3, 1],
        "gap": [12.5, np.nan],
        "is_member": [True, False],
        "plan": ["gold", None],
    }
)
COLUMNS = Columns.of(ROWS)


@pytest.mark.parametrize("name", ["orders", "gap", "is_member"])
def test_a_number_is_read_from_either(name):
    np.testing.assert_array_equal(numbers_of(COLUMNS, name), numbers_of(ROWS, name))


def test_texts_and_moments_stand_beside_the_numbers():
    assert COLUMNS["plan"].tolist() == ["gold", None]
    assert COLUMNS["as_of"].dtype.kind == "M"
    assert "plan" in COLUMNS
    assert "colour" not in COLUMNS


def test_a_matrix_has_the_columns_asked_for_in_their_order():
    moved = COLUMNS.with_columns({"orders": np.array([9.0, 8.0]), "risk": np.array([0.5, 0.25])})
    assert moved.matrix(("risk", "gap", "orders")).tolist() == [
        [0.5, 12.5, 9.0],
        [0.25, pytest.approx(np.nan, nan_ok=True), 8.0],
    ]
    assert COLUMNS.matrix(("orders",)).tolist() == [[3.0], [1.0]]  # the rows themselves are as ever


def test_what_is_not_known_and_what_is_not_there_are_told_apart():
    names = ("gap", "plan", "orders")
    assert COLUMNS.is_null(names).tolist() == [[False, False, False], [True, True, False]]
    assert COLUMNS.lacking(("gap", "colour")) == ["colour"]
    assert COLUMNS.with_columns({"colour": np.array([1.0, 2.0])}).lacking(("colour",)) == []


def test_some_rows_keep_all_their_columns():
    bob = COLUMNS.chosen(np.array([False, True]))
    assert (len(bob), bob["customer_id"].tolist(), bob["orders"].tolist()) == (1, ["bob"], [1.0])


@pytest.mark.parametrize("rows", [ROWS, COLUMNS], ids=["frame", "columns"])
def test_a_scalar_stands_in_every_row(rows):
    assert list(with_columns(rows, {"horizon_days": 90})["horizon_days"]) == [90, 90]
