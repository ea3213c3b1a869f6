"""What a contact costs and what it saves: the costs of a customer, and the risk where it pays.

The cost of a leaver is what he would have brought, that of a contact is paid for whoever gets one,
and of the leavers contacted `save_rate` stay. How many stay is an assumption until a control group
tells: events of the past do not show who would have left without a contact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from features.errors import UserError

FloatArray = NDArray[np.float64]
Values = TypeVar("Values", pd.Series, FloatArray)

SAVE_RATE = 0.10  # share of leavers whom a contact keeps; an assumption, no study covers all trades
# Where no cost of a contact is given: an offer of 10 to a customer worth 200, the defaults of
# empChurn in the R package EMP, after Verbraken, Verbeke, Baesens (2013), IEEE TKDE 25(5).
CONTACT_SHARE = 0.05
# A chance to stay below this is no ground to divide by: the value if retained would explode.
LEAST_STAY = 0.05


def value_if_retained(value: Values, purchase_probability: Values) -> Values:
    """Value of a customer who does not leave: expected value / P(stays), same unit as `value`."""
    return value / purchase_probability.clip(LEAST_STAY)


@dataclass(frozen=True)
class Assumptions:
    """What the money of a contact rests on.

    contact_cost: currency units per contact; None takes CONTACT_SHARE of the median value if
    retained. save_rate: share of leavers saved by a contact, 0 to 1.
    """

    contact_cost: float | None = None
    save_rate: float = SAVE_RATE

    def __post_init__(self) -> None:
        if self.contact_cost is not None and not 0.0 <= self.contact_cost < np.inf:
            raise UserError(
                f"A contact was said to cost {self.contact_cost}. Give an amount of 0 or more."
            )
        if not 0.0 <= self.save_rate <= 1.0:
            raise UserError(
                f"A save rate of {self.save_rate} was asked for, but it is a share of leavers. "
                "Give a number from 0 to 1, such as 0.1."
            )

    def cost_for(self, value: ArrayLike) -> float:
        """The cost of a contact among customers of these values if retained."""
        if self.contact_cost is not None:
            return self.contact_cost
        return CONTACT_SHARE * float(np.median(np.asarray(value, dtype=np.float64)))


@dataclass(frozen=True)
class Costs:
    """Cost of the four outcomes for each customer, (n,), currency units.

    stays_contacted: C_FP, leaves_missed: C_FN, leaves_contacted: C_TP, stays_left_alone: C_TN.
    Source: Bahnsen, Aouada, Ottersten (2015), A novel cost-sensitive framework for customer churn
    predictive modeling, Decision Analytics 2(5), with the same contact for everybody.
    """

    stays_contacted: FloatArray
    leaves_missed: FloatArray
    leaves_contacted: FloatArray
    stays_left_alone: FloatArray

    @classmethod
    def of(cls, value: ArrayLike, contact_cost: float, save_rate: float) -> Costs:
        """value: what each customer brings if retained, (n,); a loss if kept counts as nothing."""
        at_stake = np.asarray(value, dtype=np.float64).clip(min=0.0)
        contact = np.full(at_stake.shape, contact_cost)
        return cls(
            contact, at_stake, contact + (1.0 - save_rate) * at_stake, np.zeros(at_stake.shape)
        )

    def threshold(self) -> FloatArray:
        """The risk above which a contact pays, (n,); infinite where it never does.

        Bayes minimum risk: (C_FP - C_TN) / ((C_FP - C_TN) + (C_FN - C_TP)), which is contact cost /
        (save_rate x value): contact when `max_spend` exceeds the cost of a contact.
        """
        wasted = self.stays_contacted - self.stays_left_alone
        whole = wasted + self.leaves_missed - self.leaves_contacted
        return np.divide(wasted, whole, out=np.full(whole.shape, np.inf), where=whole > 0)

    def of_decisions(self, left: ArrayLike, contacted: ArrayLike) -> FloatArray:
        """What each customer cost, (n,). left: 0 or 1; contacted: 0 or 1, or the chance of it."""
        left, contacted = np.asarray(left, np.float64), np.asarray(contacted, np.float64)
        if_leaves = contacted * self.leaves_contacted + (1.0 - contacted) * self.leaves_missed
        if_stays = contacted * self.stays_contacted + (1.0 - contacted) * self.stays_left_alone
        return left * if_leaves + (1.0 - left) * if_stays
