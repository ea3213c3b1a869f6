"""Columns of cells to a table, customers to groups, and what a section says without its data."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from serving.report_parts import numbers
from serving.report_parts.blocks import (
    MISSING,
    Block,
    Cell,
    Column,
    Note,
    Section,
    Table,
    count,
    money,
    percent,
)
from serving.report_parts.view import View

OUTSIDE = ("new", "gone")  # of moves: not a customer yet, no longer scored
FIELD = ("customers", "customer_share", "value_share", "loss")


def table(
    view: View,
    key: str,
    columns: Mapping[str, Sequence[Cell]],
    *,
    group: str = "",
    sortable: bool = False,
    choose: Sequence[str] = (),
) -> Table:
    """The table of these columns, headed by the words `<group or key>.<column>`.

    A column of numbers stands right. One in which every cell is missing is left out: it would only
    cost width. `choose` names those offered as a filter.
    """
    shown = {
        name: list(cells)
        for name, cells in columns.items()
        if any(cell.text != MISSING for cell in cells)
    }
    heads = tuple(
        Column(
            view.words[f"{group or key}.{name}"],
            number=any(cell.value is not None for cell in cells),
            choose=name in choose,
        )
        for name, cells in shown.items()
    )
    return Table(key, heads, tuple(zip(*shown.values(), strict=True)), sortable)


def section(view: View, key: str, blocks: Sequence[Block], **numbers: Cell) -> Section:
    """The section of that key, its title and lead from the words `<key>.title` and `.lead`."""
    texts = {name: cell.text for name, cell in numbers.items()}
    lead = view.words[f"{key}.lead"].format(**texts)
    return Section(key, view.words[f"{key}.title"], lead, tuple(blocks))


def nothing(view: View, key: str, why: str = "none") -> Section:
    """The section of that key when it has nothing to show: a sentence saying what it needs."""
    return Section(key, view.words[f"{key}.title"], "", (Note(view.words[f"{key}.{why}"]),))


def known(view: View, column: str) -> bool:
    """Whether any customer has this score."""
    return bool(view.scores[column].notna().any())


def groups(scores: pd.DataFrame, column: str, order: Sequence[str]) -> pd.DataFrame:
    """`numbers.by_group`, and the medians of how long customers have been and will stay.

    Adds `lifetime` and `remaining` in days, and `worth`: money brought lately, currency units.
    """
    table = numbers.by_group(scores, column, order)
    grouped = scores.groupby(scores[column].fillna("none"))
    return table.assign(
        lifetime=grouped["lifetime_days"].median(),
        remaining=grouped["remaining_days"].median(),
        worth=grouped["value_now"].sum(min_count=1),
    )


def names(view: View, kind: str, codes: Iterable[object]) -> list[Cell]:
    """The word for each code."""
    return [Cell(view.word(kind, code)) for code in codes]


def sentences(view: View, key: str, codes: Iterable[object], ending: str = "") -> list[Cell]:
    """What is said of each code under `<key>.<code><ending>`; missing where nothing is said."""
    return [Cell(view.words.get(f"{key}.{code}{ending}", MISSING)) for code in codes]


def days(view: View, number: float) -> Cell:
    """A time in days, told in years from two years on."""
    if not math.isfinite(number):
        return Cell(MISSING)
    long = number >= 2 * 365
    told = f"{number / 365:,.1f}" if long else f"{number:,.0f}"
    return Cell(view.words["unit.years" if long else "unit.days"].format(n=told), float(number))


def plain(number: float) -> Cell:
    """A number with one decimal where it has one."""
    if not math.isfinite(number):
        return Cell(MISSING)
    return Cell(f"{number:,.1f}".removesuffix(".0").replace("-", "−"), float(number))


def moves(view: View, kind: str, counts: pd.DataFrame, order: Sequence[str]) -> Table:
    """How customers moved between states: rows before, columns now, and of each row the share.

    States stand in this order, others after them. Those in which nobody was before have no row.
    Rows may have `new`, columns `gone`.
    """
    counts = counts.reindex(index=_ordered(counts.index, order),
                            columns=_ordered(counts.columns, order))  # fmt: skip
    befores = [str(code) for code in counts.index[counts.sum(axis=1) > 0]]
    nows = [str(code) for code in counts.columns if code in befores or counts[code].sum() > 0]
    kept = counts.loc[befores, nows].astype(float).to_numpy().tolist()
    columns = (
        Column(view.words["moves.from"], number=False),
        *(Column(_now(view, kind, code)) for code in nows),
        Column(view.words["moves.all"]),
    )
    rows = tuple(
        (Cell(state(view, kind, code)), *(_moved(n, sum(row)) for n in row), count(sum(row)))
        for code, row in zip(befores, kept, strict=True)
    )
    return Table(f"{kind}_moves", columns, rows)


def _ordered(codes: Iterable[object], order: Sequence[str]) -> list[object]:
    known = list(codes)
    return [*(code for code in order if code in known),
            *(code for code in known if code not in order)]  # fmt: skip


def state(view: View, kind: str, code: str) -> str:
    """The word for a state; who was none of ours yet, or is no longer, has one of its own."""
    return view.words.get(f"moves.{code}" if code in OUTSIDE else f"{kind}.{code}", code)


def _now(view: View, kind: str, code: str) -> str:
    name = state(view, kind, code)
    return name if code in OUTSIDE else view.words["moves.to"].format(name=name)


def _moved(customers: float, of: float) -> Cell:
    if not of:
        return Cell(MISSING)
    share = customers / of
    written = count(customers)
    return Cell(written.text, written.value, small=percent(share).text, heat=share)


def field(view: View, found: pd.DataFrame, code: str) -> tuple[float, tuple[str, ...], float]:
    """Of one class of `numbers.by_group`: customers, two lines about them, and its value share."""
    if code not in found.index:
        return 0.0, (), 0.0
    row = {name: float(found[name][code]) for name in FIELD}
    texts = {
        "customers": percent(row["customer_share"]).text,
        "value": percent(row["value_share"]).text,
        "loss": money(row["loss"]).text,
    }
    lines = tuple(view.words[f"board.{line}"].format(**texts) for line in ("shares", "loss"))
    return row["customers"], lines, max(row["value_share"], 0.0)


def seconds(view: View, number: float) -> Cell:
    """A time in seconds, told in minutes from two minutes on."""
    if not math.isfinite(number):
        return Cell(MISSING)
    long = number >= 120
    told = f"{number / 60:,.1f}" if long else f"{number:,.1f}" if number < 10 else f"{number:,.0f}"
    if told == "0.0":
        return Cell(view.words["unit.moment"], number)
    return Cell(view.words["unit.minutes" if long else "unit.seconds"].format(n=told), number)
