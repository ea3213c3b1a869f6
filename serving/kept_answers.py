"""Answers the service gave, with what each was made of: an SQLite file a day, `served/DAY.sqlite`.

    settings   models, policy, code and the names of the features: the same for very many answers
    contents   the features of a customer, once for each day and content
    answers    who was answered, when, on which content under which setting, and what was said

A transaction is there whole or not at all, several processes write to one file, and one customer
is found by an index: to read him, and to erase him without a trace in the free pages. Only those of
whom something was said are kept: who is not known has no features, and an erased one stays erased.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from features.errors import UserError
from features.workspace import Workspace

# The figures of an answer that are kept as they are; of all others their digest.
FIGURES: Mapping[str, tuple[str, ...]] = {
    "status": ("status",),
    "churn_probability": ("churn", "probability"),
    "churn_band": ("churn", "band"),
    "leaving_probability": ("churn", "leaving_probability"),
    "cause": ("churn", "cause"),
    "lever": ("churn", "lever"),
    "purchase_probability": ("purchase_probability",),
    "expected_value": ("expected_value",),
    "clv_future": ("clv", "future"),
    "tier": ("tier", "code"),
    "stage": ("stage",),
    "expected_loss": ("expected_loss",),
    "max_spend": ("max_spend",),
}
# Thirteen months: last year's answer to the same customer is still there.
_DAYS_KEPT = 400
NOBODY = ""  # whom rows are about that name no customer
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})\.sqlite")
_SECONDS_OF_PATIENCE = 10.0  # while another process writes: a second's answers take milliseconds
_ROWS = 200  # of a statement; SQLite takes 32,766 values
_MARSHAL = 2  # the newest version in which equal values have equal bytes

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS settings (digest BLOB PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS contents (
    digest BLOB PRIMARY KEY, customer_id TEXT NOT NULL, content BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS contents_of_customer ON contents (customer_id);
CREATE TABLE IF NOT EXISTS answers (
    customer_id TEXT NOT NULL, served_at TEXT NOT NULL, request_id TEXT NOT NULL,
    explain INTEGER NOT NULL, setting BLOB NOT NULL, content BLOB NOT NULL, digest BLOB NOT NULL,
    {", ".join(FIGURES)},
    PRIMARY KEY (customer_id, served_at, request_id, content)
) WITHOUT ROWID;
"""


class Kept(NamedTuple):
    """One answer. served_at: ISO 8601, UTC. setting, content: JSON, and the packed features.

    customer_id: NOBODY where the caller gave features without one. digest: of the whole answer.
    figures: by FIGURES.
    """

    customer_id: str
    served_at: str
    request_id: str
    explain: bool
    setting: str
    content: bytes
    digest: bytes
    figures: tuple[float | str | None, ...]

    def is_with(self, other: Kept) -> bool:
        """Whether it was given in the same call, under the same setting."""
        return self[1:3] == other[1:3] and self.setting == other.setting


def days_kept() -> int:
    """HOLDFAST_KEEP_SERVED_DAYS: days for which answers are kept, 0 for none at all.

    Raises UserError when it is no number of days.
    """
    text = os.environ.get("HOLDFAST_KEEP_SERVED_DAYS", str(_DAYS_KEPT))
    if not text.isdecimal():
        raise UserError(
            f"HOLDFAST_KEEP_SERVED_DAYS is {text!r}, and days were expected: a whole number, "
            "0 to keep no answers."
        )
    return int(text)


