"""The section on monitoring: what rings and why, and what was served beside what came of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from serving.monitoring.alarms import Heard
from serving.monitoring.monitor import Monitoring
from serving.monitoring.realised import BASELINE, MODEL
from serving.monitoring.words import cause
from serving.report_parts import tables
from serving.report_parts.blocks import (
    Block,
    Cell,
    Note,
    Section,
    Table,
    count,
    figure,
    money,
    percent,
)
from serving.report_parts.view import View


def monitoring(view: View) -> Section:
    """Whether anything is not as it was, and what to do then."""
    seen = view.extras.monitoring
    if seen is None:
        return tables.nothing(view, "monitoring")
    words = view.words
    blocks: list[Block] = [
        _ringing(view, seen) if seen.ringing else Note(words["monitoring.quiet"])
    ]
    blocks.append(_alarms(view, seen))
    if seen.graded:
        blocks += [_graded(view, seen), Note(words["monitoring.realised_reading"])]
    blocks.append(Note(words["monitoring.caution"]))
    moments = {
        "as_of": Cell(f"{seen.as_of:%Y-%m-%d}"),
        "trained": Cell(f"{seen.trained_as_of:%Y-%m-%d}"),
    }
    return tables.section(view, "monitoring", blocks, **moments)


def _ringing(view: View, seen: Monitoring) -> Table:
    words, beyond = view.words, seen.ringing
    columns = {
        "alarm": [Cell(words[f"monitoring.alarm_{name}"]) for name, _ in beyond],
        "cause": [Cell(cause(words, reading)) for _, reading in beyond],
        "advice": [Cell(words[f"monitoring.advice_{reading.advice}"]) for _, reading in beyond],
    }
    return tables.table(view, "monitoring_ringing", columns, group="monitoring")


def _alarms(view: View, seen: Monitoring) -> Table:
    words = view.words
    columns = {
        "alarm": [Cell(words[f"monitoring.alarm_{one.alarm}"]) for one in seen.heard],
        "status": [Cell(words[f"monitoring.{_status(one)}"]) for one in seen.heard],
        "nearest": [Cell(one.nearest.subject if one.nearest else "–") for one in seen.heard],
        "figure": [_number(one.nearest.figure if one.nearest else None) for one in seen.heard],
        "limit": [_number(one.nearest.limit if one.nearest else None) for one in seen.heard],
    }
    return tables.table(view, "monitoring_alarms", columns, group="monitoring")


def _status(heard: Heard) -> str:
    if not heard.is_known:
        return "not_known"
    return "rings" if heard.beyond else "calm"


def _graded(view: View, seen: Monitoring) -> Table:
    """One row per question and group: the model's grades, and the rule's loss beside them."""
    words = view.words
    rows = [(one, grade, _rule(one, grade["group"])) for one in seen.graded
            for grade in one["grades"] if grade["forecaster"] == MODEL]  # fmt: skip
    columns = {
        "question": [Cell(words[f"monitoring.question_{one['task']}"]) for one, _, _ in rows],
        "served": [Cell(one["as_of"][:10]) for one, _, _ in rows],
        "group": [Cell(words[f"monitoring.group_{grade['group']}"]) for _, grade, _ in rows],
        "customers": [count(grade["customers"]) for _, grade, _ in rows],
        "told": [_mean(one, grade["told"]) for one, grade, _ in rows],
        "came": [_mean(one, grade["came"]) for one, grade, _ in rows],
        "loss": [_number(grade["loss"], grade) for _, grade, _ in rows],
        "rule": [_number(rule) for _, _, rule in rows],
        "calibration": [percent(_float(grade["calibration"])) for _, grade, _ in rows],
    }
    return tables.table(view, "monitoring_realised", columns, group="monitoring")


def _rule(graded: Mapping[str, Any], group: str) -> float | None:
    rows = (g for g in graded["grades"] if (g["group"], g["forecaster"]) == (group, BASELINE))
    return next((grade["loss"] for grade in rows), None)


def _mean(graded: Mapping[str, Any], value: float) -> Cell:
    return percent(value) if graded["task"] == "churn" else money(value)


def _number(value: float | None, ends: Mapping[str, Any] | None = None) -> Cell:
    written = figure(_float(value))
    if ends is None:
        return written
    low, high = (figure(_float(ends[end])).text for end in ("low", "high"))
    return Cell(written.text, written.value, f"{low} – {high}")


def _float(value: float | None) -> float:
    return math.nan if value is None else float(value)
