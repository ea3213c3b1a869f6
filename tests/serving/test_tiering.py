"""Given the classes of ABC and RFM, or a forecast, the tier of each customer and why."""

from dataclasses import replace

import numpy as np
import pytest

from features.columns import Columns
from serving.answer import Call, answer
from serving.policy import Policy
from serving.score import score
from serving.tiering import TIER_OF_RFM
from tests.serving.stub_models import AS_OF, models, rows
from training.tasks import TIERS
from training.value_classes import RFM_CLASSES

BY_ABC, BY_RFM = Policy(tier_basis="abc"), Policy(tier_basis="rfm")
NEXT = [f"tier_next_{name}" for name in TIERS]
# The stub's cuts: class A from 200 in a year, B from 50.
SPENT = rows({"spend_365d": 200.0}, {"spend_365d": 199.0}, {"spend_365d": 49.0},
             {"spend_365d": 0.0})  # fmt: skip


def test_the_classes_of_abc_are_tiers():
    found = score(SPENT, models(), BY_ABC)
    assert found.abc.tolist() == ["A", "B", "C", "C"]
    assert found.tier.tolist() == ["mvc", "mgc", "maintain", "maintain"]
    assert found.tier_reason[1] == "abc class B: 199 in a year, A from 200, B from 50"


@pytest.mark.parametrize(
    ("spent", "was", "expected"),
    [(181.0, "mvc", "mvc"), (179.0, "mvc", "mgc"), (181.0, "mgc", "mgc"), (46.0, "mgc", "mgc"),
     (44.0, "mgc", "maintain"), (46.0, None, "maintain")],
)  # fmt: skip
def test_a_class_of_abc_is_not_left_by_a_hairs_breadth(spent, was, expected):
    given = rows({"spend_365d": spent}).assign(tier_previous=[was])
    assert score(given, models(), BY_ABC).tier.tolist() == [expected]


def test_who_keeps_a_class_is_told_so():
    given = rows({"spend_365d": 181.0}).assign(tier_previous=["mvc"])
    assert score(given, models(), BY_ABC).tier_reason.tolist() == [
        "abc class B: 181 in a year, A from 200, B from 50; kept: within 10 % of the cut"
    ]


def test_the_classes_of_rfm_are_tiers():
    best = {"recency": 1.0, "purchase_days_recent_365d": 4.0, "spend_365d": 500.0}
    given = rows(best, {**best, "recency": 170.0}, {**best, "spend_365d": 60.0},
                 {**best, "spend_365d": 60.0, "recency": 170.0})  # fmt: skip
    found = score(given, models(), BY_RFM)
    assert found.rfm_class.tolist() == [
        "important_value", "important_keep", "general_value", "general_keep",
    ]  # fmt: skip
    assert found.tier.tolist() == ["mvc", "mgc", "mgc", "maintain"]
    assert found.tier_reason[0] == "rfm class important_value"
    assert set(TIER_OF_RFM) <= set(RFM_CLASSES.values())


@pytest.mark.parametrize("policy", [BY_ABC, BY_RFM], ids=["abc", "rfm"])
def test_below_zero_comes_first_on_any_basis(policy):
    found = score(SPENT, models(), replace(policy, cost_to_serve=120.0))
    assert found.tier.tolist() == ["below_zero"] * 4  # the forecast of each is 120
    assert set(found.tier_reason) == {"margin 120 <= cost to serve 120"}


@pytest.mark.parametrize("policy", [BY_ABC, BY_RFM], ids=["abc", "rfm"])
def test_where_customers_go_was_learnt_of_forecasts_alone(policy):
    assert score(SPENT, models(), policy)[NEXT].isna().all(axis=None)
    assert score(SPENT, models(), Policy())[NEXT].notna().all(axis=None)


@pytest.mark.parametrize(
    ("policy", "cuts"),
    [
        (Policy(), {"basis": "clv", "mvc": 500.0, "mgc": 112.5, "below_zero": None}),
        (BY_ABC, {"basis": "abc", "mvc": 200.0, "mgc": 50.0, "below_zero": None}),
        (BY_RFM, {"basis": "rfm", "mvc": None, "mgc": None, "below_zero": None}),
        # 500 in margin after cost, since the stub's cuts keep no customers; and 20 of cost.
        (Policy(cost_to_serve=20.0),
         {"basis": "clv", "mvc": 520.0, "mgc": 112.5, "below_zero": 20.0}),
    ],
)  # fmt: skip
def test_the_answer_names_the_basis_and_its_cuts(policy, cuts):
    (one, *_) = answer(SPENT, models(), Call(policy, now=AS_OF))
    assert one["tier"]["cuts"] == {**cuts, "policy": "policy@3"}


@pytest.mark.parametrize("policy", [BY_ABC, BY_RFM, Policy(cost_per_contact=2.0)],
                         ids=["abc", "rfm", "cost"])  # fmt: skip
def test_one_row_is_as_many_and_as_arrays(policy):
    given = SPENT.assign(contacts_365d=[1.0, 2.0, np.nan, 90.0],
                         tier_previous=["mvc", "mvc", None, "below_zero"])  # fmt: skip
    whole = score(given, models(), policy)
    singles = [score(given.iloc[[k]], models(), policy).iloc[0] for k in range(len(given))]
    assert [one.tier for one in singles] == whole.tier.tolist()
    assert [one.tier_reason for one in singles] == whole.tier_reason.tolist()
    assert len(Columns.of(given)) == len(whole)
