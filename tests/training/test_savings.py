"""Rules of contact on a few customers, counted by hand."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from training import savings, words
from training.retention import Assumptions
from training.savings import OWN, RULES
from training.split import CutOff

NEWEST = datetime(2024, 6, 30)
BEFORE = "one threshold, best at an earlier origin"
# A contact costs 5 and saves one leaver in ten.
GIVEN = Assumptions(contact_cost=5.0, save_rate=0.1)


def backtest(days_ago=0, **columns):
    """Four active customers, worth 200, 200, 40 and 40 if they stay; the first of each kind left.

    The forecast is right about both: risks of 0.3 and 0.2 of the dear, 0.9 and 0.8 of the others.
    """
    stays = np.array([0.7, 0.8, 0.1, 0.2])
    worth = np.array([200.0, 200.0, 40.0, 40.0])
    rows = pd.DataFrame(
        {
            "customer_id": ["ann", "bob", "cid", "dan"],
            "is_active": True,
            "bought": [0.0, 1.0, 0.0, 1.0],
            "purchase_probability": stays,
            "baseline_probability": 0.5,
            "expected_value": worth * stays,
            "value": [0.0, 200.0, 0.0, 40.0],
        }
    ).assign(**columns)
    return SimpleNamespace(origin=CutOff(NEWEST - timedelta(days=days_ago), 90), held_out=rows)


def rules(*tests, given=GIVEN):
    return savings.measure(tests, given).set_index("rule")


def test_every_rule_by_hand():
    found = rules(backtest())
    # Nobody: 200 + 40. Everybody: 4 x 5 + 0.9 x 240. The own threshold is 5 / 20 of the dear and
    # 5 / 4, never, of the others: ann alone is contacted, which costs 5 + 180 + 40.
    assert found.cost["nobody"] * 4 == pytest.approx(240.0)
    assert found.cost["everybody"] * 4 == pytest.approx(236.0)
    assert found.cost[OWN] * 4 == pytest.approx(225.0)
    assert found.treated[OWN] == 0.25
    assert found.savings[OWN] == pytest.approx(1 - 225 / 236)
    assert found.savings["everybody"] == 0.0
    # 0.5 contacts the two who are worth little: 200 + (5 + 36) + 5.
    assert found.cost["risk above 0.5"] * 4 == pytest.approx(246.0)
    assert found.behind["risk above 0.5"] * 4 == pytest.approx(21.0)
    # The baseline knows nothing, so one contact is shared by four.
    assert found.treated["as many, by the baseline's risk"] == 0.25
    assert found.cost["as many, by the baseline's risk"] * 4 == pytest.approx((3 * 240 + 236) / 4)
    assert found.cost["if it were known who leaves"] * 4 == pytest.approx(225.0)
    assert found.behind[OWN] == found.behind_low[OWN] == found.behind_high[OWN] == 0.0


def test_every_rule_listed_is_told_and_none_beats_foresight():
    found = rules(backtest(), backtest(90))
    assert set(found.index) == set(RULES)
    assert (found.cost >= found.cost["if it were known who leaves"] - 1e-9).all()


def test_no_rule_but_foresight_sees_what_came():
    other = backtest(bought=[1.0, 0.0, 1.0, 0.0], value=[200.0, 0.0, 40.0, 0.0])
    seeing = "if it were known who leaves"
    for rule in set(RULES) - {seeing}:
        before = rules(backtest(), backtest(90)).treated[rule]
        assert rules(other, backtest(90)).treated[rule] == before, rule


def test_the_one_threshold_comes_from_an_origin_whose_outcome_was_known():
    # There the dear customer left, whose risk was 0.3: contacting from 0.29 on cost least. Here
    # the same threshold contacts all but bob.
    found = rules(backtest(), backtest(90))
    assert found.treated[BEFORE] == 0.75
    assert set(found.origins) == {1}  # the older one has none before it and is not compared
    # Half a horizon before, the outcome was not known yet.
    assert BEFORE not in rules(backtest(), backtest(45)).index
    assert set(rules(backtest(), backtest(45)).origins) == {2}


def test_a_leaver_was_worth_what_those_who_stayed_brought():
    # Forecast 200, but who stayed brought 100: a leaver of that kind was worth 100 too.
    found = rules(backtest(value=[0.0, 100.0, 0.0, 40.0]))
    assert found.cost["nobody"] * 4 == pytest.approx(140.0)
    assert found.treated[OWN] == 0.25  # decided by the forecast, as before


def test_where_nobody_stayed_the_forecast_is_all_there_is():
    found = rules(backtest(bought=0.0, value=0.0))
    assert found.cost["nobody"] * 4 == pytest.approx(480.0)


def test_without_leavers_there_is_nothing_to_save():
    table = savings.measure([backtest(bought=1.0)], GIVEN)
    assert table.savings.isna().all()
    assert table.set_index("rule").cost["nobody"] == 0.0
    assert "Nobody left, so nothing could be saved." in words.of_savings(table)


def test_a_contact_for_nothing_is_made_with_everybody():
    found = rules(backtest(), given=Assumptions(contact_cost=0.0))
    assert found.treated[OWN] == 1.0
    assert found.savings[OWN] == found.savings["everybody"] == 0.0


def test_a_contact_too_dear_is_made_with_nobody():
    found = rules(backtest(), given=Assumptions(contact_cost=1e6))
    assert found.treated[OWN] == found.treated["if it were known who leaves"] == 0.0
    assert found.savings[OWN] == 0.0


def test_without_a_cost_it_is_taken_from_the_forecasts():
    found = savings.measure([backtest()], Assumptions())
    assert set(found.contact_cost) == {0.05 * 120.0}  # of the median, between 40 and 200


@pytest.mark.parametrize(
    "tests", [[], [backtest(is_active=False)]], ids=["no test", "nobody active"]
)
def test_nothing_to_decide_is_an_empty_table_and_no_text(tests):
    found = savings.measure(tests, GIVEN)
    assert list(found.columns) == list(savings.COLUMNS)
    assert found.empty
    assert words.of_savings(found) == ""


def test_the_text_says_what_is_assumed():
    text = words.of_savings(savings.measure([backtest()], GIVEN))
    assert "4 active customers at 1 earlier moments" in text
    assert "Assumed, not measured: a contact costs 5.00 and keeps 10 % of those who" in text
    line = next(line for line in text.splitlines() if line.startswith("risk above 0.5"))
    assert "50%" in line
