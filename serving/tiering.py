"""The value class of each customer by the basis that the policy names: PRODUCT 15.

    clv   forecast money by the stored cuts (training/value_tiers.py): the default
    abc   money of the last year: A is MVC, B is MGC, C is maintain
    rfm   recency, frequency and money: above the mean in all three is MVC; above it in money and
          short in another, or above it in the two others, is MGC, for what is lacking can grow

Whatever the basis, below zero comes first, and only where the cost to serve is known. Who was in a
class of ABC leaves it when he is clearly below its cut (value_tiers.CLEARLY); the bands of RFM are
steps that a customer takes or does not, and are not eased.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Rows, with_columns
from serving.former import TIER_PREVIOUS
from serving.policy import KEPT, Policy
from training import value_tiers
from training.model_set import ModelSet
from training.tasks import TIERS
from training.value_classes import ValueCuts
from training.value_tiers import CLEARLY

Scores: TypeAlias = dict[str, NDArray[Any]]
Codes: TypeAlias = NDArray[np.object_]

TIER_OF_RFM: Mapping[str, str] = {
    "important_value": "mvc",
    "important_develop": "mgc",
    "important_keep": "mgc",
    "important_retain": "mgc",
    "general_value": "mgc",
}  # the other classes: maintain


class Bounds(NamedTuple):
    """What decides the tiers of some customers, each (n,).

    cost: expected cost to serve over the value horizon, null where it is not known. most_valuable,
    growth: the forecast money from which, and up to which, each is MVC and MGC, where the basis is
    the forecast.
    """

    cost: NDArray[np.float64]
    most_valuable: NDArray[np.float64]
    growth: NDArray[np.float64]


def bounds(rows: Rows, models: ModelSet, policy: Policy) -> Bounds:
    """The costs and cuts of each customer under a policy."""
    cuts, horizon_days = models.reference.tier_cuts, models.tasks["clv"].horizon_days
    cost = policy.cost(rows, horizon_days)
    most_valuable = policy.most_valuable(cuts, cost, horizon_days)
    return Bounds(cost, most_valuable, value_tiers.growable(rows, cuts))


def tiers(rows: Rows, found: Scores, limits: Bounds, models: ModelSet, policy: Policy) -> Scores:
    """The tier columns of a score; found: expected_value, its upper bound, abc and rfm_class.

    tier_next is learnt of classes by the forecast, and is null on another basis.
    """
    previous = _previous(rows)
    of = _BASES[policy.tier_basis]
    plain, why = of(rows, found, limits, models, policy, None)
    tier = of(rows, found, limits, models, policy, previous)[0] if previous.any() else plain
    is_forecast = policy.tier_basis == "clv"
    following = (
        models.tier.chances(with_columns(rows, {"tier": tier}))
        if is_forecast
        else {name: np.full(len(rows), np.nan) for name in TIERS}
    )
    reason = policy.tier_reason(
        found["expected_value"], tier, models.reference.tier_cuts, limits.cost, plain,
        limits.growth, limits.most_valuable,
    )  # fmt: skip
    return {
        "tier": tier,
        "tier_previous": previous,
        "tier_reason": reason if is_forecast else _reasons(reason, why, tier, plain),
        "below_zero_certainty": policy.below_zero_certainty(
            tier, found["expected_value_high"], limits.cost
        ),
        **{f"tier_next_{name}": chance for name, chance in following.items()},
    }


def cuts_of(basis: str, cuts: ValueCuts) -> tuple[float | None, float | None]:
    """From which money of a year a customer is MVC, and MGC; null where no such cut decides."""
    return (cuts.a, cuts.b) if basis == "abc" else (None, None)


def _by_forecast(
    rows: Rows, found: Scores, limits: Bounds, models: ModelSet, policy: Policy, was: Codes | None
) -> tuple[Codes, Codes]:
    value, cuts = found["expected_value"], models.reference.tier_cuts
    tier = policy.tier(value, rows, cuts, limits.cost, was, limits.most_valuable)
    return tier, np.full(len(tier), "", dtype=object)


def _by_abc(
    rows: Rows, found: Scores, limits: Bounds, models: ModelSet, policy: Policy, was: Codes | None
) -> tuple[Codes, Codes]:
    cuts = models.reference.value_cuts
    amount, classes = cuts.amount(rows), found["abc"]
    tier = np.full(len(amount), "maintain", dtype=object)
    for code, cut in (("mgc", cuts.b), ("mvc", cuts.a)):
        limit = np.where(False if was is None else was == code, (1.0 - CLEARLY) * cut, cut)
        tier[(amount > 0) & (amount >= limit)] = code
    told = zip(classes, np.nan_to_num(amount).tolist(), strict=True)
    why = [f"abc class {code}: {money:,.0f} in a year, A from {cuts.a:,.0f}, B from {cuts.b:,.0f}"
           for code, money in told]  # fmt: skip
    return _below_zero_first(tier, found, limits, policy, was), np.array(why, dtype=object)


def _by_rfm(
    rows: Rows, found: Scores, limits: Bounds, models: ModelSet, policy: Policy, was: Codes | None
) -> tuple[Codes, Codes]:
    classes = found["rfm_class"]
    tier = np.array([TIER_OF_RFM.get(code, "maintain") for code in classes], dtype=object)
    why = np.array([f"rfm class {code}" for code in classes], dtype=object)
    return _below_zero_first(tier, found, limits, policy, was), why


Way: TypeAlias = Callable[
    [Rows, Scores, Bounds, ModelSet, Policy, Codes | None], tuple[Codes, Codes]
]
# The tier of each row, and in words the class that decided it.
_BASES: Mapping[str, Way] = {"clv": _by_forecast, "abc": _by_abc, "rfm": _by_rfm}


def _below_zero_first(
    tier: Codes, found: Scores, limits: Bounds, policy: Policy, was: Codes | None
) -> Codes:
    """The tiers with those whose margin does not cover their cost, the first in precedence."""
    is_in = np.zeros(len(tier), dtype=bool) if was is None else was == "below_zero"
    most = np.where(is_in, 1.0 + CLEARLY, 1.0) * limits.cost
    tier[found["expected_value"] * policy.margin_rate <= most] = "below_zero"
    return tier


def _reasons(by_forecast: Codes, why: Codes, tier: Codes, plain: Codes) -> Codes:
    """The class that decided, or for those below zero, now or but for the past, their margin."""
    said = np.where(tier == plain, why, why + f"; {KEPT}")
    return np.where((tier == "below_zero") | (plain == "below_zero"), by_forecast, said)


def _previous(rows: Rows) -> Codes:
    """The tier of each row in the scores before, null without any."""
    found = np.full(len(rows), None, dtype=object)
    if TIER_PREVIOUS in rows:
        given = np.asarray(rows[TIER_PREVIOUS], dtype=object)
        is_known = ~pd.isna(given)
        found[is_known] = given[is_known]
    return found
