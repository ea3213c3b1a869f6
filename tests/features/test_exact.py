"""Given numbers, their sum, mean and deviation, which no order of the rows can change."""

from decimal import Decimal
from statistics import stdev

import ibis
import pytest

from features import exact


def aggregates(*values):
    table = ibis.memtable({"value": values}, schema={"value": "float64"})
    value = exact.fixed(table.value)
    asked = {"total": exact.total, "mean": exact.mean, "deviation": exact.deviation}
    return table.agg(**{name: f(value) for name, f in asked.items()}).to_pyarrow().to_pylist()[0]


def test_sums_of_tenths_have_no_rounding_of_floats():
    assert aggregates(*[0.1] * 10)["total"] == 1


def test_a_deviation_is_that_of_a_sample():
    assert aggregates(1, 2, 4)["deviation"] == pytest.approx(stdev([1, 2, 4]))


def test_a_deviation_may_count_zeros_that_have_no_row():
    table = ibis.memtable({"value": [3.0, 5.0]})
    deviation = exact.deviation(exact.fixed(table.value), count=ibis.literal(4))
    assert table.agg(it=deviation).it.to_pyarrow().to_pylist() == [
        pytest.approx(stdev([3, 5, 0, 0]))
    ]


def test_equal_values_do_not_deviate():
    assert aggregates(1e8 / 3, 1e8 / 3, 1e8 / 3)["deviation"] == 0


def test_large_values_have_squares_of_all_their_digits():
    assert aggregates(1e9, 3e9)["deviation"] == pytest.approx(2**0.5 * 1e9)


def test_nothing_has_a_sum_alone():
    assert aggregates() == {"total": 0, "mean": None, "deviation": None}


def test_one_value_has_no_deviation():
    assert aggregates(7) == {"total": 7, "mean": 7, "deviation": None}


def test_a_log_has_nine_places():
    logged = exact.log(ibis.literal(2.0)).to_pyarrow().as_py()
    assert logged == Decimal("0.693147181")
