"""Plots of a test for the experiment tracker: calibration, gain and value by decile."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.evaluate import Backtest

BINS = 10


def of_tests(churn: Backtest | None, value: Backtest | None) -> dict[str, Figure]:
    """Name -> figure, for the tests there were."""
    figures = {}
    if churn:
        active = churn.held_out[churn.held_out.is_active]
        figures["calibration"] = calibration(active)
        figures["gain"] = gain(active)
    if value:
        figures["value_by_decile"] = value_by_decile(value.held_out)
    return figures


def calibration(held_out: pd.DataFrame) -> Figure:
    """Forecast against realised churn in ten equal-mass bins, with the baseline beside."""
    figure, axis = _axes("Forecast churn probability", "Realised churn rate")
    axis.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for column, label in (("purchase_probability", "model"), ("baseline_probability", "baseline")):
        binned = _by_rank(held_out, 1.0 - held_out[column].astype(float))
        axis.plot(binned.forecast, 1.0 - binned.bought, marker="o", label=label)
    axis.legend()
    return figure


def gain(held_out: pd.DataFrame) -> Figure:
    """Share of all leavers found among the share of customers with the highest risk."""
    figure, axis = _axes("Share of customers, highest risk first", "Share of leavers found")
    left = 1.0 - held_out.bought.to_numpy(dtype=float)
    share = np.arange(1, len(left) + 1) / max(len(left), 1)
    for column, label in (("purchase_probability", "model"), ("baseline_probability", "baseline")):
        order = np.argsort(held_out[column].to_numpy(dtype=float), kind="stable")
        axis.plot(share, np.cumsum(left[order]) / max(left.sum(), 1.0), label=label)
    axis.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axis.legend()
    return figure


def value_by_decile(held_out: pd.DataFrame) -> Figure:
    """Mean forecast and mean actual value of each tenth of customers by forecast."""
    figure, axis = _axes("Tenth of customers by forecast value", "Mean value, currency units")
    binned = _by_rank(held_out, held_out.expected_value)
    axis.plot(range(1, len(binned) + 1), binned.forecast, marker="o", label="forecast")
    axis.plot(range(1, len(binned) + 1), binned.value, marker="o", label="actual")
    axis.legend()
    return figure


def _by_rank(held_out: pd.DataFrame, forecast: pd.Series) -> pd.DataFrame:
    rank = forecast.rank(method="first")
    bins = np.minimum((rank - 1) * BINS // max(len(forecast), 1), BINS - 1)
    means = held_out.assign(forecast=forecast)[["forecast", "bought", "value"]].astype(float)
    return means.groupby(bins).mean()


def _axes(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6, 4), layout="constrained")
    axis = figure.subplots()
    axis.set(xlabel=x, ylabel=y)
    return figure, axis
