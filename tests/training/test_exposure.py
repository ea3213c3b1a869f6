"""Treated customers bend the labels: who stands for whom, by hand."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from features.events import TABLES
from features.store import FeatureStore
from features.workspace import Workspace, ingest
from tests.world import world
from training import exposure
from training.split import CutOff

AS_OF = datetime(2024, 3, 31, 23, 59, 59, 999999)


def contacts(campaign, treated, control):
    ids = [f"t{n}" for n in range(treated)] + [f"c{n}" for n in range(control)]
    return pd.DataFrame(
        {"customer_id": ids, "campaign": campaign, "treated": [True] * treated + [False] * control}
    )


def of(rows):
    return exposure.weights(rows).set_index("customer_id")


def test_control_customers_stand_for_the_treated():
    found = of(contacts("spring", 60, 20))
    assert found.weight["t0"] == 0.0
    assert found.weight["c0"] == 4.0
    assert found.weight.sum() == 80.0
    assert found.treated["t0"]
    assert not found.treated["c0"]


def test_a_campaign_without_control_tells_nothing_and_changes_nothing():
    found = of(contacts("spring", 60, 0))
    assert set(found.weight) == {1.0}
    assert found.treated.all()


def test_too_few_control_customers_are_as_good_as_none():
    assert set(of(contacts("spring", 60, exposure.LEAST_CONTROL - 1)).weight) == {1.0}


def test_weights_of_two_campaigns_multiply_and_one_treatment_is_enough():
    spring, summer = contacts("spring", 25, 25), contacts("summer", 25, 25)
    treated = summer.customer_id.str.startswith("t")
    summer.loc[treated, "customer_id"] = ["c0", *(f"s{n}" for n in range(24))]
    summer = summer[treated | (summer.customer_id != "c0")]
    found = of(pd.concat([spring, summer]))
    assert found.weight["c0"] == 0.0  # spared in spring, treated in summer
    assert found.weight["c1"] == pytest.approx(2 * 49 / 24)  # spared in both


def test_a_lot_is_no_bias_whatever_the_treatment_does():
    # 3,000 would leave with 40 %; treatment halves that. The corrected rate is 40 % again.
    draw = np.random.default_rng(3)
    treated = draw.random(3_000) < 0.7
    left = draw.random(3_000) < np.where(treated, 0.2, 0.4)
    ids = [f"k{n}" for n in range(3_000)]
    found = of(pd.DataFrame({"customer_id": ids, "campaign": "a", "treated": treated}))
    weight = found.weight[ids].to_numpy()
    assert left.mean() == pytest.approx(0.26, abs=0.02)
    assert np.average(left, weights=weight) == pytest.approx(0.40, abs=0.03)


@pytest.fixture
def store(tmp_path):
    given = world(
        "ann  2024-01-03  10",
        interactions=[
            *(f"t{n:02d}  2024-04-10  campaign  value=1 detail=spring" for n in range(20)),
            *(f"c{n:02d}  2024-04-10  campaign  value=0 detail=spring" for n in range(20)),
            "old  2024-03-10  campaign  value=1 detail=winter",
            "late  2024-05-10  campaign  value=1 detail=may",
            "odd  2024-04-11  campaign  detail=untold",
        ],
    )
    workspace = Workspace(tmp_path)
    ingest(workspace, {name: getattr(given.events, name) for name in TABLES})
    return FeatureStore(workspace)


def asked(store, ids, planned=None):
    found = exposure.exposures(
        store, CutOff(AS_OF, 30), datetime(2024, 6, 1), pd.Series(ids), planned
    )
    return found.set_index("customer_id")


def test_only_campaigns_of_the_horizon_and_only_those_asked_about_count(store):
    everyone = [f"{k}{n:02d}" for k in "tc" for n in range(20)]
    found = asked(store, [*everyone, "old", "late", "odd", "ann"])
    assert set(found.index) == set(everyone)
    assert (found.weight["t00"], found.weight["c00"]) == (0.0, 2.0)
    assert asked(store, ["ann"]).empty


def test_a_plan_counts_where_no_control_was_recorded(store):
    planned = pd.DataFrame({
        "customer_id": [f"p{n}" for n in range(40)], "campaign": "plan",
        "treated": [True] * 20 + [False] * 20,
    })  # fmt: skip
    alone = asked(store, list(planned.customer_id), planned)
    assert (alone.weight["p0"], alone.weight["p39"]) == (0.0, 2.0)
    beside = asked(store, [*planned.customer_id, "c00"], planned)
    assert list(beside.index) == ["c00"]
