"""Feature snapshots on disk: one folder per family and moment, whole or not there at all.

Grain of a snapshot: one row per customer known at `as_of`. Each moment is computed by itself, which
is faster and far smaller than one join of the events with all moments at once.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

import ibis.expr.types as ir
import pyarrow.parquet as pq

from features import backend, catalog, journal, workspace
from features.computation import FACTS, PART, Computation
from features.errors import UserError
from features.events import TABLES, Events
from features.family import Family
from features.moment import END_OF_DAY, parse_moment
from features.queries import Queries
from features.workspace import Workspace

log = logging.getLogger(__name__)

_FINGERPRINT = "fingerprint.json"
# An event file, as table/name, and the earliest moment at which one of its rows was known.
_File: TypeAlias = tuple[str, datetime | None]


@dataclass(frozen=True)
class Snapshots:
    """The snapshots of one workspace, for the families its events can carry."""

    workspace: Workspace

    @cached_property
    def events(self) -> Events:
        """The events as they are when the snapshots are first used."""
        _ = self._files  # listed before, so that `look_again` knows what is seen here
        return workspace.open_events(self.workspace)

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The families of this business, profile columns included."""
        return catalog.families_for(self.events, bool(self._files["interactions"]))

    def internal_customers(self) -> list[str]:
        """The accounts of our own and for tests, which are in no snapshot."""
        listed = self.events.customers
        return listed.filter(listed.is_internal).customer_id.to_pyarrow().to_pylist()

    def renewed(self) -> Snapshots:
        """The same over the events that are there now.

        What follows from the columns of the events alone is carried over while these are the same.
        """
        renewed = Snapshots(self.workspace)
        if renewed._columns == self._columns:
            for name in ("families", "queries"):
                renewed.__dict__[name] = getattr(self, name)
        return renewed

    def build(self, moments: Iterable[datetime]) -> Iterator[tuple[str, datetime]]:
        """Compute the missing snapshots of some moments; yields each family and moment done.

        A snapshot is missing when it was never computed, when the definition of its family has
        changed, or when an event file that was known by its moment has come or gone. Those of an
        older definition are removed at every moment: they lack columns that readers of all moments
        at once would ask for.
        """
        with journal.reading(self.workspace.events):
            self._remove_older_definitions()
        for as_of in moments:
            self.look_again()
            missing = [family for family in self.families if not self.is_built(family, as_of)]
            if missing:
                self.write(missing, as_of)
            yield from ((family.name, as_of) for family in self.families)

    def is_built(self, family: Family, as_of: datetime) -> bool:
        """Whether a whole snapshot of today's definition and today's events is there."""
        folder = self.folder(family, as_of)
        try:
            stored = json.loads((folder / _FINGERPRINT).read_text())
            size = (folder / PART).stat().st_size
        except (FileNotFoundError, json.JSONDecodeError):
            return False
        return stored == {**self._fingerprint(family, as_of), "bytes": size}

    def refuse_unbuilt(self, as_of: datetime) -> None:
        """Raise UserError unless every family has a snapshot of a moment."""
        if not all(self.is_built(family, as_of) for family in self.families):
            raise UserError(
                f"There is no feature snapshot at {moment_name(as_of)}. "
                f"Build it first: holdfast build --as-of {moment_name(as_of)}."
            )

    def fingerprint(self, as_of: datetime) -> str:
        """A short digest of a built moment: another when definitions or events behind it change."""
        stored = [(self.folder(f, as_of) / _FINGERPRINT).read_text() for f in self.families]
        return hashlib.sha256("\n".join(stored).encode()).hexdigest()[:16]

    def folder(self, family: Family, as_of: datetime) -> Path:
        """Where the snapshot of a family and moment lies."""
        return self.workspace.features / family.name / f"as_of={moment_name(as_of)}"

    def read(self, family: Family, as_of: datetime) -> ir.Table:
        """One built snapshot as a lazy table."""
        return backend.read_parquet([self.folder(family, as_of) / PART])

    def population(self, family: Family, as_of: datetime) -> ir.Table | None:
        """What a built snapshot's family says of everybody's past; None when it compares nobody."""
        path = self.folder(family, as_of) / FACTS
        return backend.read_parquet([path]) if family.population else None

    def look_again(self) -> None:
        """Forget what was seen of the events if some of their files were replaced since."""
        if not all(path.exists() for files in self._files.values() for path in files):
            for seen in ("events", "families", "queries", "_files", "_first_known", "_columns"):
                self.__dict__.pop(seen, None)

    def write(self, families: Sequence[Family], as_of: datetime) -> None:
        """Compute some families of a moment, and put all of them into their places or none."""
        mark = uuid.uuid4().hex
        staging = {f.name: self.folder(f, as_of).with_name(f".{mark}") for f in families}
        try:
            with journal.reading(self.workspace.events):
                self.look_again()
                Computation(families, as_of, staging).run(self.events, self._files, self.queries)
                for family in families:
                    self._publish(family, as_of, staging[family.name])
        finally:
            for folder in staging.values():
                shutil.rmtree(folder, ignore_errors=True)

    def fingerprints_over(
        self, replaced: Mapping[Path, tuple[Path, Path]], sizes: Mapping[Path, int]
    ) -> dict[Path, str]:
        """What the fingerprints of the valid snapshots must say once some files were replaced.

        replaced: event file -> the one that takes its place and the file that this is to be from;
        what was valid stays so. sizes: the part of a snapshot -> its new size in bytes.
        """
        kept = [(name, first) for name, first in self._first_known
                if self.workspace.events / name not in replaced]  # fmt: skip
        new = {f"{final.parent.name}/{final.name}": _first_known_at(staged)
               for final, staged in replaced.values()}  # fmt: skip
        files = sorted([*kept, *new.items()], key=lambda file: _place(file[0]))
        found = {}
        for family in self.families:
            for path in (self.workspace.features / family.name).glob(f"as_of=*/{_FINGERPRINT}"):
                as_of = _moment_of(path)
                if as_of and self.is_built(family, as_of):
                    part = path.with_name(PART)
                    size = sizes.get(part, part.stat().st_size)
                    fingerprint = self._fingerprint(family, as_of, files)
                    found[path] = json.dumps({**fingerprint, "bytes": size})
        return found

    def _publish(self, family: Family, as_of: datetime, staging: Path) -> None:
        """Put a staged snapshot into its place."""
        size = (staging / PART).stat().st_size
        fingerprint = {**self._fingerprint(family, as_of), "bytes": size}
        (staging / _FINGERPRINT).write_text(json.dumps(fingerprint))
        final = self.folder(family, as_of)
        if final.exists():
            shutil.rmtree(final)
        staging.rename(final)
        log.debug("built %s at %s", family.name, as_of)

    def _remove_older_definitions(self) -> None:
        for family in self.families:
            for path in (self.workspace.features / family.name).glob(f"as_of=*/{_FINGERPRINT}"):
                if self.queries.definition(family.name) not in path.read_text():
                    shutil.rmtree(path.parent)

    def _fingerprint(
        self, family: Family, as_of: datetime, events: Sequence[_File] | None = None
    ) -> dict[str, str]:
        every = self._first_known if events is None else events
        files = [name for name, first in every if first is None or first <= as_of]
        return {
            "as_of": as_of.isoformat(),
            "definition": self.queries.definition(family.name),
            "events": hashlib.sha256("\n".join(files).encode()).hexdigest()[:16],
        }

    @cached_property
    def _columns(self) -> tuple[list[Path], bool]:
        """What the columns of the events hang on: transactions and interactions have fixed ones."""
        return self._files["customers"], bool(self._files["interactions"])

    @cached_property
    def queries(self) -> Queries:
        """The queries of all families over these events."""
        schemas = {name: getattr(self.events, name).schema() for name in TABLES}
        return Queries.kept(self.workspace.features / "queries.json", self.families, schemas)

    @cached_property
    def _files(self) -> dict[str, list[Path]]:
        return {name: workspace.event_files(self.workspace, name) for name in TABLES}

    @cached_property
    def _first_known(self) -> list[_File]:
        return [
            (f"{table}/{path.name}", _first_known_at(path))
            for table, files in self._files.items()
            for path in files
        ]


