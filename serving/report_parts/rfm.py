"""The section on recency, frequency and money: the map of customers and its eight classes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from serving.report_parts import grid, tables
from serving.report_parts.blocks import Figure, Note, Section, Table, count, money, percent
from serving.report_parts.view import View

SCORES = (1, 2, 3, 4, 5)
CLASSES = (
    "important_value",
    "important_develop",
    "important_keep",
    "important_retain",
    "general_value",
    "general_develop",
    "general_keep",
    "general_retain",
)


def rfm(view: View) -> Section:
    """Who bought lately, who buys often, and where the money is."""
    if not (tables.known(view, "rfm_recency") and tables.known(view, "rfm_frequency")):
        return tables.nothing(view, "rfm")
    blocks: tuple[Figure | Table | Note, ...] = (_map(view),)
    if tables.known(view, "rfm_class"):
        blocks += (_classes(view), Note(view.words["rfm.caution"]))
    return tables.section(view, "rfm", blocks)


def board(scores: pd.DataFrame, worth: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers, and their money in the column `worth`, by recency (rows) and frequency (columns).

    Both tables are 5 x 5 with scores 1 to 5 as labels; customers without scores are in neither.
    """
    kept = scores.dropna(subset=["rfm_recency", "rfm_frequency"])
    by = [kept["rfm_recency"].astype(int), kept["rfm_frequency"].astype(int)]
    grouped = kept[worth].groupby(by)
    customers, amounts = (
        table.unstack().reindex(index=SCORES, columns=SCORES).fillna(0.0)
        for table in (grouped.size().astype(float), grouped.sum())
    )
    return customers, amounts


def _map(view: View) -> Figure:
    words = view.words
    worth = "value_now" if tables.known(view, "value_now") else "expected_value"
    customers, amounts = board(view.scores, worth)
    best = customers.loc[4:, 4:].to_numpy().sum() / customers.to_numpy().sum()
    total = amounts.to_numpy().sum()
    held = amounts.loc[4:, 4:].to_numpy().sum() / total if total > 0 else np.nan
    finding = words["rfm.finding" if total > 0 else "rfm.finding_plain"].format(
        customers=percent(best).text, money=percent(held).text
    )
    sizes, moneys = customers.to_numpy(), amounts.to_numpy()
    fields = [
        (recency, frequency)
        for recency in reversed(SCORES)
        for frequency in SCORES
        if sizes[recency - 1, frequency - 1] > 0
    ]
    sums = [(float(sizes[r - 1, f - 1]), float(moneys[r - 1, f - 1])) for r, f in fields]
    columns = {
        "recency": [count(recency) for recency, _ in fields],
        "frequency": [count(frequency) for _, frequency in fields],
        "customers": [count(n) for n, _ in sums],
        worth: [money(amount) for _, amount in sums],
        f"{worth}_each": [money(amount / n) for n, amount in sums],
    }
    return Figure(
        grid.heat_map(customers, amounts, words["rfm.across"], words["rfm.up"], words["rfm.hint"]),
        finding,
        words["rfm.reading"].format(money=words[f"rfm.{worth}_said"]),
        tables.table(view, "rfm_map", columns, group="rfm"),
    )


def _classes(view: View) -> Table:
    found = tables.groups(view.scores, "rfm_class", CLASSES)
    columns = {
        "class": tables.names(view, "rfm_class", found.index),
        "means": tables.sentences(view, "rfm_class", found.index, "_means"),
        "customers": [count(n) for n in found["customers"]],
        "customer_share": [percent(share) for share in found["customer_share"]],
        "value_now": [money(amount) for amount in found["worth"]],
        "risk": [percent(risk) for risk in found["risk"]],
        "loss": [money(amount) for amount in found["loss"]],
        "answer": tables.sentences(view, "rfm_class", found.index, "_answer"),
    }
    return tables.table(view, "rfm_classes", columns, group="rfm")
