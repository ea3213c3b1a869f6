"""ABC, RFM and CLV compared, in words that say no more than was measured."""

import pandas as pd
import pytest

from serving.report_parts.methods import methods
from tests.serving.report_sections import figures, heads, notes, people, seen, smalls, table, tables


def compared(abc=(0.06, 0.04, 0.08), rfm=(0.02, -0.01, 0.04)):
    """The comparison as the training makes it; of each the gap behind CLV with its interval."""
    rows = [("ABC", 0.52, 0.4, abc), ("RFM", 0.56, 1.3, rfm), ("CLV", 0.58, 210.0, (0, 0, 0))]
    return pd.DataFrame(
        [
            {
                "method": name,
                "origins": 3,
                "customers": 2100,
                "found": found,
                "found_low": found - 0.03,
                "found_high": found + 0.03,
                "captured": 0.6,
                "captured_low": 0.5,
                "captured_high": 0.7,
                "spearman": 0.4,
                "spearman_low": 0.3,
                "spearman_high": 0.5,
                "seconds": seconds,
                "behind_clv": behind,
                "behind_low": low,
                "behind_high": high,
            }
            for name, found, seconds, (behind, low, high) in rows
        ]
    )


def said(**gaps):
    return methods(seen(people({}), methods=compared(**gaps)))


def test_the_methods_stand_by_what_they_found():
    section = said()

    rows = tables(section)["methods"]
    assert [row[0] for row in rows] == ["CLV", "RFM", "ABC"]
    assert [row[2] for row in rows] == [0.58, 0.56, 0.52]
    assert [row[5] for row in rows] == ["–", 0.02, 0.06]
    assert [row[6] for row in rows] == [210, 1.3, 0.4]
    assert smalls(table(section, "methods"))[0][2] == "55% – 61%"
    assert figures(section)[0].finding == (
        "CLV found 58% of the customers who later were the best fifth; RFM 56%, ABC 52%."
    )
    assert "2,100 customers as they were at past moments (3 tried)" in section.lead


def test_a_gap_beyond_chance_and_one_within_are_told_apart():
    (told,) = notes(said())

    assert told.startswith("Between RFM and CLV no difference can be told from chance")
    assert "the gap of 2.0 points could as well be −1.0 or +4.0" in told
    assert (
        "ABC found 6.0 points less than CLV (4.0 to 8.0), which is beyond chance. "
        "It took 0.4 s, CLV 3.5 min."
    ) in told


def test_a_simple_method_that_wins_is_said_to_win():
    rfm = notes(said(rfm=(-0.05, -0.08, -0.02)))[0]

    assert rfm.startswith(
        "RFM found 5.0 points more than CLV (2.0 to 8.0), which is beyond chance."
    )


def test_a_gap_without_an_interval_gets_no_verdict():
    nan = float("nan")

    (told,) = notes(said(abc=(0.06, nan, nan), rfm=(0.02, nan, nan)))
    assert told.startswith("The textbook says")


def test_each_method_has_its_dot_and_its_range():
    (drawn,) = figures(said())

    assert drawn.svg.count("<circle") == 3
    assert ">58%</text>" in drawn.svg


def test_an_unknown_method_is_called_by_its_name():
    given = compared().assign(method=["Gut feeling", "RFM", "CLV"])

    section = methods(seen(people({}), methods=given))

    assert [row[0] for row in tables(section)["methods"]][-1] == "gut feeling"
    assert heads(table(section, "methods"))[0] == "Method"


@pytest.mark.parametrize("given", [None, compared().head(0)])
def test_without_a_comparison_the_section_says_what_it_needs(given):
    section = methods(seen(people({}), methods=given))

    assert "needs a history with at least one past moment" in notes(section)[0].replace("\n", " ")
