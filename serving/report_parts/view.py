"""What every section is given: the scores, the test, and the words, in one shape."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from features.errors import UserError
from serving.report_parts.extras import Extras
from serving.report_parts.numbers import CAUSES, TIERS, tidy
from serving.report_parts.words import Words

REQUIRED = (
    "customer_id",
    "status",
    "churn_probability",
    "expected_value",
    "tier",
    "stage",
    "expected_loss",
)
NUMBERS = (
    "churn_probability",
    "purchase_probability",
    "expected_value",
    "expected_value_low",
    "expected_value_high",
    "expected_loss",
    "max_spend",
    "retain_advised",
    "clv_if_retained",
    "clv_future",
    "value_now",
    "rfm_recency",
    "rfm_frequency",
    "rfm_monetary",
    "lifetime_days",
    "remaining_days",
    *(f"type_{cause}" for cause in CAUSES),
    *(f"tier_next_{tier}" for tier in TIERS),
)
TEXTS = (
    "customer_id",
    "status",
    "churn_band",
    "tier",
    "stage",
    "top_factors",
    "cause",
    "lever",
    "tier_previous",
    "rfm_class",
    "value_quadrant",
    "ladder",
    "loyalty",
    "loyalty_type",
    "marketing_mode",
)
TEST_NUMBERS = (
    "is_active",
    "bought",
    "purchase_probability",
    "baseline_probability",
    "value",
    "expected_value",
    "expected_value_low",
    "expected_value_high",
    "baseline_value",
)
TESTED = ("risk", "baseline_risk", "left", "value")
METRICS = ("task", "model", "metric", "value")


@dataclass(frozen=True)
class View:
    """One report's material.

    `scores` has the columns NUMBERS and TEXTS, one row per customer; `held_out` has TEST_NUMBERS,
    one row per tested customer, and is None without a test; `metrics` has METRICS; `extras` are
    tables of a few rows that the scores cannot give; `methods` compares the ways to value a
    customer (None: not compared).
    """

    scores: pd.DataFrame
    held_out: pd.DataFrame | None
    metrics: pd.DataFrame
    note: str
    words: Words
    extras: Extras
    methods: pd.DataFrame | None = None

    def word(self, kind: str, code: object) -> str:
        """The word for a code, such as `tier` and `mvc`; the code itself when it is not known."""
        return self.words.get(f"{kind}.{code}", str(code))

    @property
    def tested_active(self) -> pd.DataFrame:
        """Held-out customers at risk: `risk`, `baseline_risk` (0-1), `left` (0 or 1), `value`."""
        if self.held_out is None:
            return pd.DataFrame({name: [] for name in TESTED}, dtype=float)
        rows = self.held_out[self.held_out["is_active"] == 1]
        known = rows.dropna(subset=["purchase_probability", "bought"])
        return pd.DataFrame(
            {
                "risk": 1 - known["purchase_probability"],
                "baseline_risk": 1 - known["baseline_probability"],
                "left": 1 - known["bought"],
                "value": known["value"],
            }
        )

    @property
    def tested_value(self) -> pd.DataFrame:
        """Held-out customers whose value is known and was forecast."""
        if self.held_out is None:
            return pd.DataFrame({name: [] for name in TEST_NUMBERS}, dtype=float)
        return self.held_out.dropna(subset=["value", "expected_value"])


def view(
    scores: pd.DataFrame,
    held_out: pd.DataFrame | None,
    metrics: pd.DataFrame,
    note: str,
    words: Words,
    extras: Extras,
    methods: pd.DataFrame | None = None,
) -> View:
    """Check the scores and bring everything into one shape.

    Losing a customer who costs more than he brings is no loss: negative `expected_loss` counts as
    zero. Raises UserError for scores without customers or without a required column.
    """
    missing = [name for name in REQUIRED if name not in scores.columns]
    if missing:
        raise UserError(
            f"The report needs the score columns {', '.join(missing)}, which are not there. "
            "Give the table that `holdfast score` writes."
        )
    if scores.empty:
        raise UserError("There are no customers in the scores, so there is nothing to report on.")
    tidied = tidy(scores, NUMBERS, TEXTS)
    tidied["expected_loss"] = tidied["expected_loss"].clip(lower=0)
    tested = held_out is not None and len(held_out) > 0
    return View(
        scores=tidied,
        held_out=tidy(held_out, TEST_NUMBERS, ()) if held_out is not None and tested else None,
        metrics=tidy(metrics, ("value",), ("task", "model", "metric")),
        note=note,
        words=words,
        extras=extras,
        methods=methods,
    )
