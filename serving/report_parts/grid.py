"""Customers on a board: a heat map of five by five scores, and two by two classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from serving.report_parts import svg
from serving.report_parts.blocks import count, money, percent
from serving.report_parts.drawing import INK, MODEL, MUTED

SHADES = 5  # more steps of one color cannot be told apart
LIGHT_TEXT_FROM = 0.6  # shade from which dark letters are hard to read
PALEST = 0.06


def heat_map(
    customers: pd.DataFrame, worth: pd.DataFrame, across: str, up: str, hint: str
) -> Markup:
    """Customers and their money by two scores, shaded by the money.

    Args:
        customers: counts; rows by one score (upwards), columns by the other.
        worth: the money of the same customers, currency units.
        across: what the columns are.
        up: what the rows are.
        hint: a sentence with {customers}, {share} (of the money) and {money}.
    """
    left, head, high = 46.0, 8.0, 46.0
    wide = (svg.WIDTH - left - 6) / len(customers.columns)
    total = float(worth.to_numpy().clip(min=0).sum())
    most = float(worth.to_numpy().max(initial=0))
    parts = []
    for i, row in enumerate(reversed(list(customers.index))):
        y = head + i * high
        parts.append(svg.text(left - 8, y + high / 2 + 3, row, anchor="end", bold=True))
        for j, column in enumerate(customers.columns):
            n, amount = float(customers.loc[row, column]), float(worth.loc[row, column])
            share = amount / total if total > 0 else 0.0
            told = hint.format(customers=count(n).text, share=percent(share).text,
                               money=money(amount).text)  # fmt: skip
            place = (left + j * wide, y, wide - 2, high - 2)
            parts += _field(place, _shade(amount, most), n, percent(share).text, told)
    foot = head + len(customers) * high
    parts += [
        svg.text(left + (j + 0.5) * wide, foot + 12, column, anchor="middle", bold=True)
        for j, column in enumerate(customers.columns)
    ]
    parts.append(svg.axis_title((left + svg.WIDTH) / 2, foot + 27, across))
    parts.append(svg.axis_title(14, (head + foot) / 2, up, turned=True))
    return svg.picture(foot + 32, parts)


def _shade(amount: float, most: float) -> float:
    """How deep a field is, 0-1, by square root: money is skewed, and the eye judges area."""
    return (max(amount, 0) / most) ** 0.5 if most > 0 else 0.0


def _field(
    place: tuple[float, float, float, float], shade: float, n: float, share: str, hint: str
) -> list[str]:
    x, y, wide, high = place
    step = max(round(shade * SHADES) / SHADES, PALEST)
    ink = "#fff" if step >= LIGHT_TEXT_FROM else INK
    filled = svg.box(x, y, wide, high, MODEL, opacity=step, hint=hint if n else "")
    if not n:
        return [filled]
    middle = x + wide / 2
    return [
        filled,
        svg.text(middle, y + high / 2 - 2, count(n).text, anchor="middle", bold=True, color=ink),
        svg.text(middle, y + high / 2 + 11, share, anchor="middle", size=8, color=ink),
    ]


@dataclass(frozen=True)
class Quadrant:
    """One of four classes: its name, how many, two lines about them, and how deep it is shaded."""

    name: str
    customers: float
    lines: Sequence[str]
    shade: float


def two_by_two(
    fields: Mapping[tuple[bool, bool], Quadrant],
    across: tuple[str, str],
    up: tuple[str, str],
) -> Markup:
    """Four classes by two questions, each answered low or high.

    Args:
        fields: by (high across, high upwards).
        across: what low and high mean from left to right.
        up: what low and high mean from bottom to top.
    """
    left, head, high = 24.0, 4.0, 92.0
    wide = (svg.WIDTH - left - 4) / 2
    most = max((field.shade for field in fields.values()), default=0.0) or 1.0
    parts = []
    for (far, above), field in fields.items():
        x, y = left + far * wide, head + (not above) * high
        opacity = PALEST + 0.34 * field.shade / most  # pale enough for dark letters
        parts.append(svg.box(x, y, wide - 3, high - 3, MODEL, opacity=opacity))
        parts.append(svg.text(x + 12, y + 20, field.name, bold=True, size=10.5))
        number = count(field.customers).text
        parts.append(svg.text(x + 12, y + 43, number, bold=True, size=17))
        parts += [
            svg.text(x + 12, y + 60 + 13 * i, words, size=8.5, color=INK)
            for i, words in enumerate(field.lines)
        ]
    foot = head + 2 * high
    for i in (0, 1):
        parts.append(svg.text(left + (i + 0.5) * wide, foot + 11, across[i], anchor="middle",
                              color=MUTED))  # fmt: skip
        parts.append(svg.axis_title(14, head + (1.5 - i) * high, up[i], turned=True))
    return svg.picture(foot + 16, parts)
