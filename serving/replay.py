"""A stored score made again from what was stored, and compared with it to the last bit.

Nothing of today enters but the code: features, models, definitions and policy are those of then.
Where the figures differ, what else differs is told beside them; where a part is gone, which.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features import chunks
from features.chunks import Built
from features.errors import UserError
from features.snapshots import moment_name
from features.workspace import Workspace
from serving import keeping, kept_answers, made_of, parts, policy_record
from serving.answer import Call, answer
from serving.answer_schema import Answer
from serving.former import TIER_PREVIOUS
from serving.kept_answers import FIGURES, Kept
from serving.made_of import SCORES, MadeOf
from serving.policy import Policy
from training import champion
from training.model_set import ModelSet

_MOST_NAMED = 5  # customers or values named; more are a list nobody reads
_THE_REST = "the rest of the answer"


@dataclass(frozen=True)
class Replay:
    """What came of a replay.

    about: whose score, and of when. compared: values compared. differing: field -> of each customer
    who differs in it, the first few, the stored value and the one made again. counts: field -> how
    many differ in it. remarks: what else is not as it was, in sentences.
    """

    about: str
    customers: int
    compared: int
    differing: Mapping[str, Mapping[str, tuple[Any, Any]]]
    counts: Mapping[str, int]
    remarks: tuple[str, ...]

    @property
    def is_equal(self) -> bool:
        """Whether every value is the stored one, bit for bit."""
        return not self.counts

    @property
    def facts(self) -> dict[str, Any]:
        """All of it, JSON-ready."""
        return {
            "about": self.about,
            "equal": self.is_equal,
            "customers": self.customers,
            "compared": self.compared,
            "fields_that_differ": dict(self.counts),
            "examples": {name: {who: {"stored": old, "made_again": new}
                                for who, (old, new) in each.items()}
                         for name, each in self.differing.items()},
            "remarks": list(self.remarks),
        }  # fmt: skip

    def in_words(self) -> str:
        """The same for a person."""
        if self.is_equal:
            first = f"{self.about}: all {self.compared:,} values are equal to the last bit."
            return "\n".join([first, *self.remarks])
        lines = [f"{self.about}: {len(self.counts)} fields are not what was stored."]
        for name, count in self.counts.items():
            who, (old, new) = next(iter(self.differing[name].items()))
            lines.append(f"  {name}: {count:,} differ; {who} had {old!r}, made again {new!r}")
        unexplained = "Code, models, features and scores are those of then: this should not be."
        return "\n".join([*lines, *(self.remarks or (unexplained,))])


def customer(space: Workspace, customer_id: str, as_of: datetime) -> Replay:
    """The score of one customer in the batch of a moment.

    Raises UserError when he is not in it, or when what it was made of is gone.
    """
    folder = scored_folder(space, as_of)
    stored = row_of(folder, customer_id)
    if not len(stored):
        raise UserError(f"{customer_id} is not in the scores as of {moment_name(as_of)}.")
    made = made_of.read(folder)
    rows = inputs(folder, customer_id, as_of, stored)
    models = models_of(space, made.versions)
    about, remarks = (
        f"{customer_id} as of {moment_name(as_of)}",
        _remarks(space, folder, made, models),
    )
    with _telling(remarks):
        found = parts.table_of(parts.scored(rows, models, made.rules))
    return _compared(about, [(stored, found)], remarks)


def everybody(space: Workspace, as_of: datetime, size: int = parts.SIZE) -> Replay:
    """A whole batch, `size` customers at a time."""
    folder = scored_folder(space, as_of)
    made = made_of.read(folder)
    models = models_of(space, made.versions)
    pairs = _pairs(folder, as_of, models, made.rules, size)
    remarks = _remarks(space, folder, made, models)
    with _telling(remarks):
        return _compared(f"The scores as of {moment_name(as_of)}", pairs, remarks)


def served(space: Workspace, customer_id: str, request_id: str = "") -> Replay:
    """What the service said of a customer: in a request, or the last that was kept.

    Of NOBODY it is about the rows of a request that named no customer. Raises UserError when none
    was kept, or when the models are gone.
    """
    kept = [one for one in kept_answers.of_customer(space, customer_id)
            if not request_id or one.request_id == request_id]  # fmt: skip
    if not kept:
        who = customer_id or "rows without a customer"
        which = f" in the request {request_id}" if request_id else ""
        days = kept_answers.days_kept()
        kept_for = f"for {days} days, except those about customers it does not know"
        nothing = "nowhere: HOLDFAST_KEEP_SERVED_DAYS is 0"
        raise UserError(
            f"No answer about {who}{which} was kept. The service keeps its answers "
            f"{kept_for if days else nothing}."
        )
    last = kept[0]
    return _of_answers(space, [one for one in kept if one.is_with(last)])


def scored_folder(space: Workspace, as_of: datetime) -> Path:
    """Where the scores of a moment lie. Raises UserError, naming those there are, without any."""
    folder = made_of.folder_of(space, as_of)
    if not (folder / SCORES).exists():
        there = sorted(path.parent.name.removeprefix("as_of=")
                       for path in space.scores.glob(f"as_of=*/{SCORES}"))  # fmt: skip
        known = f"There are scores as of {', '.join(there)}." if there else "There are none yet."
        raise UserError(f"There are no scores as of {moment_name(as_of)}. {known}")
    return folder


def row_of(folder: Path, customer_id: str) -> pa.Table:
    """The stored scores of one customer, one row or none."""
    try:
        return pq.read_table(folder / SCORES, filters=[("customer_id", "==", customer_id)])
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"The scores {folder.name} are damaged: {error}.") from None


def inputs(folder: Path, customer_id: str, as_of: datetime, stored: pa.Table) -> pd.DataFrame:
    """The features from which the stored score of one customer was made, one row."""
    built = made_of.kept(folder, as_of)
    columns: dict[str, Any] = {"customer_id": pa.array([customer_id])}
    for path, features in built.families:
        rows = _his(path, customer_id)
        if rows.num_rows != 1:
            raise UserError(
                f"{customer_id} is not in the features {path.parent.name} that the scores "
                f"{folder.name} were made of, so his score cannot be made again."
            )
        columns |= {name: rows[name] for name in features}
    frame = pa.table(columns).to_pandas()
    frame.insert(1, "as_of", as_of)
    return _with_former(frame, stored)


def models_of(space: Workspace, versions: Mapping[str, str]) -> ModelSet:
    """The models of then. Raises UserError when their files are gone."""
    for name, version in versions.items():
        if not (space.models / name / version).is_dir():
            raise UserError(
                f"The model {name}@{version} is no longer in models/{name}, so what it said cannot "
                "be made again. Bring its folder back from a backup."
            )
    return champion.load(space, versions)


@contextmanager
def _telling(remarks: Sequence[str]) -> Iterator[None]:
    """What else is not as it was, before the refusal of features that cannot be scored any more."""
    try:
        yield
    except UserError as error:
        raise UserError(" ".join([*remarks, str(error)])) from None


def _pairs(
    folder: Path, as_of: datetime, models: ModelSet, policy: Policy, size: int
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """The stored scores and those made again, side by side, chunk by chunk."""
    built = made_of.kept(folder, as_of)
    with pq.ParquetFile(folder / SCORES) as file:
        stored = _Reader(file)
        for frame in chunks.frames(_readable(built, folder), size):
            rows = parts.bought(frame)
            if len(rows):
                there = stored.next(len(rows))
                again = parts.scored(_with_former(rows, there), models, policy)
                yield there, parts.table_of(again)


class _Reader:
    """The rows of a file in their order, as many at a time as are asked for."""

    def __init__(self, file: pq.ParquetFile) -> None:
        self._batches, self._rest = file.iter_batches(), file.schema_arrow.empty_table()

    def next(self, count: int) -> pa.Table:
        """The next rows, fewer at the end."""
        while len(self._rest) < count and (batch := next(self._batches, None)) is not None:
            self._rest = pa.concat_tables([self._rest, pa.Table.from_batches([batch])])
        found, self._rest = self._rest.slice(0, count), self._rest.slice(count)
        return found


def _readable(built: Built, folder: Path) -> Built:
    for path, _ in built.families:
        _his(path, "")
    return built


def _his(path: Path, customer_id: str) -> pa.Table:
    try:
        return pq.read_table(path, filters=[("customer_id", "==", customer_id)])
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"The kept features {path.parent.name} are damaged: {error}.") from None


def _with_former(rows: pd.DataFrame, stored: pa.Table) -> pd.DataFrame:
    """The rows with the former tier that their stored scores tell of."""
    if stored["customer_id"].to_pylist() != rows.customer_id.tolist():
        raise UserError(
            "The stored scores and the features they were made of do not tell of the same "
            "customers: one of the files was changed since."
        )
    return rows.assign(
        **{TIER_PREVIOUS: pd.Series(stored[TIER_PREVIOUS].to_pylist(), dtype=object)}
    )


def _compared(
    about: str, pairs: Iterable[tuple[pa.Table, pa.Table]], remarks: tuple[str, ...]
) -> Replay:
    """Every column of the stored rows beside that of the rows made again."""
    customers = compared = 0
    counts: dict[str, int] = {}
    examples: dict[str, dict[str, tuple[Any, Any]]] = {}
    for stored, again in pairs:
        customers += len(stored)
        ids = stored["customer_id"].to_pylist()
        for name in dict.fromkeys([*stored.column_names, *again.column_names]):
            old, new = (_column(table, name, len(ids)) for table in (stored, again))
            compared += len(ids)
            places = np.flatnonzero(_differ(old, new))
            if len(places):
                counts[name] = counts.get(name, 0) + len(places)
                few = examples.setdefault(name, {})
                for at in places[: _MOST_NAMED - len(few)].tolist():
                    few[ids[at]] = (old[at].as_py(), new[at].as_py())
    return Replay(about, customers, compared, examples, counts, remarks)


def _column(table: pa.Table, name: str, count: int) -> pa.ChunkedArray:
    if name in table.column_names:
        return table[name]
    return pa.chunked_array([pa.nulls(count)])


def _differ(old: pa.ChunkedArray, new: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Which values are not the same, bit for bit; null is the same as null alone."""
    if pa.types.is_float64(old.type) and pa.types.is_float64(new.type):
        bits = [column.to_numpy().view(np.uint64) for column in (old, new)]
        nulls = [np.asarray(column.is_null()) for column in (old, new)]
        return (nulls[0] != nulls[1]) | (~nulls[0] & (bits[0] != bits[1]))
    return np.array([a != b for a, b in zip(old.to_pylist(), new.to_pylist(), strict=True)], bool)


