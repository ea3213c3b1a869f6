"""The costs of a contact by hand, and the risk from which it pays."""

import numpy as np
import pandas as pd
import pytest

from features.errors import UserError
from training.retention import Assumptions, Costs, value_if_retained


@pytest.mark.parametrize(
    ("value", "contact_cost", "save_rate", "threshold"),
    [
        (100.0, 5.0, 0.10, 0.5),  # 5 / (0.1 x 100)
        (1000.0, 5.0, 0.10, 0.05),
        (100.0, 20.0, 0.10, 2.0),  # above 1: no risk is high enough
        (0.0, 5.0, 0.10, np.inf),  # nothing to lose
        (-30.0, 5.0, 0.10, np.inf),  # who costs more than he brings is no loss
        (100.0, 5.0, 0.0, np.inf),  # a contact saves nobody
        (100.0, 0.0, 0.10, 0.0),  # costs nothing: everybody at any risk
        (0.0, 0.0, 0.10, np.inf),
    ],
)
def test_a_contact_pays_above_its_cost_over_what_it_saves(
    value, contact_cost, save_rate, threshold
):
    assert Costs.of([value], contact_cost, save_rate).threshold() == pytest.approx([threshold])


def test_the_threshold_is_that_of_bayes_minimum_risk():
    costs = Costs(*(np.array([cost]) for cost in (4.0, 50.0, 20.0, 1.0)))
    assert costs.threshold() == pytest.approx([(4 - 1) / ((4 - 1) + (50 - 20))])
    risk = costs.threshold()[0]
    # At the threshold both decisions cost the same.
    contacted = risk * costs.leaves_contacted + (1 - risk) * costs.stays_contacted
    alone = risk * costs.leaves_missed + (1 - risk) * costs.stays_left_alone
    assert contacted == pytest.approx(alone)


def test_what_each_outcome_costs():
    costs = Costs.of([100.0] * 4, contact_cost=5.0, save_rate=0.1)
    found = costs.of_decisions(left=[1, 1, 0, 0], contacted=[1, 0, 1, 0])
    assert found.tolist() == [95.0, 100.0, 5.0, 0.0]  # 5 + 90, missed, wasted, nothing
    assert costs.of_decisions([1] * 4, [0.5] * 4).tolist() == [97.5] * 4  # half of such customers


def test_the_value_if_retained_has_a_smallest_chance_to_divide_by():
    found = value_if_retained(pd.Series([60.0, 60.0]), pd.Series([0.6, 0.001]))
    assert found.tolist() == [100.0, 60.0 / 0.05]


def test_without_a_cost_a_contact_takes_a_twentieth_of_the_median_value():
    assert Assumptions().cost_for([10.0, 100.0, 900.0]) == pytest.approx(5.0)
    assert Assumptions(contact_cost=2.0).cost_for([10.0, 100.0, 900.0]) == 2.0


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"contact_cost": -1.0}, "A contact was said to cost -1.0. Give an amount of 0 or more."),
        ({"contact_cost": np.nan}, "A contact was said to cost nan."),
        ({"save_rate": 1.5}, "A save rate of 1.5 was asked for, but it is a share of leavers."),
    ],
)
def test_impossible_assumptions_are_refused_in_a_sentence(given, sentence):
    with pytest.raises(UserError) as refused:
        Assumptions(**given)
    assert sentence in str(refused.value)
