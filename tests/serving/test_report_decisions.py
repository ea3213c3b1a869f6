"""What to do: the plan, the levers, the ways of marketing, whom to win back."""

import pandas as pd
import pytest

from serving.report_parts.decisions import LISTED, lapsed, levers, marketing, plan, win_back
from serving.report_parts.extras import Extras
from serving.report_parts.words import CHINESE
from tests.serving.report_sections import cards, figures, notes, people, seen, table, tables

PLAN = pd.DataFrame(
    [("remind", "email", 80, 20.0, 90.0, 70.0), ("repair", "phone", 12, 60.0, 420.0, 360.0)],
    columns=["action", "channel", "customers", "cost", "saved_value", "net"],
)
FACTS = {"budget": 200.0, "spent": 80.0, "net": 430.0, "control_customers": 10.0, "save_rate": 0.1}
GONE = {"status": "not_active", "churn_probability": None, "expected_loss": None}


def test_the_plan_stands_by_what_it_brings_with_its_figures_on_cards():
    section = plan(seen(people({}), Extras(plan=PLAN, plan_facts=FACTS)))

    assert cards(section) == {
        "plan_budget": 200,
        "plan_spent": 80,
        "plan_net": 430,
        "plan_control_customers": 10,
    }
    assert tables(section)["plan"] == [
        ["Repair the service", "Phone", 12, 60, 420, 360, 7],
        ["Remind", "Email", 80, 20, 90, 70, 4.5],
    ]
    assert tables(section)["plan_facts"] == [
        ["Share of leavers that a contact is assumed to keep", 0.1]
    ]
    assert "Do not contact the control group" in notes(section)[1]


def test_the_control_group_is_told_beside_all_who_were_drawn():
    facts = {**FACTS, "control_customers": 97.0, "kept_aside": 157.0}

    section = plan(seen(people({}), Extras(plan=PLAN, plan_facts=facts)))

    card = next(one for one in section.blocks[0].cards if one.key == "plan_control_customers")
    assert card.cell.value == 97
    assert card.note.startswith("of the 157 drawn by lot and left alone, these would have been")
    assert tables(section)["plan_facts"][0] == [
        "Left out: drawn by lot and left alone, whether they would have been contacted or not",
        157,
    ]


def test_the_plan_says_what_it_assumes_in_words_alone():
    assumed = {"save_share_remind": 0.2, "cost_remind": 0.5, "left_out_contacted": 7.0, "gap": 1.0}
    facts = {**FACTS, **assumed, "break_even_share": 0.25}
    said = ("What actions save is assumed: no campaign with a control group was used.",)
    extras = Extras(plan=PLAN, plan_facts=facts, plan_assumptions=said)

    section = plan(seen(people({}), extras))

    assert tables(section)["plan_actions"] == [
        ["Remind", 0.2, 0.5, "A friendly reminder of the payment or the date"]
    ]
    assert tables(section)["plan_facts"] == [
        ["Left out: heard from us a short while ago", 7],
        ["Share of leavers that a contact is assumed to keep", 0.1],
        ["Part of the assumed effect below which the plan loses money", 0.25],
    ]
    assert notes(section)[-1] == said[0]
    chinese = plan(seen(people({}), extras, words=CHINESE))
    assert notes(chinese)[-1] == CHINESE["said.plan_assumed"]


def test_nothing_is_to_be_spent_on_whom_to_part_with():
    scores = people({"lever": "let_go", "cause": "natural", "max_spend": 5.0})

    assert tables(levers(seen(scores)))["levers"][0][4] == 0


def test_a_plan_to_do_nothing_says_so():
    section = plan(seen(people({}), Extras(plan=PLAN.head(0), plan_facts=FACTS)))

    assert notes(section)[0].startswith("The plan is to do nothing.")


def test_without_a_plan_the_section_says_what_it_needs():
    assert notes(plan(seen(people({})))) == [
        "No plan was made. It needs a budget, and what an action costs per channel."
    ]


def test_each_lever_has_its_customers_money_and_main_causes():
    scores = people(
        {"lever": "repair", "cause": "fault", "max_spend": 5.0},
        {"lever": "repair", "cause": "fault", "max_spend": 5.0},
        {"lever": "repair", "cause": "retaliatory", "max_spend": 2.0},
        {"lever": "let_go", "cause": "malicious", "retain_advised": False},
        {"lever": None},
    )

    section = levers(seen(scores))

    rows = tables(section)["levers"]
    assert rows[0][:5] == ["Repair the service", 3, 0.5, 150, 12]
    assert rows[0][5] == "Our fault or unknown 67%, Open complaint 33%"
    assert rows[1][1] == 1
    chinese = levers(seen(scores, words=CHINESE))
    assert tables(chinese)["levers"][0][5] == "过失或不明 67%、报复性被动流失 33%"
    assert notes(section)[0].startswith("1 customers are on no list for retention")


def test_the_ways_of_marketing_are_counted():
    scores = people(
        {"marketing_mode": "mass"},
        {"marketing_mode": "frequency", "expected_value": 300.0},
        {"marketing_mode": "drop"},
        {"marketing_mode": None},
    )

    section = marketing(seen(scores))

    assert [row[:3] for row in tables(section)["marketing"]] == [
        ["Frequency marketing", 1, 300],
        ["Mass marketing", 1, 100],
        ["No special effort", 1, 100],
    ]
    assert figures(section)[0].finding.startswith("67% of the customers have needs like the others")


def test_the_most_worth_winning_back_come_first():
    scores = people(
        {"purchase_probability": 0.1, "clv_if_retained": 500.0},
        {"purchase_probability": 0.4, "clv_if_retained": 200.0},
        {"purchase_probability": 0.9, "clv_if_retained": 10.0},
        **GONE,
    )

    section = win_back(seen(scores))

    assert [row[:4] for row in tables(section)["win_back"]] == [
        ["C1", 0.4, 200, 80],
        ["C0", 0.1, 500, 50],
        ["C2", 0.9, 10, 9],
    ]
    assert "these 3 are worth trying first" in section.lead


def test_who_is_active_malicious_or_below_zero_is_not_won_back():
    scores = people(
        {"status": "scored"},
        {"retain_advised": False},
        {"tier": "below_zero"},
        {"purchase_probability": 0.2, "clv_if_retained": 50.0},
        **{**GONE, "purchase_probability": 0.5, "clv_if_retained": 900.0},
    )

    assert list(lapsed(seen(scores).scores)["customer_id"]) == ["C3"]


def test_without_a_value_if_he_comes_back_the_expected_value_ranks():
    scores = people({"expected_value": 5.0}, {"expected_value": 9.0}, **GONE)

    found = lapsed(seen(scores).scores)

    assert list(found["customer_id"]) == ["C1", "C0"]
    assert list(found["worth"]) == [9, 5]


def test_the_list_ends_where_a_first_campaign_would():
    scores = people(*({"expected_value": float(n + 1)} for n in range(LISTED + 5)), **GONE)

    assert len(table(win_back(seen(scores)), "win_back").rows) == LISTED


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        (people({}), "No customer has gone silent for long enough to be won back."),
        (people({"expected_value": -5.0}, **GONE), "none is worth an attempt by what is known."),
    ],
)
def test_with_nobody_to_win_back_the_section_says_which(scores, said):
    assert notes(win_back(seen(scores)))[0].endswith(said)


def test_without_levers_or_modes_the_sections_say_what_they_need():
    assert "needs the causes of leaving" in notes(levers(seen(people({}))))[0]
    assert "needs the categories of the order lines" in notes(marketing(seen(people({}))))[0]
