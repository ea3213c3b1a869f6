"""What was served against what came of it, by hand."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from serving.monitoring import realised
from training.proof import Proof
from training.split import CutOff

MARCH = CutOff(datetime(2025, 3, 31, 23, 59, 59, 999999), 90)
NOTHING = pd.DataFrame(columns=["task", "model", "metric", "value"])


def served(told, left, **columns):
    """Scores joined with what came; nobody treated, a value of 100 told and 100 where they stay."""
    n = len(told)
    rows = pd.DataFrame({
        "customer_id": [f"k{i}" for i in range(n)], "churn_probability": told, "left": left,
        "churn_band": np.where(np.asarray(told) >= 0.5, "high", "low"), "expected_value": 100.0,
        "value": 100.0 * (1 - np.asarray(left, float)), "treated": False, "control": False,
        "weight": 1.0,
    })  # fmt: skip
    return rows.assign(**columns)


def proven(told, left, value_told=100.0, value=100.0):
    n = len(told)
    held_out = pd.DataFrame({
        "customer_id": [f"k{i}" for i in range(n)], "is_active": True,
        "purchase_probability": 1 - np.asarray(told), "bought": 1 - np.asarray(left, float),
        "expected_value": value_told, "value": value,
    })  # fmt: skip
    return Proof(held_out, NOTHING, "")


def draws(n, told, seed=0):
    """Outcomes as told."""
    p = np.full(n, told)
    return p, (np.random.default_rng(seed).random(n) < p).astype(float)


def rings(rows, proof, task="churn"):
    found = realised.graded(task, rows, MARCH)
    return {reading.cause for reading in realised.readings(found, proof) if reading.rings}


def test_the_loss_and_the_error_by_hand():
    found = realised.graded("churn", served([0.8, 0.8, 0.2, 0.2], [1, 1, 0, 1]), MARCH)
    grade = found.grade("all")
    assert grade.loss == pytest.approx(-(3 * np.log(0.8) + np.log(0.2)) / 4)
    assert (grade.told, grade.came, grade.customers) == (0.5, 0.75, 4)
    assert grade.low < grade.loss < grade.high
    assert np.isnan(found.behind[0])  # no rule to stand beside


def test_bands_are_told_in_customers_and_money():
    rows = served([0.8, 0.8, 0.2, 0.2], [1, 0, 0, 1], expected_value=[10.0, 20.0, 30.0, 40.0])
    assert realised.bands(rows).to_dict("records") == [
        {"band": "high", "customers": 2, "told": 1.6, "left": 1.0, "money": 30.0,
         "money_left": 10.0},
        {"band": "low", "customers": 2, "told": 0.4, "left": 1.0, "money": 70.0,
         "money_left": 40.0},
    ]  # fmt: skip


def test_treated_customers_are_left_out_and_control_stands_for_them():
    # Told 50 %. Untouched and control leave as told; the treated stay, because they were treated.
    left = [1, 0] * 2 + [0] * 4 + [1, 0]
    who = ["none"] * 4 + ["treated"] * 4 + ["control"] * 2
    rows = served(
        [0.5] * 10, left,
        treated=[w == "treated" for w in who], control=[w == "control" for w in who],
        weight=[1.0] * 4 + [0.0] * 4 + [3.0] * 2,
    )  # fmt: skip
    found = realised.graded("churn", rows, MARCH)
    came = {group: found.grade(group).came for group in realised.GROUPS}
    assert came == {"all": 0.3, "not_treated": 0.5, "corrected": 0.5}
    assert (found.treated, found.control) == (4, 2)
    # Whoever is told apart by the lot counts three times: told and came of 10 customers.
    assert found.grade("corrected").customers == 6


def test_what_came_as_told_rings_nothing():
    assert rings(served(*draws(600, 0.4)), proven(*draws(600, 0.4, seed=1))) == set()


def test_risks_that_were_off_ring():
    told, _ = draws(600, 0.2)
    _, left = draws(600, 0.6)
    assert rings(served(told, left), proven(*draws(600, 0.2, seed=1))) == {"loss", "calibration"}


def test_a_model_behind_the_rule_rings_and_one_before_it_does_not():
    told, left = draws(600, 0.5)
    better = np.where(left > 0, 0.7, 0.3)
    proof = proven(told, left)
    assert "behind_rule" in rings(served(told, left, baseline_risk=better), proof)
    assert "behind_rule" not in rings(served(better, left, baseline_risk=told), proof)


def test_a_value_that_is_off_for_sure_rings():
    told, left = draws(600, 0.1)
    proof = proven(told, left, value_told=90.0, value=90.0)
    rows = served(told, left)
    assert "bias" not in rings(rows.assign(value=97.0), proof, "clv")
    assert "bias" in rings(rows.assign(value=60.0), proof, "clv")
    found = realised.graded("clv", rows.assign(value=80.0), MARCH).grade("all")
    assert found.calibration == pytest.approx(0.25)


def test_without_a_test_nothing_was_promised():
    told, left = draws(600, 0.2)
    assert rings(served(told, 1 - left), Proof(None, NOTHING, "")) == set()
