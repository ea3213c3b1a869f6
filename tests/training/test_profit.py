"""From which risk on a contact pays, by hand, and what the save rate changes."""

import numpy as np
import pytest

from training import profit
from training.retention import Assumptions

# A contact costs 5 and keeps a tenth. Expected to be saved: 8, 9, 1 and 4.
RISK = np.array([0.8, 0.3, 0.1, 0.4, np.nan])
VALUE = np.array([100.0, 300.0, 100.0, 100.0, 900.0])
GIVEN = Assumptions(contact_cost=5.0, save_rate=0.1)


def test_own_thresholds_contact_whoever_saves_more_than_he_costs():
    found = profit.own_thresholds(RISK, VALUE, GIVEN)
    assert (found.threshold, found.contacted, found.cost) == (None, 2, 10.0)
    assert found.profit == pytest.approx(8 + 9 - 10)


def test_one_threshold_for_all_cannot_skip_the_customer_between():
    found = profit.best_threshold(RISK, VALUE, GIVEN)
    # Down to 0.3 it takes the one of 0.4 along: 8 + 4 + 9 - 15 = 6, more than 8 - 5 alone.
    assert (found.threshold, found.contacted) == (0.29, 3)
    assert found.profit == pytest.approx(6.0)


def test_the_curve_counts_those_above_each_risk():
    found = profit.curve(RISK, VALUE, GIVEN).set_index("threshold")
    assert found.contacted.loc[0.0] == 4
    assert found.contacted.loc[0.8] == 0  # above, not at
    assert found.profit.loc[0.0] == pytest.approx(8 + 9 + 1 + 4 - 20)
    assert found.saved_value.loc[0.5] == pytest.approx(8.0)


def test_sensitivity_by_hand():
    found = profit.sensitivity(RISK, VALUE, GIVEN).set_index("factor")
    assert found.save_rate.tolist() == pytest.approx([0.025, 0.05, 0.1, 0.2, 0.4])
    # At a quarter: 2, 2.25, .25 and 1 are saved, nobody pays, and the two contacted lose 5.75.
    assert found.contacted.loc[0.25] == 0
    assert found.profit_as_assumed.loc[0.25] == pytest.approx(4.25 - 10)
    assert found.regret.loc[0.25] == pytest.approx(5.75)
    # Twice: 16, 18, 2 and 8: one more would pay, which the assumed rate leaves out.
    assert found.contacted.loc[2.0] == 3
    assert found.regret.loc[2.0] == pytest.approx(3.0)
    assert found.regret.loc[1.0] == 0.0
    assert found.threshold_profit.loc[2.0] == pytest.approx(42 - 15)


def test_a_rate_cannot_exceed_all_and_nobody_asked_about_is_nothing():
    assert profit.sensitivity(RISK, VALUE, Assumptions(5.0, 0.5)).save_rate.max() == 1.0
    empty = profit.own_thresholds([np.nan], [1.0], GIVEN)
    assert (empty.contacted, empty.profit) == (0, 0.0)
    assert profit.best_threshold([], [], GIVEN).contacted == 0


def test_without_a_cost_it_stays_that_of_the_customers_at_every_rate():
    found = profit.sensitivity(RISK, VALUE, Assumptions())
    assert found.profit.is_monotonic_increasing
    assert (found.regret >= 0.0).all()
