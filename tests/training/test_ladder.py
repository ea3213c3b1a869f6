"""Given customers, the rung each stands on."""

import numpy as np
import pandas as pd

from features.columns import Columns
from training import ladder
from training.ladder import RUNGS, LadderRule

GLAD, COOL, UNKNOWN = 0.9, 0.89, np.nan
CLIENT = {
    "purchase_days_total": 3.0, "gap_variation": 1.0, "referrals": 0.0,
    "joint_activities_365d": 0.0, "count_referral_365d": 0.0,
}  # fmt: skip
EXAMPLES = [
    ({"purchase_days_total": 0.0, "gap_variation": np.nan}, UNKNOWN, "prospect"),
    ({"purchase_days_total": 1.0, "gap_variation": np.nan}, GLAD, "customer"),
    ({"purchase_days_total": 2.0, "gap_variation": np.nan, "referrals": 1.0}, GLAD, "customer"),
    ({"gap_variation": 1.01}, GLAD, "customer"),
    ({}, COOL, "client"),
    ({}, GLAD, "client"),  # glad, but told nobody
    ({"referrals": 2.0}, COOL, "client"),
    ({"referrals": 2.0}, UNKNOWN, "client"),
    ({"referrals": 2.0}, GLAD, "advocate"),
    # The referral is his only joint activity.
    ({"referrals": 1.0, "joint_activities_365d": 1.0, "count_referral_365d": 1.0}, GLAD,
     "advocate"),
    ({"referrals": 1.0, "joint_activities_365d": 2.0, "count_referral_365d": 1.0}, GLAD,
     "partner"),
    ({"joint_activities_365d": 1.0}, GLAD, "client"),  # a contract alone makes no advocate
]  # fmt: skip
ROWS = pd.DataFrame([{**CLIENT, **given} for given, *_ in EXAMPLES])
ATTITUDE = np.array([attitude for _, attitude, _ in EXAMPLES])
EXPECTED = [rung for *_, rung in EXAMPLES]


def test_each_rung_needs_those_below_it():
    assert ladder.rung(ROWS, ATTITUDE).tolist() == EXPECTED
    assert set(EXPECTED) == set(RUNGS)


def test_one_row_is_as_many_in_any_order_and_as_arrays():
    order = np.random.default_rng(1).permutation(len(ROWS))
    shuffled = ladder.rung(Columns.of(ROWS.iloc[order]), ATTITUDE[order])
    singles = [ladder.rung(ROWS.iloc[[k]], ATTITUDE[[k]])[0] for k in order]
    assert shuffled.tolist() == singles == [EXPECTED[k] for k in order]


def test_without_interactions_the_ladder_ends_at_client():
    rows = ROWS[["purchase_days_total", "gap_variation"]]
    assert set(ladder.rung(rows, np.full(len(rows), np.nan))) == {"prospect", "customer", "client"}


def test_another_rule_draws_other_lines():
    rule = LadderRule(least_days=2, most_variation=2.0, positive=0.5)
    assert ladder.rung(ROWS.iloc[[3, 6]], ATTITUDE[[3, 6]], rule).tolist() == ["client", "advocate"]
