"""Given customers, the stage they are in, how long they last, and where they go next."""

import numpy as np
import pandas as pd
import pytest

from features.columns import Columns
from training import lifecycle
from training.lifecycle import STAGES, LifecycleRule
from training.models.pareto_nbd import ParetoNBD

# Five purchase days, one every 30, the last 10 days ago; 80 of 100 gaps end within 48 days.
CALM = {
    "purchase_days_total": 5.0, "age": 400.0, "gap_mean": 30.0, "gap_limit_80": 48.0,
    "recency": 10.0, "spend_trend_90d": 0.0, "open_complaints": 0.0,
    "payments_failed_unrecovered": 0.0,
}  # fmt: skip
ONCE = {"purchase_days_total": 1.0, "gap_mean": np.nan, "age": 20.0, "recency": 20.0}
NEVER = {
    "purchase_days_total": 0.0, "age": np.nan, "recency": np.nan, "gap_mean": np.nan,
    "gap_limit_80": np.nan, "spend_trend_90d": np.nan,
}  # fmt: skip
EXAMPLES = [
    ({}, True, 0.9, "maturity"),
    ({"spend_trend_90d": 0.69}, True, 0.9, "maturity"),
    ({"spend_trend_90d": 0.70}, True, 0.9, "growth"),
    ({"spend_trend_90d": -0.69}, True, 0.9, "maturity"),
    ({"spend_trend_90d": -0.70}, True, 0.9, "decline"),
    ({"recency": 48.0}, True, 0.9, "maturity"),
    ({"recency": 49.0}, True, 0.9, "decline"),
    ({"recency": 49.0, "spend_trend_90d": 1.0}, True, 0.9, "decline"),  # before growth
    ({}, True, 0.5, "maturity"),
    ({}, True, 0.49, "decline"),
    ({}, True, np.nan, "maturity"),  # not known to be gone
    ({"age": 89.0}, True, 0.9, "growth"),  # not yet three gaps long a customer
    ({"age": 89.0, "spend_trend_90d": -1.0}, True, 0.9, "growth"),  # a newcomer's trend
    (ONCE, True, 0.9, "growth"),
    ({**ONCE, "age": 49.0, "recency": 49.0}, True, 0.9, "decline"),  # by everybody's pace
    ({**ONCE, "gap_limit_80": np.nan}, True, 0.9, "growth"),  # where nobody ever came back
    ({}, False, 0.9, "termination"),
    ({"open_complaints": 1.0}, False, 0.9, "decline"),
    ({"payments_failed_unrecovered": 1.0}, False, 0.9, "decline"),
    ({"open_complaints": np.nan}, False, 0.9, "termination"),
    ({"open_complaints": 1.0}, True, 0.9, "maturity"),
    (NEVER, False, np.nan, "acquisition"),
]


def customers(*changes):
    return pd.DataFrame([{**CALM, **change} for change in changes])


def test_the_stage_by_precedence():
    rows = customers(*(given for given, *_ in EXAMPLES))
    active, alive, expected = (list(of) for of in zip(*(e[1:] for e in EXAMPLES), strict=True))
    found = lifecycle.stage(rows, np.array(active), alive=np.array(alive))
    assert found.tolist() == expected


def test_one_row_is_as_many_in_any_order_and_as_arrays():
    rows = customers(*(given for given, *_ in EXAMPLES))
    active, alive = np.array([e[1] for e in EXAMPLES]), np.array([e[2] for e in EXAMPLES])
    whole = lifecycle.stage(rows, active, alive=alive)
    order = np.random.default_rng(0).permutation(len(rows))
    shuffled = lifecycle.stage(Columns.of(rows.iloc[order]), active[order], alive=alive[order])
    singles = [lifecycle.stage(rows.iloc[[k]], active[[k]], alive=alive[[k]])[0] for k in order]
    assert shuffled.tolist() == whole[order].tolist() == singles


def test_without_interactions_nothing_is_open():
    rows = customers({}, {}).drop(columns=["open_complaints", "payments_failed_unrecovered"])
    assert lifecycle.stage(rows, np.array([True, False])).tolist() == ["maturity", "termination"]


