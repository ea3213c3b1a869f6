"""Given event files, the ranges of customers they are cut into, and what is computed in ranges."""

import pyarrow as pa
import pyarrow.parquet as pq

from features import ranges
from features.backend import Source
from features.workspace import Workspace
from tests.features.test_snapshots import GIVEN, MARCH, bring, build

LOAD = "SELECT * FROM files"


def file_of(folder, customers, rows_per_piece, name="events"):
    """A file with one row for each letter, in pieces that are sorted by customer."""
    path = folder / f"{name}.parquet"
    table = pa.table({"customer_id": list(customers), "amount": list(range(len(customers)))})
    pq.write_table(table, path, row_group_size=rows_per_piece)
    return path


def test_a_file_is_cut_where_enough_rows_have_come(tmp_path):
    path = file_of(tmp_path, "aabbccddee", rows_per_piece=2)
    assert ranges.of_files([path], rows=4) == [(None, "c"), ("c", "e"), ("e", None)]


def test_a_small_file_is_one_range(tmp_path):
    assert ranges.of_files([file_of(tmp_path, "ab", 2)], rows=4) == [(None, None)]
    assert ranges.of_files([], rows=4) == [(None, None)]


def test_a_range_that_is_full_within_the_last_piece_is_the_last_one(tmp_path):
    path = file_of(tmp_path, "aabbcc", rows_per_piece=2)
    assert ranges.of_files([path], rows=5) == [(None, None)]
    assert ranges.of_files([path], rows=3) == [(None, "c"), ("c", None)]


def test_the_pieces_of_several_files_are_counted_together(tmp_path):
    files = [file_of(tmp_path, "aaccee", 2, "old"), file_of(tmp_path, "bbddff", 2, "new")]
    assert ranges.of_files(files, rows=6) == [(None, "d"), ("d", None)]


def test_a_customer_with_more_rows_than_a_range_stays_in_one(tmp_path):
    path = file_of(tmp_path, "abbbbbbc", rows_per_piece=2)
    assert ranges.of_files([path], rows=2) == [(None, "b"), ("b", None)]


def totals(folder, path, cut):
    """The amounts of each customer, and of customers beside what an earlier query answered."""
    queries = {
        "first": "SELECT customer_id, sum(amount) + 0e0 AS total FROM events GROUP BY 1 ORDER BY 1",
        "second": "SELECT customer_id, 2 * total AS twice FROM first ORDER BY 1",
    }
    outputs = {name: folder / f"{name}.parquet" for name in queries}
    ranges.write([Source("events", [path], LOAD)], queries, cut, outputs, lambda rows: rows)
    return outputs


def test_range_by_range_the_rows_are_those_of_all_at_once(tmp_path):
    path = file_of(tmp_path, "aabbbccdde", rows_per_piece=2)
    found = totals(tmp_path, path, ranges.of_files([path], rows=2))
    assert pq.read_table(found["first"]).to_pydict() == {
        "customer_id": list("abcde"), "total": [1, 9, 11, 15, 9],
    }  # fmt: skip
    assert pq.read_table(found["second"]).to_pydict()["twice"] == [2, 18, 22, 30, 18]


def test_the_ranges_leave_no_trace_in_the_file(tmp_path):
    path = file_of(tmp_path, "aabbbccdde", rows_per_piece=2)
    files = []
    for name, rows in (("one", 100), ("many", 2)):
        (tmp_path / name).mkdir()
        files.append(totals(tmp_path / name, path, ranges.of_files([path], rows)))
    for name in ("first", "second"):
        assert files[0][name].read_bytes() == files[1][name].read_bytes()


def test_an_id_with_a_quote_is_a_bound_like_any_other(tmp_path):
    path = file_of(tmp_path, ["a", "o'b", "z"], rows_per_piece=1)
    found = totals(tmp_path, path, [(None, "o'b"), ("o'b", None)])
    assert pq.read_table(found["first"]).to_pydict()["total"] == [0, 1, 2]


def test_a_build_in_many_ranges_is_the_build_in_one(tmp_path, monkeypatch):
    folders = []
    for name, cut in (("one", [(None, None)]), ("two", [(None, "b"), ("b", None)])):
        workspace = Workspace(tmp_path / name)
        bring(workspace, GIVEN)
        monkeypatch.setattr(ranges, "of_files", lambda files, rows, cut=cut: cut)
        build(workspace, MARCH)
        folders.append(workspace.features)
    for path in folders[0].rglob("as_of=*/*"):
        again = folders[1] / path.relative_to(folders[0])
        assert again.read_bytes() == path.read_bytes()
