"""The money at risk by value tier and by cause, as a heat map: where a contact saves most."""

from __future__ import annotations

import numpy as np
import pandas as pd

from serving.report_parts import numbers
from serving.report_parts.blocks import Cell, Column, Note, Section, Table, money
from serving.report_parts.view import View


def money_by_cause(view: View) -> Section:
    """Which customers, lost for which reason, cost most."""
    words, found = view.words, by_tier_and_cause(view.scores)
    title = words["money.title"]
    if not found.to_numpy().sum() > 0:
        return Section("money", title, "", (Note(words["money.none"]),))
    amounts = found.to_numpy()
    row, column = divmod(int(amounts.argmax()), amounts.shape[1])
    cause = found.columns[column]
    lead = words["money.lead"].format(
        money=money(float(amounts.max())).text,
        tier=view.word("tier", found.index[row]),
        cause=view.word("cause", cause),
        answer=words.get(f"causes.{cause}_answer", words["causes.unattributed_answer"]),
    )
    return Section("money", title, lead, (_heat_map(view, found), Note(words["money.reading"])))


def by_tier_and_cause(scores: pd.DataFrame) -> pd.DataFrame:
    """Money at risk, one row per tier that occurs, one column per cause that is known.

    Each customer's expected loss is shared among the causes as his risk is; what they do not
    explain is the column `unattributed`, left out when it is nothing.
    """
    risk = scores["churn_probability"].where(scores["churn_probability"] > 0)
    loss = scores["expected_loss"].fillna(0.0)
    shares = pd.DataFrame(
        {cause: scores[f"type_{cause}"] / risk for cause in numbers.CAUSES}
    ).dropna(axis="columns", how="all")
    parts = shares.fillna(0.0).mul(loss, axis="index")
    rest = (loss - parts.sum(axis="columns")).clip(lower=0.0)
    if rest.sum() > numbers.UNEXPLAINED * loss.sum():
        parts["unattributed"] = rest
    table = parts.groupby(scores["tier"].fillna("none")).sum()
    known = [tier for tier in numbers.TIERS if tier in table.index]
    return table.loc[known + [tier for tier in table.index if tier not in known]]


def _heat_map(view: View, found: pd.DataFrame) -> Table:
    words, most = view.words, float(found.to_numpy().max())
    columns = (
        Column(words["group.tier"], number=False),
        *(Column(view.word("cause", cause)) for cause in found.columns),
        Column(words["money.all"]),
    )
    rows = tuple(
        (
            Cell(view.word("tier", tier)),
            *(_shaded(float(amount), most) for amount in row),
            money(float(row.sum())),
        )
        for tier, row in found.iterrows()
    )
    total = (Cell(words["money.all"]), *(money(float(each)) for each in found.sum()))
    return Table("money", columns, (*rows, (*total, money(float(np.sum(found.to_numpy()))))))


def _shaded(amount: float, most: float) -> Cell:
    written = money(amount)
    return Cell(written.text, written.value, heat=amount / most)
