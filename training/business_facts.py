"""What a snapshot of all customers tells of a business that the row of one customer cannot.

Which kinds of data it has, the scale of its surveys, and how unlike everybody's a need must be to
be individual. Measured once on a reference snapshot and stored with the models, like the cuts of
the tiers, so that nobody changes class because others came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Rows, numbers_of
from features.events import PAYMENT_KINDS
from features.satisfaction import SURVEY_SCALES

# With fewer who answered, a scale to ten may have shown no answer above five.
LEAST_SURVEYED = 30
INDIVIDUAL_PERCENTILE = 70  # PRODUCT 20: beyond it a mix of categories is an individual need
# Feature of the optional column `alternatives` of the customers table: how many other suppliers
# the customer could buy from.
ALTERNATIVES = "profile_alternatives"


@dataclass(frozen=True)
class BusinessFacts:
    """What is known of one business.

    given: the kinds of data it has, by the codes of KINDS. survey_top: the highest answer its
    surveys allow, None while it cannot be told; all its surveys are taken to have one scale.
    individual_need: need_distance above which a need is individual, None without categories.
    """

    given: tuple[str, ...] = ()
    survey_top: float | None = None
    individual_need: float | None = None

    @classmethod
    def of(cls, rows: pd.DataFrame) -> BusinessFacts:
        """Measure the facts on the features of all customers at one moment."""
        given = tuple(code for code, shows in KINDS.items() if shows(rows))
        distance = numbers_if_any(rows, "need_distance")
        distance = distance[~np.isnan(distance)]
        individual = (
            float(np.percentile(distance, INDIVIDUAL_PERCENTILE)) if len(distance) else None
        )
        return cls(given, _survey_top(rows), individual)

    def attitude(self, rows: Rows) -> NDArray[np.float64]:
        """Mean answer to the surveys of a year as a share of the highest possible, (n,).

        0.9 is 4.5 of 5 and 9 of 10. Null without an answer: what somebody felt years ago is not
        what he feels.
        """
        top = np.nan if self.survey_top is None else self.survey_top
        return numbers_if_any(rows, "survey_mean_recent_365d") / top

    def to_dict(self) -> dict:
        """JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping) -> BusinessFacts:
        """The facts that `to_dict` stored."""
        return cls(tuple(stored["given"]), stored["survey_top"], stored["individual_need"])


NOTHING_KNOWN = (
    BusinessFacts()
)  # of models stored without facts: every class that needs some is null


def numbers_if_any(rows: Rows, name: str) -> NDArray[np.float64]:
    """One column as float64, (n,); all null where the business has no such feature."""
    return numbers_of(rows, name) if name in rows else np.full(len(rows), np.nan)


def _any(*columns: str) -> Callable[[pd.DataFrame], bool]:
    """Whether anybody has more than nothing in one of the columns."""
    return lambda rows: any(bool((numbers_if_any(rows, name) > 0).any()) for name in columns)


def _stated(column: str) -> Callable[[pd.DataFrame], bool]:
    """Whether the column says something of anybody, were it 0."""
    return lambda rows: not bool(np.isnan(numbers_if_any(rows, column)).all())


def _has_choice_of_channels(rows: pd.DataFrame) -> bool:
    """Whether there is more than one channel: a share of the only one says nothing."""
    name = "main_purchase_channel"
    return _any("channels_total")(rows) and (
        bool((numbers_if_any(rows, "channels_total") > 1).any())
        or (name in rows and rows[name].nunique() > 1)
    )


# The codes of serving.abstention.NEEDS that features can tell, and what shows each.
KINDS: Mapping[str, Callable[[pd.DataFrame], bool]] = {
    "margin": _stated("margin_total"),
    "discounts": _stated("discount_share"),
    "channels": _has_choice_of_channels,
    "categories": _stated("need_distance"),
    "surveys": _any("surveys_answered"),
    "referrals": _any("referrals", "joint_activities_365d"),
    "payments": _any(*(f"count_{kind}_365d" for kind in PAYMENT_KINDS)),
    "reasons": _any("count_closure_365d", "count_competitor_mention_365d", "count_life_event_365d"),
    "cases": _any("count_complaint_365d", "open_complaints"),
    "contacts": _any("contacts_going_out_365d"),
    "campaigns": lambda rows: (
        _any("campaigns_treated_365d")(rows) and _any("campaigns_control_365d")(rows)
    ),
    "alternatives": _stated(ALTERNATIVES),
}


def _survey_top(rows: pd.DataFrame) -> float | None:
    """The lowest usual scale that holds all answers; None with too few of them, or one below 0."""
    names = ("survey_mean", "survey_last", "survey_lowest")
    answers = np.column_stack([numbers_if_any(rows, name) for name in names])
    answers = answers[~np.isnan(answers).all(axis=1)]
    if len(answers) < LEAST_SURVEYED or np.nanmin(answers) < 0:
        return None
    return next((top for top in SURVEY_SCALES if np.nanmax(answers) <= top), None)
