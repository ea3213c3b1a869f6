"""The parts a section is made of, and how a number is written.

Every number keeps its exact value beside its text; the template writes both (`<data value=...>`),
so tables sort by the number and a test, or a script, can read the report.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

from markupsafe import Markup

MISSING = "–"
LARGE_MONEY = 100  # from here on, cents only distract
LEAST_SHARE = 0.0005  # what would round to 0.0%


@dataclass(frozen=True)
class Cell:
    """A text, the number it stands for, a smaller second line, and a bar from 0 to 1.

    heat: 0 to 1, how deep the cell is shaded; a table of such cells is a heat map.
    """

    text: str
    value: float | None = None
    small: str = ""
    bar: float | None = None
    heat: float | None = None


def count(number: float) -> Cell:
    """A whole number with thousands separated."""
    return _cell(number, f"{number:,.0f}")


def money(number: float) -> Cell:
    """An amount in currency units; cents only below one hundred."""
    decimals = 0 if abs(number) >= LARGE_MONEY or number == 0 else 2
    return _cell(number, f"{number:,.{decimals}f}")


def percent(share: float) -> Cell:
    """A share 0-1 as a percentage; one decimal where whole percents would say 0 or 100."""
    if 0 < abs(share) < LEAST_SHARE:
        return _cell(share, "<0.1%" if share > 0 else "0%")
    decimals = 1 if 0 < abs(share) < 0.095 or 0.99 < abs(share) < 0.9995 else 0
    return _cell(share, f"{100 * share:,.{decimals}f}%")


def figure(number: float) -> Cell:
    """Any measured figure, with about three digits that say something."""
    size = abs(number)
    form = ",.0f" if size >= 1000 else ".1f" if size >= 10 else ".3f" if size >= 0.001 else ".2g"
    return _cell(number, f"{number:{form}}")


def _cell(value: float, text: str) -> Cell:
    if not math.isfinite(value):
        return Cell(MISSING)
    return Cell(text.replace("-", "−"), float(value))


@dataclass(frozen=True)
class Card:
    """One figure a reader should take away: `key` names it in the page (`id="figure-<key>"`)."""

    key: str
    label: str
    cell: Cell
    note: str = ""


@dataclass(frozen=True)
class Cards:
    """A row of cards."""

    kind: ClassVar[str] = "cards"
    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Column:
    """A table column: numbers stand right, `choose` offers its distinct texts as a filter."""

    label: str
    number: bool = True
    choose: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of cells; `sortable` gives the reader sorting, a search box and filters."""

    kind: ClassVar[str] = "table"
    key: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    sortable: bool = False

    def choices(self, column: int) -> list[str]:
        """The distinct texts of one column, in alphabetical order."""
        return sorted({row[column].text for row in self.rows} - {MISSING})


@dataclass(frozen=True)
class Figure:
    """A plot, what it shows in one sentence, how to read it, and the numbers behind it."""

    kind: ClassVar[str] = "figure"
    svg: Markup
    finding: str
    reading: str
    table: Table | None = None


@dataclass(frozen=True)
class Control:
    """Something the reader sets: a slider, or a number typed in, from `low` to `high` by `step`."""

    name: str
    label: str
    value: float
    low: float
    high: float
    step: float
    slider: bool = False


@dataclass(frozen=True)
class Interactive:
    """Controls, and figures that a script works out anew from a small table when they change.

    script: `report_parts/<script>.js`, which sets `interactive["<script>"] = (root, data) => ...`:
    root is this block's element, with inputs by `name` and results by `#figure-<key>`. data: what
    the script is given, as JSON; nothing infinite, nothing of single customers. results: as they
    are before anything is changed. still: what stands below, and alone in print or without script.
    """

    kind: ClassVar[str] = "interactive"
    script: str
    data: Mapping[str, object]
    controls: tuple[Control, ...]
    results: tuple[Card, ...]
    note: str = ""
    still: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Grade:
    """A letter for one quality, the words for it, and one sentence why."""

    kind: ClassVar[str] = "grade"
    key: str
    subject: str
    letter: str
    verdict: str
    why: str


@dataclass(frozen=True)
class Note:
    """A sentence where something is not there to be shown."""

    kind: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True)
class Definitions:
    """Terms and what they mean."""

    kind: ClassVar[str] = "definitions"
    terms: tuple[tuple[str, str], ...]


Block = Cards | Table | Figure | Interactive | Grade | Note | Definitions


@dataclass(frozen=True)
class Section:
    """One heading of the report, its opening sentence, and its blocks in order."""

    key: str
    title: str
    lead: str
    blocks: tuple[Block, ...]

    def runs(self) -> list[tuple[str, list[Block]]]:
        """The blocks in order, neighbours of one kind together, so that grades stand abreast."""
        return [(kind, list(run)) for kind, run in groupby(self.blocks, key=lambda b: b.kind)]

    def scripts(self) -> list[str]:
        """The scripts its interactive blocks need."""
        return [block.script for block in self.blocks if isinstance(block, Interactive)]