def digest(*parts: bytes) -> bytes:
    """A short digest of some bytes."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(part)
    return found.digest()


def told(answer: Mapping[str, Any]) -> tuple[tuple[float | str | None, ...], bytes]:
    """The figures of an answer, and a digest of all it says but its request and the features' age.

    The age follows from the moment of the answer, which is kept.
    """
    features = {**answer["features"], "age_hours": None}
    whole = {**answer, "request_id": "", "features": features}
    return (
        tuple(_at(answer, place) for place in FIGURES.values()),
        digest(marshal.dumps(whole, _MARSHAL)),
    )


class Day:
    """The file of one day, open for writing by one thread."""

    def __init__(self, space: Workspace, day: date) -> None:
        self.path = _folder(space) / f"{day.isoformat()}.sqlite"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._database = _opened(self.path)
        # A crash of the machine may lose the last answers, and no more.
        self._database.execute("PRAGMA synchronous = NORMAL")

    def write(
        self, answers: Sequence[Kept], is_erased: Callable[[], Callable[[str], bool]]
    ) -> None:
        """Add some answers, all or none.

        is_erased: tells, once nobody else can write, of whom nothing may be written any more.
        """
        with self._database as database:
            database.execute("BEGIN IMMEDIATE")
            erased = is_erased()
            rest = [answer for answer in answers if not erased(answer.customer_id)]
            settings = {one.setting: digest(one.setting.encode()) for one in rest}
            contents = {digest(one.customer_id.encode(), one.content): one for one in rest}
            own = {(one.customer_id, one.content): key for key, one in contents.items()}
            _insert(database, "settings", [(key, text) for text, key in settings.items()])
            _insert(
                database,
                "contents",
                [(key, one.customer_id, one.content) for key, one in contents.items()],
            )
            _insert(database, "answers", [
                (one.customer_id, one.served_at, one.request_id, one.explain,
                 settings[one.setting], own[one.customer_id, one.content], one.digest,
                 *one.figures) for one in rest
            ])  # fmt: skip

    def close(self) -> None:
        """Let the file go."""
        self._database.close()


def of_customer(space: Workspace, customer_id: str) -> list[Kept]:
    """All that is kept of one customer, the newest first."""
    return sorted(
        (one for file in _files(space) for one in _read(file, customer_id)),
        key=lambda one: one.served_at, reverse=True,
    )  # fmt: skip


def erase(space: Workspace, customer_id: str) -> int:
    """Remove what is kept of a customer from every day; returns how many answers they were."""
    count = 0
    for file in _files(space):
        with closing(_opened(file)) as database:
            database.execute("PRAGMA secure_delete = ON")
            with database:
                database.execute("DELETE FROM contents WHERE customer_id = ?", (customer_id,))
                gone = database.execute("DELETE FROM answers WHERE customer_id = ?", (customer_id,))
                count += gone.rowcount
            # What was written before the deletion may still stand in the log beside the file.
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return count


def remove_older(space: Workspace, days: int, today: date) -> None:
    """Remove the files of days that are further back than so many."""
    first = (today - timedelta(days=days)).isoformat()
    for file in _files(space):
        if file.stem < first:
            for path in (file, *(file.with_name(f"{file.name}-{end}") for end in ("wal", "shm"))):
                path.unlink(missing_ok=True)


def moment_of(kept: Kept) -> datetime:
    """When an answer was given, naive UTC."""
    return datetime.fromisoformat(kept.served_at)


def _read(file: Path, customer_id: str) -> Iterator[Kept]:
    with closing(_opened(file)) as database:
        yield from (
            Kept(customer_id, at, request, bool(explain), setting, content, whole, tuple(figures))
            for at, request, explain, setting, content, whole, *figures in database.execute(
                "SELECT served_at, request_id, explain, settings.content, contents.content, "
                f"answers.digest, {', '.join(FIGURES)} FROM answers "
                "JOIN settings ON settings.digest = setting "
                "JOIN contents ON contents.digest = answers.content "
                "WHERE answers.customer_id = ?",
                (customer_id,),
            )
        )


def _insert(database: sqlite3.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Add the rows that are not there yet, many with each statement.

    At each the thread gives way and takes its turn again, at the cost of a score under way.
    """
    for start in range(0, len(rows), _ROWS):
        few = rows[start : start + _ROWS]
        one = f"({', '.join('?' * len(few[0]))})"
        values = [value for row in few for value in row]
        database.execute(
            f"INSERT OR IGNORE INTO {table} VALUES {', '.join([one] * len(few))}", values
        )


def _opened(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, timeout=_SECONDS_OF_PATIENCE)
    database.execute("PRAGMA journal_mode = WAL")
    # Whoever comes first: a file is there before its tables are, and may be read or erased from.
    database.executescript(_SCHEMA)
    return database


def _files(space: Workspace) -> list[Path]:
    return sorted(file for file in _folder(space).glob("*.sqlite") if _DAY.fullmatch(file.name))


def _folder(space: Workspace) -> Path:
    return space.root / "served"


def _at(answer: Mapping[str, Any], place: tuple[str, ...]) -> Any:
    """A value within nested answers; None where a part of the way is."""
    found: Any = answer
    for name in place:
        found = None if found is None else found[name]
    return found
