import numpy as np
import pytest

from features.errors import UserError
from training.models.purchase_history import PurchaseHistory


def test_equal_rows_are_counted_once():
    given = PurchaseHistory(
        frequency=[0, 2, 0, 2, 2], recency=[0, 9, 0, 9, 8], age=[5, 20, 5, 20, 20]
    )

    rows, counts = given.unique()

    table = sorted(zip(rows.frequency, rows.recency, rows.age, counts, strict=True))
    assert table == [(0, 0, 5, 2), (2, 8, 20, 1), (2, 9, 20, 2)]


def test_rows_that_differ_in_their_gaps_alone_stay_apart():
    given = PurchaseHistory([2, 2], [9, 9], [20, 20], log_gaps=np.log([1 * 8, 4 * 5]))

    rows, counts = given.unique()

    assert len(rows) == 2
    assert list(counts) == [1, 1]


def test_a_sample_has_no_customer_twice_and_is_the_same_for_the_same_seed():
    given = PurchaseHistory(np.zeros(100), np.zeros(100), np.arange(100))

    drawn = given.sample(10, seed=3)

    assert len(np.unique(drawn.age)) == 10
    assert list(drawn.age) == list(given.sample(10, seed=3).age)
    assert list(drawn.age) != list(given.sample(10, seed=4).age)
    assert given.sample(100, seed=3) is given


def test_another_unit_of_time_changes_times_and_gaps_but_not_counts():
    given = PurchaseHistory([2], [21], [70], log_gaps=[np.log(7 * 14)])

    weeks = given.in_units_of(7)

    assert (weeks.frequency[0], weeks.recency[0], weeks.age[0]) == (2, 3, 10)
    assert weeks.log_gaps[0] == pytest.approx(np.log(1 * 2))


def test_the_unit_of_time_is_the_mean_age_and_never_zero():
    assert PurchaseHistory([0, 0], [0, 0], [10, 20]).time_unit() == 15
    assert PurchaseHistory([0, 0], [0, 0], [0, 0]).time_unit() == 1


def test_a_horizon_is_one_number_or_one_for_each_customer():
    given = PurchaseHistory([0, 0], [0, 0], [1, 2])

    assert list(given.horizon(30)) == [30, 30]
    assert list(given.horizon([30, 60])) == [30, 60]


@pytest.mark.parametrize("horizon", [-1.0, np.nan, np.inf, [1.0, 2.0, 3.0]])
def test_an_impossible_horizon_is_refused(horizon):
    with pytest.raises(UserError, match=r"Give (a|one) number of days"):
        PurchaseHistory([0, 0], [0, 0], [1, 2]).horizon(horizon)


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ({"frequency": [1.5]}, "a frequency that is no whole number from 0 upward"),
        ({"frequency": [-1]}, "a frequency that is no whole number from 0 upward"),
        ({"recency": [21]}, "a recency below 0 or above the age"),
        ({"recency": [0]}, "a repeat purchase without recency, or the reverse"),
        ({"frequency": [0]}, "a repeat purchase without recency, or the reverse"),
        ({"age": [np.nan]}, "a missing or infinite age"),
        ({"log_gaps": [np.log(5 * 6)]}, "a sum of log gaps that no gaps in days"),
    ],
)
def test_a_row_that_is_no_history_is_refused_with_its_reason(columns, what):
    good = {"frequency": [2], "recency": [10], "age": [20], "log_gaps": [np.log(4 * 6)]}
    PurchaseHistory(**good)

    with pytest.raises(UserError, match=what):
        PurchaseHistory(**(good | columns))


def test_the_refusal_says_how_many_and_where():
    with pytest.raises(UserError) as refusal:
        PurchaseHistory([0, 1, 1], [0, 9, 8], [5, 6, 7])

    assert str(refusal.value) == (
        "2 of 3 purchase histories have a recency below 0 or above the age, the first in row 1. "
        "Count purchase days up to as_of, in days from the first."
    )


def test_arrays_of_different_length_are_refused():
    with pytest.raises(UserError, match=r"recency of shape \(1,\) and ages of 2 customers"):
        PurchaseHistory([0, 0], [0], [5, 6])


def test_no_customers_at_all_are_refused():
    with pytest.raises(UserError, match="at least one customer"):
        PurchaseHistory([], [], [])


def test_a_history_cannot_be_changed_behind_a_model():
    given = PurchaseHistory([0], [0], [5])

    with pytest.raises(ValueError, match="read-only"):
        given.age[0] = 6
