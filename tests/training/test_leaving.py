"""Who is gone, who is about to leave and who stays, by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from training.leaving import leaving, saveable_loss, survival
from training.models.pareto_nbd import ParetoNBD
from training.models.purchase_history import PurchaseHistory

# Buyers of a purchase in 100 days who leave at a rate of a thousandth a day, all known for long.
PARETO = ParetoNBD(r=1.0, alpha=100.0, s=1.0, beta=1000.0)


def one(alive, lasting, rhythm, model):
    """Where a customer is by P(there), P(lasts), and P(purchase) by the rhythm and the model."""
    found = leaving(*(np.array([value]) for value in (alive, lasting, logit(rhythm), logit(model))))
    return found.leaves[0], found.stays[0]


def test_a_model_that_says_what_the_rhythm_says_changes_nothing():
    # There with 0.8, and of those who are there 0.25 leave: 0.2 leave, 0.6 stay, 0.2 are gone.
    assert one(0.8, 0.75, 0.3, 0.3) == pytest.approx((0.2, 0.6))


def test_what_the_model_fears_is_leaving_in_the_proportion_of_the_rhythm():
    # The odds of a purchase fall from 3 to 1, so those of staying from 1.5 to 0.5: 1/3 stays. Of
    # the 2/3 who do not, half have left and half will, as by the rhythm.
    assert one(0.8, 0.75, 0.75, 0.5) == pytest.approx((1 / 3, 1 / 3))


def test_a_complaint_of_a_regular_buyer_is_leaving_and_not_a_slow_rhythm():
    # There for certain but for 1 in 100, of whom 1 in 20 leave. Stays 0.9405, odds 15.81; the
    # model's odds of a purchase are 1/9 of the rhythm's (9 to 1): stays 1.756 / 2.756.
    leaves, stays = one(0.99, 0.95, 0.9, 0.5)
    assert stays == pytest.approx(0.6372, abs=1e-4)
    assert leaves == pytest.approx((1 - 0.6372) * 0.0495 / 0.0595, abs=1e-4)
    assert leaves > 6 * one(0.99, 0.95, 0.9, 0.9)[0]


def test_a_slow_buyer_is_unlikely_to_buy_and_unlikely_to_leave():
    leaves, stays = one(0.98, 0.95, 0.15, 0.15)  # 85 % risk by the churn definition
    assert leaves == pytest.approx(0.049)
    assert stays == pytest.approx(0.931)


def test_noise_of_the_model_moves_a_slow_buyer_little():
    # 0.15 or 0.12 of a purchase: a fifth less, which P(purchase) / P(purchase | stays) would read
    # as a fifth more who leave.
    assert one(0.98, 0.95, 0.15, 0.12)[0] - one(0.98, 0.95, 0.15, 0.15)[0] < 0.02


def test_who_is_silent_for_ten_of_his_gaps_is_gone_and_not_leaving():
    # 20 gaps of 10 days, then silent for 100 days; the other has never paused.
    rows = pd.DataFrame({"age": [300.0, 300.0]})
    recency = np.array([200.0, 300.0])
    history = PurchaseHistory(np.array([20.0, 30.0]), recency, rows.age.to_numpy())
    alive = PARETO.probability_alive(history)
    buys = logit(PARETO.probability_of_order(history, 90.0))
    found = leaving(alive, survival(rows, PARETO, 90.0), buys, buys)
    gone = 1.0 - found.leaves - found.stays
    assert gone.tolist() == pytest.approx([0.85, 0.0], abs=0.01)
    # Of who is there, 1 - 1300 / 1390 leave in 90 days.
    assert found.leaves.tolist() == pytest.approx([0.15 * 90 / 1390, 90 / 1390], rel=0.03)


def test_survival_is_that_of_the_rhythm():
    # (1500 / 2000)^s at age 500: 0.75 at s = 1, 0.5625 at s = 2.
    rows = pd.DataFrame({"age": [500.0]})
    assert survival(rows, PARETO, 500.0)[0] == pytest.approx(0.75)
    fickle = ParetoNBD(1.0, 100.0, 2.0, 1000.0)
    assert survival(rows, fickle, 500.0)[0] == pytest.approx(0.5625)


def test_certainties_stay_chances():
    for alive in (0.0, 1.0):
        for lasting in (0.0, 1.0):
            leaves, stays = one(alive, lasting, 0.5, 0.9)
            assert 0.0 <= leaves <= 1.0
            assert 0.0 <= stays <= 1.0
            assert leaves + stays <= 1.0


def test_what_can_be_saved_is_what_he_brings_if_he_stays():
    # 0.2 leave of whom each would bring 120 / 0.6 = 200; one who costs more than he brings; and one
    # who is as good as gone, whose stay is no ground to divide by: 0.04 x 120 / 0.05.
    found = leaving(
        np.array([0.8, 0.8, 0.05]),
        np.array([0.75, 0.75, 0.2]),
        logit(np.full(3, 0.3)),
        logit(np.full(3, 0.3)),
    )
    money = saveable_loss(found, np.array([120.0, -120.0, 120.0]))
    assert money.tolist() == pytest.approx([40.0, 0.0, 96.0])
