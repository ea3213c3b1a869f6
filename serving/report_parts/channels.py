"""The section on channels: what each is used for, answers, and goes along with."""

from __future__ import annotations

import pandas as pd

from serving.report_parts import tables
from serving.report_parts.blocks import Block, Cell, Note, Section, Table, count, percent
from serving.report_parts.view import View

SIDES = ("contact", "purchase")
WRITERS = {
    "volume": count,
    "share": percent,
    "response_rate": percent,
    "response_hours": tables.plain,
    "resolution_share": percent,
    "complaint_share": percent,
    "survey_mean": tables.plain,
    "bought_after": percent,
    "churn_odds_ratio": tables.plain,
}


def channels(view: View) -> Section:
    """What the channels of contact and of purchase are able to do, side by side."""
    found = view.extras.channels
    if found is None or found.empty:
        return tables.nothing(view, "channels")
    blocks: list[Block] = [_side(view, found[found["side"] == side], side)
                           for side in SIDES if (found["side"] == side).any()]  # fmt: skip
    return tables.section(view, "channels", [*blocks, Note(view.words["channels.caution"])])


def _side(view: View, rows: pd.DataFrame, side: str) -> Table:
    columns: dict[str, list[Cell]] = {side: tables.names(view, "channel", list(rows["channel"]))}
    for name, write in WRITERS.items():
        columns[name] = [write(float(number)) for number in rows[name]]
    return tables.table(view, f"channels_{side}", columns, group="channels")
