"""The score files that were made, each with what it was made of as far as that was written down."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from features.workspace import Workspace
from training.sampling import drawn

MADE_OF = "made_of.json"
COLUMNS = (
    "customer_id", "as_of", "status", "churn_probability", "churn_band", "expected_value", "tier",
)  # fmt: skip
_DAYS = re.compile(r"-(\d+)d@")


@dataclass(frozen=True)
class Made:
    """One score file: its moment, its path, and what is told of its making; empty when nothing is.

    told: keys such as versions (task -> version) and definitions (task -> churn-90d@1).
    """

    as_of: datetime
    path: Path
    told: Mapping[str, Any]

    def horizon_days(self, task: str, otherwise: int) -> int:
        """The horizon of a question when it was scored, days."""
        definitions = self.told.get("definitions") or {}
        found = _DAYS.search(str(definitions.get(task, "")))
        return int(found.group(1)) if found else otherwise

    def rows(self) -> pd.DataFrame:
        """COLUMNS of its customers; of very many some are drawn, always the same."""
        rows = pd.read_parquet(self.path, columns=list(COLUMNS))
        return rows[drawn(rows.customer_id, of=len(rows))].reset_index(drop=True)

    def planned(self) -> pd.DataFrame | None:
        """The plan beside it: customer_id, campaign, treated; None without one."""
        path = self.path.with_name("plan.parquet")
        if not path.exists():
            return None
        plan = pd.read_parquet(path, columns=["customer_id", "is_control"])
        return pd.DataFrame({
            "customer_id": plan.customer_id, "campaign": "plan", "treated": ~plan.is_control
        })  # fmt: skip


def until(space: Workspace, as_of: datetime) -> list[Made]:
    """The score files of moments up to `as_of`, the newest first."""
    found = []
    for path in space.scores.glob("as_of=*/scores.parquet"):
        moment = _moment(path)
        if moment is not None:
            found.append(Made(moment, path, _told(path.with_name(MADE_OF))))
    earlier = [made for made in found if made.as_of <= as_of]
    return sorted(earlier, key=lambda made: made.as_of, reverse=True)


def _moment(path: Path) -> datetime | None:
    file = pq.ParquetFile(path)
    rows = next(file.iter_batches(1, columns=["as_of"]), None)
    return pd.Timestamp(rows["as_of"][0].as_py()).to_pydatetime() if rows else None


def _told(path: Path) -> Mapping[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):  # nothing was written, or half of it
        return {}
