"""Groups side by side: pairs of bars with their numbers, and measured shares with their range."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from serving.report_parts import svg
from serving.report_parts.blocks import Cell, percent
from serving.report_parts.drawing import BASELINE, INK, MODEL, MUTED

HEAD = 24.0
ROW = 34.0
ROOM = 56.0  # at the right, for a number


def pairs(
    names: Sequence[str],
    first: Sequence[Cell],
    second: Sequence[Cell],
    labels: tuple[str, str],
) -> Markup:
    """Two numbers per group as bars on one scale, the first group on top.

    Raises nothing for missing or negative numbers: they have no bar.
    """
    left = max(svg.width_of(name) for name in names) + 12
    shown = [cell.value or 0.0 for cell in (*first, *second)]
    scale = (svg.WIDTH - left - ROOM) / max(max(shown), 1e-12)
    parts = _legend(labels, left)
    for place, (name, one, two) in enumerate(zip(names, first, second, strict=True)):
        y = HEAD + place * ROW
        parts.append(svg.text(left - 8, y + 17, name, anchor="end"))
        for cell, top, color in ((one, y + 2, BASELINE), (two, y + 15, MODEL)):
            wide = max(cell.value or 0.0, 0.0) * scale
            parts.append(svg.box(left, top, wide, 11, color))
            parts.append(svg.text(left + wide + 4, top + 9, cell.text, size=8, color=MUTED))
    parts.append(svg.line([(left, HEAD), (left, HEAD + ROW * len(names))], BASELINE, width=0.8))
    return svg.picture(HEAD + ROW * len(names) + 4, parts)


def _legend(labels: tuple[str, str], x: float) -> list[str]:
    parts = []
    for label, color in zip(labels, (BASELINE, MODEL), strict=True):
        parts += [svg.box(x, 5, 10, 7, color), svg.text(x + 14, 12, label)]
        x += 14 + svg.width_of(label) + 16
    return parts


def ranges(names: Sequence[str], table: pd.DataFrame, across: str) -> Markup:
    """Measured shares as dots with the range chance leaves them.

    Args:
        names: one per row.
        table: columns middle, low, high: shares 0-1; low and high may be nan.
        across: what the shares are of.
    """
    left = max(svg.width_of(name) for name in names) + 14
    ends = table[["middle", "low", "high"]].to_numpy(dtype=float)
    up = svg.ticks(float(np.nanmax(np.append(ends, 0.0))))
    scale = (svg.WIDTH - left - ROOM) / up[-1]
    foot = 8 + ROW * len(names)
    parts = []
    for share in up:
        x = left + share * scale
        parts.append(svg.line([(x, 8), (x, foot)], "#e3e7eb", width=0.8))
        parts.append(svg.text(x, foot + 13, percent(share).text, anchor="middle", color=MUTED))
    for place, (name, (middle, low, high)) in enumerate(zip(names, ends, strict=True)):
        y = 8 + (place + 0.5) * ROW
        parts.append(svg.text(left - 10, y + 3, name, anchor="end", bold=True))
        if np.isfinite(low) and np.isfinite(high):
            parts.append(svg.line([(left + low * scale, y), (left + high * scale, y)], INK,
                                  width=1.6))  # fmt: skip
        if np.isfinite(middle):
            end = left + scale * (high if np.isfinite(high) else middle)
            parts.append(svg.dot(left + middle * scale, y, 4.2, MODEL))
            parts.append(svg.text(end + 8, y + 3, percent(middle).text, bold=True))
    parts.append(svg.axis_title((left + svg.WIDTH - ROOM) / 2, foot + 28, across))
    return svg.picture(foot + 33, parts)
