"""What happens over time, drawn: cohorts that come back, customers won and lost by month."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from markupsafe import Markup

from serving.report_parts import svg
from serving.report_parts.blocks import count, percent
from serving.report_parts.drawing import ACCENT, ACTUAL, BASELINE, MODEL, MUTED
from serving.report_parts.words import Words

LEFT, RIGHT, TOP, HIGH = 46.0, 16.0, 24.0, 190.0
LABELLED_MONTHS = 12  # more names than this touch each other
BAR = 0.72  # of the room for a month
DASHES = "5 3"


def cohort_curves(shares: pd.DataFrame, average: pd.Series, newest: str, words: Words) -> Markup:
    """The share of each cohort who buy, by quarters since the first; the average in bold.

    Args:
        shares: one row per cohort, oldest first; columns 1, 2, ... quarters; nan where not ended.
        average: of all cohorts that have reached the quarter.
        newest: the cohort to set against it.
        words: the language.
    """
    quarters = np.asarray(shares.columns, dtype=float)
    most = float(np.nanmax(np.append(shares.to_numpy(dtype=float), 0)))
    last = max(quarters.max(), quarters.min() + 1)
    frame = _Frame(quarters.min(), last, svg.ticks(most), words["page.colon"])
    parts = frame.grid()
    for cohort, row in shares.iterrows():
        known = row.dropna()
        if cohort != newest and not known.empty:
            parts += frame.curve(known, str(cohort), ACTUAL, 1.2)
    of_newest = pd.Series(shares.loc[newest]).dropna()
    parts += frame.curve(of_newest, newest, MODEL, 2.2)
    parts += frame.curve(average.dropna(), words["cohorts.average"], ACCENT, 2.4, DASHES)
    parts += _legend(
        [
            (words["cohorts.each"], ACTUAL, 1.2, ""),
            (words["cohorts.average"], ACCENT, 2.4, DASHES),
            (words["cohorts.newest"].format(cohort=newest), MODEL, 2.2, ""),
        ]
    )
    parts += [
        svg.text(frame.x(q), TOP + HIGH + 13, f"{q:.0f}", anchor="middle", color=MUTED)
        for q in quarters[:: max(1, len(quarters) // LABELLED_MONTHS)]
    ]
    middle = (LEFT + svg.WIDTH - RIGHT) / 2
    parts.append(svg.axis_title(middle, TOP + HIGH + 28, words["cohorts.across"]))
    return svg.picture(TOP + HIGH + 33, parts)


class _Frame:
    """Where numbers stand in the picture; shares upwards."""

    def __init__(self, first: float, last: float, up: Sequence[float], colon: str) -> None:
        self.first, self.last, self.up, self.colon = first, last, up, colon

    def x(self, at: float) -> float:
        return LEFT + (svg.WIDTH - LEFT - RIGHT) * (at - self.first) / (self.last - self.first)

    def y(self, share: float) -> float:
        return TOP + HIGH * (1 - share / self.up[-1])

    def curve(
        self, row: pd.Series, name: str, color: str, width: float, dashes: str = ""
    ) -> list[str]:
        """A line through the shares of a row, and a dot where it is one point alone."""
        places = np.asarray(row.index, dtype=float)
        points = [(self.x(at), self.y(share)) for at, share in zip(places, row, strict=True)]
        hint = name + self.colon + " → ".join(percent(float(share)).text for share in row)
        drawn = [svg.line(points, color, width=width, dashes=dashes, hint=hint)]
        if len(points) == 1:
            drawn.append(svg.dot(*points[0], 1.8, color, hint=hint))
        return drawn

    def grid(self) -> list[str]:
        lines = [svg.across(LEFT, svg.WIDTH - RIGHT, self.y(share)) for share in self.up]
        names = [
            svg.text(LEFT - 6, self.y(share) + 3, f"{share:.0%}", anchor="end", color=MUTED)
            for share in self.up
        ]
        return lines + names


def months(table: pd.DataFrame, words: Words) -> Markup:
    """Customers won (upwards) and lost (downwards) by month; nothing where it is not known.

    Args:
        table: columns month (as text), new, returned, lost: customers; nan where not known.
        words: the language.
    """
    new, back, lost = (table[name].fillna(0).to_numpy() for name in ("new", "returned", "lost"))
    ups, downs = svg.ticks(float(np.max(new + back)), 3), svg.ticks(float(np.max(lost)), 3)
    step = max(ups[1], downs[1])
    high = step * np.ceil(np.max(new + back) / step)
    low = step * np.ceil(np.max(lost) / step)
    scale = HIGH / (high + low)
    middle = TOP + high * scale
    room = (svg.WIDTH - LEFT - 6) / len(table)
    parts = []
    for amount in np.arange(-low, high + step / 2, step):
        at = middle - amount * scale
        parts.append(svg.across(LEFT, svg.WIDTH - 6, at))
        parts.append(svg.text(LEFT - 6, at + 3, count(abs(amount)).text, anchor="end", color=MUTED))
    every = max(1, int(np.ceil(len(table) / LABELLED_MONTHS)))
    for place, month in enumerate(table["month"]):
        x, wide = LEFT + room * (place + (1 - BAR) / 2), room * BAR
        known = table.iloc[place][["new", "returned", "lost"]].dropna()
        hint = f"{month}{words['page.colon']}" + words["page.comma"].join(
            f"{words[f'months.{name}']} {customers:,.0f}" for name, customers in known.items()
        )
        top, over = new[place] * scale, back[place] * scale
        bars = {
            "new": (middle - top, top, MODEL),
            "returned": (middle - top - over, over, ACTUAL),
            "lost": (middle, lost[place] * scale, ACCENT),
        }
        parts += [
            svg.box(x, bars[name][0], wide, *bars[name][1:], hint=hint) for name in known.index
        ]
        if place % every == 0:
            parts.append(svg.text(x + wide / 2, TOP + HIGH + 14, month, anchor="middle", size=8,
                                  color=MUTED))  # fmt: skip
    parts.append(svg.line([(LEFT, middle), (svg.WIDTH - 6, middle)], BASELINE))
    parts += _legend(
        [
            (f"{words[f'months.{name}']} {arrow}", color, 7.0, "")
            for name, arrow, color in (
                ("new", "↑", MODEL), ("returned", "↑", ACTUAL), ("lost", "↓", ACCENT)
            )
        ]
    )  # fmt: skip
    return svg.picture(TOP + HIGH + 20, parts)


def _legend(entries: Sequence[tuple[str, str, float, str]]) -> list[str]:
    """Above the picture, in one line: name, color, width of its line, dashes."""
    parts, x = [], LEFT
    for name, color, width, dashes in entries:
        parts.append(svg.line([(x, 8), (x + 16, 8)], color, width=width, dashes=dashes))
        parts.append(svg.text(x + 20, 11, name))
        x += 20 + svg.width_of(name) + 14
    return parts
