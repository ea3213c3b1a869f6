"""Everyone at one moment -> a table with the service's columns, written whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from features import backend, chunks, hold, moment, workspace
from features.chunks import Built
from features.snapshots import Snapshots, moment_name
from features.workspace import Workspace
from serving import parts, workers
from serving.former import Former, stamps_before
from serving.parts import SIZE, Job
from serving.policy import Policy
from training.model_set import ModelSet


def score_everyone(
    space: Workspace, models: ModelSet, policy: Policy, as_of: datetime
) -> pd.DataFrame:
    """One row per customer with at least one purchase by `as_of`; see score.COLUMNS.

    Beside them `top_factors`, the reasons of the churn probability in words, and how the expected
    value comes in over time (TwoPart.by_horizon). The snapshot of the moment is built when it is
    missing; the tiers of the scores before it count. Everyone is held in memory; score_file does
    the same for a business of any size.
    """
    _refuse_before_the_first(space, as_of)
    snapshots, former = _built(space, as_of), Former.of(stamps_before(space, as_of))
    frames = map(parts.bought, chunks.frames(Built.of(snapshots, as_of), SIZE))
    found = [parts.scored(former.joined(rows), models, policy) for rows in frames if len(rows)]
    if not found:
        parts.refuse_nobody(as_of)
    return pd.concat(found, ignore_index=True)


def score_file(
    space: Workspace,
    policy: Policy,
    as_of: datetime,
    progress: Callable[[str], None] = lambda text: None,
    *,
    processes: int | None = None,
    size: int = SIZE,
    resume: bool = True,
) -> Path:
    """The same with the champions, written to score_path, a part at a time; returns the path.

    A run that was ended goes on after the parts it has written, as long as features, models,
    policy and code are the same; else it starts anew. The result appears at once, and beside it
    what it was made of (made_of.py).
    processes: default: as many as there are cores. size: customers of a part. resume: off to start
    anew in any case.
    Raises UserError while another run scores the same moment, and when nobody had bought by then.
    """
    path = score_path(space, as_of)
    _refuse_before_the_first(space, as_of)
    with alone(path.parent):
        _built(space, as_of)
        job = Job.of(space, policy, as_of, path.parent, size)
        job.remove_others()
        if not resume:
            shutil.rmtree(job.folder, ignore_errors=True)
        job = job.own()
        everything, missing = len(job.numbers()), job.missing()
        done = everything - len(missing)
        if done:
            progress(f"going on after {done} of {everything} parts")
        for more in workers.compute(job, missing, processes or backend.cores()):
            done += more
            progress(f"scored {done} of {everything} parts")
        parts.join(job, path)
        shutil.rmtree(job.folder, ignore_errors=True)
    return path


def score_path(space: Workspace, as_of: datetime) -> Path:
    """Where the scores of a moment lie."""
    return space.scores / f"as_of={moment_name(as_of)}" / "scores.parquet"


def customers_in(scores: Path) -> int:
    """How many customers a score file has."""
    return pq.read_metadata(scores).num_rows


def write(scores: pd.DataFrame, path: Path) -> Path:
    """Write a score table as Parquet (or CSV by the path's ending), whole or not at all."""
    with backend.whole_or_nothing(path) as temporary:
        if path.suffix == ".csv":
            scores.to_csv(temporary, index=False)
        else:
            pq.write_table(parts.table_of(scores), temporary)
    return path


def _refuse_before_the_first(space: Workspace, as_of: datetime) -> None:
    """Raise UserError when no purchase was known by then, before anything is written."""
    sold = moment.past(workspace.open_events(space).transactions, as_of)
    if sold.limit(1).to_pyarrow().num_rows == 0:
        parts.refuse_nobody(as_of)


def _built(space: Workspace, as_of: datetime) -> Snapshots:
    snapshots = Snapshots(space)
    for _ in snapshots.build([as_of]):
        pass
    return snapshots


def alone(folder: Path) -> AbstractContextManager[None]:
    """Within the block no run writes into the folder of a moment; Unavailable while one does."""
    name = folder.name.removeprefix("as_of=")
    return hold.alone(
        folder,
        f"The scores as of {name} are being written by another run. Wait until it ends, or end "
        "it and run again: what it has finished is kept.",
    )
