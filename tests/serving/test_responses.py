"""Which of what campaigns told is used, with whom."""

import numpy as np
import pandas as pd
import pytest

from features.errors import UserError
from serving.responses import of_campaigns
from training.qini import Estimate
from training.uplift import Proof

SURE, UNSURE = Estimate(0.2, 0.1, 0.3), Estimate(0.2, -0.1, 0.5)
SCORES = pd.DataFrame(
    {"customer_id": ["ann", "bob"], "expected_loss": [40.0, 10.0], "clv_if_retained": [80.0, 90.0]}
)
ROWS = pd.DataFrame({"customer_id": ["bob", "ann"], "effect": [-0.1, 0.5]})


class Told:
    """An uplift that says what stands in the rows."""

    def __init__(self, qini, rate):
        self.proof = Proof(SURE, rate, qini, qini, 500, 500, 3, 0)

    def effect(self, rows):
        return rows.effect.to_numpy()


@pytest.mark.parametrize(
    ("told", "basis", "saved"),
    [
        (Told(SURE, SURE), "individual", [40.0, -9.0]),  # effect x value
        (Told(UNSURE, SURE), "average", [8.0, 2.0]),  # rate x loss
        (Told(UNSURE, UNSURE), "assumed", None),
    ],
)
def test_the_most_particular_statement_beyond_chance_is_used(told, basis, saved):
    found = of_campaigns(told, ROWS, SCORES)
    assert found.basis == basis
    if saved is None:
        assert found.saved is None
    else:
        assert np.allclose(found.saved.loc[["ann", "bob"]], saved)


def test_a_customer_without_features_is_refused():
    with pytest.raises(UserError, match="Of 1 customers in the scores there are no features"):
        of_campaigns(Told(SURE, SURE), ROWS[:1], SCORES)
