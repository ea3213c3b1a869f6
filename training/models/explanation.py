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
from numpy.typing import NDArray
from scipy.special import expit

from features.columns import Columns, Rows, numbers_of
from training.models import boosters
from training.models.boosters import Inputs
from training.models.boosting import Boosting, Forecast
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

    names: the features and REPEAT_BUYING. parts: the effect of each, (n, names), in probability; a
    row's sum is its churn probability less `base`, the risk of a customer nothing is known of.
    rows: the features that were explained. rhythm: P(buys) by buy-till-you-die alone, (n,).
    """

    names: Sequence[str]
    parts: NDArray[np.float64]
    base: float
    rows: Rows
    rhythm: NDArray[np.float64]

    @classmethod
    def of(cls, model: Boosting, rows: Rows) -> Explanation:
        """Explain a churn model on rows of features with `horizon_days`."""
        return cls.of_forecast(model, model.forecast(Columns.of(rows)))

    @classmethod
    def of_forecast(cls, model: Boosting, forecast: Forecast) -> Explanation:
        """Explain what a churn model has forecast."""
        columns, log_odds = forecast.columns, forecast.log_odds
        names, parts = _log_odds_parts(model, columns, forecast.inputs)
        base = log_odds - np.einsum("ij->i", parts)
        gap = log_odds - base
        is_same = np.abs(gap) < SAME_ODDS
        chance, chance_of_base = expit(log_odds), expit(base)
        rise = np.where(is_same, chance * (1.0 - chance),
                        (chance - chance_of_base) / np.where(is_same, 1.0, gap))  # fmt: skip
        effects = parts * -rise[:, None]  # of leaving, which is not to buy
        rhythm = expit(numbers_of(columns, "offset_odds"))
        return cls(names, effects, float(1.0 - np.mean(chance_of_base)), columns, rhythm)

    @property
    def effects(self) -> pd.DataFrame:
        """The parts by their names, one row per customer."""
        return pd.DataFrame(self.parts, columns=list(self.names))

    def factors(self, words: Mapping[str, Word], most: int) -> list[list[Factor]]:
        """The strongest families of each customer, at most `most`, the strongest first."""
        families, sums, leads = self._by_family(words)
        strongest = np.argsort(-np.abs(sums), axis=1)[:, :most]
        names = np.array(self.names, dtype=object)[np.take_along_axis(leads, strongest, axis=1)]
        values = {name: self._values(name) for name in set(names.ravel().tolist())}

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
        members_of: dict[str, list[int]] = {}
        for position, name in enumerate(self.names):
            members_of.setdefault(_family(name, words), []).append(position)
        families = list(members_of)
        sums, leads = np.empty((2, len(self.parts), len(families)))
        for position, family in enumerate(families):
            members = np.array(members_of[family])
            here = self.parts[:, members]
            sums[:, position] = here.sum(axis=1)
            lead = np.where(sums[:, position] > 0, here.argmax(axis=1), here.argmin(axis=1))
            leads[:, position] = members[lead]
        return families, sums, leads.astype(np.intp)

    def _values(self, feature: str) -> list[float | str | None]:
        """What is known of a feature of each customer; of REPEAT_BUYING what the rhythm says."""
        if feature == REPEAT_BUYING:
            return self.rhythm.tolist()
        known: list[Any] = self.rows[feature].tolist()
        return [v if isinstance(v, str) or v is None else None if v != v else float(v)
                for v in known]  # fmt: skip


def sentence(factor: Factor) -> str:
    """A factor in words: the beginning of its description, its value, its effect in points."""
    about = factor.about.split(";")[0].split(",")[0].rstrip(".")
    value = factor.value
    said = "not known" if value is None else value if isinstance(value, str) else f"{value:,.4g}"
    return f"{about}: {said} ({100 * factor.effect:+.0f} points)"


def _log_odds_parts(
    model: Boosting, columns: Rows, inputs: Inputs
) -> tuple[list[str], NDArray[np.float64]]:
    """The features and REPEAT_BUYING, and the part of each in the log odds of a purchase."""
    of_offset, of_ridge, of_trees, of_level = model.weights
    by_column = (
        of_ridge * model.ridge.terms(inputs.matrix)
        + of_trees * boosters.contributions(model.with_offset, inputs)
        + of_level * boosters.contributions(model.with_level, inputs)
    )
    names = [REPEAT_BUYING if n in OFFSET_COLUMNS else n for n in model.design.sources]
    # The columns of one feature stand side by side.
    starts = [at for at, name in enumerate(names) if at == 0 or name != names[at - 1]]
    features = [names[at] for at in starts]
    parts = np.add.reduceat(by_column, starts, axis=1)
    if REPEAT_BUYING not in features:  # its columns were alike for everybody
        features.append(REPEAT_BUYING)
        parts = np.column_stack([parts, np.zeros(len(parts))])
    share = of_offset + of_ridge + of_trees
    own = share * (numbers_of(columns, "offset_odds") - model.level_odds)
    parts[:, features.index(REPEAT_BUYING)] += own
    return features, model.slope * parts


def _family(feature: str, words: Mapping[str, Word]) -> str:
    return words[feature].family if feature != REPEAT_BUYING else REPEAT_BUYING
