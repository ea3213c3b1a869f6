"""The alarms, each with what it looks at, its limit and the reason for that.

To add one, name it in ALARMS beside the function that reads its figures, and give it its words in
`report_parts/words/*/monitoring.yaml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas as pd

from serving.monitoring import flow, inputs, realised, sources
from serving.monitoring.flows import Flows
from serving.monitoring.made import Made
from serving.monitoring.reading import Reading
from serving.monitoring.realised import Realised
from training.proof import Proof


@dataclass(frozen=True)
class Seen:
    """What monitoring looks at.

    flows: the arrivals by day. inputs: inputs.compared; None for models without a profile. files:
    the score files up to the moment, newest first. graded: those whose outcome is known.
    """

    as_of: datetime
    flows: Flows
    inputs: pd.DataFrame | None = None
    files: Sequence[Made] = ()
    graded: Sequence[Realised] = ()
    proof: Proof | None = None


@dataclass(frozen=True)
class Alarm:
    """One alarm: its name, what it looks at, the unit of its figure, its limit with the reason."""

    name: str
    looks_at: str
    figure: str
    limit: str
    readings: Callable[[Seen], Iterable[Reading]]


@dataclass(frozen=True)
class Heard:
    """What an alarm said: its readings beyond the limit, and the one nearest to its limit.

    is_known: whether there was anything to read; without, nothing is known, and nothing rings.
    """

    alarm: str
    is_known: bool
    nearest: Reading | None = None
    beyond: Sequence[Reading] = field(default_factory=tuple)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "alarm": self.alarm,
            "is_known": self.is_known,
            "nearest": self.nearest.to_dict() if self.nearest else None,
            "beyond": [reading.to_dict() for reading in self.beyond],
        }


def _realised(*causes: str) -> Callable[[Seen], Iterable[Reading]]:
    def read(seen: Seen) -> Iterable[Reading]:
        if seen.proof is None:
            return ()
        found = (r for one in seen.graded for r in realised.readings(one, seen.proof))
        return [reading for reading in found if reading.cause in causes]

    return read


def _inputs(read: Callable[[pd.DataFrame], Iterable[Reading]]) -> Callable[[Seen], Iterable]:
    return lambda seen: () if seen.inputs is None or seen.inputs.empty else read(seen.inputs)


ALARMS: tuple[Alarm, ...] = (
    Alarm(
        "source_silent", "The last event of each table, channel of sale and kind of interaction.",
        "days without an event",
        "Twice the longest silence of the last year, two days at least: by chance once in as many "
        "years as there are events.",
        lambda seen: sources.silence(seen.flows, seen.as_of),
    ),
    Alarm(
        "volume", "Rows of the newest week, by source, and new customers.",
        "difference of the logs from the eight weeks before",
        "1.75 times the largest of the last year, a quarter at least, and four standard deviations "
        "of a count.",
        lambda seen: sources.volume(seen.flows),
    ),
    Alarm(
        "prices", "Mean log price within customers and categories, of one to four weeks.",
        "difference from the eight weeks before",
        "1.75 times the largest of the last year, 5 % at least.",
        lambda seen: sources.prices(seen.flows),
    ),
    Alarm(
        "new_name", "Channels, categories, kinds and profiles that no row had before.",
        "share of the rows of four weeks",
        "1 % and three rows: less is a slip of the pen.",
        lambda seen: sources.names(seen.flows),
    ),
    Alarm(
        "mix", "Shares of channels, categories, kinds and profiles of those who come.",
        "share of the rows of four weeks with another value than in the half year before",
        "1.75 times the largest of the last year, 10 % at least.",
        lambda seen: sources.mix(seen.flows),
    ),
    Alarm(
        "inputs_drift", "Population stability index of each feature against training.",
        "share of what the model looks at that is beyond",
        "10 %; a feature is beyond at twice the furthest that the cut-offs of the training stood "
        "from it, at 0.10 at least, and at more than chance.",
        _inputs(inputs.drift),
    ),
    Alarm(
        "inputs_missing", "Share of missing values of each feature against training.",
        "share of a family's features that miss more or less than is usual",
        "Half: one feature alone is chance, a source that fails takes a family with it.",
        _inputs(inputs.missing),
    ),
    Alarm(
        "scores_drift", "Population stability index of churn probability and expected value.",
        "index against training",
        "As for a feature: twice what is usual, 0.10 at least.",
        _inputs(inputs.scores),
    ),
    Alarm(
        "bands", "Low, medium and high risk in the two newest score files.",
        "population stability index", "0.10, the usual rule of thumb, and more than chance.",
        lambda seen: flow.bands(seen.files),
    ),
    Alarm(
        "tier_flow", "Customers of both the newest score files.",
        "share that changed its tier, by month",
        "1.75 times the largest of the earlier files, 10 % at least.",
        lambda seen: flow.tiers(seen.files),
    ),
    Alarm(
        "realised_loss", "Log-loss of the churn, absolute error of the value that was served.",
        "lower end of its 95 % interval",
        "The upper end of that of the test at training: chance reaches neither.",
        _realised("loss"),
    ),
    Alarm(
        "realised_calibration", "Churn probabilities that were served, by tenths.",
        "expected calibration error",
        "That of the test at training and what chance makes of right probabilities 95 times of "
        "100.",
        _realised("calibration"),
    ),
    Alarm(
        "realised_value", "Expected value that was served, in total.",
        "how far it is off for sure, as a share of what came",
        "10 % and what the test at training was off.",
        _realised("bias"),
    ),
    Alarm(
        "behind_rule", "What was served beside the recency rule on the same customers.",
        "lower end of the 95 % interval of the difference of losses",
        "0: the rule costs nothing, whatever is behind it must go.",
        _realised("behind_rule"),
    ),
)  # fmt: skip


def hear(seen: Seen, alarms: Sequence[Alarm] = ALARMS) -> list[Heard]:
    """What each alarm says, in the order of the list."""
    found = []
    for alarm in alarms:
        readings = list(alarm.readings(seen))
        nearest = max(readings, key=_nearness, default=None)
        beyond = sorted((r for r in readings if r.rings), key=_nearness, reverse=True)
        found.append(Heard(alarm.name, bool(readings), nearest, tuple(beyond)))
    return found


def _nearness(reading: Reading) -> tuple[float, str]:
    room = reading.figure / reading.limit if reading.limit > 0 else reading.figure
    return (room if room == room else -1.0), reading.subject
