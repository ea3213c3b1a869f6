"""Tiers: what sets each apart, who moved, and who is expected to."""

import pandas as pd
import pytest

from serving.report_parts.extras import Extras
from serving.report_parts.migration import (
    ahead_of_rest,
    expected_moves,
    migration,
    tier_profile,
)
from tests.serving.report_sections import figures, notes, people, seen, smalls, table, tables

MOVES = pd.DataFrame(
    [[6, 2, 1], [3, 10, 0], [1, 4, 0]],
    index=["mvc", "maintain", "new"],
    columns=["mvc", "maintain", "gone"],
)
MOVED = Extras(moves={"tier": MOVES})


def test_ahead_of_rest_is_the_share_of_pairs_won():
    values = pd.Series([3.0, 4.0, 1.0, 3.0])
    group = pd.Series(["a", "a", "b", "b"])

    # 3 against 1: won, against 3: half; 4 against both: won; 3.5 of 4.
    assert ahead_of_rest(values, group).to_dict() == {"a": 0.875, "b": 0.125}


def test_ahead_of_rest_is_unknown_without_a_rest():
    assert ahead_of_rest(pd.Series([1.0, 2.0]), pd.Series(["a", "a"])).isna().all()


def test_the_profile_gives_the_median_and_how_it_stands_to_the_rest():
    scores = people(
        {"tier": "mvc", "lifetime_days": 900},
        {"tier": "mvc", "lifetime_days": 1100},
        {"lifetime_days": 20},
        {"lifetime_days": 40},
    )

    profile = table(tier_profile(seen(scores)), "tier_profile")

    rows = [[cell.text for cell in row] for row in profile.rows]
    assert rows[0] == ["Most valuable", "2", "50%", "50%", "2.7 years"]
    assert rows[1][-1] == "30 days"
    assert [row[-1] for row in smalls(profile)] == ["much more", "much less"]
    assert smalls(profile)[0][3] == "like the rest"  # the risks are equal


def test_value_now_and_later_are_counted():
    scores = people(
        {"value_quadrant": "low_high", "expected_value": 300.0}, {"value_quadrant": "high_low"}
    )

    section = tier_profile(seen(scores))

    assert tables(section)["value_quadrants"] == [["Fading", 1, 100, 50], ["Hopes", 1, 300, 50]]
    assert figures(section)[0].finding.startswith("1 customers bring little now")


def test_the_moves_are_counted_row_by_row():
    section = migration(seen(people({}), MOVED))

    assert tables(section)["tier_moves"] == [
        ["Most valuable", 6, 2, 1, 9],
        ["Maintain", 3, 10, 0, 13],
        ["Not a customer yet", 1, 4, 0, 5],
    ]
    assert smalls(table(section, "tier_moves"))[0][1:4] == ["67%", "22%", "11%"]
    # 9 were there, 6 stayed; 3 rose to it and 1 is new.
    assert "67% still do. 3 have left the tier and 4 have joined it." in figures(section)[0].finding


def test_each_ribbon_of_the_picture_tells_its_number():
    svg = figures(migration(seen(people({}), MOVED)))[0].svg

    for hint in (
        "Most valuable → Most valuable: 6",
        "Maintain → Most valuable: 3",
        "Not a customer yet → Maintain: 4",
        "Most valuable → Gone: 1",
    ):
        assert f"<title>{hint}</title>" in svg
    assert svg.count("<path") == 7  # nobody moved the other two ways


def test_the_expected_moves_add_up_the_probabilities():
    scores = people(
        {"tier": "mvc", "tier_next_mvc": 0.8, "tier_next_maintain": 0.2},
        {"tier": "mvc", "tier_next_mvc": 0.6, "tier_next_maintain": 0.4},
        {"tier": "maintain", "tier_next_mvc": 0.1, "tier_next_maintain": 0.9},
        {"tier": "maintain"},
    )

    found = expected_moves(seen(scores).scores)

    assert found.loc["mvc", "mvc"] == pytest.approx(1.4)
    assert found.loc["mvc", "maintain"] == pytest.approx(0.6)
    assert found.loc["maintain", "maintain"] == pytest.approx(0.9)
    assert found.to_numpy().sum() == pytest.approx(3)


def test_what_is_expected_stands_beside_what_was():
    scores = people({"tier_next_mvc": 0.25, "tier_next_maintain": 0.75})

    svg = figures(migration(seen(scores, MOVED)))[0].svg

    for moment in ("one horizon ago", "now", "expected in one horizon"):
        assert f">{moment}</text>" in svg


def test_without_given_moves_the_scores_remember_the_former_tier():
    scores = people({"tier_previous": "mvc"}, {"tier_previous": "maintain"}, {})

    section = migration(seen(scores))

    assert tables(section)["tier_moves"] == [["Most valuable", 0, 1, 1], ["Maintain", 0, 1, 1]]
    assert notes(section) == [
        "Expected movements are not shown. They need a longer history of tiers."
    ]


def test_without_any_tiers_of_then_or_later_the_section_says_what_it_needs():
    section = migration(seen(people({})))

    assert "needs the tiers of one horizon ago" in notes(section)[0]
    assert not figures(section)
