"""A reading as a sentence of a language: its cause, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving.monitoring.reading import Reading

# Facts that are shares, written as percentages; a change with its sign.
SHARES = frozenset({"share", "missing", "then", "high", "before", "most"})
OF_A_RISK = frozenset({"told", "came"})
SIGNED = frozenset({"change", "bias"})


def sentence(words: Mapping[str, str], reading: Reading) -> str:
    """The cause and the advice, in the words of a language."""
    return f"{cause(words, reading)} {words[f'monitoring.advice_{reading.advice}']}"


def cause(words: Mapping[str, str], reading: Reading) -> str:
    """What the reading says, with its facts."""
    facts = {name: _written(name, value) for name, value in reading.facts.items()}
    return words[f"monitoring.cause_{reading.cause}"].format(**facts)


def _written(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if not isinstance(value, (int, float)):
        return str(value)
    if name in SIGNED:
        return f"{100 * value:+.0f} %".replace("-", "−")
    if name in SHARES or (name in OF_A_RISK and abs(value) <= 1.0):
        return f"{100 * value:.0f} %"
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
