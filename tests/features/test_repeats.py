"""Given a sorted file, how many of its rows repeat another one."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.repeats import Repeats, count_repeats


@pytest.fixture
def counted(tmp_path):
    """What is counted in a file of some rows, in row groups of three."""

    def count(*rows):
        columns = list(zip(*rows, strict=True)) or [[], []]
        who, amount = pa.array(columns[0], pa.string()), pa.array(columns[1], pa.float64())
        pq.write_table(pa.table({"who": who, "amount": amount}), tmp_path / "f", row_group_size=3)
        return count_repeats(tmp_path / "f")

    return count


def test_rows_that_differ_in_a_column_are_no_repeats(counted):
    found = counted(("ann", 1), ("ann", 2), ("bob", 2))
    assert found == Repeats(rows=3, repeated=0, none_alone=False)


def test_every_row_after_the_first_of_its_kind_is_a_repeat(counted):
    found = counted(("ann", 1), ("ann", 1), ("ann", 1), ("ann", 1), ("bob", 1))
    assert found == Repeats(rows=5, repeated=3, none_alone=False)


def test_empty_cells_are_equal_to_each_other_and_to_nothing_else(counted):
    found = counted(("ann", 1), ("ann", None), ("ann", None), (None, None), (None, None))
    assert found == Repeats(rows=5, repeated=2, none_alone=False)


@pytest.mark.parametrize("last", [("bob", 1), ("cid", 1)])
def test_none_is_alone_when_each_has_a_like(counted, last):
    found = counted(("ann", 1), ("ann", 1), ("bob", 1), ("bob", 1), ("bob", 1), last)
    assert found.none_alone == (last == ("bob", 1))


def test_a_file_without_rows_has_no_repeats(counted):
    assert counted() == Repeats(rows=0, repeated=0, none_alone=False)
