"""The sections on value: tiers, stages, and how much hangs on how few customers."""

from __future__ import annotations

import math

import pandas as pd

from serving.report_parts import numbers, plots
from serving.report_parts.blocks import (
    Cell,
    Column,
    Figure,
    Note,
    Section,
    Table,
    count,
    money,
    percent,
)
from serving.report_parts.view import View

SKEWED = 1.2  # mean over median from which the average needs its explanation


def tiers(view: View) -> Section:
    """Customers by what they are expected to bring."""
    groups = numbers.by_group(view.scores, "tier", numbers.TIERS)
    names = [view.word("tier", code) for code in groups.index]
    first = groups.iloc[0]
    form = "finding_plain" if math.isnan(first["value_share"]) else "finding"
    finding = view.words["tiers.none" if groups.index[0] == "none" else f"tiers.{form}"].format(
        tier=names[0],
        customers=percent(first["customer_share"]).text,
        value=percent(first["value_share"]).text,
    )
    drawn = Figure(plots.tiers(names, groups, view.words), finding, view.words["tiers.reading"])
    blocks = (drawn, _group_table(view, "tier", groups))
    return Section("tiers", view.words["tiers.title"], view.words["tiers.lead"], blocks)


def _group_table(view: View, kind: str, groups: pd.DataFrame) -> Table:
    writers = {
        "customers": count,
        "customer_share": percent,
        "value": money,
        "value_share": percent,
        "risk": percent,
        "loss": money,
        "loss_share": percent,
    }
    rows = tuple(
        (Cell(view.word(kind, code)), *(write(row[name]) for name, write in writers.items()))
        for code, row in groups.iterrows()
    )
    columns = (
        Column(view.words[f"group.{kind}"], number=False),
        *(Column(view.words[f"group.{name}"]) for name in writers),
    )
    return Table(f"{kind}s", columns, rows)


def value(view: View) -> Section:
    """How expected value is spread, and how much hangs on how few."""
    words, values = view.words, view.scores["expected_value"].dropna()
    if values.empty:
        return Section("value", words["value.title"], "", (Note(words["value.none"]),))
    blocks = (_value_classes(view, values), _pareto(view, values))
    return Section("value", words["value.title"], words["value.lead"], blocks)


def _value_classes(view: View, values: pd.Series) -> Figure:
    words, classes = view.words, numbers.value_classes(values)
    names = [_class_name(view, row["low"], row["high"]) for _, row in classes.iterrows()]
    mean, median = float(values.mean()), float(values.median())
    form = "value.classes_finding" if mean > SKEWED * median > 0 else "value.classes_finding_plain"
    rows = tuple(
        (Cell(name), percent(row["customer_share"]), percent(row["value_share"]))
        for name, (_, row) in zip(names, classes.iterrows(), strict=True)
    )
    columns = (
        Column(words["value.class"], number=False),
        Column(words["group.customer_share"]),
        Column(words["group.value_share"]),
    )
    return Figure(
        plots.value_classes(names, classes, words),
        words[form].format(median=money(median).text, mean=money(mean).text),
        words["value.classes_reading"],
        Table("value_classes", columns, rows),
    )


def _class_name(view: View, low: float, high: float) -> str:
    form = "between"
    if high <= 0:
        form = "up_to_zero"
    elif low <= 0:
        form = "up_to"
    elif math.isinf(high):
        form = "over"
    low_text, high_text = (f"{cut:,.0f}" if cut >= 1 else f"{cut:g}" for cut in (low, high))
    return view.words[f"value.{form}"].format(low=low_text, high=high_text)


def _pareto(view: View, values: pd.Series) -> Figure | Note:
    words = view.words
    curve = numbers.gain_curve(values, values.clip(lower=0))
    top = numbers.found_at(curve, numbers.TOP_SHARE)
    if math.isnan(top):
        return Note(words["value.pareto_none"])
    finding = words["value.pareto_finding"].format(top=percent(top).text)
    return Figure(plots.pareto(curve, words), finding, words["value.pareto_reading"])
