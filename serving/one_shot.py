"""Your files in, scores and a report out: the whole way once, in a passing workspace."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import ibis.expr.types as ir
import pandas as pd

from features import backend, reading, workspace
from features.errors import UserError
from features.events import TABLES
from features.reading import ColumnMapping
from features.store import FeatureStore
from features.workspace import Workspace
from serving import batch
from serving.policy import Policy
from serving.reporting import LANGUAGE, report_on, words_of
from training import frame
from training.definitions import INACTIVITY, Definition
from training.request import Request
from training.train import Progress, learn


@dataclass(frozen=True)
class Files:
    """The user's files per canonical table, and how their columns are named."""

    paths: Mapping[str, Path]
    mapping: ColumnMapping

    def tables(self) -> dict[str, ir.Table]:
        """The files as raw tables with canonical names; see reading.read for what is refused."""
        return {n: reading.read(path, TABLES[n], self.mapping) for n, path in self.paths.items()}


def run(
    files: Files,
    as_of: datetime | None,
    horizon_days: int,
    value_horizon_days: int,
    policy: Policy,
    out: Path,
    progress: Progress,
    language: str = LANGUAGE,
    churn: Definition = INACTIVITY,
) -> pd.DataFrame:
    """Write `scores.parquet` and `report.html` into `out`; returns the scores.

    Rows set aside stand in `rejected_<table>.csv` with the reason. churn: what it means to leave.

    Uses nothing that happened or was known after `as_of` (default: the end of the data). Raises
    UserError for input that cannot carry the request; then nothing is written.
    """
    refuse_file_as_folder(out)
    words = words_of(language)
    with tempfile.TemporaryDirectory(prefix="holdfast-") as folder:
        space = Workspace(Path(folder))
        progress("reading and checking the files")
        reports = workspace.ingest(space, files.tables(), files.mapping.time_format)
        for report in reports:
            progress(report.sentence())
        store = FeatureStore(space)
        request = Request(as_of or frame.last_event(store), horizon_days, value_horizon_days, churn)
        learned = learn(store, request, progress)
        progress("scores of every customer")
        scores = batch.score_everyone(space, learned.models, policy, request.as_of)
        made = batch.write(scores, Path(folder) / "scores.parquet")
        progress("report")
        page = Path(folder) / "report.html"
        report_on(space, scores, learned.models, learned.proof, policy, page, words)
        results = {"scores.parquet": made, "report.html": page}
        results |= {f"rejected_{r.table}.csv": r.aside for r in reports if r.aside}
        for name, path in results.items():  # all are whole before one is seen
            with backend.whole_or_nothing(out / name) as temporary:
                shutil.copyfile(path, temporary)
    return scores


def refuse_file_as_folder(out: Path) -> None:
    """Raise UserError when the output folder is a file."""
    if out.exists() and not out.is_dir():
        raise UserError(f"The output {out} is a file, and a folder was asked for. Name another.")
