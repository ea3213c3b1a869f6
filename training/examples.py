"""Made-up customers on whom stored models must say again what they said when they were stored.

They belong to nobody: histories of a few kinds, with everything else as it is in the middle of the
business. A model that was damaged on its way, or is read by code that computes otherwise, is found
out on them before anybody is scored by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

# Purchase days, days since the last and since the first: new, once long ago, regular, frequent,
# and a regular who has gone silent.
HISTORIES = ((1, 3, 3), (1, 300, 300), (5, 20, 300), (40, 2, 700), (8, 250, 600))
# Other processors and libraries round the last digits of an exponential otherwise, and trees pass
# such a difference on only where it crosses a cut.
TOLERANCE = 1e-6


def of(today: pd.DataFrame, features: Sequence[str]) -> list[dict[str, Any]]:
    """One row per kind of history: every feature, null where most customers' is.

    today: the customers that models are trained for.
    """
    usual = {name: _usual(today[name]) for name in features}
    return [usual | _history(*history, today) for history in HISTORIES]


def frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Stored rows as models read them: texts as objects, all else as float64."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    return pd.DataFrame({
        name: pd.Series(values, dtype=object if any(isinstance(v, str) for v in values) else float)
        for name, values in columns.items()
    })  # fmt: skip


def differences(
    stored: Mapping[str, Sequence[float | None]], found: Mapping[str, Sequence[float | None]]
) -> list[str]:
    """Which answers are not those that were stored, or are no numbers at all; null equals null."""
    return [
        name
        for name, values in stored.items()
        if not np.allclose(
            np.array(found[name], dtype=float), np.array(values, dtype=float),
            rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True,
        )
        or np.isinf(np.array(found[name], dtype=float)).any()
    ]  # fmt: skip


def _usual(values: pd.Series) -> float | str | None:
    """What most customers have: the median, the most frequent text, or nothing."""
    if values.isna().mean() > 0.5:
        return None
    if pd.api.types.is_numeric_dtype(values):
        return float(values.median())
    return str(values.mode().iloc[0])


def _history(days: int, recency: int, age: int, today: pd.DataFrame) -> dict[str, float]:
    """The features that buy-till-you-die reads, which must fit together: equal gaps and orders."""
    order = float(today.day_amount_sum.sum() / max(today.purchase_days_total.sum(), 1.0))
    log_order, repeats = float(np.log(max(order, 1.0))), days - 1
    return {
        "purchase_days_total": float(days),
        "recency": float(recency),
        "age": float(age),
        "gap_log_sum": repeats * float(np.log((age - recency) / repeats)) if repeats else 0.0,
        "spend_total": days * order,
        "day_amount_sum": days * order,
        "day_amount_log_sum": days * log_order,
        "day_amount_log_square_sum": days * log_order**2,
    }
