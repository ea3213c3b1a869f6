"""Treated customers bend the labels: who stands for whom, by hand."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from features.events import TABLES
from features.store import FeatureStore
from features.workspace import Workspace, ingest
from tests.training import known_truth
from tests.world import world
from training import exposure, frame, sampling
from training.models.baseline import Baseline
from training.models.churn_type import ChurnType
from training.models.two_part import TwoPart
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


def panel(folder, control, treated_how):
    """60 buyers; in April 20 of them are treated, some spared as control, the rest left alone."""
    spared = [f"c{n:02d}" for n in range(20)]
    reached = [f"t{n:02d}" for n in range(20)]
    given = world(
        *(
            f"{who}  2024-01-03  10"
            for who in [*reached, *spared, *(f"z{n:02d}" for n in range(20))]
        ),
        interactions=[
            *(f"{who}  2024-04-10  campaign  value=1 detail=spring" for who in reached),
            *(f"{who}  2024-04-10  campaign  value=0 detail=spring" for who in spared[:control]),
        ],
    )
    workspace = Workspace(folder)
    ingest(workspace, {name: getattr(given.events, name) for name in TABLES})
    store = FeatureStore(workspace)
    list(store.build([AS_OF]))
    store.apply()
    rows = frame.panel(store, [CutOff(AS_OF, 30)], datetime(2024, 6, 1), treated=treated_how)
    return rows.set_index("customer_id")


def test_a_panel_learnt_as_it_is_tells_who_was_treated_and_weighs_all_alike(tmp_path):
    rows = panel(tmp_path, 20, exposure.AS_THEY_ARE)
    told = rows.loc[["t00", "c00", "z00"], ["is_treated", "is_control"]]
    assert told.values.tolist() == [[True, False], [False, True], [False, False]]
    assert set(rows.weight) == {1.0}
    assert exposure.in_words(rows, exposure.AS_THEY_ARE) == (
        "Of 60 rows 20 are of customers a campaign treated before the outcome was known, 20 of "
        "control customers. All were learnt as they are: forecasts are of business as usual."
    )


def test_in_a_panel_learnt_by_control_control_customers_stand_for_the_treated(tmp_path):
    rows = panel(tmp_path, 20, exposure.BY_CONTROL)
    assert rows.loc[["t00", "c00", "z00"], "weight"].tolist() == [0.0, 2.0, 1.0]
    assert rows.weight.sum() == 60.0
    assert exposure.in_words(rows, exposure.BY_CONTROL).endswith(
        "Learnt by control: the treated of campaigns with 20 control customers were left out, "
        "which leaves 40 rows, and control customers stand for them. Forecasts are of what "
        "customers do untreated, and tests leave out the same."
    )


def test_by_control_without_enough_control_is_as_they_are_and_says_so(tmp_path):
    rows = panel(tmp_path, 19, exposure.BY_CONTROL)
    assert set(rows.weight) == {1.0}
    assert exposure.in_words(rows, exposure.BY_CONTROL) == (
        "Of 60 rows 20 are of customers a campaign treated before the outcome was known, 19 of "
        "control customers. Learning by control was asked for, but no campaign had 20 control "
        "customers: all were learnt as they are."
    )


@pytest.fixture(scope="module")
def bent(shop):
    """Every third customer of the shop was treated, and every third stands for him."""
    third = pd.util.hash_pandas_object(shop.panel.customer_id, index=False) % 3
    stands = third.map({0: 0.0, 1: 2.0, 2: 1.0}).to_numpy()
    return shop.panel.assign(stands_for=stands, weight=shop.panel.weight * stands)


def otherwise(rows):
    """The same, but that whoever stands for nobody had done the opposite."""
    treated = rows.stands_for == 0.0
    bought = rows.bought.where(~treated, 1.0 - rows.bought)
    return rows.assign(bought=bought, value=rows.value.where(~treated, 500.0 * bought))


def test_what_left_out_customers_did_teaches_no_forecast(bent, shop):
    def forecasts(rows):
        two_part = TwoPart.fit(rows, shop.today, shop.as_of, known_truth.FEATURES)
        return [model.predict(shop.today) for model in (Baseline.fit(rows), two_part)]

    for once, again in zip(forecasts(bent), forecasts(otherwise(bent)), strict=True):
        pd.testing.assert_frame_equal(once, again)


def test_what_left_out_customers_told_teaches_no_cause():
    leavers = known_truth.leavers(400)
    left_out = np.arange(400) % 4 == 0
    rows = leavers.assign(stands_for=np.where(left_out, 0.0, 1.0))
    features = list(known_truth.SIGN_COLUMNS["fault"])
    lied = rows.assign(closure_reason=rows.closure_reason.where(~left_out, "natural"))
    once, again = (ChurnType.fit(given, features).predict(leavers) for given in (rows, lied))
    pd.testing.assert_frame_equal(once, again)


def test_who_stands_for_four_is_no_more_evidence_than_one():
    assert sampling.crowding(pd.DataFrame({"stands_for": [1.0, 1.0, 1.0]})) == 1.0
    assert sampling.crowding(pd.DataFrame({"stands_for": [0.0, 4.0, 4.0]})) == 4.0