def _of_answers(space: Workspace, kept: Sequence[Kept]) -> Replay:
    """Kept answers of one call about one customer, given again by its models at its moment."""
    first = kept[0]
    told = json.loads(first.setting)
    models = models_of(space, told["versions"])
    policy = policy_record.from_dict(told["policy"])
    # Files of before it was told hold only answers that refused.
    call = Call(policy, kept_answers.moment_of(first), told.get("refuses_stale", True))
    counts: Counter[str] = Counter()
    examples: dict[str, dict[str, tuple[Any, Any]]] = {}
    who = first.customer_id or "a row without a customer"
    for one in kept:
        (again,) = answer(keeping.asked(one, told), models, call)
        for name, values in _differing(one, again).items():
            counts[name] += 1
            examples.setdefault(name, {}).setdefault(who, values)
    remarks = (
        *_code_remarks(told["code"], told["libraries"]),
        *_definition_remarks(told["definitions"], models),
        *_model_remarks(space, told["versions"], told["models"]),
    )
    about = f"{who} as answered on {first.served_at} (request {first.request_id})"
    return Replay(about, len(kept), len(kept) * (len(FIGURES) + 1), examples, counts, remarks)


def _differing(kept: Kept, again: Answer) -> dict[str, tuple[Any, Any]]:
    """What of an answer is not as it was kept: field -> then and now."""
    figures, digest = kept_answers.told(again)
    found = {
        name: (old, new)
        for name, old, new in zip(FIGURES, kept.figures, figures, strict=True)
        if type(old) is not type(new) or repr(old) != repr(new)
    }
    if not found and digest != kept.digest:
        found[_THE_REST] = (kept.digest.hex(), digest.hex())
    return found


