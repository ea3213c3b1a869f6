"""The small tables behind the report, on worlds small enough to check by eye."""

import math

import numpy as np
import pandas as pd
import pytest

from serving.report_parts import numbers


def found(score, amount, share):
    return numbers.found_at(numbers.gain_curve(pd.Series(score), pd.Series(amount)), share)


def test_the_first_fifth_of_five_customers_is_the_best_one():
    assert found([5, 4, 3, 2, 1], [60, 10, 10, 10, 10], 0.2) == pytest.approx(0.6)


def test_customers_with_the_same_score_share_their_step_in_any_order():
    assert found([1, 1, 1, 1, 1], [100, 0, 0, 0, 0], 0.2) == pytest.approx(0.2)
    assert found([1, 1, 1, 1, 1], [0, 0, 0, 0, 100], 0.2) == pytest.approx(0.2)


def test_a_gain_curve_of_nothing_is_unknown():
    assert math.isnan(found([1, 2], [0, 0], 0.2))


def test_tenths_hold_equal_numbers_and_equal_values_stay_together():
    assert list(numbers.tenths(pd.Series(range(20)))) == sorted([*range(10)] * 2)
    assert list(numbers.tenths(pd.Series([3, 3, 3]))) == [6, 6, 6]


def test_reliability_compares_the_promise_with_what_happened():
    predicted = pd.Series([0.1] * 10 + [0.8] * 10)
    happened = pd.Series([1] + [0] * 9 + [1] * 7 + [0] * 3)

    table = numbers.reliability(predicted, happened)

    assert list(table["predicted"]) == pytest.approx([0.1, 0.8])
    assert list(table["realised"]) == pytest.approx([0.1, 0.7])
    assert list(table["customers"]) == [10, 10]
    # Wilson's interval for 7 of 10, by his formula.
    assert table.loc[1, ["low", "high"]].tolist() == pytest.approx([0.3968, 0.8922], abs=1e-4)


def test_the_interval_of_a_sum_is_narrower_than_the_sum_of_intervals():
    scores = pd.DataFrame(
        {
            "expected_value": [10.0, 10.0],
            "expected_value_low": [7.0, 6.0],
            "expected_value_high": [16.0, 18.0],
        }
    )

    assert numbers.total_interval(scores) == (20 - 5, 20 + 10)


def test_one_missing_interval_leaves_the_sum_without_one():
    scores = pd.DataFrame(
        {
            "expected_value": [10.0, 10.0],
            "expected_value_low": [7.0, np.nan],
            "expected_value_high": [16.0, 18.0],
        }
    )

    assert all(math.isnan(end) for end in numbers.total_interval(scores))


def test_value_classes_hold_every_customer_once():
    values = pd.Series([-5.0, 0.0, 0.5, 1.0, 3.0, 30.0, 400.0])

    table = numbers.value_classes(values)

    assert table["customer_share"].sum() == pytest.approx(1)
    assert table["value_share"].sum() == pytest.approx(1)
    assert table.iloc[0][["low", "high", "customer_share"]].tolist() == [-math.inf, 0, 2 / 7]
    assert list(table["high"].iloc[1:]) == [*table["low"].iloc[2:], math.inf]


def test_risk_the_causes_do_not_explain_is_shown():
    scores = pd.DataFrame(
        {"churn_probability": [0.5, 0.5, np.nan]}
        | {f"type_{cause}": [np.nan] * 3 for cause in numbers.CAUSES}
        | {"type_fault": [0.3, 0.3, np.nan]}
    )

    shares = numbers.causes(scores)["share"]

    assert shares["fault"] == pytest.approx(0.6)
    assert shares["unattributed"] == pytest.approx(0.4)
    assert math.isnan(shares["natural"])


def test_without_bands_high_risk_is_more_likely_to_leave_than_to_stay():
    scores = pd.DataFrame({"churn_probability": [0.4, 0.5, np.nan], "churn_band": None})

    assert list(numbers.is_high_risk(scores)) == [False, True, False]


def test_with_bands_high_risk_is_what_the_policy_says():
    scores = pd.DataFrame({"churn_probability": [0.4, 0.9], "churn_band": ["high", "medium"]})

    assert list(numbers.is_high_risk(scores)) == [True, False]
