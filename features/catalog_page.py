"""The catalogue as a page: every family and feature in Markdown, made from the code itself.

`python -m features.catalog_page` writes the page that stands beside this file.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import ibis

from features.catalog import FAMILIES
from features.events import TABLES, Events
from features.family import Family, Feature

PAGE = Path(__file__).with_name("CATALOG.md")

_HEAD = """\
# The features

Made from the code by `python -m features.catalog_page`; what is written here by hand is lost.
A window is how many days are looked back; without one it is the whole past. The columns of the
customers table are features too, `profile_<column>` of `relationship`, where a business has them.

The owner is who in the business answers for what a family is made from. Privacy: all of it is
personal data as long as a customer id stands beside it; `behaviour` tells what a customer does with
us, `sensitive` could harm him when others learn of it (debts, disputes, life events), and
`profile`, the columns of the customers table as given, may name him. What is for rules alone is no
input of any model.
"""
_ANY_MOMENT = datetime(2000, 1, 1)


def page(families: Iterable[Family] = FAMILIES) -> str:
    """The catalogue of some families in Markdown: a list of them, then one table for each."""
    families = tuple(families)
    count = sum(len(family.features) for family in families)
    lines = [
        _HEAD,
        f"Families: {len(families)}, features: {count}.\n",
        *_table(
            ("family", "features", "source", "owner"), [_overview(family) for family in families]
        ),
    ]
    for family in families:
        lines += ["", *_section(family)]
    return "\n".join(lines) + "\n"


def _overview(family: Family) -> tuple[str, ...]:
    return (
        f"[{family.name}](#{family.name})",
        str(len(family.features)),
        family.source,
        family.owner,
    )


def _section(family: Family) -> list[str]:
    facts = f"Features: {len(family.features)}, from the table `{family.source}`."
    if family.population:
        compared_with = str(inspect.getdoc(family.population)).splitlines()[0]
        facts += f" Compared with everybody's past: {compared_with}"
    schema = _schema(family)
    rows = [
        _row(feature, "text" if schema[feature.name].is_string() else "number")
        for feature in family.features
    ]
    table = _table(("feature", "type", "window", "privacy", "what it says"), rows)
    return [f"## {family.name}\n", f"{family.about}\n", f"{facts}\n", *table]


def _row(feature: Feature, kind: str) -> tuple[str, ...]:
    window = f"{feature.window} days" if feature.window else ""
    about = feature.about if feature.for_models else f"{feature.about} For rules alone."
    return f"`{feature.name}`", kind, window, feature.privacy, about


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    # A bar would end the cell.
    lines = [head, ("---",) * len(head), *rows]
    return ["| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines]


def _schema(family: Family) -> ibis.Schema:
    """The columns of the family's snapshots with their types."""
    tables = {name: ibis.table(table.schema(), name=name) for name, table in TABLES.items()}
    return family.compute(Events(**tables), _ANY_MOMENT).schema()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
