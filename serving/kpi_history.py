"""Sheets kept as they were made, and the composites that set a sheet beside those before it.

A composite is the mean of the figures of a block, each as its distance from its own past mean in
past standard deviations, turned so that more is better. Source: item 30 (1) and (2).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from statistics import fmean, stdev

from features import backend, moment
from features.snapshots import moment_name, moment_of
from features.workspace import Workspace

# Sheets before this one without which a standard deviation says nothing; 3 is the least that has
# more than one degree of freedom.
LEAST_PAST = 3
# Figures of which less is better; of all others more is.
LESS_IS_BETTER = frozenset({
    "share_for_80", "model_calibration", "feedback_hours_sales", "feedback_hours_contacts",
    "data_age_hours", "data_age_hours_sales", "data_age_hours_contacts", "oldest_source_hours",
    "hours_to_scores", "returns_share", "delivery_days", "repeat_fault_share", "dispute_rate",
})  # fmt: skip
# Neither more nor less is better: 0 is, and the sign says in which direction it is missed.
NEAREST_TO_0 = frozenset({"value_bias"})

Values = Mapping[str, float]


def composite(now: Values, past: Sequence[Values], keys: Iterable[str]) -> float | None:
    """Mean standard score of the figures of now beside the same ones of the past; None without.

    A figure counts when it is known now and in LEAST_PAST sheets before, and was not always alike.
    """
    scores = [_score(key, now, past) for key in keys if key in now]
    told = [score for score in scores if score is not None]
    return fmean(told) if told else None


def keep(space: Workspace, as_of: datetime, values: Values) -> None:
    """Write the figures of a sheet beside the report of its moment."""
    path = space.reports / f"as_of={moment_name(as_of)}" / "kpis.json"
    with backend.whole_or_nothing(path) as temporary:
        temporary.write_text(json.dumps(dict(values), indent=1), encoding="utf-8")


def before(space: Workspace, as_of: datetime) -> list[Values]:
    """The figures of the sheets kept of moments before."""
    found = []
    for path in sorted(space.reports.glob("as_of=*/kpis.json")):
        made_of = moment_of(path.parent)
        if made_of is not None and moment.is_earlier(made_of, as_of):
            found.append(json.loads(path.read_text(encoding="utf-8")))
    return found


def _score(key: str, now: Values, past: Sequence[Values]) -> float | None:
    values = [_better(key, sheet[key]) for sheet in past if key in sheet]
    if len(values) < LEAST_PAST or not stdev(values) > 0:
        return None
    return (_better(key, now[key]) - fmean(values)) / stdev(values)


def _better(key: str, value: float) -> float:
    if key in NEAREST_TO_0:
        return -abs(value)
    return -value if key in LESS_IS_BETTER else value
