"""The sections about the test: what was promised to customers' past, and what came."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from serving.report_parts import numbers, plots
from serving.report_parts.blocks import (
    MISSING,
    Block,
    Card,
    Cards,
    Cell,
    Column,
    Figure,
    Grade,
    Note,
    Section,
    Table,
    count,
    figure,
    money,
    percent,
)
from serving.report_parts.grades import Comparison, compare_risk, compare_value
from serving.report_parts.retold import retold
from serving.report_parts.view import View

FEW = 100  # Salesforce and Segment refuse to judge below a hundred of either outcome
FAR_OFF = 1.25  # a total forecast further off than this would mislead a budget; a convention
CONTACTED = (0.05, 0.10, 0.20, 0.30, 0.50)  # shares of customers a business may reach


def quality(view: View) -> Section:
    """A grade for each question, in plain words."""
    words, active, rows = view.words, view.tested_active, view.tested_value
    risk = compare_risk(active["risk"], active["baseline_risk"], active["left"])
    worth = compare_value(rows["expected_value"], rows["baseline_value"], rows["value"])
    left, paid = int((active["left"] == 1).sum()), int((rows["value"] > 0).sum())
    grades: tuple[Block, ...] = (
        _grade(view, "risk", risk, enough=min(left, len(active) - left) >= FEW),
        _grade(view, "value", worth, enough=paid >= FEW),
    )
    cards = _quality_cards(view)
    blocks: list[Block] = [*grades, *([Cards(cards)] if cards else [])]
    came = rows["value"].sum() / rows["expected_value"].sum() if len(rows) else 1.0
    if rows["expected_value"].sum() > 0 and not 1 / FAR_OFF <= came <= FAR_OFF:
        form = "quality.too_high" if came < 1 else "quality.too_low"
        blocks.append(Note(words[form].format(share=percent(came).text)))
    lead = words["quality.lead" if view.held_out is not None else "quality.lead_untested"]
    return Section(
        "quality",
        words["quality.title"],
        words["page.space"].join([lead, retold(view.note, words)]).strip(),
        tuple(blocks),
    )


def _grade(view: View, key: str, found: Comparison | None, enough: bool) -> Grade:
    words, subject = view.words, view.words[f"quality.{key}"]
    if found is None:
        return Grade(key, subject, MISSING, words["quality.untested"], words["quality.none"])
    grade = found.grade if enough else "few"
    why = words[f"quality.{key}_{grade}"].format(
        n=count(found.customers).text,
        gain=percent(found.gain).text,
        model=percent(found.model).text,
        baseline=percent(found.baseline).text,
        floor=FEW,
    )
    return Grade(key, subject, grade if enough else MISSING, words[f"quality.{grade}"], why)


def _quality_cards(view: View) -> tuple[Card, ...]:
    cards = []
    active, rows = view.tested_active, view.tested_value
    if len(active):
        expected, happened = percent(active["risk"].mean()), percent(active["left"].mean())
        cards.append(_card(view, "expected_leavers", expected, happened=happened))
        model, baseline = (
            percent(
                numbers.found_at(
                    numbers.gain_curve(active[score], active["left"]), numbers.TOP_SHARE
                )
            )
            for score in ("risk", "baseline_risk")
        )
        cards.append(_card(view, "found", model, baseline=baseline))
    forecast, actual = rows["expected_value"].sum(), rows["value"].sum()
    if forecast > 0:
        share, texts = percent(actual / forecast), {"actual": actual, "forecast": forecast}
        written = {name: money(amount) for name, amount in texts.items()}
        cards.append(_card(view, "total", share, **written))
    ranged = rows.dropna(subset=["expected_value_low", "expected_value_high"])
    if len(ranged):
        within = ranged["value"].between(
            ranged["expected_value_low"], ranged["expected_value_high"]
        )
        cards.append(_card(view, "coverage", percent(within.mean())))
    return tuple(cards)


def _card(view: View, key: str, cell: Cell, **notes: Cell) -> Card:
    note = view.words[f"quality.{key}_note"].format(
        **{name: written.text for name, written in notes.items()}
    )
    return Card(key, view.words[f"quality.{key}"], cell, note)


def calibration(view: View) -> Section:
    """Whether as many leave as the probabilities say."""
    words, active = view.words, view.tested_active
    title = words["calibration.title"]
    if active.empty:
        return Section("calibration", title, "", (_untested(view),))
    model = numbers.reliability(active["risk"], active["left"])
    baseline = numbers.reliability(active["baseline_risk"], active["left"])
    drawn = Figure(
        plots.calibration(model, baseline, words),
        words["calibration.finding"].format(
            predicted=percent(active["risk"].mean()).text,
            realised=percent(active["left"].mean()).text,
        ),
        words["calibration.reading"].format(each=count(model["customers"].median()).text),
        _table(
            view,
            "calibration",
            model,
            predicted=percent,
            realised=percent,
            low=percent,
            high=percent,
            customers=count,
        ),
    )
    return Section("calibration", title, words["calibration.lead"], (drawn,))


def _table(view: View, key: str, frame: pd.DataFrame, **writers: Callable[[float], Cell]) -> Table:
    columns = tuple(Column(view.words[f"{key}.{name}"]) for name in writers)
    rows = tuple(
        tuple(write(row[name]) for name, write in writers.items()) for _, row in frame.iterrows()
    )
    return Table(key, columns, rows)


def _untested(view: View) -> Note:
    none = "test.none" if view.held_out is None else "test.none_active"
    return Note(view.words[none])


def gain(view: View) -> Section:
    """Whether the customers rated most at risk are those who leave."""
    words, active = view.words, view.tested_active
    title = words["gain.title"]
    if active.empty:
        return Section("gain", title, "", (_untested(view),))
    if not active["left"].sum() > 0:
        return Section("gain", title, "", (Note(words["test.none_left"]),))
    model = numbers.gain_curve(active["risk"], active["left"])
    baseline = numbers.gain_curve(active["baseline_risk"], active["left"])
    best = numbers.gain_curve(active["left"], active["left"])
    found = pd.DataFrame({"contacted": CONTACTED})
    found["model"] = np.interp(found["contacted"], model["share"], model["found"])
    found["baseline"] = np.interp(found["contacted"], baseline["share"], baseline["found"])
    found["lift"] = found["model"] / found["contacted"]
    drawn = Figure(
        plots.gain(model, baseline, best, words),
        words["gain.finding"].format(
            model=percent(numbers.found_at(model, numbers.TOP_SHARE)).text,
            baseline=percent(numbers.found_at(baseline, numbers.TOP_SHARE)).text,
        ),
        words["gain.reading"],
        _table(
            view, "gain", found, contacted=percent, model=percent, baseline=percent, lift=figure
        ),
    )
    return Section("gain", title, words["gain.lead"], (drawn,))


def forecast(view: View) -> Section:
    """Whether the value that was forecast came."""
    words, rows = view.words, view.tested_value
    title = words["forecast.title"]
    if rows.empty:
        note = words["test.none" if view.held_out is None else "forecast.none"]
        return Section("forecast", title, "", (Note(note),))
    tenths = numbers.value_by_tenth(rows)
    drawn = Figure(
        plots.forecast(tenths, words),
        words["forecast.finding"].format(
            forecast=money(rows["expected_value"].sum()).text,
            actual=money(rows["value"].sum()).text,
        ),
        words["forecast.reading"],
        _table(
            view,
            "forecast",
            tenths,
            tenth=count,
            customers=count,
            expected=money,
            actual=money,
            baseline=money,
        ),
    )
    return Section("forecast", title, words["forecast.lead"], (drawn,))


def metrics(view: View) -> Section:
    """Every measure of the test, one column per model."""
    words, found = view.words, view.metrics
    title = words["metrics.title"]
    if found.empty:
        return Section("metrics", title, "", (Note(words["metrics.none"]),))
    models = list(dict.fromkeys(found["model"]))
    wide: dict[tuple[str, str], dict[str, float]] = {}
    for row in found.to_dict("records"):
        wide.setdefault((row["task"], row["metric"]), {})[row["model"]] = row["value"]
    columns = (
        Column(words["metrics.task"], number=False),
        Column(words["metrics.metric"], number=False),
        *(Column(view.word("model", model)) for model in models),
    )
    rows = tuple(
        (
            Cell(view.word("task", task)),
            Cell(view.word("metric", metric)),
            *(figure(values.get(model, math.nan)) for model in models),
        )
        for (task, metric), values in wide.items()
    )
    table = Table("metrics", columns, rows)
    return Section("metrics", title, words["metrics.lead"], (table,))
