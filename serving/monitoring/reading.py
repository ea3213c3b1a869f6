"""One figure beside its limit, what it means when it is beyond, and what to do then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LOOK, RETRAIN, WAIT, MEASURE = "look_at_source", "retrain", "wait", "look_at_models"
ADVICE = (LOOK, RETRAIN, WAIT, MEASURE)


@dataclass(frozen=True)
class Reading:
    """What an alarm read of one subject: a source, a feature, a score, a score file.

    It rings when the figure is above its limit. cause: the key of a sentence, which `facts` fills
    (words `monitoring.cause_<cause>`); its numbers are in their own unit, shares 0 to 1.
    advice: one of ADVICE.
    """

    subject: str
    figure: float
    limit: float
    cause: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    advice: str = LOOK

    @property
    def rings(self) -> bool:
        """Whether the figure is beyond its limit; a missing one is not."""
        return self.figure > self.limit

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {**vars(self), "facts": dict(self.facts)}
