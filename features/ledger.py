"""Which events were taken under which id, and where their files have gone.

A small SQLite database beside the event files. An id counts as taken only while the file that holds
its event is there: it is entered before the file is published, so that after a failure between the
two the same call can be made again and stores its events once.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features.events import PROVENANCE

# Text only: Feast changes for the whole process how this driver stores times.
_TABLES = """
CREATE TABLE IF NOT EXISTS taken (
    events TEXT, event_id TEXT, customer_id TEXT, content TEXT, file TEXT,
    PRIMARY KEY (events, event_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS taken_of_customer ON taken (customer_id);
CREATE INDEX IF NOT EXISTS taken_in_file ON taken (events, file);
CREATE TABLE IF NOT EXISTS moved (
    events TEXT, file TEXT, into_file TEXT, PRIMARY KEY (events, file)) WITHOUT ROWID;
"""
_WAIT_SECONDS = 30.0  # for another process; what it writes at a time takes milliseconds
_AT_ONCE = 500  # ids asked for in one statement; SQLite allows no less than 999


@dataclass(frozen=True)
class Entry:
    """An event that was taken: its id, whose it is, a digest of its content, and its file."""

    event_id: str
    customer_id: str
    content: str
    file: str


def content_of(row: Mapping[str, Any]) -> str:
    """A digest of a stored row; where it comes from counts only where it is told."""
    told = {name: row[name] for name in PROVENANCE if row.get(name) is not None}
    return digest(repr({n: value for n, value in row.items() if n not in PROVENANCE} | told))


def digest(text: str) -> str:
    """A short digest of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Ledger:
    """The ledger of the event files in a folder; it is created by the first entry."""

    folder: Path

    @property
    def path(self) -> Path:
        """The database."""
        return self.folder / "ledger.db"

    def taken(self, table: str, event_ids: Sequence[str]) -> dict[str, str]:
        """The ids of those that were taken, each with the digest of its content."""
        if not self.path.exists():
            return {}
        found: dict[str, str] = {}
        with self._open() as database:
            for start in range(0, len(event_ids), _AT_ONCE):
                asked = event_ids[start : start + _AT_ONCE]
                places = ", ".join("?" * len(asked))
                rows = database.execute(
                    "SELECT event_id, content, file FROM taken "
                    f"WHERE events = ? AND event_id IN ({places})",
                    (table, *asked),
                )
                found |= {i: content for i, content, file in rows if self._is_there(table, file)}
        return found

    def enter(self, entries: Mapping[str, Iterable[Entry]]) -> None:
        """Enter events, by table, in the place of entries whose file never came."""
        with self._open() as database:
            for table, rows in entries.items():
                database.executemany(
                    "INSERT OR REPLACE INTO taken VALUES (?, ?, ?, ?, ?)",
                    [(table, e.event_id, e.customer_id, e.content, e.file) for e in rows],
                )

    def move(self, table: str, files: Iterable[str], into: str) -> None:
        """Note that what some files held is in another one by now."""
        pairs = [(into, table, file) for file in files if file != into]
        with self._open() as database:
            moves = "UPDATE moved SET into_file = ? WHERE events = ? AND into_file = ?"
            database.executemany(moves, pairs)
            database.executemany(
                "INSERT OR REPLACE INTO moved (into_file, events, file) VALUES (?, ?, ?)", pairs
            )
            events = "UPDATE taken SET file = ? WHERE events = ? AND file = ?"
            database.executemany(events, pairs)

    def has_moved(self, table: str, file: str) -> bool:
        """Whether what a file of this name held is in another one by now."""
        if not self.path.exists():
            return False
        with self._open() as database:
            asked = "SELECT 1 FROM moved WHERE events = ? AND file = ?"
            return database.execute(asked, (table, file)).fetchone() is not None

    def count(self, customer_id: str) -> int:
        """How many entries are of a customer."""
        if not self.path.exists():
            return 0
        with self._open() as database:
            asked = "SELECT count(*) FROM taken WHERE customer_id = ?"
            return int(database.execute(asked, (customer_id,)).fetchone()[0])

    def forget(self, customer_id: str) -> None:
        """Remove the entries of a customer."""
        if self.path.exists():
            with self._open() as database:
                database.execute("PRAGMA secure_delete = ON")  # no trace in the free pages
                database.execute("DELETE FROM taken WHERE customer_id = ?", (customer_id,))

    def forget_contents(self, table: str, contents: Sequence[str]) -> None:
        """Remove the entries of events by the digest of their content (content_of)."""
        if self.path.exists():
            with self._open() as database:
                database.execute("PRAGMA secure_delete = ON")
                asked = "DELETE FROM taken WHERE events = ? AND content = ?"
                database.executemany(asked, [(table, content) for content in contents])

    def files(self, table: str) -> set[str]:
        """The names of the files that hold events taken under an id."""
        if not self.path.exists():
            return set()
        with self._open() as database:
            asked = "SELECT DISTINCT file FROM taken WHERE events = ?"
            return {file for (file,) in database.execute(asked, (table,))}

    def _is_there(self, table: str, file: str) -> bool:
        return (self.folder / table / file).exists()

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The database within one transaction, which is on disk when the block ends."""
        self.folder.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self.path, timeout=_WAIT_SECONDS)
        try:
            database.execute("PRAGMA synchronous = FULL")
            database.executescript(_TABLES)
            with database:
                yield database
        finally:
            database.close()
