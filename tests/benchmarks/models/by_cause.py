"""How well each of the six causes is told: against the rest, beside the prior, and calibrated?

A forecast is called calibrated when its calibration error is no larger than chance makes it: 95 %
of the errors that outcomes drawn from the forecast itself would give.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training import chance, metrics
from training.tasks import CHURN_TYPES


def table(happened: pd.DataFrame, forecast: pd.DataFrame, prior: pd.DataFrame) -> pd.DataFrame:
    """One row per cause; happened: 0 or 1, the others chances, each with a column per cause.

    Columns: rows, log_loss, prior_log_loss, gain over the prior with its 95 % interval (low, high),
    auc, calibration_error, chance_error (the largest that chance explains), forecast, actual.
    """
    rows = [_row(cause, happened[cause].to_numpy(float), forecast[cause].to_numpy(float),
                 prior[cause].to_numpy(float)) for cause in CHURN_TYPES]  # fmt: skip
    return pd.DataFrame(rows).set_index("cause")


def _row(cause: str, happened: NDArray, forecast: NDArray, prior: NDArray) -> dict[str, object]:
    mine, alike = (metrics.log_losses(happened, each) for each in (forecast, prior))
    customers = np.arange(len(happened))  # each has one row
    gain, low, high = chance.paired_bootstrap(alike, mine, customers)
    return {
        "cause": cause,
        "log_loss": mine.mean(),
        "prior_log_loss": alike.mean(),
        "gain": gain,
        "low": low,
        "high": high,
        "auc": metrics.roc_auc(happened, forecast),
        "calibration_error": metrics.expected_calibration_error(happened, forecast),
        "chance_error": chance.calibration_by_chance(forecast, customers),
        "forecast": forecast.mean(),
        "actual": happened.mean(),
    }


def one_hot(cause: pd.Series) -> pd.DataFrame:
    """0 or 1 per cause; a row without a cause has 0 in all of them."""
    return pd.DataFrame({name: (cause == name).to_numpy() * 1.0 for name in CHURN_TYPES})


def markdown(found: pd.DataFrame, what: str) -> str:
    """The table of a question, one row per cause; bold is better than the prior or calibrated."""
    heads = [what, "log-loss", "prior", "gain, 95 % interval", "AUC", "calibration error",
             "of chance, at most", "mean forecast", "actual"]  # fmt: skip
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for cause, row in found.iterrows():
        error = _bold(row.calibration_error, row.calibration_error <= row.chance_error)
        cells = [
            str(cause), _bold(row.log_loss, row.low > 0), f"{row.prior_log_loss:.4f}",
            f"{row.gain:+.4f}, {row.low:+.4f} to {row.high:+.4f}", f"{row.auc:.3f}", error,
            f"{row.chance_error:.4f}", f"{row.forecast:.4f}", f"{row.actual:.4f}",
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _bold(score: float, is_good: bool) -> str:
    return f"**{score:.4f}**" if is_good else f"{score:.4f}"
