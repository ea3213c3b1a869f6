"""The change of a score split into its parts, on models whose answers are written by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.columns import Columns
from serving.difference import NUMBERS, PARTS, Difference, Made
from serving.policy import Policy
from tests.serving import stub_models

PLAIN = Policy(discount_rate=0.0)


def made(*changes, stays=0.6, policy=PLAIN, churn_days=90):
    models = stub_models.models(stays=stays)
    models.tasks["churn"] = replace(models.tasks["churn"], horizon_days=churn_days)
    rows = stub_models.rows(*(changes or ({},))).drop(columns="request_id")
    return Made(Columns.of(rows), models, policy)


def between(before, after, is_same_model=True):
    return Difference.of(before, after, is_same_model=is_same_model)


def parts(found, name):
    return {part: value[0] for part, value in found.number(name).parts.items()}


def test_of_the_same_nothing_differs():
    found = between(made(), made())
    assert found.differs == ()
    assert found.number("expected_loss").parts == {}
    assert found.text("tier").parts == {}
    assert found.features().empty


def test_data_alone():
    # Money of the past does not enter the loss; silence takes him out of the active.
    found = between(made({"recency": 10.0}), made({"recency": 500.0}))
    assert found.differs == ("data",)
    assert (found.text("status").before[0], found.text("status").after[0]) == (
        "scored", "not_active",
    )  # fmt: skip
    assert found.text("status").parts["data"] == 1.0
    assert parts(found, "expected_loss") == {"data": pytest.approx(-80.0)}  # 0.4 x 120 / 0.6
    assert np.isnan(parts(found, "churn_probability")["data"])  # null afterwards


def test_a_model_alone():
    found = between(made(stays=0.6), made(stays=0.5), is_same_model=False)
    assert found.differs == ("model",)
    assert parts(found, "churn_probability") == {"model": pytest.approx(0.1)}
    assert parts(found, "expected_loss") == {"model": pytest.approx(0.5 * 240 - 80)}


def test_a_definition_alone():
    # Active within two horizons: of 10 days' silence 4 days make him lapsed.
    found = between(made(churn_days=90), made(churn_days=4))
    assert found.differs == ("definition",)
    assert found.text("status").after[0] == "not_active"
    assert found.text("status").parts["definition"] == 1.0
    assert parts(found, "expected_loss") == {"definition": pytest.approx(-80.0)}


def test_a_policy_alone():
    found = between(made(), made(policy=replace(PLAIN, save_rate=0.2, bands=(0.5, 0.9))))
    assert found.differs == ("policy",)
    assert parts(found, "max_spend") == {"policy": pytest.approx(8.0)}  # 0.1 and 0.2 of 80
    assert parts(found, "expected_loss") == {"policy": 0.0}
    assert found.text("churn_band").parts["policy"] == 1.0


def test_what_two_parts_do_together_is_shared_evenly():
    # max_spend = rate x (1 - stays) x 120 / stays: 0.1 x 80 -> 0.2 x 120.
    after = made(stays=0.5, policy=replace(PLAIN, save_rate=0.2))
    found = between(made(), after, is_same_model=False)
    # Model first 4, then policy 12; policy first 8, then model 8.
    assert parts(found, "max_spend") == {
        "model": pytest.approx((4 + 8) / 2), "policy": pytest.approx((12 + 8) / 2),
    }  # fmt: skip


def test_the_parts_of_every_number_sum_to_its_change_when_all_differ():
    changes = [{"contacts_365d": float(k), "spend_total": 10.0 * k} for k in range(1, 4)]
    later = [{**change, "contacts_365d": 9.0, "open_complaints": 2.0} for change in changes]
    before = made(*changes, policy=replace(PLAIN, cost_per_contact=1.0))
    after = made(*later, stays=0.3, churn_days=30, policy=replace(PLAIN, cost_per_contact=2.5))
    found = between(before, after, is_same_model=False)
    assert found.differs == PARTS
    for name in NUMBERS:
        split = found.number(name)
        total = np.sum(list(split.parts.values()), axis=0)
        np.testing.assert_allclose(total, split.after - split.before, rtol=1e-12, atol=1e-12)


def test_a_text_is_changed_by_whoever_does_so_first():
    # Either the model or the bands alone take him out of the band: each in half of the orders.
    after = made(stays=0.2, policy=replace(PLAIN, bands=(0.1, 0.3)))
    turn = between(made(), after, is_same_model=False).text("churn_band")
    assert (turn.before[0], turn.after[0]) == ("medium", "high")
    assert {part: share[0] for part, share in turn.parts.items()} == {"model": 0.5, "policy": 0.5}


def test_a_text_that_stays_was_changed_by_nobody():
    after = made(stays=0.2, policy=replace(PLAIN, bands=(0.33, 0.9)))
    turn = between(made(), after, is_same_model=False).text("churn_band")
    assert turn.before[0] == turn.after[0] == "medium"
    assert {share[0] for share in turn.parts.values()} == {0.0}


def test_orders_over_a_null_are_left_out():
    # 30 days' silence: lapsed by 10-day questions. Data first: null on the way; then left out.
    before, after = made({"recency": 1.0}), made({"recency": 30.0}, churn_days=90)
    before.models.tasks["churn"] = replace(before.models.tasks["churn"], horizon_days=10)
    split = between(before, after).number("churn_probability")
    assert {part: value[0] for part, value in split.parts.items()} == {
        "data": pytest.approx(0.0), "definition": pytest.approx(0.0),
    }  # fmt: skip
    assert np.isfinite(split.after[0])


def test_a_feature_that_one_moment_does_not_know_is_null_there():
    before, after = made(), made({"new_sign": 3.0, "profile_club": "blue"})
    found = between(before, after)
    assert found.differs == ("data",)
    assert np.isnan(found.before.rows["new_sign"][0])
    assert pd.isna(found.before.rows["profile_club"][0])
