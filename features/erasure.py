"""A customer erased: from the events, the rows set aside, the ledger, every snapshot and online.

Of a snapshot's file other names may be kept beside the scores that were made of it: they are
rewritten with it, and stay names of one file.

Files that hold him are written again without him, piece by piece, and take the places of the old
ones all together. The snapshots of the others stay as they are, and stay valid.
"""

from __future__ import annotations

import csv
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from features import journal, workspace
from features.computation import KEPT, PART
from features.events import TABLES
from features.journal import Change
from features.ledger import Ledger
from features.snapshots import Snapshots
from features.workspace import Workspace, name_of


@dataclass(frozen=True)
class Erased:
    """What was removed of a customer.

    rows: per event table, rows removed. rejected: rows removed of those set aside. event_ids:
    entries removed from the ledger. snapshots: parts of feature snapshots, one per family and
    moment, that held him. moments: the moments of these, as their folders name them. kept: the
    folders of scores whose kept features held him. online: whether the online store held him.
    """

    rows: Mapping[str, int]
    rejected: int
    event_ids: int
    snapshots: int
    moments: Sequence[str]
    kept: Sequence[str]
    online: bool

    @property
    def found(self) -> bool:
        """Whether there was anything of him."""
        return any(
            [
                *self.rows.values(),
                self.rejected,
                self.event_ids,
                self.snapshots,
                bool(self.kept),
                self.online,
            ]
        )


@dataclass(frozen=True)
class _Without:
    """A file written again without the customer: where it stands, and how many rows it lost."""

    path: Path
    staged: Path
    lost: int


def erase(space: Workspace, customer_id: str) -> Erased:
    """Remove a customer from all files of the workspace's events and features, or from none.

    Only within journal.replacing. What is online is not touched, and told as not there.
    """
    with journal.staging(space.events) as staging:
        _remove_what_others_left(space)
        events = {
            n: _without(workspace.event_files(space, n), customer_id, staging) for n in TABLES
        }
        parts = _without(sorted(space.features.glob(f"*/as_of=*/{PART}")), customer_id, staging)
        kept = _kept_without(space, customer_id, parts, staging)
        rejected = _rejected_without(space, customer_id, staging)
        known = Ledger(space.events).count(customer_id)
        if any([*events.values(), parts, kept, rejected, known]):
            files = [*parts, *kept, *rejected]
            journal.commit(space.events, _change(space, customer_id, events, parts, files))
    return Erased(
        {name: sum(file.lost for file in files) for name, files in events.items()},
        sum(file.lost for file in rejected),
        known,
        len(parts),
        sorted({part.path.parent.name.removeprefix("as_of=") for part in parts}),
        sorted({file.path.parents[2].name for file in kept}),
        online=False,
    )


def _change(
    space: Workspace,
    customer_id: str,
    events: Mapping[str, Sequence[_Without]],
    parts: Sequence[_Without],
    in_place: Sequence[_Without],
) -> Change:
    """The change of all these files. in_place: those that keep their names, the parts included."""
    # The old name makes the new one, so that two files that become equal stay two.
    new = {
        file.path: (file.path.with_name(name_of(file.staged, file.path.name)), file.staged)
        for files in events.values()
        for file in files
    }
    put = dict(new.values())
    put |= {file.path: file.staged for file in in_place}
    sizes = {file.path: file.staged.stat().st_size for file in parts}
    told = Snapshots(space).fingerprints_over(new, sizes) if _has_events(space) else {}
    return Change(
        put={_in(space, final): _in(space, staged) for final, staged in put.items()},
        write={_in(space, path): text for path, text in told.items()},
        remove=[_in(space, path) for path in new],
        moved={
            name: {file.path.name: new[file.path][0].name for file in files}
            for name, files in events.items()
            if files
        },
        forgotten=customer_id,
    )


def _without(paths: Sequence[Path], customer_id: str, staging: Path) -> list[_Without]:
    """The Parquet files that hold a customer, written again without him."""
    found = []
    for path in paths:
        with pq.ParquetFile(path) as file:
            held = [i for i in range(file.num_row_groups) if _may_hold(file, i, customer_id)]
            lost = sum(_count(file, i, customer_id) for i in held)
            if lost:
                staged = staging / f"{uuid.uuid4().hex}.parquet"
                _write_without(file, set(held), customer_id, staged)
                found.append(_Without(path, staged, lost))
    return found


def _kept_without(
    space: Workspace, customer_id: str, parts: Sequence[_Without], staging: Path
) -> list[_Without]:
    """The features kept beside scores, without the customer; what is one file is written once."""
    same = {_identity(part.path): part for part in parts}
    found = []
    for path in sorted(space.scores.glob(f"as_of=*/{KEPT}/*/{PART}")):
        written = same.get(_identity(path))
        if written is None:
            found += _without([path], customer_id, staging)
        else:
            staged = staging / f"{uuid.uuid4().hex}.parquet"
            staged.hardlink_to(written.staged)
            found.append(_Without(path, staged, written.lost))
    return found


def _identity(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_dev, facts.st_ino


def _may_hold(file: pq.ParquetFile, group: int, customer_id: str) -> bool:
    metadata = file.metadata.row_group(group)
    column = file.schema_arrow.names.index("customer_id")
    statistics = metadata.column(column).statistics
    if statistics is None or not statistics.has_min_max:
        return True
    # In the order of the bytes, as the files are sorted.
    low, here, high = (t.encode() for t in (statistics.min, customer_id, statistics.max))
    return low <= here <= high


def _count(file: pq.ParquetFile, group: int, customer_id: str) -> int:
    ids = file.read_row_group(group, columns=["customer_id"]).column("customer_id")
    return pc.sum(pc.equal(ids, customer_id)).as_py() or 0


def _write_without(file: pq.ParquetFile, held: set[int], customer_id: str, staged: Path) -> None:
    """Row group by row group, so that memory holds one; the order of the rows stays."""
    with pq.ParquetWriter(staged, file.schema_arrow, compression="zstd") as writer:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group)
            if group in held:
                rows = rows.filter(pc.not_equal(rows.column("customer_id"), customer_id))
            if rows.num_rows:
                writer.write_table(rows, row_group_size=rows.num_rows)


def _rejected_without(space: Workspace, customer_id: str, staging: Path) -> list[_Without]:
    """The files of rows set aside that name a customer, written again without him."""
    found = []
    for path in sorted((space.events / "rejected").glob("*.csv")):
        staged, lost = staging / f"{uuid.uuid4().hex}.csv", 0
        with (
            path.open(newline="", encoding="utf-8") as old,
            staged.open("w", newline="", encoding="utf-8") as new,
        ):
            rows, kept = csv.DictReader(old), csv.writer(new, lineterminator="\n")
            kept.writerow(rows.fieldnames or [])
            for row in rows:
                if (row.get("customer_id") or "").strip() == customer_id:
                    lost += 1
                else:
                    kept.writerow(row.values())
        if lost:
            found.append(_Without(path, staged, lost))
    return found


def _remove_what_others_left(space: Workspace) -> None:
    """Folders of builds, ingests and pushes that died; none runs while files are replaced."""
    for folder in [*space.features.glob("*/.*"), *space.events.glob(".staging-*")]:
        shutil.rmtree(folder, ignore_errors=True)


def _has_events(space: Workspace) -> bool:
    return bool(workspace.event_files(space, "transactions"))


def _in(space: Workspace, path: Path) -> str:
    return path.relative_to(space.root).as_posix()
