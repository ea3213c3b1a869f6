"""The KPI sheet: what is known in its unit, what is not with what it needs."""

import pytest

from serving.kpis import Kpi
from serving.report_parts.extras import Extras
from serving.report_parts.kpi_sheet import change, kpis, written
from tests.serving.report_sections import heads, notes, people, seen, smalls, table, tables

VIEW = seen(people({}))


def sheet(*given):
    return kpis(seen(people({}), Extras(kpis=given)))


def test_a_figure_stands_beside_that_of_a_year_earlier():
    section = sheet(
        Kpi("retention_rate", "relationship", 0.62, "share", before=0.64),
        Kpi("churn_velocity", "relationship", 96.0, "count", before=80.0),
    )

    block = table(section, "kpis_relationship")
    assert heads(block) == ["The relationship", "Now", "A year earlier", "Change", "What it says"]
    rows = tables(section)["kpis_relationship"]
    assert [row[1:4] for row in rows] == [
        [0.62, 0.64, pytest.approx(-0.02)],
        [96, 80, pytest.approx(0.2)],
    ]
    assert [row[3].text for row in block.rows] == ["−2.0 points", "+20.0%"]


def test_the_age_of_data_has_no_change():
    section = sheet(
        Kpi("data_age_hours", "insight", 0.0, "hours", before=24.0),
        Kpi("oldest_source_hours", "insight", 30.0, "hours", before=24.0),
    )

    assert [row[1:4] for row in tables(section)["kpis_insight"]] == [[0, 24, "–"], [30, 24, "–"]]


def test_a_figure_that_cannot_be_known_says_what_it_needs():
    section = sheet(Kpi("survey_mean", "relationship", None, "ratio", "surveys"))

    row = tables(section)["kpis_relationship"][0]
    assert row[1:] == [
        "unavailable",
        "–",
        "–",
        "Needs: answers to surveys (satisfaction or recommendation)",
    ]


def test_a_measured_figure_has_its_range():
    section = sheet(Kpi("campaign_money_effect", "insight", 4.2, "money", low=-1.0, high=9.4))

    assert smalls(table(section, "kpis_insight"))[0][1] == "−1.00 – 9.40"


def test_the_blocks_keep_their_order_and_the_lead_counts_what_is_known():
    section = sheet(
        Kpi("retention_rate", "relationship", 0.62, "share"),
        Kpi("top20_share", "insight", None, "share", "history"),
        Kpi("identified_rate", "identify", 0.9, "share"),
    )

    assert list(tables(section)) == ["kpis_identify", "kpis_insight", "kpis_relationship"]
    assert "2 of 3 figures can be given" in section.lead


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        ("share", 0.25, "25%"),
        ("count", 1234.0, "1,234"),
        ("money", 15.5, "15.50"),
        ("ratio", 1.5, "1.500"),
        ("days", 30.0, "30.0 days"),
        ("hours", 26.4, "26.4 h"),
        ("hours", float("nan"), "–"),
    ],
)
def test_each_unit_is_written_as_one_says_it(unit, value, text):
    assert written(VIEW, unit, value).text == text


@pytest.mark.parametrize(
    ("unit", "value", "before", "text"),
    [
        ("share", 0.5, float("nan"), "–"),
        ("share", 0.5, 0.5, "0 points"),
        ("money", 5.0, 0.0, "–"),
        ("hours", 26.4, 40.0, "−34.0%"),
        ("hours", 4.0, 0.2, "×20.0"),
    ],
)
def test_a_change_is_told_only_where_it_means_something(unit, value, before, text):
    assert change(VIEW, unit, value, before).text == text


def test_without_figures_there_is_no_sheet():
    assert notes(sheet()) == ["There is no KPI sheet, since no figures were worked out."]