def _remarks(space: Workspace, folder: Path, made: MadeOf, models: ModelSet) -> tuple[str, ...]:
    """What is not as it was when the scores in a folder were made."""
    now = made_of.digests(folder)
    files = [f"{name} is not the file that was written then: its content differs."
             for name, told in made.files.items() if now.get(name) != told]  # fmt: skip
    return (
        *files,
        *_code_remarks(made.code, made.libraries),
        *_definition_remarks(made.definitions, models),
        *_model_remarks(space, made.versions, made.models),
    )


def _code_remarks(code: str, libraries: Mapping[str, str]) -> list[str]:
    today = made_of.libraries()
    found = [f"{name} was {old} then and is {today.get(name, 'gone')} now."
             for name, old in libraries.items() if today.get(name) != old]  # fmt: skip
    if code != parts.code_digest():
        found.append("The program is another version than the one that made it.")
    return found


def _definition_remarks(told: Mapping[str, str], models: ModelSet) -> list[str]:
    return [f"The question {name} was {old} then and is {models.tasks[name].definition} now."
            for name, old in told.items() if models.tasks[name].definition != old]  # fmt: skip


def _model_remarks(space: Workspace, versions: Mapping[str, str], told: str) -> list[str]:
    if champion.digest(space, versions) == told:
        return []
    return ["The files of the models are not those of then: their content differs."]
