"""Pictures written by hand: a few shapes and texts in one `<svg>`, in the font of the page.

No ids, no scripts, a few kilobytes; a shape's hint shows when the pointer rests on it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from serving.report_parts.drawing import GRID, INK, MUTED

WIDTH = 520  # units; the page scales it to its column, so that a text of SIZE is as in the plots
SIZE = 9
FIRST_WIDE = 0x2E80  # from here on letters are as wide as they are high
SMALL, CAPITAL, WIDE = 0.62, 0.78, 1.0  # of the size of the letters, in a broad font


def picture(height: float, parts: Iterable[str]) -> Markup:
    """The parts as one inline picture, WIDTH wide."""
    return Markup(f'<svg viewBox="0 0 {WIDTH} {_n(height)}">{"".join(parts)}</svg>')


def text(
    x: float,
    y: float,
    content: object,
    *,
    anchor: str = "start",
    size: float = SIZE,
    color: str = INK,
    bold: bool = False,
    halo: bool = False,
    turned: bool = False,
) -> str:
    """A line of text with its base line at y; a halo keeps it readable on a colored ground."""
    more = ' font-weight="600"' if bold else ""
    more += ' paint-order="stroke" stroke="#fff" stroke-width="2.5"' if halo else ""
    more += f' transform="rotate(-90 {_n(x)} {_n(y)})"' if turned else ""
    return (
        f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" fill="{color}" '
        f'text-anchor="{anchor}"{more}>{escape(content)}</text>'
    )


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    color: str,
    *,
    opacity: float = 1.0,
    hint: str = "",
    edge: str = "",
) -> str:
    """A filled rectangle."""
    more = f' fill-opacity="{opacity:.2f}"' if opacity < 1 else ""
    more += f' stroke="{edge}"' if edge else ""
    return (
        f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(max(width, 0))}" height="{_n(max(height, 0))}" '
        f'fill="{color}"{more}>{_hint(hint)}</rect>'
    )


def line(
    points: Sequence[tuple[float, float]],
    color: str,
    *,
    width: float = 1.0,
    dashes: str = "",
    hint: str = "",
) -> str:
    """A line through the points."""
    path = " ".join(f"{_n(x)},{_n(y)}" for x, y in points)
    more = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="{_n(width)}"'
        f' stroke-linejoin="round"{more}>{_hint(hint)}</polyline>'
    )


def dot(x: float, y: float, radius: float, color: str, *, fill: str = "", hint: str = "") -> str:
    """A dot, filled with its own color unless another is given."""
    return (
        f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill="{fill or color}" '
        f'stroke="{color}" stroke-width="1.4">{_hint(hint)}</circle>'
    )


def ribbon(
    start: tuple[float, float], end: tuple[float, float], width: float, color: str, hint: str
) -> str:
    """A band of one width that flows from the top left corner `start` to `end`."""
    (x0, y0), (x1, y1) = start, end
    middle = (x0 + x1) / 2
    upper = f"M{_n(x0)} {_n(y0)}C{_n(middle)} {_n(y0)} {_n(middle)} {_n(y1)} {_n(x1)} {_n(y1)}"
    lower = (
        f"V{_n(y1 + width)}C{_n(middle)} {_n(y1 + width)} {_n(middle)} {_n(y0 + width)} "
        f"{_n(x0)} {_n(y0 + width)}Z"
    )
    return f'<path d="{upper}{lower}" fill="{color}" fill-opacity="0.55">{_hint(hint)}</path>'


def across(x0: float, x1: float, y: float) -> str:
    """A line of the grid."""
    return line([(x0, y), (x1, y)], GRID, width=0.8)


def axis_title(x: float, y: float, content: str, *, turned: bool = False) -> str:
    """What an axis measures, at its middle."""
    return text(x, y, content, anchor="middle", color=MUTED, turned=turned)


def width_of(content: str, size: float = SIZE) -> float:
    """About how wide a text will be."""
    return size * sum(
        WIDE if ord(letter) >= FIRST_WIDE else CAPITAL if letter.isupper() else SMALL
        for letter in content
    )


def ticks(top: float, most: int = 5) -> list[float]:
    """Round numbers from 0 up to the first that reaches `top`: steps of 1, 2 or 5 x 10^k."""
    if not top > 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(top / most))
    step = next(few * power for few in (1, 2, 5, 10, 20) if few * power * most >= top * (1 - 1e-9))
    return [step * place for place in range(math.ceil(top / step - 1e-9) + 1)]


def _hint(hint: str) -> str:
    return f"<title>{escape(hint)}</title>" if hint else ""


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
