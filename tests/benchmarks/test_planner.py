"""Every rule of the planner's benchmark on a few customers whose response is made up."""

import numpy as np
import pandas as pd
import pytest

from serving.actions import KEEPABLE, Action
from serving.responses import Responses
from tests.benchmarks.planner import FORMER, PLANNER, Business, chosen, net_values
from training.qini import Estimate
from training.tasks import CHURN_TYPES
from training.uplift import Proof

OFFER = Action("campaign", "", KEEPABLE, "email", 0.1, 0.0, cost=2.0)


def business():
    """Risks .8, .6, .4 and .2, values 10, 100, 200 and 50: losses 8, 60, 80 and 10.

    Ann and bob are gone for the most part.
    """
    scores = pd.DataFrame(
        {
            "customer_id": ["ann", "bob", "cid", "dan", "eve"],
            "status": ["scored"] * 4 + ["not_active"],
            "churn_probability": [0.8, 0.6, 0.4, 0.2, np.nan],
            "clv_if_retained": [10.0, 100.0, 200.0, 50.0, 500.0],
            "clv_future": [2.0, 40.0, 120.0, 40.0, 5.0],
            "expected_loss": [8.0, 60.0, 80.0, 10.0, 0.0],
            "saveable_loss": [0.5, 20.0, 60.0, 30.0, 0.0],
            "tier": "maintain",
            "retain_advised": True,
            **{f"type_{cause}": np.nan for cause in CHURN_TYPES},
        }
    )
    ids = scores.customer_id
    nothing = Estimate(0.0, -1.0, 1.0)
    told = Responses(pd.Series([0.0, 0.0, 1.0, 9.0, 0.0], ids), "individual", "")
    gain = pd.Series([5.0, 3.0, 1.0, -4.0, 0.0], ids)
    proof = Proof(nothing, nothing, nothing, nothing, 1, 1, 1, 0)
    return Business(scores, proof, Responses(None, "assumed", ""), told, gain)


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ("nobody", []),
        ("by risk", ["ann", "bob"]),
        ("by value", ["cid", "bob"]),
        ("by expected loss", ["bob", "cid"]),
        ("by churn x future value", ["bob", "cid"]),  # 1.6, 24, 48 and 8
        ("by saveable loss", ["cid", "dan"]),
        (FORMER, ["bob", "cid"]),
        (PLANNER, ["cid", "dan"]),
        ("planner, individual uplift though not proven", ["dan"]),
        ("oracle", ["ann", "bob"]),
    ],
)
def test_every_rule_spends_at_most_the_budget(rule, names):
    made = business()
    contacted = chosen(made, OFFER, 0.5)[rule]
    assert set(made.scores.customer_id[contacted > 0]) == set(names)


def test_chance_contacts_everybody_alike_and_net_values_are_true():
    found = net_values([business()], OFFER, 0.5).set_index("rule")
    assert found.contacted["random"] == 2.0
    assert found.net["random"] == pytest.approx(0.5 * (5 + 3 + 1 - 4 - 8))
    assert found.net[PLANNER] == pytest.approx(1 - 4 - 4)
    assert found.net[FORMER] == pytest.approx(3 + 1 - 4)
    assert found.net["oracle"] == pytest.approx(5 + 3 - 4)
    assert found.behind["oracle"] == pytest.approx(-7.0 - 4.0)
    assert (found.low <= found.net).all()
