"""The model card: data, definition, population, quality, limits and misuse, in one page."""

from __future__ import annotations

import pandas as pd

from training import exposure, segments, words
from training.evaluate import Backtest
from training.exposure import AS_THEY_ARE, Treated
from training.model_set import ModelSet
from training.tasks import TASKS

# Customers whose effects are averaged: the mean of so many is known to a fiftieth of their spread.
MOST_EXPLAINED = 2_500

_MISUSE = """## Not for
- Reading the factors as causes: they are associations in past data.
- Refusing service or credit to a person, or any decision with legal effect.
- Customers who never bought (prospects), internal accounts, or another business's customers.
- Comparing probabilities between models with different definitions or horizons."""

_LIMITS = """## Limits
- Customers who were treated (offers, calls) bend the labels. {treated}
- A change the past has not seen, such as a new price or rival, is not in the forecast.
- The interval of value is calibrated on one earlier moment and assumes that moment's surprises."""


def write(
    models: ModelSet,
    metrics: pd.DataFrame,
    panel: pd.DataFrame,
    churn_test: Backtest | None,
    value_test: Backtest | None,
    methods: pd.DataFrame | None = None,
    treated: Treated = AS_THEY_ARE,
) -> str:
    """The card in Markdown; methods: the ways to value customers (value_methods.compare).

    treated: how the panel was learnt.
    """
    reference = models.reference
    definitions = "\n".join(f"- `{models.tasks[name].definition}`: {models.tasks[name].sentence()}"
                            for name in TASKS)  # fmt: skip
    cut_offs = ", ".join(f"{moment:%Y-%m-%d}" for moment in sorted(panel.as_of.unique()))
    return "\n\n".join([
        f"# Models as of {reference.trained_as_of:%Y-%m-%d}",
        f"## Questions\n{definitions}",
        f"## Data\n{len(panel):,} rows of {panel.customer_id.nunique():,} customers at the "
        f"cut-offs {cut_offs}; {len(reference.features)} features, catalogue "
        f"{reference.catalog}. Churn causes come from: {models.churn_type.source}."
        f"{_extrapolation(models, panel)}",
        f"## Quality on customers of an earlier moment\n{_quality(metrics)}",
        f"## How right it was, by group\n{_groups(churn_test, value_test)}",
        f"## Other ways to value a customer\n{_methods(methods)}",
        f"## What the churn model looks at\n{_families(models, panel)}",
        _LIMITS.format(treated=exposure.in_words(panel, treated)),
        _MISUSE,
    ]) + "\n"  # fmt: skip


def _extrapolation(models: ModelSet, panel: pd.DataFrame) -> str:
    """What a short history means; empty when the horizon asked for was learnt as it is."""
    learnt, asked = panel.horizon_days, models.tasks["churn"].horizon_days
    if learnt.max() >= asked:
        return ""
    return (
        f" The history is short: horizons of {learnt.min()} to {learnt.max()} days were learnt, "
        f"and {asked} days are extrapolated from them."
    )


def _families(models: ModelSet, panel: pd.DataFrame) -> str:
    newest = panel[panel.as_of == panel.as_of.max()]
    some = newest.head(MOST_EXPLAINED).reset_index(drop=True)
    lines = ["| family | mean effect on the probability, points |", "|---|---|"]
    lines += [f"| {family} | {100 * effect:.1f} |"
              for family, effect in models.strongest_families(some).items()]  # fmt: skip
    return "\n".join(lines)


def _groups(churn_test: Backtest | None, value_test: Backtest | None) -> str:
    text = words.of_segments(*segments.of_newest(churn_test, value_test))
    return f"```\n{text}\n```" if text else "Not tested."


def _methods(methods: pd.DataFrame | None) -> str:
    text = "" if methods is None else words.of_methods(methods)
    return f"```\n{text}\n```" if text else "Not compared."


def _quality(metrics: pd.DataFrame) -> str:
    if metrics.empty:
        return "Not tested: the history is too short for a test at an earlier moment."
    lines = ["| question | model | metric | value |", "|---|---|---|---|"]
    lines += [
        f"| {m.task} | {m.model} | {m.metric} | {m.value:.4g} |" for m in metrics.itertuples()
    ]
    return "\n".join(lines)
