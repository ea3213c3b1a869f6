"""What the service answers is kept for later replay, and no answer waits for it.

A call hands over its rows and its answers as they are, which takes microseconds. They are packed
once the answers were given, by the thread that made them: another would take turns with it, which
costs more than the packing. A thread of its own writes them. What it cannot take, because it or the
disk does not keep up, is dropped and counted.
"""

from __future__ import annotations

import json
import logging
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.columns import Columns, Places
from features.workspace import Workspace
from serving import erasure, kept_answers, made_of, policy_record
from serving.answer import Call
from serving.answer_schema import Answer
from serving.kept_answers import NOBODY, Day, Kept
from serving.parts import code_digest
from training import champion
from training.model_set import ModelSet

log = logging.getLogger(__name__)

# Answers that may wait, two kilobytes each; a request has a thousand at most.
MOST_WAITING = 5_000
# Between two writes, and what a fall of the process can lose: a few answers at a time, so that none
# that is under way waits for many.
_SECONDS = 0.1
# Fast before small: 9 microseconds a row where zlib and zstd take 50, for a fifth more bytes.
_CODEC = pa.Codec("lz4")
_SIZE = struct.Struct("<I")
# Columns of the service's rows that are no input of a score, or stand elsewhere.
_BESIDE = frozenset({"customer_id", "as_of", "request_id", "explain", "status"})


class Handed(NamedTuple):
    """The answers of one call, and what they were made of. began: seconds since 1970."""

    rows: Columns
    answers: Sequence[Answer]
    models: ModelSet
    call: Call
    began: float


class _Packed(NamedTuple):
    """The answers of one call, as they are written. told: how many, with those not kept."""

    day: date
    began: float
    told: int
    kept: Sequence[Kept]


class Keeping:
    """Keeps answers in a workspace, for as many days as kept_answers.days_kept says.

    From `open` to `close`. note: told how many answers were dropped.
    """

    def __init__(self, space: Workspace, note: Callable[[int], None]) -> None:
        self._space, self._note, self._days = space, note, kept_answers.days_kept()
        self._handed: deque[Handed] = deque()
        self._waiting: deque[_Packed] = deque()
        self._count = 0
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None
        self._day: Day | None = None
        # The settings of the last models; together, since several threads pack.
        self._known: tuple[ModelSet | None, dict[tuple[Any, ...], str]] = (None, {})

    def open(self) -> None:
        """Keep from now on."""
        if self._days:
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name="keeping", daemon=True)
            self._thread.start()

    def hand(self, handed: Handed) -> None:
        """Take the answers of a call; the only thing a caller waits for."""
        if self._thread is None:
            return
        with self._lock:
            if self._count + len(handed.answers) > MOST_WAITING:
                self._note(len(handed.answers))
                return
            self._count += len(handed.answers)
        self._handed.append(handed)

    def pack(self) -> None:
        """Make what was handed over small; several threads may."""
        while True:
            try:
                handed = self._handed.popleft()
            except IndexError:
                return
            try:
                made = self._packed(handed)
            except Exception as error:  # whatever it is, the answer was given
                self._lose(len(handed.answers), error)
            else:
                self._waiting.append(made)

    def close(self) -> None:
        """Write what waits, and end."""
        thread, self._thread = self._thread, None
        self._stop.set()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_SECONDS):
            self._empty()
        self._empty()
        self._let_go()

    def _empty(self) -> None:
        """Write all that waits now."""
        self.pack()
        taken = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not taken:
            return
        try:
            self._write(taken)
        except Exception as error:  # whatever it is, the next answers can be kept
            self._lose(sum(one.told for one in taken), error)
            self._let_go()
        else:
            self._take_off(sum(one.told for one in taken))

    def _write(self, taken: Sequence[_Packed]) -> None:
        by_day: dict[date, list[Kept]] = {}
        for one in taken:
            by_day.setdefault(one.day, []).extend(one.kept)
        began = min(one.began for one in taken)
        for day, answers in sorted(by_day.items()):
            if answers:
                self._open(day).write(answers, lambda: erasure.erased_since(self._space, began))

    def _lose(self, count: int, error: Exception) -> None:
        log.error("%d answers cannot be kept for replay: %s", count, error)
        self._note(count)
        self._take_off(count)

    def _take_off(self, count: int) -> None:
        with self._lock:
            self._count -= count

    def _packed(self, handed: Handed) -> _Packed:
        setting, rows, kept = self._setting(handed), handed.rows, []
        now, is_explained = handed.call.now, rows["explain"].tolist()
        contents = packed(rows, text_columns(rows))
        for answer, content, explain in zip(handed.answers, contents, is_explained, strict=True):
            if answer["status"] != "unknown":
                figures, digest = kept_answers.told(answer)
                kept.append(Kept(answer["customer_id"] or NOBODY, now.isoformat(),
                                 answer["request_id"], explain, setting, content, digest,
                                 figures))  # fmt: skip
        return _Packed(now.date(), handed.began, len(handed.answers), kept)

    def _setting(self, handed: Handed) -> str:
        """What the answers of a call have in common, as JSON; made once for each kind of rows."""
        rows, call = handed.rows, handed.call
        models, settings = self._known
        if models is not handed.models:
            settings = {}
            self._known = (handed.models, settings)
        key = (*rows.places, None, *text_columns(rows), call.policy.label, call.refuses_stale)
        if key not in settings:
            settings[key] = setting(self._space, handed.models, call, rows)
        return settings[key]

    def _open(self, day: date) -> Day:
        if self._day is None or self._day.path.stem != day.isoformat() or not self._is_there():
            self._let_go()
            self._day = Day(self._space, day)
            kept_answers.remove_older(self._space, self._days, day)
        return self._day

    def _is_there(self) -> bool:
        return self._day is not None and self._day.path.exists()

    def _let_go(self) -> None:
        if self._day is not None:
            self._day.close()
            self._day = None


