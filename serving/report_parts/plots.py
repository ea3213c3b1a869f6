"""The figures of the report: a small table in, an inline SVG out (see `drawing`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from serving.report_parts.drawing import (
    ACCENT,
    ACTUAL,
    BANDS,
    BASELINE,
    MODEL,
    MUTED,
    ROW,
    counts_axis,
    height,
    legend,
    name_rows,
    percent_axis,
    percent_text,
    plot,
    unit_square,
)
from serving.report_parts.numbers import HISTOGRAM_BINS, TOP_SHARE
from serving.report_parts.words import Words


@plot
def risk_histogram(axes: Axes, bins: pd.DataFrame, words: Words) -> None:
    """Active customers by churn probability, coloured by band; `numbers.risk_histogram`."""
    floor = np.zeros(len(bins))
    step = 1 / HISTOGRAM_BINS
    for band in bins.columns:
        label = words.get(f"band.{band}", band)
        color = BANDS.get(band, BASELINE)
        axes.bar(bins.index, bins[band], step * 0.92, floor, align="edge", color=color, label=label)
        floor = floor + bins[band].to_numpy()
    axes.set_xlim(0, 1)
    percent_axis(axes.xaxis)
    counts_axis(axes)
    axes.grid(axis="x", visible=False)
    axes.set_xlabel(words["plot.risk"])
    axes.set_ylabel(words["plot.customers"])
    legend(axes)


@plot
def value_classes(axes: Axes, names: Sequence[str], classes: pd.DataFrame, words: Words) -> None:
    """Where the customers are and where the value is; `numbers.value_classes`."""
    labels = (words["plot.customer_share"], words["plot.value_share_of"])
    _pairs(axes, names, classes["customer_share"], classes["value_share"], labels)


@plot
def tiers(axes: Axes, names: Sequence[str], groups: pd.DataFrame, words: Words) -> None:
    """Share of customers and of expected value per tier; `numbers.by_group`."""
    labels = (words["plot.customer_share"], words["plot.value_share_of"])
    _pairs(axes, names, groups["customer_share"], groups["value_share"], labels)


@plot
def causes(axes: Axes, names: Sequence[str], shares: pd.Series, words: Words) -> None:
    """Share of the expected churn per cause; a missing share is written as unavailable."""
    height(axes, 0.6 + 0.9 * ROW * len(names))
    bars = axes.barh(np.arange(len(names)), shares.fillna(0).to_numpy(), 0.6, color=MODEL)
    texts = [words["plot.unavailable"] if np.isnan(v) else percent_text(v) for v in shares]
    axes.bar_label(bars, texts, padding=4, fontsize=8, color=MUTED)
    name_rows(axes, names)


@plot
def pareto(axes: Axes, curve: pd.DataFrame, words: Words) -> None:
    """Share of the expected value held by the most valuable customers; a gain curve."""
    at_top = float(np.interp(TOP_SHARE, curve["share"], curve["found"]))
    axes.fill_between(curve["share"], curve["found"], color=ACTUAL, alpha=0.45, linewidth=0)
    axes.plot(curve["share"], curve["found"], color=MODEL, linewidth=2)
    axes.plot([0, 1], [0, 1], color=BASELINE, linewidth=1, linestyle=(0, (3, 3)))
    axes.text(0.62, 0.55, words["plot.all_equal"], color=MUTED, fontsize=8)
    _mark(axes, at_top)
    unit_square(axes, words["plot.customers_by_value"], words["plot.value_share"])


@plot
def calibration(axes: Axes, model: pd.DataFrame, baseline: pd.DataFrame, words: Words) -> None:
    """Predicted against realised churn in groups; `numbers.reliability` of both."""
    axes.plot([0, 1], [0, 1], color=BASELINE, linewidth=1, linestyle=(0, (3, 3)))
    axes.plot(
        baseline["predicted"],
        baseline["realised"],
        color=BASELINE,
        marker="D",
        markersize=5,
        markerfacecolor="white",
        linewidth=1,
        label=words["plot.baseline"],
    )
    axes.vlines(model["predicted"], model["low"], model["high"], color=MODEL, linewidth=1.2)
    axes.plot(
        model["predicted"],
        model["realised"],
        color=MODEL,
        marker="o",
        markersize=6,
        linewidth=1.5,
        label=words["plot.model"],
    )
    unit_square(axes, words["plot.predicted_risk"], words["plot.realised_risk"])
    legend(axes)


@plot
def gain(
    axes: Axes, model: pd.DataFrame, baseline: pd.DataFrame, best: pd.DataFrame, words: Words
) -> None:
    """Share of the leavers found among the first customers by risk; three gain curves."""
    axes.plot(
        best["share"],
        best["found"],
        color=ACTUAL,
        linewidth=2,
        label=words["plot.best"],
    )
    axes.plot([0, 1], [0, 1], color=BASELINE, linewidth=1, linestyle=(0, (3, 3)))
    axes.text(0.62, 0.55, words["plot.by_chance"], color=MUTED, fontsize=8)
    axes.plot(
        baseline["share"],
        baseline["found"],
        color=BASELINE,
        linewidth=1.6,
        label=words["plot.baseline"],
    )
    axes.plot(model["share"], model["found"], color=MODEL, linewidth=2, label=words["plot.model"])
    _mark(axes, float(np.interp(TOP_SHARE, model["share"], model["found"])))
    unit_square(axes, words["plot.customers_by_risk"], words["plot.leavers_share"])
    legend(axes)


@plot
def threshold(axes: Axes, found: pd.DataFrame, best: int | None, words: Words) -> None:
    """Profit by the risk from which on customers are contacted; `threshold.profits`."""
    share = found.index.to_numpy() / 100
    profit = found["profit"].to_numpy()
    axes.fill_between(share, profit, where=profit >= 0, color=ACTUAL, alpha=0.45, linewidth=0)
    axes.plot(share, profit, color=MODEL, linewidth=2)
    axes.axhline(0, color=BASELINE, linewidth=1)
    if best is not None:
        axes.plot([best / 100], [profit[best]], color=ACCENT, marker="o", markersize=6)
        label = f"{percent_text(best / 100)} → {profit[best]:,.0f}"
        axes.annotate(
            label, (best / 100, profit[best]), (6, 5), textcoords="offset points", color=ACCENT
        )
    axes.set_xlim(0, 1)
    axes.margins(y=0.12)
    percent_axis(axes.xaxis)
    counts_axis(axes)
    axes.set_xlabel(words["plot.threshold"])
    axes.set_ylabel(words["plot.profit"])


@plot
def forecast(axes: Axes, tenths: pd.DataFrame, words: Words) -> None:
    """Mean forecast beside what came, per tenth by forecast; `numbers.value_by_tenth`."""
    place = np.arange(1, len(tenths) + 1)
    axes.bar(place, tenths["actual"], 0.7, color=ACTUAL, label=words["plot.actual"])
    axes.plot(
        place,
        tenths["baseline"],
        color=BASELINE,
        marker="D",
        markersize=5,
        markerfacecolor="white",
        linestyle="",
        label=words["plot.baseline"],
    )
    axes.plot(
        place,
        tenths["expected"],
        color=MODEL,
        marker="o",
        markersize=6,
        linestyle="",
        label=words["plot.forecast"],
    )
    axes.set_xticks(place)
    counts_axis(axes)
    axes.grid(axis="x", visible=False)
    axes.set_xlabel(words["plot.tenths"])
    axes.set_ylabel(words["plot.value_each"])
    legend(axes)


def _pairs(
    axes: Axes,
    names: Sequence[str],
    first: pd.Series,
    second: pd.Series,
    labels: tuple[str, str],
) -> None:
    """Two shares per group as pairs of horizontal bars, the first group on top."""
    place = np.arange(len(names))
    height(axes, 1.0 + ROW * len(names))
    for values, shift, color, label in (
        (first, -0.19, BASELINE, labels[0]),
        (second, 0.19, MODEL, labels[1]),
    ):
        shown = values.fillna(0).to_numpy()
        bars = axes.barh(place + shift, shown, 0.34, color=color, label=label)
        texts = ["" if np.isnan(v) else percent_text(v) for v in values]
        axes.bar_label(bars, texts, padding=3, fontsize=8, color=MUTED)
    name_rows(axes, names)
    legend(axes)


def _mark(axes: Axes, found: float) -> None:
    """Point at what the first fifth of the customers holds."""
    if np.isnan(found):
        return
    axes.plot([TOP_SHARE, TOP_SHARE], [0, found], color=ACCENT, linewidth=1, linestyle=":")
    axes.plot([TOP_SHARE], [found], color=ACCENT, marker="o", markersize=6)
    label = f"{percent_text(TOP_SHARE)} → {percent_text(found)}"
    axes.text(TOP_SHARE + 0.012, 0.04, label, color=ACCENT)  # low, where no curve passes
