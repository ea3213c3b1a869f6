"""The gate: what a challenger has to show before it may replace the champion.

GATE lists the checks; whatever is listed is asked, told and kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from features import backend
from training import gate_checks as checks
from training.evidence import Evidence
from training.gate_checks import Measured


@dataclass(frozen=True)
class Finding:
    """What one check found.

    figure: None when it could not be measured; the sentence says why. low, high: the limits it has
    to keep. required: whether it refuses when it could not be measured.
    """

    name: str
    about: str
    required: bool
    sentence: str
    figure: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def passed(self) -> bool | None:
        """Whether the figure keeps the limits; None without a figure."""
        if self.figure is None:
            return None
        above = self.low is None or self.figure >= self.low
        return bool(above and (self.high is None or self.figure <= self.high))  # NaN keeps none

    @property
    def refuses(self) -> bool:
        """Whether it stands in the way of a promotion."""
        return not self.passed if self.figure is not None else self.required


@dataclass(frozen=True)
class Check:
    """A thing the gate asks: its name, what it asks in a sentence, and how it is measured.

    required: whether a challenger is refused when it cannot be measured.
    """

    name: str
    about: str
    required: bool
    measure: Callable[[Evidence], Measured]

    def of(self, evidence: Evidence) -> Finding:
        """What it finds."""
        figure, low, high, sentence = self.measure(evidence)
        return Finding(self.name, self.about, self.required, sentence, figure, low, high)


@dataclass(frozen=True)
class Verdict:
    """What all checks found."""

    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing stands in the way of a promotion."""
        return not self.refusals

    @property
    def refusals(self) -> list[str]:
        """Why not, a sentence each."""
        return [f"{f.name}: {f.sentence}" for f in self.findings if f.refuses]

    def sentence(self) -> str:
        """How it ended, in a sentence."""
        if self.passed:
            return "Passed the gate."
        return f"Refused by the gate: {'; '.join(self.refusals)}."

    def figures(self) -> dict[str, float]:
        """Name -> figure, of what was measured."""
        return {f.name: f.figure for f in self.findings if f.figure is not None}

    def in_words(self) -> str:
        """A line for each check: how it ended, its figure and its limits."""
        lines = []
        for f in self.findings:
            end = {True: "passed", False: "REFUSED", None: "not compared"}[f.passed]
            end = "REFUSED" if f.refuses else end
            figure = "" if f.figure is None else f"{f.figure:.4g}"
            lines.append(f"  {f.name:27s} {end:13s}{figure:>10s}  {_limits(f)}".rstrip())
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        found = [asdict(f) | {"passed": f.passed} for f in self.findings]
        return {"passed": self.passed, "findings": found}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Verdict:
        """The verdict that `to_dict` stored."""
        kept = [{k: v for k, v in one.items() if k != "passed"} for one in stored["findings"]]
        return cls(tuple(Finding(**one) for one in kept))

    def save(self, folder: Path, about: Mapping[str, Any]) -> None:
        """Write `gate.json` into a folder; about: what it is of, such as versions."""
        with backend.whole_or_nothing(folder / "gate.json") as temporary:
            temporary.write_text(json.dumps({**about, **self.to_dict()}, indent=1))


def judge(evidence: Evidence) -> Verdict:
    """What every check of GATE finds."""
    return Verdict(tuple(check.of(evidence) for check in GATE))


GATE: tuple[Check, ...] = (
    Check("beats_baseline_churn", "At the newest tested moment the log-loss of active customers "
          "is below the baseline's beyond chance.", True, checks.churn_baseline),
    Check("beats_baseline_value", "There the absolute error of value is below the baseline's "
          "beyond chance.", True, checks.value_baseline),
    Check("keeps_champion_churn", "There it surely keeps half of what the champion's log-loss "
          "gains over the baseline.", False, checks.churn_champion),
    Check("keeps_champion_value", "There it surely keeps half of what the champion's absolute "
          "error of value gains over the baseline.", False, checks.value_champion),
    Check("level_by_group", "In no group are leavers forecast too many or too few by more than a "
          "quarter beyond chance.", False, checks.level),
    Check("calibration_by_group", "In no group are risks off by more than five points beyond "
          "chance.", False, checks.calibration),
    Check("no_leak", "No leakage probe raises an alarm.", False, checks.leakage),
    Check("interval_coverage", "The 90 % interval of value holds what it says, roughly.",
          False, checks.coverage),
    Check("examples_alike", "The stored examples get numbers, the same after storing.",
          True, checks.examples),
    Check("milliseconds", "The examples are answered as fast as before, roughly.", True,
          checks.latency),
    Check("bytes", "The model files are as small as before, roughly.", True, checks.size),
    Check("leavers_today", "Of today's customers about as many are expected to leave as the "
          "champion expects: after a jump, look at the data first.", False, checks.leavers_today),
    Check("value_today", "Today's customers are expected to bring about what the champion "
          "expects: after a jump, look at the data first.", False, checks.value_today),
)  # fmt: skip


def _limits(finding: Finding) -> str:
    low, high = (None if end is None else f"{end:.4g}" for end in (finding.low, finding.high))
    if low and high:
        return f"{low} to {high}"
    if high:
        return f"at most {high}"
    return f"at least {low}" if low else finding.sentence
