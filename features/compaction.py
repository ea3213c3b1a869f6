"""Small event files merged: each push leaves one, and every later push opens all of them."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from features import backend, journal, workspace
from features.events import TABLES, order_of
from features.journal import Change
from features.snapshots import Snapshots
from features.workspace import Workspace, name_of

log = logging.getLogger(__name__)

# Small files of a table that may stand side by side: each costs a push half a millisecond, so these
# cost it a tenth of a second at most.
MOST = 200
# A file below this is small. A merged one is left alone once it is larger, so that what was merged
# is not written again and again; sorted, this many bytes are merged within a second.
SMALL_BYTES = 4 << 20
_MERGED = ("transactions", "interactions")  # the customers are one file at any time


def compact(space: Workspace, *, wait: bool = True) -> int:
    """Merge the small files of each table that has more than MOST; returns how many were merged.

    What was built stays valid, and event ids stay known. wait: for those who read event files;
    else nothing is merged while somebody does.
    """
    if not _due(space):
        return 0
    with journal.replacing(space.events, wait=wait) as is_alone:
        due = _due(space) if is_alone else {}
        for table, files in due.items():
            _merge(space, table, files)
    return sum(map(len, due.values()))


def compact_in_passing(space: Workspace) -> None:
    """The same after other work, which it must not make wait, and which its failure must not be."""
    try:
        compact(space, wait=False)
    except (OSError, sqlite3.Error, *backend.ENGINE_ERRORS):
        log.warning("Small event files could not be merged; the next push tries it.", exc_info=True)


def _due(space: Workspace) -> dict[str, list[Path]]:
    """The small files of each table that has too many."""
    return {table: files for table in _MERGED if len(files := _small(space, table)) > MOST}


def _small(space: Workspace, table: str) -> list[Path]:
    files = workspace.event_files(space, table)
    return [path for path in files if path.stat().st_size < SMALL_BYTES]


def _merge(space: Workspace, table: str, files: Sequence[Path]) -> None:
    with journal.staging(space.events) as staging:
        staged = staging / f"{table}.parquet"
        rows = backend.read_parquet(list(files), backend.EMBEDDED)
        rows = rows.order_by(list(order_of(TABLES[table], rows.columns)))
        backend.write_parquet(rows, staged, backend.EMBEDDED)
        # The old names make the new one: two files of the same rows are not one.
        final = files[0].with_name(name_of(staged, *(path.name for path in files)))
        replaced = dict.fromkeys(files, (final, staged))
        journal.commit(
            space.events,
            Change(
                put={_in(space, final): _in(space, staged)},
                write={
                    _in(space, path): text
                    for path, text in Snapshots(space).fingerprints_over(replaced, {}).items()
                },
                remove=[_in(space, path) for path in files],
                moved={table: {path.name: final.name for path in files}},
            ),
        )


def _in(space: Workspace, path: Path) -> str:
    return path.relative_to(space.root).as_posix()
