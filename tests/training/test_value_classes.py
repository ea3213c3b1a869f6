"""Given what customers have brought, their classes: worked out by hand."""

import json

import numpy as np
import pandas as pd
import pytest

from training.value_classes import RFM_CLASSES, RFM_LABELS, Scale, ValueCuts, abc


def customers(**changes):
    """Five customers of a business without margins, the first the best."""
    rows = {
        "customer_id": list("abcde"),
        "recency": [1.0, 10.0, 20.0, 30.0, 400.0],
        "purchase_days_recent_365d": [9.0, 4.0, 2.0, 1.0, 0.0],
        "spend_365d": [70.0, 15.0, 10.0, 5.0, 0.0],
        "margin_365d": np.nan,
    }
    return pd.DataFrame({**rows, **changes})


def classes(value, ids="abcdefgh"):
    return abc(np.array(value, dtype=float), np.array(list(ids[: len(value)]))).tolist()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([50, 30, 15, 5], ["A", "A", "B", "C"]),  # before the third lie 80 %, before the last 95 %
        ([5, 50, 15, 30], ["C", "A", "B", "A"]),
        ([79, 16, 5], ["A", "A", "C"]),  # before the second less than 80 %, before the last 95 %
        ([100, 0, -20], ["A", "C", "C"]),  # a loss is not taken off what the others bring
        ([0, 0], ["C", "C"]),
        ([80, None, 20], ["A", None, "B"]),
        ([], []),
    ],
)
def test_abc_by_what_lies_before_a_customer(value, expected):
    assert classes(value) == expected


def test_equals_are_taken_by_their_id():
    assert classes([25, 25, 25, 25, 25], "edcba") == ["B", "A", "A", "A", "A"]
    assert classes([40, 40, 20], "bac") == ["A", "A", "B"]


def test_one_customer_is_classed_by_the_stored_cuts():
    cuts = ValueCuts.of(customers())
    assert (cuts.measure, cuts.a, cuts.b) == ("spend_365d", 15.0, 10.0)
    one = customers().assign(spend_365d=[15.0, 14.9, 10.0, 9.9, 0.0])
    assert cuts.abc(one).tolist() == ["A", "B", "B", "C", "C"]
    assert cuts.now(one, margin_rate=0.5).tolist() == [7.5, 7.45, 5.0, 4.95, 0.0]


def test_what_was_not_given_has_no_class():
    cuts = ValueCuts.of(customers())
    rows = customers(spend_365d=np.nan).iloc[:1]
    assert cuts.abc(rows).tolist() == [None]
    assert cuts.rfm_class(cuts.rfm(rows)).tolist() == [None]
    assert cuts.quadrant(rows, np.array([9.0]), 5.0).tolist() == [None]


def test_where_the_business_gives_margins_they_are_the_value_of_now():
    rows = customers(margin_365d=[7.0, 6.0, 6.0, 2.0, np.nan])
    cuts = ValueCuts.of(rows)
    assert cuts.measure == "margin_365d"
    # The last has bought nothing, so that his margin is nothing; the rate is for guesses alone.
    assert cuts.now(rows, margin_rate=0.1).tolist() == [7.0, 6.0, 6.0, 2.0, 0.0]
    assert cuts.abc(rows).tolist() == ["A", "A", "A", "B", "C"]


def test_a_purchase_without_its_margin_is_not_worth_nothing_but_unknown():
    cuts = ValueCuts.of(customers(margin_365d=[7.0, 6.0, 6.0, 1.0, np.nan]))
    rows = customers(margin_365d=np.nan).iloc[:1]
    assert np.isnan(cuts.now(rows, 1.0)[0])
    assert cuts.abc(rows).tolist() == [None]


def test_five_bands_of_equal_numbers_of_customers():
    scale = Scale.of(np.arange(1.0, 11.0))
    assert scale.edges == (2.0, 4.0, 6.0, 8.0)
    assert scale.score(np.array([1.0, 2.0, 2.5, 10.0, 99.0])).tolist() == [1, 1, 2, 5, 5]
    assert scale.mean == 3.0


def test_ties_share_a_score_and_few_numbers_make_few_bands():
    scale = Scale.of(np.array([1.0] * 7 + [2.0] * 2 + [3.0]))
    assert scale.edges == (1.0, 2.0)
    assert scale.score(np.array([1.0, 2.0, 3.0])).tolist() == [1, 2, 3]
    assert scale.mean == pytest.approx(1.4)


def test_of_nobody_there_is_one_band():
    assert Scale.of(np.array([])).score(np.array([5.0])).tolist() == [1.0]


def test_who_bought_last_has_the_best_score_of_recency():
    cuts = ValueCuts.of(customers())
    assert cuts.rfm(customers())["rfm_recency"].tolist() == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((4, 4, 4), "important_value"),
        ((4, 3, 4), "important_develop"),  # 3 is the mean, and not above it
        ((2, 4, 4), "important_keep"),
        ((2, 2, 4), "important_retain"),
        ((4, 4, 3), "general_value"),
        ((4, 2, 2), "general_develop"),
        ((2, 4, 2), "general_keep"),
        ((3, 3, 3), "general_retain"),
    ],
)
def test_the_eight_classes_by_what_is_above_the_mean(scores, expected):
    cuts = ValueCuts.of(customers())
    given = dict(zip("rfm", ([float(score)] for score in scores), strict=True))
    arrays = {name: np.array(values) for name, values in given.items()}
    assert cuts.rfm_class(arrays).tolist() == [expected]


def test_every_class_has_its_chinese_name():
    assert set(RFM_CLASSES.values()) == set(RFM_LABELS)
    assert len(set(RFM_LABELS.values())) == 8


def test_now_and_later_make_four_quadrants():
    cuts = ValueCuts.of(customers())
    rows = customers(spend_365d=[15.0, 15.0, 14.0, 14.0, -1.0])
    found = cuts.quadrant(rows, np.array([50.0, 49.0, 50.0, 49.0, 0.0]), most_valuable=50.0)
    assert found.tolist() == ["high_high", "high_low", "low_high", "low_low", "low_low"]


def test_nobody_is_of_class_a_where_nobody_brings_anything():
    cuts = ValueCuts.of(customers(spend_365d=0.0))
    assert cuts.abc(customers(spend_365d=0.0)).tolist() == ["C"] * 5
    assert cuts.a == float("inf")


def test_stored_and_read_the_cuts_are_the_same():
    for rows in (customers(), customers(spend_365d=0.0)):
        cuts = ValueCuts.of(rows)
        assert ValueCuts.from_dict(json.loads(json.dumps(cuts.to_dict()))) == cuts
