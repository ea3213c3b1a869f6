"""What the data cannot tell, for how many customers, and what would tell."""

import pytest

from serving.abstention import NEEDS
from serving.kpis import Kpi
from serving.report_parts.extras import Extras
from serving.report_parts.unknown import FIELDS, SAID, gaps, told_gaps, unknown
from serving.report_parts.words import LANGUAGES
from tests.serving.report_sections import people, seen, tables


def test_a_blank_score_is_counted_with_what_would_fill_it():
    scores = people({"loyalty": "true"}, {"loyalty": None}, {"loyalty": None})

    rows = {row[0]: row[1:] for row in tables(unknown(seen(scores)))["unknown"]}

    assert rows["Whether loyalty is meant"] == [
        2,
        pytest.approx(2 / 3),
        "answers to surveys (satisfaction or recommendation)",
    ]


def test_an_undetermined_type_is_as_good_as_none():
    scores = people({"loyalty_type": "price"}, {"loyalty_type": "undetermined"})

    found = {gap.key: gap.customers for gap in gaps(seen(scores))}

    assert found["loyalty_type"] == 1


def test_causes_are_asked_of_active_customers_alone():
    scores = people({"type_malicious": 0.1}, {"churn_probability": None, "status": "not_active"})

    found = {gap.key: gap.customers for gap in gaps(seen(scores))}

    assert "passive_causes" not in found
    assert found["voluntary_causes"] == 1


def test_the_data_that_fill_most_come_first():
    figures = [
        Kpi("survey_mean", "relationship", None, "ratio", "surveys"),
        Kpi("satisfied_share", "relationship", None, "share", "surveys"),
        Kpi("retention_rate", "relationship", 0.5, "share"),
    ]

    rows = tables(unknown(seen(people({}), Extras(kpis=figures))))["unknown_data"]

    filled = [row[1] for row in rows]
    assert filled == sorted(filled, reverse=True)
    surveys = next(row for row in rows if row[0].startswith("answers to surveys"))
    assert surveys[1] == 4  # loyalty, the top of the ladder, and two figures


def test_blanks_found_on_the_data_go_before_what_the_scores_show():
    blanks = [
        {"field": "loyalty", "needs": "surveys", "share": 0.25},
        {"field": "loyalty_type.price", "needs": "discounts", "share": 0.5},
        {"field": "loyalty_type.convenience", "needs": "channels", "share": 1.0},
    ]

    found = {gap.key: gap for gap in told_gaps(blanks, 8)}

    assert found["loyalty"].customers == 2
    assert found["loyalty_type"].needs == ("discounts", "channels")
    assert found["loyalty_type"].share == 1.0
    section = unknown(seen(people(*[{}] * 8), Extras(blanks=blanks)))
    rows = {row[0]: row[1] for row in tables(section)["unknown"]}
    assert rows["Whether loyalty is meant"] == 2


@pytest.mark.parametrize("words", LANGUAGES.values(), ids=LANGUAGES)
def test_every_need_and_every_subject_has_its_words(words):
    subjects = {*(field.key for field in FIELDS), *SAID.values()}

    assert [code for code in NEEDS if f"needs.{code}" not in words] == []
    assert [key for key in subjects if f"unknown.{key}" not in words] == []
