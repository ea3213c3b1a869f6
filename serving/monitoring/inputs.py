"""What the models are given now, against what they were given when they learnt.

Three hundred features are three hundred occasions for a false alarm. So none rings alone: what
counts is how much of what the model looks at has moved further than is usual, by family.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from serving.monitoring.reading import LOOK, RETRAIN, Reading
from training.drift import ks_p_value, psi_by_chance
from training.input_profile import RISK, SCORES, InputProfile, Usual

# Below this an index is no change by the usual rule of thumb (Siddiqi 2006).
PSI_FLOOR = 0.10
# Beyond twice the furthest of the cut-offs of training, which lie up to a year before it.
FACTOR = 2.0
CHANCE = 0.999  # of 350 features without a change one in three times one is beyond by chance
MISSING_FLOOR = 0.05  # difference of shares
# Share of what the model looks at. Features tell much the same in groups, so some move together.
WEIGHT = 0.10
FAMILY_SHARE = 0.5  # of the features of a family that went missing
LEAST_CUSTOMERS = 50
MOST_NAMED = 3
COLUMNS = (
    "name", "family", "importance", "psi", "psi_limit", "ks", "ks_p", "missing", "missing_then",
    "missing_limit", "new",
)  # fmt: skip


def compared(
    profile: InputProfile, rows: pd.DataFrame, families: Mapping[str, str]
) -> pd.DataFrame:
    """One row per input of the profile: COLUMNS.

    rows: input_profile.scored of the customers of now. families: of each feature; a feature that
    is no longer there counts as missing throughout. psi_limit, missing_limit: what is usual.
    """
    found = []
    for name, then in profile.inputs.items():
        values = rows[name] if name in rows else pd.Series(np.nan, rows.index)
        now, usual = then.moved(values), profile.usual.get(name, Usual())
        chance = psi_by_chance(now.classes, profile.customers, len(rows), CHANCE)
        limit = max(PSI_FLOOR, chance, FACTOR * usual.psi)
        missing_limit = max(MISSING_FLOOR, FACTOR * usual.missing)
        found.append((
            name, families.get(name, ""), profile.importance.get(name, 0.0), now.psi, limit,
            now.ks, ks_p_value(now.ks, profile.customers, len(rows)), now.missing, then.missing,
            missing_limit, now.new,
        ))  # fmt: skip
    return pd.DataFrame(found, columns=list(COLUMNS))


def drift(table: pd.DataFrame) -> Iterator[Reading]:
    """The share of what the model looks at, of each family, that moved further than is usual."""
    features = table[~table.name.isin(SCORES)]
    beyond = features[features.psi > features.psi_limit]
    weight = float(beyond.importance.sum())
    moved = beyond.assign(by=beyond.importance * beyond.psi / beyond.psi_limit)
    strongest = moved.sort_values(["by", "name"], ascending=[False, True])
    families = strongest.groupby("family").by.sum().sort_values(ascending=False).index
    facts = {
        "share": weight, "features": len(beyond), "of": len(features),
        "names": ", ".join(strongest.name[:MOST_NAMED]),
        "families": ", ".join(families[:MOST_NAMED]),
    }  # fmt: skip
    yield Reading("features", weight, WEIGHT, "drift", facts, RETRAIN)


def missing(table: pd.DataFrame) -> Iterator[Reading]:
    """The share of the features of a family that are missing more, or less, often than is usual."""
    features = table[~table.name.isin(SCORES)]
    changed = (features.missing - features.missing_then).abs() > features.missing_limit
    for family, rows in features.groupby("family", sort=True):
        which = changed[rows.index]
        share = float(which.mean())
        worst = rows[which].assign(by=(rows.missing - rows.missing_then).abs())
        worst = worst.sort_values(["by", "name"], ascending=[False, True])
        facts = {"family": family, "features": int(which.sum()), "of": len(rows)}
        if len(worst):
            first = worst.iloc[0]
            facts |= {"name": first["name"], "missing": first.missing, "then": first.missing_then}
        yield Reading(str(family), share, FAMILY_SHARE, "missing", facts, LOOK)


def scores(table: pd.DataFrame) -> Iterator[Reading]:
    """The index of each score, against what is usual."""
    of_scores = table[table.name.isin(SCORES)].set_index("name")
    for name, row in of_scores[["psi", "psi_limit", "ks"]].astype(float).iterrows():
        facts = {"psi": row.psi, "ks": row.ks}
        cause = "risk_moved" if name == RISK else "value_moved"
        yield Reading(str(name), row.psi, row.psi_limit, cause, facts, RETRAIN)
