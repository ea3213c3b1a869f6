"""Given customers and what came, the verdict on each group."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from training import segments, words
from training.evaluate import Backtest
from training.segments import SEGMENTS, TOO_FEW, WITHIN_CHANCE

COUNT = 400


def held_out(**changed):
    """Customers of whom the forecast is right: half stay, who pay 100; two origins' worth of kinds.

    Even ones are old, bought on many days and have just ordered; odd ones are new, with one.
    """
    number = np.arange(COUNT)
    even = number % 2 == 0
    rows = pd.DataFrame(
        {
            "customer_id": [f"{n:03d}" for n in number],
            "horizon_days": 90,
            "recency": np.where(even, 10.0, 100.0),
            "age": np.where(even, 400.0, 89.0),
            "purchase_days_total": np.where(even, 7.0, 1.0),
            "purchase_trend_90d": 0.0,
            "purchase_days_recent_90d": 1.0,
            "is_active": True,
            "bought": (number // 2 % 2).astype(float),
            "purchase_probability": 0.5,
            "baseline_probability": 0.7,
            "expected_value": 50.0,
            "expected_value_low": 0.0,
            "expected_value_high": 120.0,
        }
    ).assign(**changed)
    # One value in ten lies above the interval.
    return rows.assign(value=rows.bought * 100.0 + 50.0 * (number % 10 == 3))


def one_test(rows):
    return SimpleNamespace(held_out=rows)


def churn(*rows):
    found = segments.of_churn([one_test(table) for table in rows])
    return found.set_index(["segment", "group"])


def value(*rows):
    return segments.of_value([one_test(table) for table in rows]).set_index(["segment", "group"])


@pytest.mark.parametrize("segment", SEGMENTS, ids=lambda segment: segment.name)
def test_every_segment_places_everybody_and_is_reported(segment):
    rows = held_out()
    assert set(segment.place(rows)) <= set(segment.groups)
    assert segment.suits(rows)
    for found in (churn(rows), value(rows)):
        assert list(found.loc[segment.name].index) == list(segment.groups)
        assert found.loc[segment.name].customers.sum() == COUNT


@pytest.mark.parametrize("segment", SEGMENTS, ids=lambda segment: segment.name)
def test_no_segment_looks_at_what_came(segment):
    rows = held_out()
    blind = rows.drop(columns=["bought", "value"])
    np.testing.assert_array_equal(segment.place(rows), segment.place(blind))


def test_the_groups_by_hand():
    rows = held_out().head(4).assign(
        recency=[44.0, 45.0, 90.0, 180.0], age=[89.0, 90.0, 91.0, 400.0],
        purchase_days_total=[1.0, 2.0, 3.0, 9.0],
    )  # fmt: skip
    placed = {segment.name: segment.place(rows).tolist() for segment in SEGMENTS}
    assert placed["last order:"] == [
        "0 - 1/2 horizon", "1/2 - 1 horizon", "1 - 2 horizons", "longer ago",
    ]  # fmt: skip
    assert placed["tenure"] == ["new", "settled", "settled", "settled"]
    assert placed["order days:"] == ["1", "2", "3 or more", "3 or more"]


def test_a_right_forecast_is_right_and_its_gain_known():
    everyone = churn(held_out()).loc["everyone", ""]
    assert everyone.verdict == WITHIN_CHANCE
    assert everyone.level == pytest.approx(1.0)
    assert everyone.level_low < 1.0 < everyone.level_high
    assert everyone.calibration_error == pytest.approx(0.0)
    assert everyone.log_loss == pytest.approx(np.log(2))
    assert everyone.gain == pytest.approx(-(np.log(0.7) + np.log(0.3)) / 2 - np.log(2))
    assert 0 < everyone.gain_low < everyone.gain < everyone.gain_high


def test_two_wrong_halves_are_seen_where_the_whole_is_right():
    rows = held_out()
    is_new = rows.age < 90
    found = churn(rows.assign(purchase_probability=np.where(is_new, 0.3, 0.7)))
    assert found.loc[("everyone", ""), "level"] == pytest.approx(1.0)
    assert found.loc[("everyone", ""), "verdict"] == "uneven"
    assert found.loc[("tenure", "new"), "verdict"] == "too high"
    assert found.loc[("tenure", "new"), "level"] == pytest.approx(1.4)
    assert found.loc[("tenure", "settled"), "verdict"] == "too low"


def test_only_active_customers_can_leave_but_all_have_a_value():
    rows = held_out(recency=200.0, is_active=False)
    assert (churn(rows).customers == 0).all()
    assert (churn(rows).verdict == TOO_FEW).all()
    assert value(rows).loc[("last order:", "longer ago"), "customers"] == COUNT


@pytest.mark.parametrize("stayed", [0.0, 1.0], ids=["all left", "nobody left"])
def test_one_outcome_alone_says_nothing_of_the_level(stayed):
    found = churn(held_out(bought=stayed)).loc["everyone", ""]
    assert found.verdict == TOO_FEW
    assert np.isnan(found.level)
    assert found.customers == COUNT


def test_few_customers_and_empty_groups_say_so():
    rows = held_out().head(segments.LEAST_CUSTOMERS - 2)
    assert (churn(rows).verdict == TOO_FEW).all()
    assert (value(rows).interval_verdict == TOO_FEW).all()
    assert churn(held_out()).loc[("order days:", "2"), "customers"] == 0


def test_a_customer_of_two_origins_counts_once():
    once, twice = churn(held_out()), churn(held_out(), held_out())
    pd.testing.assert_frame_equal(once, twice)


def test_levels_of_two_seasons_may_cancel_and_the_worst_is_told():
    high = held_out(purchase_probability=0.4)
    low = held_out(purchase_probability=0.6)
    everyone = churn(high, low).loc["everyone", ""]
    assert everyone.level == pytest.approx(1.0)
    assert everyone.worst_level == pytest.approx(0.8)  # further off than 1.2, as a factor
    assert churn(high).loc[("everyone", ""), "worst_level"] == pytest.approx(1.2)


def test_the_level_and_the_interval_of_the_value():
    everyone = value(held_out()).loc["everyone", ""]
    seen = held_out().value.sum()
    assert everyone.level == pytest.approx(COUNT * 50.0 / seen)
    assert everyone.coverage_90 == pytest.approx(1 - (held_out().value > 120).mean())
    assert (everyone.verdict, everyone.interval_verdict) == (WITHIN_CHANCE, "too wide")
    narrow = value(held_out(expected_value=99.0, expected_value_high=90.0)).loc["everyone", ""]
    assert (narrow.verdict, narrow.interval_verdict) == ("too high", "too narrow")


def test_no_money_at_all_is_too_few():
    rows = held_out(bought=0.0).assign(value=0.0)
    assert (segments.of_value([one_test(rows)]).verdict == TOO_FEW).all()


def test_a_churn_test_without_values_is_told_without_tiers():
    rows = held_out().drop(columns=[name for name in held_out() if name.startswith("expected")])
    assert "tier" not in churn(rows).index.get_level_values("segment")
    assert segments.of_value([one_test(rows)]).empty


def test_a_test_is_looked_at_once_however_often_it_is_asked():
    test = Backtest(origin=None, panel=None, held_out=held_out(), model=None)
    for _ in range(2):
        groups = segments.of_newest(test, test)
        assert groups[0] is test.churn_groups
        assert groups[1] is test.value_groups
    pd.testing.assert_frame_equal(groups[0], segments.of_churn([test]))
    pd.testing.assert_frame_equal(groups[1], segments.of_value([test]))
    assert [len(table) for table in segments.of_newest(None, None)] == [0, 0]


def test_the_text_leaves_out_who_is_not_there_and_blanks_what_is_not_known():
    found = segments.of_churn([one_test(held_out(bought=1.0))]), segments.of_value([])
    text = words.of_segments(*found)
    assert "Value by group" not in text
    assert "order days: 2" not in text
    line = next(line for line in text.splitlines() if line.startswith("everyone"))
    assert line.split() == ["everyone", "400", "too", "few"]
    assert words.of_segments(segments.of_churn([]), segments.of_value([])) == ""