def setting(space: Workspace, models: ModelSet, call: Call, rows: Columns) -> str:
    """Models, policy, code and the names of the packed values, as JSON."""
    versions = {name: label.partition("@")[2] for name, label in models.versions.items()}
    return json.dumps({
        "versions": versions,
        "definitions": {name: task.definition for name, task in models.tasks.items()},
        "models": champion.digest(space, versions),
        "policy": policy_record.to_dict(call.policy),
        "refuses_stale": call.refuses_stale,
        "code": code_digest(),
        "libraries": made_of.libraries(),
        "numbers": list(rows.places),
        "texts": text_columns(rows),
    })  # fmt: skip


def text_columns(rows: Columns) -> list[str]:
    """The columns of texts that scores are computed from, by name."""
    return sorted(name for name in rows.others if name not in _BESIDE)


def packed(rows: Columns, texts: Sequence[str]) -> Iterator[bytes]:
    """Each row in as few bytes as can be had in microseconds; its numbers keep their bits."""
    numbers, width = np.ascontiguousarray(rows.numbers, dtype="<f8").tobytes(), 8 * len(rows.places)
    said = [rows["as_of"].astype(str).tolist(), *(rows.others[name].tolist() for name in texts)]
    for at, each in enumerate(zip(*said, strict=True)):
        told = json.dumps([None if value != value else value for value in each]).encode()
        plain = numbers[at * width : (at + 1) * width] + told
        yield _SIZE.pack(len(plain)) + _CODEC.compress(plain, asbytes=True)


def unpack(content: bytes, names: Sequence[str], texts: Sequence[str]) -> Columns:
    """The row that was packed: the numbers, the texts and as_of."""
    (size,) = _SIZE.unpack_from(content)
    packed = _CODEC.decompress(content[_SIZE.size :], size, asbytes=True)
    width = 8 * len(names)
    numbers = np.frombuffer(packed[:width], "<f8").reshape(1, -1)
    as_of, *said = json.loads(packed[width:])
    others = {name: _of_one(value) for name, value in zip(texts, said, strict=True)}
    others["as_of"] = np.array([as_of], dtype="datetime64[us]")
    return Columns(numbers, Places(names), others)


def asked(kept: Kept, told: Mapping[str, Any]) -> Columns:
    """The row of a kept answer as `answer.answer` takes it. told: its setting."""
    return unpack(kept.content, told["numbers"], told["texts"]).with_columns({
        "customer_id": _of_one(kept.customer_id or None),
        "request_id": _of_one(kept.request_id),
        "explain": np.array([kept.explain], dtype=bool),
    })  # fmt: skip


def _of_one(value: object) -> NDArray[np.object_]:
    """A column of one value, which may be a list."""
    column = np.empty(1, dtype=object)
    column[0] = value
    return column
