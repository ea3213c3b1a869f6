"""The section that compares the three ways to value a customer on the user's own past."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from serving.report_parts import bars, tables
from serving.report_parts.blocks import (
    MISSING,
    Block,
    Cell,
    Figure,
    Note,
    Section,
    count,
    figure,
    percent,
)
from serving.report_parts.view import View

CLV = "clv"


def methods(view: View) -> Section:
    """Which of ABC, RFM and CLV found the best customers of a time that is now past."""
    given = view.methods
    if given is None or given.empty:
        return tables.nothing(view, "methods")
    found = given.assign(code=[str(name).lower() for name in given["method"]])
    found = found.sort_values("found", ascending=False, kind="stable")
    names = [view.word("method", code) for code in found["code"]]
    shares = found.set_axis(names, axis=0)
    drawn = Figure(
        bars.ranges(
            names,
            pd.DataFrame(
                {"middle": shares["found"], "low": shares["found_low"],
                 "high": shares["found_high"]}
            ),
            view.words["methods.across"],
        ),
        _finding(view, found),
        view.words["methods.reading"],
    )  # fmt: skip
    blocks: list[Block] = [drawn, _table(view, found, names)]
    verdicts = [*_verdicts(view, found), view.words["methods.textbook"]]
    blocks.append(Note(view.words["page.space"].join(verdicts)))
    return tables.section(
        view,
        "methods",
        blocks,
        customers=count(float(found["customers"].max())),
        origins=count(float(found["origins"].max())),
    )


def _finding(view: View, found: pd.DataFrame) -> str:
    first = found.iloc[0]
    rest = view.words["methods.and_more"].join(
        f"{view.word('method', row['code'])} {percent(row['found']).text}"
        for _, row in found.iloc[1:].iterrows()
    )
    form = "finding" if rest else "finding_one"
    return view.words[f"methods.{form}"].format(
        method=view.word("method", first["code"]), share=percent(first["found"]).text, rest=rest
    )


def _table(view: View, found: pd.DataFrame, names: list[str]) -> Block:
    columns = {
        "method": [Cell(name) for name in names],
        "means": tables.sentences(view, "method", found["code"], "_means"),
        **{
            measure: [_ranged(row, measure, write) for _, row in found.iterrows()]
            for measure, write in (("found", percent), ("captured", percent), ("spearman", figure))
        },
        "behind": [
            Cell(MISSING) if row["code"] == CLV else _ranged(row, "behind_clv", _points, "behind")
            for _, row in found.iterrows()
        ],
        "seconds": [tables.seconds(view, float(taken)) for taken in found["seconds"]],
    }
    return tables.table(view, "methods", columns)


def _points(difference: float) -> Cell:
    """A difference of two shares in percentage points, with its sign."""
    if not math.isfinite(difference):
        return Cell(MISSING)
    return Cell(f"{100 * difference:+.1f}".replace("-", "−"), difference)


def _ranged(row: pd.Series, measure: str, write: Callable[[float], Cell], ends: str = "") -> Cell:
    low, high = (write(float(row.get(f"{ends or measure}_{end}", math.nan))) for end in
                 ("low", "high"))  # fmt: skip
    written = write(float(row[measure]))
    known = low.value is not None and high.value is not None
    return Cell(written.text, written.value, f"{low.text} – {high.text}" if known else "")


def _verdicts(view: View, found: pd.DataFrame) -> list[str]:
    """Of each other method in one sentence: worse than CLV, better, or no difference to be seen."""
    by_code = found.set_index("code")
    if CLV not in by_code.index:
        return []
    clv = by_code.loc[CLV]
    told = []
    for code, row in by_code.drop(CLV).iterrows():
        low, high = float(row["behind_low"]), float(row["behind_high"])
        if not (math.isfinite(low) and math.isfinite(high)):
            continue
        form = "worse" if low > 0 else "better" if high < 0 else "level"
        ends = (low, high) if form != "better" else (-high, -low)
        write = _points if form == "level" else _size
        told.append(
            view.words[f"methods.{form}"].format(
                method=view.word("method", code),
                clv=view.word("method", CLV),
                points=_size(float(row["behind_clv"])).text,
                low=write(ends[0]).text,
                high=write(ends[1]).text,
                seconds=tables.seconds(view, float(row["seconds"])).text,
                clv_seconds=tables.seconds(view, float(clv["seconds"])).text,
            )
        )
    return told


def _size(difference: float) -> Cell:
    return Cell(f"{100 * abs(difference):.1f}", difference)
