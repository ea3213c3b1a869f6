"""The recency rule and the customer's own spend per day."""

import numpy as np
import pandas as pd
import pytest

from training.models.baseline import Baseline


def rows(recency, bought=0.0, horizon_days=90, age=100.0, spend_total=50.0):
    return pd.DataFrame(
        {"recency": recency, "bought": bought, "age": age, "spend_total": spend_total}
    ).assign(horizon_days=horizon_days)


def test_longer_silence_is_a_lower_chance_and_half_is_where_half_bought():
    panel = rows(np.repeat([8.0, 89.0, 999.0], 100), np.repeat([1.0, 0.0, 0.0], 100))
    panel.loc[100:149, "bought"] = 1.0
    chance = Baseline.fit(panel).predict(rows([8.0, 89.0, 999.0])).purchase_probability
    assert chance.tolist() == pytest.approx([1.0, 0.5, 0.0], abs=0.01)


def test_silence_counts_in_horizons():
    panel = rows([8.0, 17.0, 89.0, 400.0], [1.0, 0.0, 1.0, 0.0])
    rule = Baseline.fit(panel)
    short = rule.predict(rows([9.0], horizon_days=10)).purchase_probability[0]
    assert short == rule.predict(rows([89.0], horizon_days=90)).purchase_probability[0]


@pytest.mark.parametrize(("bought", "expected"), [(0.0, 0.01), (1.0, 0.99)])
def test_one_outcome_only_is_near_certainty(bought, expected):
    rule = Baseline.fit(rows([1.0, 50.0], bought))
    assert rule.predict(rows([5.0])).purchase_probability[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("age", "spend", "expected"),
    [
        (100.0, 50.0, 45.0),  # half a unit a day
        (3.0, 60.0, 180.0),  # three days tell no rate: taken as thirty
        (100.0, -20.0, 0.0),  # sent back more than bought
    ],
)
def test_value_is_the_own_spend_per_day(age, spend, expected):
    rule = Baseline(slope=-1.0, intercept=0.0)
    asked = rows([5.0], age=age, spend_total=spend)
    assert rule.predict(asked).expected_value.tolist() == pytest.approx([expected])
