"""Money at risk by tier and cause, added up by hand."""

import numpy as np
import pandas as pd

from serving.at_risk import money_at_risk
from training.tasks import CHURN_TYPES


def table(**causes):
    rows = pd.DataFrame(
        {
            "tier": ["mvc", "maintain", "maintain", "mvc"],
            "churn_probability": [0.5, 0.4, 0.2, np.nan],
            "expected_loss": [100.0, 40.0, 10.0, 0.0],
        }
    )
    types = {f"type_{cause}": causes.get(cause, [0.0, 0.0, 0.0, np.nan]) for cause in CHURN_TYPES}
    return rows.assign(**types)


def test_a_loss_is_split_by_the_shares_of_its_causes():
    found = money_at_risk(table(fault=[0.4, 0.4, 0.0, np.nan], natural=[0.1, 0.0, 0.2, np.nan]))
    found = found.set_index("tier")
    assert found.loc["mvc", ["fault", "natural", "expected_loss"]].tolist() == [80.0, 20.0, 100.0]
    assert found.loc["maintain", ["fault", "natural"]].tolist() == [40.0, 10.0]
    assert found.customers.tolist() == [1, 2]  # who has no churn probability is not at risk
    assert list(found.index) == ["mvc", "maintain"]


def test_what_cannot_be_known_is_null_and_a_loss_without_cause_is_unknown():
    nothing = dict.fromkeys(CHURN_TYPES, [np.nan] * 4)
    found = money_at_risk(table(**nothing)).set_index("tier")
    assert found.unknown.tolist() == [100.0, 50.0]
    assert found[list(CHURN_TYPES)].isna().all(axis=None)


def test_the_parts_add_up_to_the_whole():
    rng = np.random.default_rng(0)
    causes = {cause: [*rng.dirichlet([1.0] * 3), np.nan] for cause in CHURN_TYPES}
    found = money_at_risk(table(**causes))
    whole = found[[*CHURN_TYPES, "unknown"]].sum(axis=1)
    assert np.allclose(whole, found.expected_loss)
