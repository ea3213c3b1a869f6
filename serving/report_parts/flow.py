"""Customers who move between classes, as a flow picture: one column of classes per moment.

Source: the Sankey diagram; Schmidt (2008), Journal of Industrial Ecology 12(1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import pandas as pd
from markupsafe import Markup

from serving.report_parts import svg
from serving.report_parts.blocks import count
from serving.report_parts.drawing import ACCENT, ACTUAL, BASELINE, INK, MODEL, MUTED

FLOWS = 210  # units of height that all customers together take
GAP = 26  # between two classes: room for a name and a number
NODE = 10
HEAD = 34
OUTSIDE = "outside"  # the class of who is no customer at that moment, below all others
LABELLED = 9  # a narrower ribbon has no room for its number; its hint tells it


def flow(
    steps: Sequence[pd.DataFrame],
    names: Callable[[str, int], str],
    moments: Sequence[str],
    hint: str,
) -> Markup:
    """Ribbons between columns of classes, as wide as the customers are many.

    Args:
        steps: per step of time the customers by class before (rows) and after (columns); the
            classes in one order, the best first, the same in all steps.
        names: what a class is called at a moment (0 is the first).
        moments: what each column is called, one more than steps.
        hint: what a ribbon says, with {before}, {after} and {customers}.
    """
    classes = list(steps[0].index)
    sizes = _sizes(steps, classes)
    scale = FLOWS / max(sizes.sum().max(), 1)
    left = max(svg.width_of(names(code, at)) for code in classes for at in (0, len(steps))) + 14
    right = svg.WIDTH - left - NODE
    places = [left + (right - left) * place / len(steps) for place in range(len(steps) + 1)]
    tops = _tops(sizes, scale)
    parts = [
        *_ribbons(steps, names, places, tops, scale, hint),
        *_nodes(sizes, names, places, tops, scale),
        *(_head(x, place, len(places), moment)
          for place, (x, moment) in enumerate(zip(places, moments, strict=True))),
    ]  # fmt: skip
    return svg.picture(HEAD + FLOWS + GAP * len(classes), parts)


def _sizes(steps: Sequence[pd.DataFrame], classes: list[str]) -> pd.DataFrame:
    """Customers per class (rows) and moment (columns); between two steps the larger count."""
    out = [step.sum(axis=1) for step in steps]
    into = [step.sum(axis=0) for step in steps]
    between = [pd.concat(pair, axis=1).max(axis=1) for pair in zip(into[:-1], out[1:], strict=True)]
    return pd.concat([out[0], *between, into[-1]], axis=1, keys=range(len(steps) + 1)).loc[classes]


def _tops(sizes: pd.DataFrame, scale: float) -> pd.DataFrame:
    """Where each class begins, per moment, from the top."""
    above = (sizes * scale + GAP).cumsum().shift(fill_value=0)
    return above + HEAD


def _ribbons(
    steps: Sequence[pd.DataFrame],
    names: Callable[[str, int], str],
    places: Sequence[float],
    tops: pd.DataFrame,
    scale: float,
    hint: str,
) -> list[str]:
    bands, labels = [], []
    for moment, (step, (x0, x1)) in enumerate(zip(steps, pairwise(places), strict=True)):
        leaving, arriving = tops[moment].to_dict(), tops[moment + 1].to_dict()
        for before in step.index:
            for after in step.columns:
                customers = float(step.loc[before, after])
                width = customers * scale
                if not width > 0:
                    continue
                color = _color(list(step.index), before, after)
                number = count(customers).text
                told = hint.format(before=names(before, moment), after=names(after, moment + 1),
                                   customers=number)  # fmt: skip
                start, end = (x0 + NODE, leaving[before]), (x1, arriving[after])
                bands.append(svg.ribbon(start, end, max(width, 0.6), color, told))
                if (width >= LABELLED and moment == 0) or width >= 2 * LABELLED:
                    at = leaving[before] + width / 2 + 3
                    labels.append(svg.text(x0 + NODE + 5, at, number, size=7.5))  # fmt: skip
                leaving[before] += width
                arriving[after] += width
    return bands + labels


def _color(classes: list[str], before: str, after: str) -> str:
    """Grey who stays, blue who rises, red who falls: they also run up and down."""
    if OUTSIDE in (before, after):
        return ACTUAL
    if before == after:
        return BASELINE
    return MODEL if classes.index(after) < classes.index(before) else ACCENT


def _nodes(
    sizes: pd.DataFrame,
    names: Callable[[str, int], str],
    places: Sequence[float],
    tops: pd.DataFrame,
    scale: float,
) -> list[str]:
    parts = []
    for moment, x in enumerate(places):
        last = moment == len(places) - 1
        for code in map(str, sizes.index):
            customers = float(sizes[moment][code])
            if code == OUTSIDE and not customers:
                continue
            top, high = float(tops[moment][code]), customers * scale
            middle = top + high / 2
            parts.append(svg.box(x, top, NODE, max(high, 1), INK))
            at, anchor = (x - 5, "end") if moment == 0 else (x + NODE + 5, "start")
            number = count(customers).text
            if moment == 0 or last:
                parts.append(
                    svg.text(at, middle - 1, names(code, moment), anchor=anchor, bold=True)
                )
                parts.append(svg.text(at, middle + 10, number, anchor=anchor, color=MUTED))
            else:
                under = f"{names(code, moment)} {number}"
                parts.append(svg.text(x + NODE / 2, top - 4, under, anchor="middle", bold=True,
                                      halo=True))  # fmt: skip
    return parts


def _head(x: float, place: int, of: int, moment: str) -> str:
    anchor = "start" if place == 0 else "end" if place == of - 1 else "middle"
    at = x if place == 0 else x + NODE if place == of - 1 else x + NODE / 2
    return svg.text(at, 12, moment, anchor=anchor, color=MUTED)
