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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

import ibis.expr.types as ir
import pyarrow.parquet as pq

from features import backend, catalog, workspace
from features.computation import FACTS, PART, Computation
from features.events import TABLES, Events
from features.family import Family
from features.moment import END_OF_DAY
from features.queries import Queries
from features.workspace import Workspace

log = logging.getLogger(__name__)

_FINGERPRINT = "fingerprint.json"


@dataclass(frozen=True)
class Snapshots:
    """The snapshots of one workspace, for the families its events can carry."""

    workspace: Workspace

    @cached_property
    def events(self) -> Events:
        """The events as they are when the snapshots are first used."""
        return workspace.open_events(self.workspace)

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """The families of this business, profile columns included."""
        has_interactions = bool(workspace.event_files(self.workspace, "interactions"))
        return catalog.families_for(self.events, has_interactions)

    def build(self, moments: Iterable[datetime]) -> Iterator[tuple[str, datetime]]:
        """Compute the missing snapshots of some moments; yields each family and moment done.

        A snapshot is missing when it was never computed, when the definition of its family has
        changed, or when an event file that was known by its moment has come or gone. Those of an
        older definition are removed at every moment: they lack columns that readers of all moments
        at once would ask for.
        """
        self._remove_older_definitions()
        for as_of in moments:
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

    def write(self, families: Sequence[Family], as_of: datetime) -> None:
        """Compute some families of a moment, and put all of them into their places or none."""
        mark = uuid.uuid4().hex
        staging = {f.name: self.folder(f, as_of).with_name(f".{mark}") for f in families}
        try:
            Computation(families, as_of, staging).run(self.events, self._files, self.queries)
            for family in families:
                self._publish(family, as_of, staging[family.name])
        finally:
            for folder in staging.values():
                shutil.rmtree(folder, ignore_errors=True)

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

    def _fingerprint(self, family: Family, as_of: datetime) -> dict[str, str]:
        files = [name for name, first in self._first_known if first is None or first <= as_of]
        return {
            "as_of": as_of.isoformat(),
            "definition": self.queries.definition(family.name),
            "events": hashlib.sha256("\n".join(files).encode()).hexdigest()[:16],
        }

    @cached_property
    def queries(self) -> Queries:
        """The queries of all families over these events."""
        schemas = {name: getattr(self.events, name).schema() for name in TABLES}
        return Queries.kept(self.workspace.features / "queries.json", self.families, schemas)

    @cached_property
    def _files(self) -> dict[str, list[Path]]:
        return {name: workspace.event_files(self.workspace, name) for name in TABLES}

    @cached_property
    def _first_known(self) -> list[tuple[str, datetime | None]]:
        """Each event file with the earliest moment at which one of its rows was known."""
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
