"""What was measured on customers the models had not seen, kept beside the champions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from features import backend
from training.evaluate import Backtest

RISK_COLUMNS = ("purchase_probability", "baseline_probability")
VALUE_COLUMNS = (
    "expected_value", "expected_value_median", "expected_value_low", "expected_value_high",
    "baseline_value",
)  # fmt: skip
COLUMNS = (
    "customer_id", "as_of", "is_active", "bought", "value", *RISK_COLUMNS, *VALUE_COLUMNS,
)  # fmt: skip
METHODS_FILE = "methods.parquet"


@dataclass(frozen=True)
class Proof:
    """The tests of one training, as the report shows them.

    Attributes:
        held_out: COLUMNS, one row per tested customer, or None without a test. The risk columns
            are null in rows of a value test at another horizon, whose `is_active` is false, and
            the value columns in rows of a churn test.
        metrics: columns task (churn, clv, ...), model (model, baseline, ...), metric, value.
        note: what was tested, or why there is no test.
        methods: the ways to value customers side by side (value_methods.compare), None without.
    """

    held_out: pd.DataFrame | None
    metrics: pd.DataFrame
    note: str
    methods: pd.DataFrame | None = None

    @classmethod
    def of(
        cls,
        churn: Backtest | None,
        value: Backtest | None,
        metrics: pd.DataFrame,
        methods: pd.DataFrame | None = None,
    ) -> Proof:
        """Gather a churn test and a value test, which may be one and the same."""
        if churn is None and value is None:
            return cls(None, metrics, "The history is too short for a test at an earlier moment.")
        tests = [("risk and value", churn)] if churn is value else [("risk", churn),
                                                                    ("value", value)]  # fmt: skip
        parts = [_rows(test, what) for what, test in tests if test is not None]
        notes = [_note(test, what) for what, test in tests if test is not None]
        return cls(pd.concat(parts, ignore_index=True), metrics, " ".join(notes), methods)

    def save(self, folder: Path) -> None:
        """Write the proof into a folder as Parquet files and a note."""
        held_out = pd.DataFrame(columns=list(COLUMNS)) if self.held_out is None else self.held_out
        tables = {"held_out": held_out, "metrics": self.metrics}
        if self.methods is None:
            (folder / METHODS_FILE).unlink(missing_ok=True)  # of a former training
        else:
            tables["methods"] = self.methods
        for name, table in tables.items():
            with backend.whole_or_nothing(folder / f"{name}.parquet") as temporary:
                table.to_parquet(temporary, index=False)
        with backend.whole_or_nothing(folder / "note.json") as temporary:
            temporary.write_text(json.dumps({"note": self.note}))

    @classmethod
    def load(cls, folder: Path) -> Proof:
        """The proof that `save` wrote; without one, a proof that says so."""
        if not (folder / "note.json").exists():
            nothing = pd.DataFrame(columns=["task", "model", "metric", "value"])
            return cls(None, nothing, "No test of these models was kept.")
        held_out = pd.read_parquet(folder / "held_out.parquet")
        methods = folder / METHODS_FILE
        return cls(
            None if held_out.empty else held_out,
            pd.read_parquet(folder / "metrics.parquet"),
            json.loads((folder / "note.json").read_text())["note"],
            pd.read_parquet(methods) if methods.exists() else None,
        )


def _rows(test: Backtest, what: str) -> pd.DataFrame:
    rows = test.held_out.reindex(columns=list(COLUMNS)).astype({"bought": float, "value": float})
    blank: Sequence[str] = ()
    if what == "value":
        rows, blank = rows.assign(is_active=False), RISK_COLUMNS
    if what == "risk":
        blank = VALUE_COLUMNS
    return rows.assign(**dict.fromkeys(blank, np.nan))


def _note(test: Backtest, what: str) -> str:
    return (
        f"Tested ({what}) on customers as of {test.origin.as_of:%Y-%m-%d}, whose following "
        f"{test.origin.horizon_days} days are known by now and were not used."
    )
