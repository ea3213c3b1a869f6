"""Cohorts: who came back, and the coming and going by month."""

import numpy as np
import pandas as pd
import pytest

from serving.report_parts.cohorts import average_by_quarter, cohorts
from serving.report_parts.extras import Extras
from serving.report_parts.words import CHINESE
from tests.serving.report_sections import figures, notes, people, seen, table, tables

COHORTS = pd.DataFrame(
    {
        "customers": [100, 300, 50],
        "0": [1.0, 1.0, 1.0],
        "1": [0.5, 0.3, np.nan],
        "2": [0.4, np.nan, np.nan],
    },
    index=["2024-Q1", "2024-Q2", "2024-Q3"],
)
MONTHS = pd.DataFrame(
    {
        "month": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"]),
        "bought": [40, 50, 60],
        "new": [np.nan, 10, 20],
        "returned": [np.nan, 3, 4],
        "lost": [np.nan, 6, 1],
    }
)


def test_the_average_counts_each_customer_of_the_cohorts_that_reached_the_quarter():
    shares = COHORTS.drop(columns="customers")

    average = average_by_quarter(shares, COHORTS["customers"])

    # (100 x 0.5 + 300 x 0.3) / 400; the third cohort has not reached quarter 1.
    assert average.to_dict() == pytest.approx({"0": 1.0, "1": 0.35, "2": 0.4})


def test_the_triangle_has_one_row_a_cohort_and_nothing_where_the_quarter_is_not_over():
    section = cohorts(seen(people({}), Extras(cohorts=COHORTS)))

    assert tables(section)["cohorts"] == [
        ["2024-Q1", 100, 1, 0.5, 0.4],
        ["2024-Q2", 300, 1, 0.3, ""],
        ["2024-Q3", 50, 1, "", ""],
        ["All together", 450, 1, pytest.approx(0.35), 0.4],
    ]
    assert figures(section)[0].finding == (
        "Of the customers won in a quarter, 35% buy again in the next one."
    )
    assert "by month are not shown" in notes(section)[0]


def test_the_quarter_may_be_a_column():
    given = COHORTS.reset_index(names="quarter")

    section = cohorts(seen(people({}), Extras(cohorts=given)))

    assert [row[0] for row in tables(section)["cohorts"]][:2] == ["2024-Q1", "2024-Q2"]


def test_the_bold_line_is_the_newest_cohort_that_was_seen_as_long_as_any():
    svg = figures(cohorts(seen(people({}), Extras(cohorts=COHORTS))))[0].svg

    assert "Newest: 2024-Q1" in svg
    assert "<title>2024-Q1: 50% → 40%</title>" in svg


def test_cohorts_that_had_no_quarter_to_come_back_in_have_no_curve():
    section = cohorts(seen(people({}), Extras(cohorts=COHORTS[["customers", "0"]])))

    assert "there is no curve" in notes(section)[0]
    assert len(table(section, "cohorts").rows) == 4


def test_months_that_cannot_be_judged_are_not_counted():
    section = cohorts(seen(people({}), Extras(customers_by_month=MONTHS)))

    (drawn,) = figures(section)
    assert drawn.finding == "In the last 2 months: 30 customers won, 7 came back, 7 lost."
    assert tables(section)["months"] == [
        ["2024-01", 40, "–", "–", "–"],
        ["2024-02", 50, 10, 3, 6],
        ["2024-03", 60, 20, 4, 1],
    ]
    assert "<title>2024-02: New 10, Came back 3, Lost 6</title>" in drawn.svg


def test_a_month_of_which_nothing_is_known_has_no_bar_and_says_nothing():
    (drawn,) = figures(cohorts(seen(people({}), Extras(customers_by_month=MONTHS))))

    assert drawn.svg.count("<rect") == 6  # three a month that is known
    assert "<title>2024-01" not in drawn.svg


def test_what_is_known_of_a_month_is_said_alone():
    months = MONTHS.assign(lost=[5, 6, 1])

    (drawn,) = figures(cohorts(seen(people({}), Extras(customers_by_month=months))))

    assert "<title>2024-01: Lost 5</title>" in drawn.svg


def test_hints_are_joined_as_the_language_joins():
    extras = Extras(cohorts=COHORTS, customers_by_month=MONTHS)

    curves, months = figures(cohorts(seen(people({}), extras, words=CHINESE)))

    assert "<title>2024-Q1：50% → 40%</title>" in curves.svg
    assert "<title>2024-02：新客户 10、回归 3、流失 6</title>" in months.svg


def test_months_of_which_nothing_can_be_judged_yet_have_no_picture():
    section = cohorts(seen(people({}), Extras(customers_by_month=MONTHS.head(1))))

    assert any("They need purchases over some months." in note for note in notes(section))
    assert figures(section) == []


def test_without_either_the_section_says_what_it_needs():
    section = cohorts(seen(people({})))

    assert "needs purchases over at least two whole quarters" in notes(section)[0].replace(
        "\n", " "
    )
