"""Files of a workspace replaced by others: all of them or none, and under nobody's eyes.

Who reads event files for longer than a moment holds the lock together with other readers; who
replaces files holds it alone. What is to be replaced is written down first. From then on it is
done: after a crash, the next who looks at the event files does what is left.
"""

from __future__ import annotations

import fcntl
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from features import durable
from features.ledger import Ledger


@dataclass(frozen=True)
class Change:
    """What is replaced; all paths are texts, below the folder that holds the events' folder.

    put: file -> the finished file that takes its place. write: file -> its new text. remove: files.
    moved: table -> event file -> the one that holds its rows from now on. forgotten: a customer
    whose event ids leave the ledger. expired: table -> digests (ledger.content_of) of
    events whose ids leave it.
    """

    put: Mapping[str, str] = field(default_factory=dict)
    write: Mapping[str, str] = field(default_factory=dict)
    remove: Sequence[str] = ()
    moved: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    forgotten: str | None = None
    expired: Mapping[str, Sequence[str]] = field(default_factory=dict)


@contextmanager
def reading(events: Path) -> Iterator[None]:
    """Within the block no event file is replaced; others may read, and add files."""
    while True:
        settle(events)
        with _locked(events, fcntl.LOCK_SH):
            if not _journal(events).exists():  # else who replaced files just now has died
                yield
                return


@contextmanager
def replacing(events: Path, *, wait: bool = True) -> Iterator[bool]:
    """Within the block nobody else reads or replaces event files.

    wait: for those who do; else the block is told whether it is alone, and must do nothing if not.
    """
    with _locked(events, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB) as is_alone:
        if is_alone:
            _finish(events)
        yield is_alone


@contextmanager
def staging(events: Path) -> Iterator[Path]:
    """A folder for the files of a change, which stays when the change is written down but not done.

    Only within `replacing`.
    """
    folder = events / f".replacing-{uuid.uuid4().hex}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        if not _journal(events).exists():
            shutil.rmtree(folder, ignore_errors=True)


def commit(events: Path, change: Change) -> None:
    """Replace files; only within `replacing`. An error before the journal is written is no change.

    The files to be put must be finished.
    """
    for staged in change.put.values():
        durable.sync(events.parent / staged)
    journal = _journal(events)
    draft = journal.with_name(f".{journal.name}")
    draft.write_text(json.dumps(asdict(change)), encoding="utf-8")
    durable.publish(draft, journal)
    _finish(events)


def settle(events: Path) -> None:
    """Wait for a replacement that is under way, and do what is left of one that died."""
    if _journal(events).exists():
        with _locked(events, fcntl.LOCK_EX):
            _finish(events)


def _finish(events: Path) -> None:
    """Do what the journal says, or what is left of it; harmless when done twice."""
    journal, root = _journal(events), events.parent
    if not journal.exists():
        return
    change = Change(**json.loads(journal.read_text(encoding="utf-8")))
    ledger = Ledger(events)
    for table, files in change.moved.items():
        for into in sorted(set(files.values())):
            ledger.move(table, [old for old, new in files.items() if new == into], into)
    if change.forgotten is not None:
        ledger.forget(change.forgotten)
    for table, contents in change.expired.items():
        ledger.forget_contents(table, contents)
    for final, staged in change.put.items():
        if (root / staged).exists():
            durable.publish(root / staged, root / final)
        elif not (root / final).exists():
            raise FileNotFoundError(f"{staged}, which is to be {final}, is gone")
    for file, text in change.write.items():
        (root / file).write_text(text, encoding="utf-8")
    for file in change.remove:
        (root / file).unlink(missing_ok=True)
    journal.unlink()
    durable.sync(events)
    for folder in events.glob(".replacing-*"):
        shutil.rmtree(folder, ignore_errors=True)


def _journal(events: Path) -> Path:
    return events / "replaced.json"


@contextmanager
def _locked(events: Path, kind: int) -> Iterator[bool]:
    """Hold the lock, or be told that it is not to be had at once, where the kind says so."""
    events.mkdir(parents=True, exist_ok=True)
    with (events / "events.lock").open("a") as file:
        try:
            fcntl.flock(file, kind)
        except BlockingIOError:
            is_held = False
        else:
            is_held = True
        yield is_held
