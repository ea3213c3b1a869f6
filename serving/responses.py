"""What past campaigns say a contact saves; where they cannot tell, it is assumed, and said so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.columns import Rows
from features.errors import UserError
from training.uplift import Uplift


@dataclass(frozen=True)
class Responses:
    """Money a campaign saves with each customer, by id, currency units; None where it is assumed.

    basis: individual, average or assumed. sentence: which, and why.
    """

    saved: pd.Series | None
    basis: str
    sentence: str


ASSUMED = Responses(
    None, "assumed", "What actions save is assumed: no campaign with a control group was used."
)


def of_campaigns(uplift: Uplift, rows: Rows, scores: pd.DataFrame) -> Responses:
    """What past campaigns measured, of the customers of `scores`; rows: their features, any order.

    The individual effect times the value if retained where the Qini interval is above 0; else the
    measured save rate times the expected loss where the interval of the average effect leaves out
    0; else nothing. Raises UserError when a customer has no features.
    """
    found = uplift.proof
    basis, sentence = found.basis, found.sentence()
    by_id = scores.set_index("customer_id")
    if basis == "assumed":
        return Responses(None, basis, sentence)
    if basis == "average":
        saved = found.save_rate.value * by_id.expected_loss
        return Responses(saved, basis, sentence)
    effect = pd.Series(uplift.effect(rows), np.asarray(rows["customer_id"])).reindex(by_id.index)
    if effect.isna().any():
        raise UserError(
            f"Of {int(effect.isna().sum())} customers in the scores there are no features, so no "
            "effect of a campaign can be told. Give the features of the scores' own moment."
        )
    return Responses(effect * by_id.clv_if_retained, basis, sentence)
