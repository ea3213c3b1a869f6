"""What became of the tested customers of each band: who left, who stayed, and the money."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pandas as pd

from serving.report_parts import numbers
from serving.report_parts.blocks import Cell, Column, Note, Section, Table, count, money, percent
from serving.report_parts.view import View

COLUMNS = {
    "customers": count,
    "expected": count,
    "left": count,
    "left_share": percent,
    "stayed": count,
    "came": money,
    "missing": money,
}


def realised(view: View) -> Section:
    """Low, medium, high: the promise of each band beside what happened."""
    words = view.words
    title, edges = words["realised.title"], band_edges(view.scores)
    if view.tested_active.empty:
        key = "test.none" if view.held_out is None else "test.none_active"
        return Section("realised", title, "", (Note(words[key]),))
    if not edges:
        return Section("realised", title, "", (Note(words["realised.none"]),))
    found = by_band(view.tested_active, edges)
    rows = tuple(
        (Cell(view.word("band", band)), *(write(row[name]) for name, write in COLUMNS.items()))
        for band, row in found.iterrows()
    )
    columns = (
        Column(words["risk.band"], number=False),
        *(Column(words[f"realised.{name}"]) for name in COLUMNS),
    )
    blocks = (Table("realised", columns, rows), Note(words["realised.reading"]))
    return Section("realised", title, _lead(view, found), blocks)


def band_edges(scores: pd.DataFrame) -> dict[str, float]:
    """From which risk on each band holds, lowest first, read from the scores themselves.

    An edge lies halfway between the highest risk below it and the lowest above. Empty when the
    scores carry other bands than numbers.BANDS, or fewer than two of them.
    """
    bands = scores["churn_band"].dropna()
    found = [band for band in numbers.BANDS if (bands == band).any()]
    if len(found) < 2 or not set(bands) <= set(numbers.BANDS):
        return {}
    risk = scores["churn_probability"]
    spans = [(risk[scores["churn_band"] == b].min(), risk[scores["churn_band"] == b].max())
             for b in found]  # fmt: skip
    edges = [(below[1] + above[0]) / 2 for below, above in pairwise(spans)]
    return dict(zip(found, [0.0, *edges], strict=True))


def by_band(tested: pd.DataFrame, edges: dict[str, float]) -> pd.DataFrame:
    """The tested active customers (`risk`, `left`, `value`) by the band they would have had.

    Returns one row per band that occurs: COLUMNS. came: money of those who stayed. missing: what
    the leavers would have brought had each been worth what those who stayed in his band brought on
    average, nan where nobody stayed or no value is known; nobody sees that money.
    """
    names = np.array(list(edges))
    band = names[np.searchsorted(list(edges.values()), tested["risk"], side="right") - 1]
    rows = []
    for name in [name for name in edges if (band == name).any()]:
        here = tested[band == name]
        stayed = here[here["left"] == 0]
        each = stayed["value"].mean() if stayed["value"].notna().any() else math.nan
        left = float(here["left"].sum())
        rows.append(
            {
                "band": name,
                "customers": len(here),
                "expected": here["risk"].sum(),
                "left": left,
                "left_share": left / len(here),
                "stayed": len(stayed),
                "came": stayed["value"].sum(min_count=1),
                "missing": each * left,
            }
        )
    return pd.DataFrame(rows).set_index("band")


def _lead(view: View, found: pd.DataFrame) -> str:
    top, words = found.index[-1], view.words
    row = found.loc[top]
    return words["realised.lead"].format(
        band=view.word("band", top),
        customers=count(row["customers"]).text,
        expected=count(row["expected"]).text,
        left=count(row["left"]).text,
    )
