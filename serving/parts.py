"""Scores of everyone in parts: each a file that is whole or not there, and in the end one table."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features import backend, chunks, source_code
from features.chunks import Built
from features.columns import Columns, with_columns
from features.errors import UserError
from features.snapshots import Snapshots
from features.workspace import Workspace
from serving import made_of, policy_record
from serving.former import Former, Stamp, stamps_before
from serving.made_of import MadeOf
from serving.policy import Policy
from serving.reasons import factors, in_words
from serving.score import COLUMNS, score_columns
from training import champion
from training.model_set import ModelSet

# Customers of a part. With 359 features a worker then has 1.0 GB at its peak, 0.44 of them before
# it begins; of 20,000 customers 1.3 GB and a quarter more work, of 5,000 0.8 GB and no less work.
SIZE = 10_000
_PREFIX = ".parts-"
_TEXTS = frozenset({
    "customer_id", "status", "left_for", "churn_band", "tier", "tier_previous", "tier_reason",
    "below_zero_certainty", "abc", "rfm_class", "value_quadrant", "stage", "ladder", "loyalty",
    "loyalty_type", "cause", "cause_source", "fault_evidence", "competitive_over", "lever",
    "marketing_mode", "top_factors",
})  # fmt: skip


@dataclass(frozen=True)
class Job:
    """What is scored and with what: all that a process needs to compute a part.

    versions: task and version of each model. former: the scores before, whose tiers count. folder:
    where the parts lie, by a name that says what they were made of, and the features they are
    computed from. size: customers of a part. made_of: the same for those who come later.
    """

    built: Built
    workspace: Workspace
    versions: tuple[tuple[str, str], ...]
    policy: Policy
    former: tuple[Stamp, ...]
    folder: Path
    size: int
    made_of: MadeOf = field(compare=False)

    @classmethod
    def of(cls, space: Workspace, policy: Policy, as_of: datetime, folder: Path, size: int) -> Self:
        """The champions over a built moment, with the parts in a folder of `folder`."""
        snapshots, versions = Snapshots(space), champion.versions(space)
        former = stamps_before(space, as_of)
        made = MadeOf(
            as_of=as_of.isoformat(), written_at="", customers=0,
            **made_of.models_of(space, versions), policy=policy_record.to_dict(policy),
            code=code_digest(), features=snapshots.fingerprint(as_of),
            former=former[0].moment.isoformat() if former else None, engine=backend.chosen(),
            libraries=made_of.libraries(), files={},
        )  # fmt: skip
        name = json.dumps([asdict(made), repr(former), size])
        place = folder / f"{_PREFIX}{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        pairs = tuple(sorted(versions.items()))
        return cls(Built.of(snapshots, as_of), space, pairs, policy, former, place, size, made)

    def own(self) -> Self:
        """The same over features of its own, which no later build can change."""
        return replace(self, built=made_of.linked(self.built, self.folder))

    def numbers(self) -> range:
        """The numbers of all parts, in the order of the customers."""
        return range(-(-self.built.customers() // self.size))

    def path(self, number: int) -> Path:
        """Where a part lies."""
        return self.folder / f"{number:06d}.parquet"

    def missing(self) -> list[int]:
        """The parts that are still to be computed."""
        return [number for number in self.numbers() if not _is_whole(self.path(number))]

    def remove_others(self) -> None:
        """Remove the parts beside ours: they were made of something else."""
        for folder in self.folder.parent.glob(f"{_PREFIX}*"):
            if folder != self.folder:
                shutil.rmtree(folder)


def write(job: Job, numbers: range) -> int:
    """Compute some parts that follow each other; returns how many."""
    models, former = _models(job), _former(job.former)
    frames = chunks.frames(job.built, job.size, numbers.start)
    for number, rows in zip(numbers, frames, strict=False):  # the frames go on to the end
        with backend.whole_or_nothing(job.path(number)) as temporary:
            known = former.joined(bought(rows))
            pq.write_table(_table(known, models, job.policy), temporary)
    return len(numbers)


def join(job: Job, path: Path) -> None:
    """Make one table of all parts, whole or not at all, a part in memory at a time.

    Beside it stands what it was made of, in the folder of the path.

    Raises UserError when nobody is in them.
    """
    parts = [pq.ParquetFile(job.path(number)) for number in job.numbers()]
    written = [part for part in parts if part.metadata.num_rows]
    if not written:
        refuse_nobody(job.built.as_of)
    with (
        backend.whole_or_nothing(path) as temporary,
        pq.ParquetWriter(temporary, written[0].schema_arrow) as writer,
    ):
        for part in written:
            writer.write_table(part.read())
    count = sum(part.metadata.num_rows for part in written)
    made_of.publish(job.folder, path.parent, replace(job.made_of, customers=count))


def scored(rows: pd.DataFrame, models: ModelSet, policy: Policy) -> pd.DataFrame:
    """The scores of some who have bought, their reasons in words, and how the value comes in."""
    columns = Columns.of(rows)
    found = score_columns(columns, models, policy)
    scores = pd.DataFrame({name: found.scores[name] for name in COLUMNS})
    reasons = [in_words(few) for few in factors(found, models)]
    scores["top_factors"] = pd.Series(reasons, dtype=object)
    asked = with_columns(columns, {"horizon_days": models.tasks["clv"].horizon_days})
    return scores.join(models.clv.by_horizon(asked, scores.expected_value))


def bought(rows: pd.DataFrame) -> pd.DataFrame:
    """Those with at least one purchase; the others are prospects and get no score."""
    return rows[rows.purchase_days_total > 0].reset_index(drop=True)


def schema(columns: Iterable[str]) -> pa.Schema:
    """The types of score columns, the same in every part and whatever is null in it."""
    return pa.schema([(name, _type(name)) for name in columns])


def table_of(scores: pd.DataFrame) -> pa.Table:
    """A score table with these types, and without what pandas notes about a frame.

    Those notes are not the same for every part.
    """
    table = pa.Table.from_pandas(scores, schema(scores.columns), preserve_index=False)
    return table.replace_schema_metadata(None)


def refuse_nobody(as_of: datetime) -> None:
    """Raise UserError because there is nobody to score."""
    raise UserError(
        f"Scores were asked for as of {as_of:%Y-%m-%d}, but nobody had bought by then. "
        "Use a later moment."
    )


def _table(rows: pd.DataFrame, models: ModelSet, policy: Policy) -> pa.Table:
    if rows.empty:
        return schema(["customer_id"]).empty_table()
    return table_of(scored(rows, models, policy))


def _type(name: str) -> pa.DataType:
    if name in _TEXTS:
        return pa.string()
    if name == "as_of":
        # Nanoseconds in Parquet break readers that cast them (DuckDB with Feast).
        return pa.timestamp("us")
    return pa.bool_() if name == "retain_advised" else pa.float64()


@lru_cache(maxsize=1)
def _models(job: Job) -> ModelSet:
    """The models of a job, loaded once in a process."""
    return champion.load(job.workspace, dict(job.versions))


@lru_cache(maxsize=1)
def _former(stamps: tuple[Stamp, ...]) -> Former:
    """The former tiers of a job, read once in a process."""
    return Former.of(stamps)


def _is_whole(path: Path) -> bool:
    """Whether a part is there to its last byte; a machine that fell may have lost some."""
    try:
        pq.read_metadata(path)
    except (pa.ArrowException, OSError):
        return False
    return True


def code_digest() -> str:
    """A digest of our own source: scores of another version do not belong together."""
    return source_code.digest("features", "serving", "training")
