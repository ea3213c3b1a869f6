"""The files of a built moment read side by side, from the beginning or from a chunk on."""

from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features import chunks
from features.chunks import Built
from features.errors import UserError

AS_OF = datetime(2025, 3, 31, 23, 59, 59, 999999)
CUSTOMERS = 23


def built(folder, *groups):
    """Two families of the same customers, with row groups of the given sizes."""
    families = []
    for name, sizes in zip("ab", groups, strict=True):
        path = folder / f"{name}.parquet"
        rows = pa.table({
            "customer_id": [f"C{n:02d}" for n in range(CUSTOMERS)],
            name: [float(n) for n in range(CUSTOMERS)],
        })  # fmt: skip
        with pq.ParquetWriter(path, rows.schema) as writer:
            for start, stop in zip([0, *sizes], [*sizes, CUSTOMERS], strict=True):
                writer.write_table(rows.slice(start, stop - start))
        families.append((path, (name,)))
    return Built(AS_OF, tuple(families))


@pytest.mark.parametrize(
    "groups",
    [((), ()), ((10, 20), (10, 20)), ((5, 10, 15), (20,)), ((7, 9, 22), (3, 12))],
    ids=["one group", "groups of two chunks", "groups that differ", "groups that fit no chunk"],
)
@pytest.mark.parametrize("first", range(6))
def test_reading_goes_on_at_any_chunk_whatever_the_row_groups(groups, first, tmp_path):
    given = built(tmp_path, *groups)
    found = list(chunks.frames(given, 5, first))
    expected = [list(range(start, min(start + 5, CUSTOMERS))) for start in range(0, CUSTOMERS, 5)]
    assert [rows.a.tolist() for rows in found] == expected[first:]
    assert [rows.b.tolist() for rows in found] == expected[first:]
    assert all(rows.columns.tolist() == ["customer_id", "as_of", "a", "b"] for rows in found)
    assert given.customers() == CUSTOMERS


def test_row_groups_before_are_not_read(tmp_path, monkeypatch):
    asked, before = [], pq.ParquetFile.iter_batches

    def iter_batches(file, size, row_groups):
        asked.append(list(row_groups))
        return before(file, size, row_groups=row_groups)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", iter_batches)
    list(chunks.frames(built(tmp_path, (10, 20), (7, 15)), 5, first=3))
    assert asked == [[1, 2], [2]]


def test_a_damaged_file_is_refused_with_what_to_do(tmp_path):
    given = built(tmp_path, (), ())
    given.families[0][0].write_bytes(b"no Parquet")
    for ask in (given.customers, lambda: next(chunks.frames(given, 5))):
        with pytest.raises(
            UserError, match=r"snapshot at 2025-03-31 is damaged: .* build it again"
        ):
            ask()
