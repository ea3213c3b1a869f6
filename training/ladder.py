"""The rung of the relationship ladder each customer stands on: PRODUCT 7a to 7e.

A prospect has bought nothing, a customer buys now and then, a client buys regularly, an advocate
is glad of it and says so to others, and a partner does things together with the business.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.columns import Rows, numbers_of
from training.business_facts import numbers_if_any

RUNGS = ("prospect", "customer", "client", "advocate", "partner")


@dataclass(frozen=True)
class LadderRule:
    """The thresholds of the rungs, as PRODUCT 7 has them.

    least_days: purchase days of a client. most_variation: deviation by mean of his gaps; 1 is as
    irregular as chance. positive: attitude of an advocate, a share of the highest possible answer;
    4.5 of 5 and 9 of 10 are both 0.9.
    """

    least_days: int = 3
    most_variation: float = 1.0
    positive: float = 0.9


LADDER = LadderRule()


def is_regular(rows: Rows, rule: LadderRule = LADDER) -> NDArray[np.bool_]:
    """Whether a customer buys often enough and evenly enough to be a client, (n,)."""
    often = numbers_of(rows, "purchase_days_total") >= rule.least_days
    return often & (numbers_of(rows, "gap_variation") <= rule.most_variation)


def rung(
    rows: Rows, attitude: NDArray[np.float64], rule: LadderRule = LADDER
) -> NDArray[np.object_]:
    """The rung of each row, (n,), by the code of RUNGS.

    attitude: 0 to 1 (BusinessFacts.attitude). Where it is not known the ladder ends at client: a
    referral alone does not say that somebody is content.
    """
    climbed = is_regular(rows, rule)
    recommends = (attitude >= rule.positive) & (numbers_if_any(rows, "referrals") > 0)
    # Referrals count among the joint activities, and have had their say.
    joint = numbers_if_any(rows, "joint_activities_365d")
    together = joint > numbers_if_any(rows, "count_referral_365d")
    found = np.full(len(rows), "customer", dtype=object)
    found[climbed] = "client"
    found[climbed & recommends] = "advocate"
    found[climbed & recommends & together] = "partner"
    found[~(numbers_of(rows, "purchase_days_total") > 0)] = "prospect"
    return found