def moment_name(as_of: datetime) -> str:
    """The name of a moment in a path: the date alone when it is the end of that day."""
    start = as_of.replace(hour=0, minute=0, second=0, microsecond=0)
    if as_of - start == END_OF_DAY:
        return as_of.strftime("%Y-%m-%d")
    return as_of.isoformat().replace(":", "-")


def moment_of(folder: Path) -> datetime | None:
    """The moment that a folder `as_of=<moment_name>` stands for; None for another folder."""
    try:
        return parse_moment(folder.name.removeprefix("as_of="))
    except UserError:
        return None


def _place(file: str) -> tuple[int, str]:
    """Where a file stands among all: by table, then by name."""
    table, name = file.split("/")
    return list(TABLES).index(table), name


def _moment_of(fingerprint: Path) -> datetime | None:
    """The moment of a snapshot, as its fingerprint tells; None when that is damaged."""
    try:
        return datetime.fromisoformat(json.loads(fingerprint.read_text())["as_of"])
    except (json.JSONDecodeError, KeyError):
        return None


def _first_known_at(path: Path) -> datetime | None:
    metadata = pq.read_metadata(path)
    names = metadata.schema.to_arrow_schema().names
    if "known_at" not in names or metadata.num_rows == 0:
        return None
    column = names.index("known_at")
    statistics = [metadata.row_group(i).column(column).statistics
                  for i in range(metadata.num_row_groups)]  # fmt: skip
    if any(s is None or not s.has_min_max for s in statistics):
        return None
    return min(s.min for s in statistics)
