"""Lifecycle, ladder and loyalty: where customers stand and what would move them."""

import pandas as pd

from serving.report_parts.extras import Extras
from serving.report_parts.relationship import lifecycle, loyalty, rungs
from tests.serving.report_sections import figures, notes, people, seen, table, tables


def test_the_stages_have_their_customers_money_and_times():
    scores = people(
        {"stage": "decline", "expected_loss": 300.0, "lifetime_days": 100, "remaining_days": 30},
        {"stage": "growth", "lifetime_days": 20, "remaining_days": 800},
        {"stage": "growth", "lifetime_days": 40, "remaining_days": 800},
    )

    section = lifecycle(seen(scores))

    rows = [[cell.text for cell in row] for row in table(section, "stages").rows]
    assert rows == [
        ["Growth", "2", "67%", "200", "67%", "50%", "100", "25%", "30 days", "2.2 years"],
        ["Decline", "1", "33%", "100", "33%", "50%", "300", "75%", "100 days", "30 days"],
    ]
    assert figures(section)[0].finding == 'The stage "Decline" holds 75% of the money at risk.'


def test_without_remaining_days_the_lifecycle_says_what_they_need():
    section = lifecycle(seen(people({})))

    assert "needs a history long enough" in notes(section)[0]
    assert "needs the scores of one horizon ago" in notes(section)[1]


def test_moves_between_stages_are_shown_with_their_shares():
    moves = pd.DataFrame([[3, 1], [0, 2]], ["growth", "decline"], ["growth", "decline"])

    section = lifecycle(seen(people({}), Extras(moves={"stage": moves})))

    assert tables(section)["stage_moves"] == [["Growth", 3, 1, 4], ["Decline", 0, 2, 2]]
    assert [cell.heat for cell in table(section, "stage_moves").rows[0]] == [None, 0.75, 0.25, None]


def test_the_ladder_tells_who_stands_above_the_first_rung():
    scores = people(
        {"ladder": "customer"}, {"ladder": "client", "expected_value": 300.0}, {"ladder": "partner"}
    )

    section = rungs(seen(scores))

    assert [row[0] for row in tables(section)["rungs"]] == ["Customer", "Client", "Partner"]
    assert figures(section)[0].finding == (
        "67% of the customers stand above the first rung, and 80% of the expected value is theirs."
    )


def test_rungs_nobody_can_be_seen_on_are_said_to_be_unknown():
    section = rungs(seen(people({"ladder": "client"})))

    assert "it is not known whether such customers exist" in notes(section)[0]


def test_the_four_loyalties_count_only_customers_whose_loyalty_is_known():
    scores = people(
        {"loyalty": "true"}, {"loyalty": "spurious"}, {"loyalty": "none"}, {"loyalty": None}
    )

    section = loyalty(seen(scores))

    assert [row[:2] for row in tables(section)["loyalties"]] == [
        ["True loyalty", 1],
        ["Spurious loyalty", 1],
        ["No loyalty", 1],
    ]
    finding = figures(section)[0].finding
    assert finding.startswith("33% buy again without liking us.")
    assert "Known for 75% of the customers" in finding


def test_each_type_of_loyalty_has_its_trigger():
    scores = people(
        {"loyalty_type": "incentive"}, {"loyalty_type": "undetermined"}, {"loyalty_type": None}
    )

    section = loyalty(seen(scores))

    first = tables(section)["loyalty_types"][0]
    assert first[0] == "Incentive"
    assert first[2:4] == [1, 0.5]
    assert "The program ends or is cut" in first
    assert "without surveys" in notes(section)[0]


def test_without_anything_on_loyalty_it_says_what_is_needed():
    section = loyalty(seen(people({})))

    assert "answers to surveys" in notes(section)[0]
    assert len(section.blocks) == 1


def test_without_states_the_sections_say_so():
    scores = people({"stage": None})

    assert notes(lifecycle(seen(scores))) == [
        "No customer has a stage. Stages need purchases with dates."
    ]
    assert notes(rungs(seen(scores))) == [
        "No customer has a rung. The ladder needs purchases with dates."
    ]
