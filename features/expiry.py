"""Data past their period deleted: events and what was made of them, all of it or nothing.

A period counts back from a moment. Event files are written again without what happened before its
start; features were counted from those events, so every snapshot goes with them and is made anew
from what is left, but for the one that pushes stand on, which is made anew in its place. Source:
item 11.4, what is of no more use is thrown away.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import ibis.expr.types as ir

from features import backend, journal, moment, workspace
from features.errors import UserError
from features.events import CUSTOMERS, INTERACTIONS, TRANSACTIONS
from features.journal import Change
from features.ledger import Ledger, content_of
from features.snapshots import moment_of
from features.workspace import Workspace, name_of


@dataclass(frozen=True)
class Period:
    """How long one kind of data is kept: days, None until a number is given; and why so long."""

    name: str
    days: int | None
    why: str


# Two of the longest windows of a feature, which are compared with the time before them; and the
# year, and the year before it, that the figures of the business are of.
TWO_YEARS = 730
PERIODS: tuple[Period, ...] = (
    Period("transactions", None, "totals and models stand on them, and laws on bookkeeping differ"),
    Period("interactions", None, "totals and models stand on them"),
    Period("customers", None, "of whom no event is left, and who was first seen before that"),
    Period("rejected", 90, "rows set aside: a quarter to mend their source and bring them again"),
    Period("snapshots", TWO_YEARS, "features of a moment, which can be made anew from the events"),
    Period("scores", TWO_YEARS, "with lists and plans; figures compare a year with the one before"),
    Period("reports", TWO_YEARS, "pages made of the scores"),
)  # fmt: skip
EVENTS = (TRANSACTIONS.name, INTERACTIONS.name)
_FOLDERS = ("scores", "reports")  # a folder per moment

Starts = Mapping[str, datetime]


@dataclass(frozen=True)
class Expired:
    """What is past its period.

    rows: rows by event table. customers: of whom no event is left, online or listed. rejected,
    snapshots: files of rows set aside, and parts of snapshots. event_ids: entries of the ledger.
    moments: of scores and of reports, by kind, as their folders name them.
    """

    rows: Mapping[str, int]
    customers: Sequence[str]
    rejected: int
    event_ids: int
    snapshots: int
    moments: Mapping[str, Sequence[str]]

    @property
    def found(self) -> bool:
        """Whether there is anything."""
        counts = [*self.rows.values(), self.rejected, self.event_ids, self.snapshots]
        return any([*counts, *self.moments.values()])


def starts(now: datetime, keep_days: int | None, given: Mapping[str, int]) -> dict[str, datetime]:
    """The start of the period of each kind that has one, by name, counted back from `now`.

    keep_days: of events and customers, and the most of what is made of them. given: days by the
    name of a Period, before both. Raises UserError for an unknown name and for less than a day.
    """
    names = [period.name for period in PERIODS]
    if unknown := sorted(set(given) - set(names)):
        raise UserError(
            f"A period was given for {', '.join(unknown)}, but those that are kept are "
            f"{', '.join(names)}. Use one of these names."
        )
    days = {p.name: _least(p.days, keep_days) for p in PERIODS} | dict(given)
    if too_short := [name for name, count in days.items() if count is not None and count < 1]:
        raise UserError(
            f"A period of less than a day was given for {', '.join(too_short)}. Give whole days, "
            "1 or more; to remove one customer: holdfast erase."
        )
    return {name: now - timedelta(days=n) for name, n in days.items() if n is not None}


def look(space: Workspace, since: Starts, online: datetime | None = None) -> Expired:
    """What would be deleted; nothing is."""
    with journal.reading(space.events):
        return _Search(space, since, online).expired()


def expire(space: Workspace, since: Starts, online: datetime | None = None) -> Expired:
    """Delete it, or nothing; only within journal.replacing. What is online is not touched.

    online: the moment whose snapshot stays, no longer valid, until it is built anew.
    """
    search = _Search(space, since, online)
    found = search.expired()
    if found.found:
        with journal.staging(space.events) as staging:
            journal.commit(space.events, search.change(staging))
        for folder in search.emptied():
            _remove_if_empty(folder)
    return found


def _least(own: int | None, most: int | None) -> int | None:
    known = [days for days in (own, most) if days is not None]
    return min(known, default=None)


class _Search:
    """What is past its period in a workspace, looked up once."""

    def __init__(self, space: Workspace, since: Starts, online: datetime | None) -> None:
        self.space, self.since = space, since
        self.lost = {name: dict(self._losing(name)) for name in EVENTS}
        self.unlisted = self._unlisted()
        self.rejected = list(self._rejected())
        changed = any(self.lost.values())
        folders = [f for f in space.features.glob("*/as_of=*") if moment_of(f) != online]
        self.snapshots = [f for f in folders if changed or self._is_past("snapshots", f)]
        self.moments = {
            kind: [f for f in sorted((space.root / kind).glob("as_of=*")) if self._is_past(kind, f)]
            for kind in _FOLDERS
        }
        self.contents = {name: self._contents(name) for name in EVENTS}

    def expired(self) -> Expired:
        rows = {name: sum(files.values()) for name, files in self.lost.items()}
        gone = {*self.unlisted, *self._without_events}
        return Expired(
            rows={**rows, CUSTOMERS.name: len(self.unlisted)},
            customers=sorted(gone),
            rejected=len(self.rejected),
            event_ids=sum(map(len, self.contents.values())),
            snapshots=len(self.snapshots),
            moments={k: [f.name.removeprefix("as_of=") for f in folders]
                     for k, folders in self.moments.items()},
        )  # fmt: skip

    def change(self, staging: Path) -> Change:
        """The files written again, and those that go."""
        new = {path: self._kept(path, staging) for files in self.lost.values() for path in files}
        if self.unlisted:
            for path in workspace.event_files(self.space, CUSTOMERS.name):
                new[path] = self._listed(path, staging)
        named = {path: path.with_name(name_of(new[path], path.name)) for path in new}
        folders = [*self.snapshots, *(f for some in self.moments.values() for f in some)]
        gone = [*new, *self.rejected, *(p for f in folders for p in f.rglob("*") if p.is_file())]
        moved: dict[str, dict[str, str]] = {}
        for path, final in named.items():
            moved.setdefault(path.parent.name, {})[path.name] = final.name
        return Change(
            put={self._in(named[path]): self._in(staged) for path, staged in new.items()},
            remove=[self._in(path) for path in gone],
            moved=moved,
            expired={name: found for name, found in self.contents.items() if found},
        )

    def emptied(self) -> list[Path]:
        """The folders of which every file went."""
        return [*self.snapshots, *(folder for some in self.moments.values() for folder in some)]

    def _losing(self, table: str) -> Iterator[tuple[Path, int]]:
        """The event files of a table with rows past its period, and how many each has."""
        if table not in self.since:
            return
        for path in workspace.event_files(self.space, table):
            rows = backend.read_parquet([path], backend.EMBEDDED)
            lost = int(rows.filter(self._is_old(table, rows)).count().execute())
            if lost:
                yield path, lost

    def _is_old(self, table: str, rows: ir.Table) -> ir.BooleanValue:
        return moment.older(rows, "happened_at", self.since[table])

    def _kept(self, path: Path, staging: Path) -> Path:
        rows = backend.read_parquet([path], backend.EMBEDDED)
        return _written(rows.filter(~self._is_old(path.parent.name, rows)), staging)

    def _listed(self, path: Path, staging: Path) -> Path:
        rows = backend.read_parquet([path], backend.EMBEDDED)
        return _written(rows.filter(~rows.customer_id.isin(self.unlisted)), staging)

    def _events(self, *, old: bool) -> set[str]:
        """Whose events go, or stay."""
        found: set[str] = set()
        for table in EVENTS:
            for path in workspace.event_files(self.space, table):
                rows = backend.read_parquet([path], backend.EMBEDDED)
                if table in self.since:
                    is_old = self._is_old(table, rows)
                    rows = rows.filter(is_old if old else ~is_old)
                elif old:
                    continue
                ids = rows.select("customer_id").distinct().to_pyarrow()
                found.update(ids.column("customer_id").to_pylist())
        return found

    @cached_property
    def _staying(self) -> set[str]:
        """Who has an event that stays."""
        return self._events(old=False)

    @cached_property
    def _without_events(self) -> set[str]:
        """Who has events that go, and none that stays."""
        return self._events(old=True) - self._staying if any(self.lost.values()) else set()

    def _unlisted(self) -> list[str]:
        """The listed customers who go: no event of theirs is left, and they are not newly seen."""
        files = workspace.event_files(self.space, CUSTOMERS.name)
        if CUSTOMERS.name not in self.since or not files:
            return []
        rows = backend.read_parquet(files, backend.EMBEDDED)
        is_old = moment.older(rows, "first_seen_at", self.since[CUSTOMERS.name])
        old = rows.filter(is_old).customer_id.to_pyarrow().to_pylist()
        undated = set(rows.filter(rows.first_seen_at.isnull()).customer_id.to_pyarrow().to_pylist())
        gone = {*old, *(undated & self._without_events)}
        return sorted(gone - self._staying)

    def _rejected(self) -> Iterator[Path]:
        """Files of rows set aside, by when they were: such rows need not have a time."""
        start = self.since.get("rejected")
        for path in sorted((self.space.events / "rejected").glob("*.csv")):
            written = datetime.fromtimestamp(path.stat().st_mtime, UTC).replace(tzinfo=None)
            if start and moment.is_earlier(written, start):
                yield path

    def _contents(self, table: str) -> list[str]:
        """What the ledger calls the events that go, of the files that it knows."""
        known = Ledger(self.space.events).files(table) if self.lost[table] else set()
        found: list[str] = []
        for path in self.lost[table]:
            if path.name in known:
                rows = backend.read_parquet([path], backend.EMBEDDED)
                old = rows.filter(self._is_old(table, rows)).to_pyarrow()
                found += map(content_of, old.to_pylist())
        return found

    def _is_past(self, kind: str, folder: Path) -> bool:
        as_of = moment_of(folder)
        return (
            kind in self.since and as_of is not None and moment.is_earlier(as_of, self.since[kind])
        )

    def _in(self, path: Path) -> str:
        return path.relative_to(self.space.root).as_posix()


def _written(rows: ir.Table, staging: Path) -> Path:
    path = staging / f"{uuid.uuid4().hex}.parquet"
    backend.write_parquet(rows, path, backend.EMBEDDED)
    return path


def _remove_if_empty(folder: Path) -> None:
    """A folder without files, which somebody may be filling again at this moment."""
    for inner in sorted(folder.glob("*")):
        if inner.is_dir():
            _remove_if_empty(inner)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
