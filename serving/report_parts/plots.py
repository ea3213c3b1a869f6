"""The figures of the report: a small table in, an inline SVG out.

Text stays text in the SVG and the browser sets it in the font of the page. The same table gives the
same bytes: no dates, no random ids. No display is needed.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import numpy as np
import pandas as pd
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from serving.report_parts.numbers import HISTOGRAM_BINS, TOP_SHARE
from serving.report_parts.words import Words

INK, MUTED, GRID = "#22303c", "#66727f", "#e3e7eb"
MODEL, BASELINE, ACTUAL = "#14607a", "#98a2ad", "#b9d3da"
ACCENT = "#b5452f"
# From calm to alarming, and from light to dark, so that a grey print keeps the order.
BANDS = {"low": "#b5d5d3", "medium": "#e2a84b", "high": ACCENT, "none": MODEL}

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "holdfast",
    "text.parse_math": False,  # a "$" in a label is a currency sign
    "font.family": ["DejaVu Sans"],  # comes with matplotlib; only used to measure
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
WIDTH, HEIGHT = 7.2, 3.5  # inches; the page scales it to its column
ROW = 0.40  # inches a pair of horizontal bars needs
NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}

Rest = ParamSpec("Rest")


def plot(draw: Callable[Concatenate[Axes, Rest], None]) -> Callable[Rest, Markup]:
    """Turn a function that draws on axes into one that returns the figure as inline SVG."""

    @wraps(draw)
    def drawn(*given: Rest.args, **named: Rest.kwargs) -> Markup:
        with rc_context(STYLE), warnings.catch_warnings():
            # The browser's fonts draw the text; that the measuring font lacks a glyph is no matter.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
            draw(figure.add_subplot(), *given, **named)
            return _inline(figure, draw.__name__)

    return drawn


def _inline(figure: Figure, name: str) -> Markup:
    """The figure as an `<svg>` element whose ids cannot meet those of another figure."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=NO_METADATA)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)  # would rule the whole page
    # Only ids of a letter and a hash are referred to; the others would be the same in every figure.
    svg = re.sub(r' id="(?![a-z][0-9a-f]{10}")[^"]*"', "", svg)
    svg = re.sub(r'( id="|"#|url\(#)', rf"\g<1>{name}-", svg)
    return Markup(svg)  # matplotlib escapes every text it writes


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
    _percent(axes.xaxis)
    _counts(axes)
    axes.grid(axis="x", visible=False)
    axes.set_xlabel(words["plot.risk"])
    axes.set_ylabel(words["plot.customers"])
    _legend(axes)


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
def stages(axes: Axes, names: Sequence[str], groups: pd.DataFrame, words: Words) -> None:
    """Share of customers and of the money at risk per stage; `numbers.by_group`."""
    labels = (words["plot.customer_share"], words["plot.loss_share"])
    _pairs(axes, names, groups["customer_share"], groups["loss_share"], labels)


@plot
def causes(axes: Axes, names: Sequence[str], shares: pd.Series, words: Words) -> None:
    """Share of the expected churn per cause; a missing share is written as unavailable."""
    _height(axes, 0.6 + 0.9 * ROW * len(names))
    bars = axes.barh(np.arange(len(names)), shares.fillna(0).to_numpy(), 0.6, color=MODEL)
    texts = [words["plot.unavailable"] if np.isnan(v) else _percent_text(v) for v in shares]
    axes.bar_label(bars, texts, padding=4, fontsize=8, color=MUTED)
    _rows(axes, names)


@plot
def pareto(axes: Axes, curve: pd.DataFrame, words: Words) -> None:
    """Share of the expected value held by the most valuable customers; a gain curve."""
    at_top = float(np.interp(TOP_SHARE, curve["share"], curve["found"]))
    axes.fill_between(curve["share"], curve["found"], color=ACTUAL, alpha=0.45, linewidth=0)
    axes.plot(curve["share"], curve["found"], color=MODEL, linewidth=2)
    axes.plot([0, 1], [0, 1], color=BASELINE, linewidth=1, linestyle=(0, (3, 3)))
    axes.text(0.62, 0.55, words["plot.all_equal"], color=MUTED, fontsize=8)
    _mark(axes, at_top)
    _unit_square(axes, words["plot.customers_by_value"], words["plot.value_share"])


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
    _unit_square(axes, words["plot.predicted_risk"], words["plot.realised_risk"])
    _legend(axes)


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
    _unit_square(axes, words["plot.customers_by_risk"], words["plot.leavers_share"])
    _legend(axes)


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
    _counts(axes)
    axes.grid(axis="x", visible=False)
    axes.set_xlabel(words["plot.tenths"])
    axes.set_ylabel(words["plot.value_each"])
    _legend(axes)


def _pairs(
    axes: Axes,
    names: Sequence[str],
    first: pd.Series,
    second: pd.Series,
    labels: tuple[str, str],
) -> None:
    """Two shares per group as pairs of horizontal bars, the first group on top."""
    place = np.arange(len(names))
    _height(axes, 1.0 + ROW * len(names))
    for values, shift, color, label in (
        (first, -0.19, BASELINE, labels[0]),
        (second, 0.19, MODEL, labels[1]),
    ):
        shown = values.fillna(0).to_numpy()
        bars = axes.barh(place + shift, shown, 0.34, color=color, label=label)
        texts = ["" if np.isnan(v) else _percent_text(v) for v in values]
        axes.bar_label(bars, texts, padding=3, fontsize=8, color=MUTED)
    _rows(axes, names)
    _legend(axes)


def _height(axes: Axes, inches: float) -> None:
    figure = axes.get_figure(root=True)
    if figure is not None:
        figure.set_figheight(inches)


def _unit_square(axes: Axes, across: str, up: str) -> None:
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=across, ylabel=up)
    _percent(axes.xaxis)
    _percent(axes.yaxis)


def _percent_text(share: float) -> str:
    return f"{share:.0%}".replace("-0%", "0%").replace("-", "−")


def _percent(axis: Axis) -> None:
    axis.set_major_formatter(PercentFormatter(1, decimals=0))


def _counts(axes: Axes) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,.0f}".replace("-", "−")))


def _rows(axes: Axes, names: Sequence[str]) -> None:
    """Horizontal bars: the first row on top, names at the left, room for the numbers."""
    axes.set_yticks(np.arange(len(names)), names)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.margins(x=0.12)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=BASELINE, linewidth=0.8)
    _percent(axes.xaxis)


def _mark(axes: Axes, found: float) -> None:
    """Point at what the first fifth of the customers holds."""
    if np.isnan(found):
        return
    axes.plot([TOP_SHARE, TOP_SHARE], [0, found], color=ACCENT, linewidth=1, linestyle=":")
    axes.plot([TOP_SHARE], [found], color=ACCENT, marker="o", markersize=6)
    label = f"{_percent_text(TOP_SHARE)} → {_percent_text(found)}"
    axes.text(TOP_SHARE + 0.012, 0.04, label, color=ACCENT)  # low, where no curve passes


def _legend(axes: Axes) -> None:
    """Above the plot, at its left edge, in one line."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        axes.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            ncols=len(labels),
            borderaxespad=0.2,
            handlelength=1.4,
            columnspacing=1.4,
        )
