"""The section of the KPI sheet: every figure the data can give, and what the others need."""

from __future__ import annotations

import math
from collections.abc import Callable

from serving.kpis import Kpi
from serving.report_parts import tables
from serving.report_parts.blocks import (
    MISSING,
    Block,
    Cell,
    Column,
    Section,
    Table,
    count,
    figure,
    money,
    percent,
)
from serving.report_parts.view import View

BLOCKS = ("identify", "insight", "creation", "relationship")
MANIFOLD = 9.0  # a growth above tenfold is told as times, since percents say no more
# Ages of the data: when data last came a year ago says nothing of today, so they have no change.
AGES = frozenset({"data_age_hours", "data_age_hours_sales", "data_age_hours_contacts",
                  "oldest_source_hours"})  # fmt: skip
NAMES = ("value", "before", "change", "note")


def kpis(view: View) -> Section:
    """How well the business knows, serves and keeps its customers."""
    given = view.extras.kpis
    if not given:
        return tables.nothing(view, "kpis")
    blocks: list[Block] = [
        _block(view, name, [kpi for kpi in given if kpi.block == name])
        for name in BLOCKS
        if any(kpi.block == name for kpi in given)
    ]
    measured = sum(kpi.value is not None for kpi in given)
    return tables.section(view, "kpis", blocks, n=count(measured), all=count(len(given)))


def _block(view: View, name: str, few: list[Kpi]) -> Table:
    columns = (
        Column(view.words[f"kpis.{name}"], number=False),
        *(Column(view.words[f"kpis.{each}"], number=each != "note") for each in NAMES),
    )
    return Table(f"kpis_{name}", columns, tuple(_row(view, kpi) for kpi in few))


def _row(view: View, kpi: Kpi) -> tuple[Cell, ...]:
    """Name, value, value before, change, and what it means or needs."""
    name = Cell(view.word("kpi", kpi.key))
    meaning = view.words.get(f"kpi_is.{kpi.key}", "")
    if kpi.value is None:
        gone = Cell(view.words["kpis.unavailable"])
        data = view.word("needs", kpi.needs) if kpi.needs else view.words["kpis.more"]
        return (name, gone, Cell(MISSING), Cell(MISSING),
                Cell(view.words["kpis.needs"].format(data=data), small=meaning))  # fmt: skip
    before = math.nan if kpi.before is None else kpi.before
    return (
        name,
        _ranged(view, kpi),
        written(view, kpi.unit, before),
        Cell(MISSING) if kpi.key in AGES else change(view, kpi.unit, kpi.value, before),
        Cell(meaning or MISSING),
    )


def _ranged(view: View, kpi: Kpi) -> Cell:
    """The value, and the range that chance leaves where it was measured on a sample."""
    cell = written(view, kpi.unit, math.nan if kpi.value is None else kpi.value)
    if kpi.low is None or kpi.high is None:
        return cell
    low, high = written(view, kpi.unit, kpi.low), written(view, kpi.unit, kpi.high)
    return Cell(cell.text, cell.value, small=f"{low.text} – {high.text}")


def written(view: View, unit: str, value: float) -> Cell:
    """A figure in its unit."""
    writers: dict[str, Callable[[float], Cell]] = {
        "share": percent,
        "count": count,
        "money": money,
        "ratio": figure,
    }
    if unit in writers:
        return writers[unit](value)
    cell = figure(value)
    if cell.value is None:
        return cell
    return Cell(view.words[f"unit.{unit}"].format(n=cell.text), cell.value)


def change(view: View, unit: str, value: float, before: float) -> Cell:
    """How a figure moved: shares in percentage points, others in percent of before."""
    if not math.isfinite(before):
        return Cell(MISSING)
    if unit == "share":
        points = 100 * (value - before)
        return Cell(view.words["unit.points"].format(n=_signed(points)), value - before)
    if not before > 0:
        return Cell(MISSING)
    moved = value / before - 1
    if moved > MANIFOLD:
        return Cell(f"×{figure(value / before).text}", moved)
    return Cell(f"{_signed(100 * moved)}%", moved)


def _signed(number: float) -> str:
    text = f"{number:+.1f}"
    return "0" if float(text) == 0 else text.replace("-", "−")