def test_another_rule_draws_other_lines():
    rows = customers({"spend_trend_90d": 0.2})
    assert lifecycle.stage(rows, np.array([True]), LifecycleRule(trend=0.1)).tolist() == ["growth"]


def test_a_lifetime_begins_at_the_first_contact_and_ends_when_all_is_settled():
    rows = customers({"age": 300.0}, {"age": 300.0}, {"age": 300.0}, {"age": np.nan}).assign(
        tenure=[400.0, 200.0, 400.0, 50.0],
        recency=[200.0, 200.0, 200.0, np.nan],
        days_since_complaint_resolved=[np.nan, np.nan, 150.0, np.nan],
    )
    stages = np.array(["termination", "decline", "termination", "acquisition"], dtype=object)
    assert lifecycle.lifetime_days(rows).tolist() == [400.0, 300.0, 400.0, 50.0]
    assert lifecycle.lifetime_days(rows, stages).tolist() == [200.0, 300.0, 250.0, 50.0]


def test_the_remaining_lifetime_is_the_area_under_the_survival_curve():
    rows = customers({"age": 100.0}, {"age": 100.0}, {"age": 100.0}, {"age": np.nan})
    alive = np.array([1.0, 0.5, 1.0, np.nan])
    # At s = 2 and beta + T = 200 the area up to 1800 is 200 - 200^2 / 2000 = 180.
    pareto, rule = ParetoNBD(1.0, 10.0, 2.0, 100.0), LifecycleRule(most_days=1800.0)
    stages = np.array(["maturity", "decline", "termination", "acquisition"], dtype=object)
    found = lifecycle.remaining_days(rows, alive, pareto, rule, stages)
    assert found.tolist() == pytest.approx([180.0, 90.0, 0.0, np.nan], nan_ok=True)


@pytest.mark.parametrize("s", [0.001, 0.5, 1.0, 1.5])
def test_the_area_is_that_of_a_sum_and_never_beyond_the_cap(s):
    days = np.arange(0.5, 1826.0)  # the middle of each day
    survival = (450.0 / (450.0 + days)) ** s
    pareto = ParetoNBD(1.0, 10.0, s, 50.0)
    found = lifecycle.remaining_days(customers({}), np.array([1.0]), pareto)[0]
    assert found == pytest.approx(survival.sum(), rel=1e-5)
    assert found <= 1826.0


BEFORE = pd.Series(
    {"a": "growth", "b": "growth", "c": "maturity", "d": "decline", "gone": "growth"}
)
AFTER = pd.Series({"new": "growth", "d": "decline", "b": "growth", "a": "maturity", "c": "decline"})


def test_moves_are_counted_of_who_is_in_both_snapshots():
    counts = lifecycle.moves(BEFORE, AFTER, STAGES)
    assert counts.index.tolist() == counts.columns.tolist() == list(STAGES)
    assert counts.loc["growth", ["growth", "maturity"]].tolist() == [1, 1]
    assert counts.loc["maturity", "decline"] == counts.loc["decline", "decline"] == 1
    assert counts.to_numpy().sum() == 4


def test_shares_of_moves_sum_to_one_and_a_state_nobody_was_in_has_none():
    matrix = lifecycle.shares(lifecycle.moves(BEFORE, AFTER, STAGES))
    assert sorted(matrix) == ["decline", "growth", "maturity"]
    assert matrix["growth"]["growth"] == matrix["growth"]["maturity"] == 0.5
    assert [sum(row.values()) for row in matrix.values()] == [1.0, 1.0, 1.0]


def test_the_next_stage_is_the_row_of_the_matrix_and_unknown_without_one():
    matrix = lifecycle.shares(lifecycle.moves(BEFORE, AFTER, STAGES))
    found = lifecycle.next_stage(np.array(["growth", "termination", None], dtype=object), matrix)
    assert list(found) == list(STAGES)
    assert found["maturity"].tolist() == pytest.approx([0.5, np.nan, np.nan], nan_ok=True)
    assert found["termination"].tolist() == pytest.approx([0.0, np.nan, np.nan], nan_ok=True)
