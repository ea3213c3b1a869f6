"""How every figure of the report is drawn: colors, axes, and an inline SVG that asks for nothing.

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
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

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
            # The browser's fonts draw the text. What stands for a Chinese letter that the measuring
            # font lacks is a little wider than the letter, so there is room for it.
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


def height(axes: Axes, inches: float) -> None:
    """Make the whole figure this high."""
    figure = axes.get_figure(root=True)
    if figure is not None:
        figure.set_figheight(inches)


def unit_square(axes: Axes, across: str, up: str) -> None:
    """Both axes are shares from 0 to 1, with their names."""
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel=across, ylabel=up)
    percent_axis(axes.xaxis)
    percent_axis(axes.yaxis)


def percent_text(share: float) -> str:
    """A share as whole percents."""
    return f"{share:.0%}".replace("-0%", "0%").replace("-", "−")


def percent_axis(axis: Axis) -> None:
    """Write the ticks of an axis of shares as percents."""
    axis.set_major_formatter(PercentFormatter(1, decimals=0))


def counts_axis(axes: Axes) -> None:
    """Few ticks up, at whole numbers, with thousands separated."""
    axes.yaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:,.0f}".replace("-", "−")))


def name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Horizontal bars: the first row on top, names at the left, room for the numbers."""
    axes.set_yticks(np.arange(len(names)), names)
    axes.tick_params(axis="y", labelcolor=INK)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.margins(x=0.12)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=BASELINE, linewidth=0.8)
    percent_axis(axes.xaxis)


def legend(axes: Axes) -> None:
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
