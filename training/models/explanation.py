"""Why a customer's risk is what it is: signed parts that sum to it exactly.

Of every member of the stack the log odds fall into parts of single features: a regression into its
terms, trees into Shapley values (exact for trees: Lundberg et al. 2020, Nature Machine Intelligence
2, "From local explanations to global understanding with explainable AI for trees"), and the
buy-till-you-die forecast, which knows a history only as a whole, into one part of its own. The
parts of the stack are those of its members by their shares. A part of the log odds becomes one of
the probability by the gradient integrated from the base to the customer (Sundararajan, Taly, Yan
2017, eq. 1; Aumann and Shapley 1974), so that sums stay exact.

They say what the model looked at. They do not say what would happen if it were changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray
from scipy.special import expit

from training.models.boosting import Boosting
from training.models.offsets import OFFSET_COLUMNS

REPEAT_BUYING = "repeat_buying"
ABOUT_REPEAT_BUYING = "Chance of a purchase by the rhythm so far alone, 0 to 1."
# What a business does itself, and could do otherwise; the rest is the customer's.
ACTIONABLE = frozenset(
    {"contact", "contact_channel", "intimacy", "service", "satisfaction", "payment"}
)
# Where base and customer have the same odds, the slope of the curve is that of the point itself.
SAME_ODDS = 1e-9


class Word(NamedTuple):
    """What a feature says: the family it belongs to, and its description."""

    family: str
    about: str


class Factor(NamedTuple):
    """One reason: a family's effect on the churn probability, and the feature that led it.

    value: of the feature, in its own unit, None where it is not known; of REPEAT_BUYING the chance
    of a purchase that the rhythm alone gives. effect: probability, above 0 where it raises the
    risk. actionable: whether the business itself does what the feature counts.
    """

    family: str
    feature: str
    about: str
    value: float | str | None
    effect: float
    actionable: bool


@dataclass(frozen=True)
class Explanation:
    """The parts of some customers' churn probabilities.

    effects: one column per feature and REPEAT_BUYING, one row per customer, in probability; a
    row's sum is its churn probability less `base`, the risk of a customer nothing is known of.
    rows: the features that were explained. rhythm: P(buys) by buy-till-you-die alone, (n,).
    """

    effects: pd.DataFrame
    base: float
    rows: pd.DataFrame
    rhythm: NDArray[np.float64]

    @classmethod
    def of(cls, model: Boosting, rows: pd.DataFrame) -> Explanation:
        """Explain a churn model on rows of features with `horizon_days`."""
        columns = model.offsets.columns(rows)
        parts = _log_odds_parts(model, columns)
        log_odds = model.log_odds(columns)
        base = log_odds - parts.sum(axis=1).to_numpy()
        gap = log_odds - base
        is_same = np.abs(gap) < SAME_ODDS
        chance, chance_of_base = expit(log_odds), expit(base)
        rise = np.where(is_same, chance * (1.0 - chance),
                        (chance - chance_of_base) / np.where(is_same, 1.0, gap))  # fmt: skip
        effects = parts.mul(-rise, axis=0)  # of leaving, which is not to buy
        rhythm = expit(columns.offset_odds.to_numpy())
        return cls(effects, float(1.0 - np.mean(chance_of_base)), rows, rhythm)

    def factors(self, words: Mapping[str, Word], most: int) -> list[list[Factor]]:
        """The strongest families of each customer, at most `most`, the strongest first."""
        families, sums, leads = self._by_family(words)
        strongest = np.argsort(-np.abs(sums), axis=1)[:, :most]
        names = np.array(list(self.effects), dtype=object)[
            np.take_along_axis(leads, strongest, axis=1)
        ]
        values = {name: self._values(name) for name in np.unique(names)}

        def factor(row: int, at: int, feature: str) -> Factor:
            family, effect = families[at], float(sums[row, at])
            about = words[feature].about if feature in words else ABOUT_REPEAT_BUYING
            return Factor(
                family, feature, about, values[feature][row], effect, family in ACTIONABLE
            )

        return [
            [factor(row, at, name) for at, name in zip(few, leading, strict=True)]
            for row, (few, leading) in enumerate(zip(strongest, names, strict=True))
        ]

    def by_family(self, words: Mapping[str, Word]) -> pd.Series:
        """Mean absolute effect of each family over the customers, the strongest first."""
        families, sums, _ = self._by_family(words)
        return pd.Series(np.abs(sums).mean(axis=0), families).sort_values(ascending=False)

    def _by_family(
        self, words: Mapping[str, Word]
    ) -> tuple[list[str], NDArray[np.float64], NDArray[np.intp]]:
        """The families, the effect of each, and the column that leads it, both (n, families)."""
        effects = self.effects.to_numpy()
        family_of = np.array([_family(str(name), words) for name in self.effects])
        families = list(dict.fromkeys(family_of.tolist()))
        sums, leads = np.empty((2, len(effects), len(families)))
        for position, family in enumerate(families):
            members = np.flatnonzero(family_of == family)
            here = effects[:, members]
            sums[:, position] = here.sum(axis=1)
            lead = np.where(sums[:, position] > 0, here.argmax(axis=1), here.argmin(axis=1))
            leads[:, position] = members[lead]
        return families, sums, leads.astype(np.intp)

    def _values(self, feature: str) -> list[float | str | None]:
        """What is known of a feature of each customer; of REPEAT_BUYING what the rhythm says."""
        if feature == REPEAT_BUYING:
            return self.rhythm.tolist()
        known: list[Any] = self.rows[feature].tolist()
        return [None if pd.isna(v) else v if isinstance(v, str) else float(v) for v in known]


def sentence(factor: Factor) -> str:
    """A factor in words: the beginning of its description, its value, its effect in points."""
    about = factor.about.split(";")[0].split(",")[0].rstrip(".")
    value = factor.value
    said = "not known" if value is None else value if isinstance(value, str) else f"{value:,.4g}"
    return f"{about}: {said} ({100 * factor.effect:+.0f} points)"


def _log_odds_parts(model: Boosting, columns: pd.DataFrame) -> pd.DataFrame:
    """Parts of the log odds of a purchase: one column per feature and REPEAT_BUYING."""
    of_offset, of_ridge, of_trees, of_level = model.weights
    matrix = model.design.matrix(columns)
    offset = columns.offset_odds.to_numpy()
    parts = (
        of_ridge * model.ridge.terms(matrix)
        + of_trees * _tree_parts(model.with_offset, matrix, model.design.columns)
        + of_level * _tree_parts(model.with_level, matrix, model.design.columns)
    )
    names = [_feature(name, model.design.numbers) for name in model.design.columns]
    by_feature = pd.DataFrame(parts, columns.index).T.groupby(names, sort=False).sum().T
    share = of_offset + of_ridge + of_trees
    own = share * (offset - model.level_odds) + by_feature.get(REPEAT_BUYING, 0.0)
    return model.slope * by_feature.assign(**{REPEAT_BUYING: own})


def _tree_parts(booster: xgb.Booster, matrix: NDArray, columns: Sequence[str]) -> NDArray:
    """Shapley values of the margin, (n, columns), without the constant."""
    data = xgb.DMatrix(matrix, feature_names=list(columns))
    return booster.predict(data, pred_contribs=True)[:, :-1].astype(np.float64)


def _feature(column: str, numbers: Sequence[str]) -> str:
    """The feature that a column of the design belongs to."""
    if column in OFFSET_COLUMNS:
        return REPEAT_BUYING
    return column if column in numbers else column.split("=")[0]


def _family(feature: str, words: Mapping[str, Word]) -> str:
    return words[feature].family if feature != REPEAT_BUYING else REPEAT_BUYING
