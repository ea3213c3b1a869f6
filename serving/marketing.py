"""How to speak to a customer, by his value and how individual his need is: PRODUCT 20."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Rows
from training.business_facts import BusinessFacts, numbers_if_any

MODES = ("drop", "mass", "frequency", "customised")
# Worth an effort is who brings much or could: to drop the most growable, or to speak to him as to
# everybody, would leave him where he is.
HIGH_VALUE = ("mvc", "mgc")


def marketing_mode(
    rows: Rows, tier: pd.Series | NDArray[np.object_], facts: BusinessFacts
) -> NDArray[np.object_]:
    """The mode of each row, (n,), null where the categories he buys are not known.

    high value: customised for an individual need, else frequency; low value: drop, else mass.
    """
    if facts.individual_need is None:
        return np.full(len(rows), None, dtype=object)
    distance, tiers = numbers_if_any(rows, "need_distance"), np.asarray(tier, dtype=object)
    is_individual = distance > facts.individual_need
    is_high = np.any([tiers == code for code in HIGH_VALUE], axis=0)
    # Low value: drop the individual, mass for the others; high: frequency, individual customised.
    places = 2 * is_high + (is_high == is_individual)
    found = np.array(MODES, dtype=object)[places]
    found[np.isnan(distance)] = None
    return found
