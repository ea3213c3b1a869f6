"""Two registered versions side by side: what differs in them, and which was better on which figure.

Figures of two trainings are of tests at two moments, as a rule: the better one may have had the
easier days. Only the gate compares on the same customers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.metrics import HIGHER_IS_BETTER
from training.models.two_part import COVERAGE

# What says where a version comes from: the events, the features' and the rules' versions.
ORIGINS = ("events", "catalog", "policy", "trained_as_of")
# A figure of so little difference, relative to the larger, is called equal.
EQUAL = 0.001


@dataclass(frozen=True)
class Side:
    """What a version was made of and how well it did.

    definitions: by task. metrics: task/model/metric -> value, as logged. tags: of the version.
    """

    version: str
    definitions: Mapping[str, str]
    features: tuple[str, ...]
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Comparison:
    """Two versions, A and B.

    metrics: name -> (A, B) of the models, without baselines. better: name -> the version that is
    better there; none where they are equal. parameters, definitions, origins: name -> (A, B) where
    they differ. only_a, only_b: features that the other does not have.
    """

    a: str
    b: str
    metrics: Mapping[str, tuple[float, float]]
    better: Mapping[str, str]
    parameters: Mapping[str, tuple[str, str]]
    definitions: Mapping[str, tuple[str, str]]
    origins: Mapping[str, tuple[str, str]]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {name: dict(value) if isinstance(value, Mapping) else value
                for name, value in vars(self).items()}  # fmt: skip

    def in_words(self) -> str:
        """All of it as text, the sentence first."""
        lines = [self.sentence(), "", f"{'':36s}{self.a:>12s}{self.b:>12s}"]
        for name, (a, b) in self.metrics.items():
            mark = self.better.get(name)
            lines.append(f"{name:36s}{a:12.4g}{b:12.4g}  {'better: ' + mark if mark else ''}")
        for what in ("definitions", "origins", "parameters"):
            for name, (a, b) in getattr(self, what).items():
                lines.append(f"{name}: {a} -> {b}")
        for version, names in ((self.a, self.only_a), (self.b, self.only_b)):
            if names:
                lines.append(f"only {version} reads {len(names)} features: {', '.join(names)}")
        return "\n".join(line.rstrip() for line in lines)

    def sentence(self) -> str:
        """Which is better on which figure, and how far that may be trusted."""
        parts = []
        for version in (self.a, self.b):
            names = [name for name, best in self.better.items() if best == version]
            if names:
                parts.append(f"version {version} is better on {', '.join(names)}")
        told = "; ".join(parts) or "no figure tells them apart"
        if "trained_as_of" in self.origins:
            told += (
                ". They were tested at different moments, so the days may differ, not the models"
            )
        elif "events" in self.origins:
            told += ". They were tested on different data"
        return f"{told[0].upper()}{told[1:]}."


def compare(a: Side, b: Side) -> Comparison:
    """What differs between two versions; figures and parameters that only one has are left out."""
    shared = [name for name in a.metrics if name in b.metrics and _is_of_a_model(name)]
    metrics = {name: (a.metrics[name], b.metrics[name]) for name in sorted(shared)}
    better = {name: best for name, pair in metrics.items() if (best := _better(name, pair, a, b))}
    return Comparison(
        a.version, b.version, metrics, better,
        _differing(a.parameters, b.parameters),
        _differing(a.definitions, b.definitions),
        {k: v for k, v in _differing(a.tags, b.tags).items() if k in ORIGINS},
        tuple(name for name in a.features if name not in set(b.features)),
        tuple(name for name in b.features if name not in set(a.features)),
    )  # fmt: skip


def _is_of_a_model(name: str) -> bool:
    return len(parts := name.split("/")) == 3 and parts[1].startswith("model")


def _better(name: str, pair: tuple[float, float], a: Side, b: Side) -> str | None:
    metric = name.split("/")[-1]
    if metric == "coverage_90":
        far = [abs(value - COVERAGE) for value in pair]
    elif metric in HIGHER_IS_BETTER:
        far = [-value for value in pair]
    else:
        far = [abs(value) for value in pair]
    if abs(far[0] - far[1]) <= EQUAL * max(map(abs, far)):
        return None
    return a.version if far[0] < far[1] else b.version


def _differing(a: Mapping[str, str], b: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    names = sorted({*a, *b})
    pairs = {name: (a.get(name, "none"), b.get(name, "none")) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
