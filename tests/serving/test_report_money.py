"""Money at risk by tier and cause, the threshold of contact, and the bands kept to their word."""

import numpy as np
import pandas as pd
import pytest

from serving.report_parts import realised, threshold
from serving.report_parts.money_at_risk import by_tier_and_cause
from serving.report_parts.numbers import CAUSES
from tests.serving.report_world import customers, held_out, proven, written

BLANK = {f"type_{cause}": np.nan for cause in CAUSES}


def scores(*rows):
    """One customer per (risk, loss)."""
    table = pd.DataFrame(rows, columns=["churn_probability", "expected_loss"])
    return table.assign(clv_if_retained=np.nan, max_spend=np.nan)


def test_money_at_risk_is_shared_among_the_causes_as_the_risk_is():
    given = scores((0.5, 100.0), (0.4, 40.0), (np.nan, 0.0)).assign(
        **BLANK, tier=["mvc", "maintain", None]
    )
    given["type_fault"] = [0.4, 0.2, np.nan]
    given["type_natural"] = [0.1, 0.1, np.nan]

    found = by_tier_and_cause(given)

    assert list(found.columns) == ["natural", "fault", "unattributed"]
    assert found.loc["mvc"].tolist() == pytest.approx([20.0, 80.0, 0.0])
    assert found.loc["maintain"].tolist() == pytest.approx([10.0, 20.0, 10.0])
    assert found.loc["none"].tolist() == [0, 0, 0]


def test_the_heat_map_adds_up_to_the_money_at_risk(tmp_path):
    page = written(tmp_path / "report.html", customers())

    rows = page.rows("money")
    assert rows[-1][-1] == pytest.approx(customers()["expected_loss"].sum())
    assert [row[-1] for row in rows[:-1]] == pytest.approx(
        [sum(cell for cell in row[1:-1]) for row in rows[:-1]]
    )


def test_the_profit_of_each_threshold_by_hand():
    """Contacts of 10 that save a tenth: from 50 % on two contacts, 20 for a tenth of 900."""
    given = scores((0.2, 50.0), (0.5, 100.0), (0.8, 800.0), (np.nan, np.nan))

    found = threshold.profits(threshold.steps_of_risk(given), cost=10.0, rate=0.1)

    assert found["contacted"].loc[[0, 20, 21, 50, 80, 81]].tolist() == [3, 3, 2, 2, 1, 0]
    assert found["caught"].loc[50] == pytest.approx(1.3)
    assert found["false_alarms"].loc[50] == pytest.approx(0.7)
    assert found["saved"].loc[[0, 50]].tolist() == pytest.approx([95.0, 90.0])
    assert found["profit"].loc[[0, 50, 80]].tolist() == pytest.approx([65.0, 70.0, 70.0])


def test_customers_at_a_threshold_and_with_certain_risk_are_above_it():
    steps = threshold.steps_of_risk(scores((0.29, 1.0), (1.0, 1.0)))

    assert steps["contacted"].loc[[28, 29, 99, 100]].tolist() == [0, 1, 0, 1]


def test_the_best_threshold_is_none_where_no_contact_pays():
    steps = threshold.steps_of_risk(scores((0.2, 50.0), (0.8, 800.0)))

    assert threshold.best_threshold(threshold.profits(steps, 10.0, 0.1)) == 21
    assert threshold.best_threshold(threshold.profits(steps, 100.0, 0.1)) is None


def test_each_customer_by_his_own_money_is_never_worse_than_any_threshold():
    given = customers()
    given = given.assign(clv_if_retained=np.nan)
    found = threshold.profits(threshold.steps_of_risk(given), 5.0, 0.1)

    own = threshold.own_rule(given, 5.0, 0.1)

    assert own >= found["profit"].max()
    assert own == pytest.approx((given["expected_loss"] * 0.1 - 5).clip(lower=0).sum())


def test_cost_and_save_rate_begin_with_what_the_scores_rest_on():
    given = scores((0.5, 100.0), (0.5, 200.0), (0.5, 400.0)).assign(max_spend=[20.0, 40.0, 80.0])

    assert threshold.contact_cost(given) == 20  # a twentieth of 400, the median if retained
    assert threshold.save_rate(given) == 0.2


def test_bands_are_cut_where_the_scores_cut_them():
    given = pd.DataFrame(
        {
            "churn_probability": [0.1, 0.3, 0.4, 0.6, 0.8],
            "churn_band": ["low", "low", "medium", "medium", "high"],
        }
    )

    edges = realised.band_edges(given)

    assert edges == pytest.approx({"low": 0.0, "medium": 0.35, "high": 0.7})
    assert realised.band_edges(given.assign(churn_band=None)) == {}
    assert realised.band_edges(given.assign(churn_band="gold")) == {}


def test_who_left_of_each_band_and_what_it_was_in_money():
    tested = pd.DataFrame(
        {
            "risk": [0.1, 0.2, 0.9, 0.8, 0.7],
            "left": [0.0, 1.0, 1.0, 1.0, 0.0],
            "value": [50.0, 0.0, 0.0, 0.0, 30.0],
        }
    )

    found = realised.by_band(tested, {"low": 0.0, "medium": 0.3, "high": 0.7})

    assert list(found.index) == ["low", "high"]
    assert found.loc["low"].tolist() == pytest.approx([2, 0.3, 1, 0.5, 1, 50, 50])
    assert found.loc["high"].tolist() == pytest.approx([3, 2.4, 2, 2 / 3, 1, 30, 60])


def test_a_band_in_which_nobody_stayed_has_no_estimate():
    tested = pd.DataFrame({"risk": [0.9], "left": [1.0], "value": [0.0]})

    found = realised.by_band(tested, {"low": 0.0, "high": 0.5})

    assert found["missing"].isna().all()


def test_the_bands_of_the_report_hold_every_tested_active_customer(tmp_path):
    page = written(tmp_path / "report.html", customers(), proven(held_out()))

    rows = page.rows("realised")
    active = held_out()[held_out()["is_active"]]
    assert [row[0] for row in rows] == ["Low", "Medium", "High"]
    assert sum(row[1] for row in rows) == len(active)
    assert sum(row[3] for row in rows) == (active["bought"] == 0).sum()
