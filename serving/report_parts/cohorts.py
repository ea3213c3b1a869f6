"""The section on cohorts: who comes back after a first purchase, and customers won and lost."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from serving.report_parts import curves, tables
from serving.report_parts.blocks import (
    MISSING,
    Block,
    Cell,
    Column,
    Figure,
    Note,
    Section,
    Table,
    count,
    percent,
)
from serving.report_parts.view import View

YEAR = 4  # quarters
SHOWN_MONTHS = 36  # three years: a season can be seen to come back
SHOWN_QUARTERS = 12  # columns of the triangle that a printed page holds


def cohorts(view: View) -> Section:
    """How many of those won in a quarter still buy later, and the coming and going by month."""
    given, monthly = view.extras.cohorts, view.extras.customers_by_month
    if (given is None or given.empty) and (monthly is None or monthly.empty):
        return tables.nothing(view, "cohorts")
    blocks: list[Block] = []
    if given is None or given.empty:
        blocks.append(Note(view.words["cohorts.none"]))
    else:
        blocks += _retention(view, _labelled(given, "quarter"))
    if monthly is None or not (monthly[["new", "returned", "lost"]] > 0).any(axis=None):
        blocks.append(Note(view.words["months.none"]))
    else:
        blocks.append(_months(view, monthly))
    return tables.section(view, "cohorts", blocks)


def average_by_quarter(shares: pd.DataFrame, customers: pd.Series) -> pd.Series:
    """The share who buy by quarters since the first, every customer counting alike.

    Only cohorts that have reached a quarter count in it; nan where none has.
    """
    reached = shares.notna().mul(customers, axis=0)
    return shares.mul(customers, axis=0).sum() / reached.sum().replace(0, np.nan)


def _labelled(given: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows by the text of their quarter, whether it is a column or the index; oldest first."""
    table = given.set_index(name) if name in given.columns else given
    labels = [str(label) for label in table.index]
    return table.set_axis(pd.Index(labels, name=name), axis=0)


def _retention(view: View, given: pd.DataFrame) -> list[Block]:
    words, customers = view.words, given["customers"].astype(float)
    shares = given.drop(columns="customers")
    shares = shares.set_axis([int(column) for column in shares.columns], axis=1).astype(float)
    average = average_by_quarter(shares, customers)
    table = _triangle(view, shares, customers, average)
    later = [quarter for quarter in map(int, shares.columns) if quarter > 0]
    if not shares[later].notna().any(axis=None):
        return [Note(words["cohorts.too_short"]), table]
    drawn = Figure(
        curves.cohort_curves(shares[later], average[later], _newest(shares[later]), words),
        _finding(view, average),
        words["cohorts.reading"],
    )
    return [drawn, table]


def _newest(shares: pd.DataFrame) -> str:
    """The newest cohort that has been seen for a year, or else for as long as any."""
    seen = shares.notna().sum(axis=1)
    return str(seen.index[seen >= min(YEAR, seen.max())][-1])


def _finding(view: View, average: pd.Series) -> str:
    first, year = (float(average.get(quarter, math.nan)) for quarter in (1, YEAR))
    form = "finding" if math.isfinite(year) else "finding_short"
    return view.words[f"cohorts.{form}"].format(first=percent(first).text, year=percent(year).text)


def _triangle(view: View, shares: pd.DataFrame, customers: pd.Series, average: pd.Series) -> Table:
    quarters = [int(quarter) for quarter in shares.columns][: SHOWN_QUARTERS + 1]
    most = float(np.nanmax(np.append(shares[[q for q in quarters if q > 0]].to_numpy(), 0.01)))

    def cells(row: pd.Series) -> list[Cell]:
        return [_shaded(float(row[quarter]), most if quarter else 1.0) for quarter in quarters]

    rows = [
        (Cell(str(cohort)), count(size), *cells(row))
        for (cohort, row), size in zip(shares.iterrows(), customers, strict=True)
    ]
    rows.append((Cell(view.words["cohorts.average"]), count(customers.sum()), *cells(average)))
    columns = (
        Column(view.words["cohorts.quarter"], number=False),
        Column(view.words["cohorts.customers"]),
        *(Column(f"+{quarter}" if quarter else "0") for quarter in quarters),
    )
    return Table("cohorts", columns, tuple(rows))


def _shaded(share: float, most: float) -> Cell:
    if not math.isfinite(share):
        return Cell("")
    written = percent(share)
    return Cell(written.text, written.value, heat=min(share / most, 1.0))


def _months(view: View, given: pd.DataFrame) -> Figure:
    words = view.words
    table = given.tail(SHOWN_MONTHS).copy()
    table["month"] = [_month(label) for label in table["month"]]
    judged = table.dropna(subset=["new", "returned", "lost"])
    sums = {name: count(float(judged[name].sum())).text for name in ("new", "returned", "lost")}
    names = ("bought", "new", "returned", "lost")
    columns = {
        "month": [Cell(month) for month in table["month"]],
        **{name: [count(float(n)) for n in table[name]] for name in names if name in table},
    }
    return Figure(
        curves.months(table, words),
        words["months.finding"].format(n=len(judged), **sums),
        words["months.reading"],
        tables.table(view, "months", columns),
    )


def _month(label: object) -> str:
    """Such as 2025-06, of a date, a period or a text."""
    return str(label)[:7] or MISSING
