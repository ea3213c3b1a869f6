"""The report says what the scores say, in one file that needs nothing else."""

import re
from functools import partial

import numpy as np
import pandas as pd
import pytest

from features.errors import UserError
from serving.report import SECTIONS
from tests.serving.report_world import CAUSES, NO_METRICS, customers, held_out, proven, written
from training.proof import Proof


@pytest.fixture
def page(tmp_path):
    return partial(written, tmp_path / "report.html")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The report on `customers()`, tested on `held_out()`."""
    return written(
        tmp_path_factory.mktemp("whole") / "report.html", customers(), proven(held_out())
    )


def test_the_headline_figures_are_those_of_the_scores(whole):
    scores = customers()

    figures = whole.figures

    by_value = scores["expected_value"].sort_values(ascending=False)
    assert figures["customers"] == 300
    assert figures["active"] == scores["churn_probability"].notna().sum()
    assert figures["high_risk"] == (scores["churn_band"] == "high").sum()
    assert figures["money_at_risk"] == pytest.approx(scores["expected_loss"].sum())
    assert figures["expected_value"] == pytest.approx(by_value.sum())
    assert figures["concentration"] == pytest.approx(by_value.iloc[:60].sum() / by_value.sum())


def test_the_statuses_are_counted_and_explained(page):
    scores = customers(4).assign(status=["scored", "scored", "not_active", "prospect"])

    assert page(scores).rows("statuses") == [
        ["Active", 2, "Bought recently enough to be lost, and given a risk of leaving"],
        ["Silent", 1, "Silent for too long to be called at risk"],
        ["prospect", 1, ""],
    ]


def test_the_list_holds_the_customers_with_the_most_to_lose_first(whole):
    scores = customers()

    listed = whole.rows("at_risk")

    top = scores.nlargest(100, "expected_loss")
    assert [row[0] for row in listed] == list(top["customer_id"])
    assert [row[1] for row in listed] == pytest.approx(list(top["churn_probability"]))
    assert [row[2] for row in listed] == pytest.approx(list(top["expected_loss"]))
    assert [row[3] for row in listed] == pytest.approx(list(top["expected_value"]))
    assert [row[8] for row in listed] == pytest.approx(list(top["max_spend"]))


def test_the_list_names_the_likely_cause_and_whom_not_to_retain(page):
    scores = customers(1).assign(churn_probability=0.5, expected_loss=10.0, retain_advised=False)
    scores = scores.assign(**{f"type_{cause}": 0.1 * (cause == "fault") for cause in CAUSES})
    scores = scores.assign(type_malicious=0.4)

    found = page(scores)

    assert found.rows("at_risk")[0][6] == "Fraud80% of the risk"
    assert "do not retain" in found.html


def test_columns_nobody_filled_are_left_out_of_the_list(page):
    scores = customers().drop(columns=["top_factors", "max_spend", *(f"type_{c}" for c in CAUSES)])

    heads = page(scores).tables["at_risk"][0]

    assert heads == [
        "Customer",
        "Risk of leaving",
        "Money at risk",
        "Expected value",
        "Tier",
        "Stage",
    ]


def test_tiers_and_stages_add_up_to_the_scores(whole):
    scores = customers()

    for table, column in (("tiers", "tier"), ("stages", "stage")):
        rows = whole.rows(table)
        by_size = scores[column].value_counts()
        assert sorted(row[1] for row in rows) == sorted(by_size)
        assert sum(row[3] for row in rows) == pytest.approx(scores["expected_value"].sum())
        assert sum(row[4] for row in rows) == pytest.approx(1)
        assert sum(row[6] for row in rows) == pytest.approx(scores["expected_loss"].sum())
    first = scores[scores["tier"] == "mvc"]
    assert whole.rows("tiers")[0][5] == pytest.approx(first["churn_probability"].mean())


def test_the_bands_are_counted(whole):
    scores = customers()

    rows = whole.rows("bands")

    assert [row[0] for row in rows] == ["Low", "Medium", "High"]
    assert [row[1] for row in rows] == [
        (scores["churn_band"] == band).sum() for band in ("low", "medium", "high")
    ]


def test_each_cause_has_its_share_of_the_expected_leavers(whole):
    scores = customers()

    rows = whole.rows("causes")

    total = scores["churn_probability"].sum()
    assert [row[1] for row in rows] == pytest.approx(
        [scores[f"type_{cause}"].sum() / total for cause in CAUSES]
    )


def test_a_cause_the_data_cannot_show_is_unavailable_not_zero(page):
    scores = customers().assign(type_retaliatory=None, type_malicious=np.nan)

    found = page(scores)

    by_cause = {row[0]: row[1] for row in found.rows("causes")}
    assert by_cause["Open complaint"] == by_cause["Fraud"] == "unavailable"
    assert "Unavailable: Open complaint, Fraud." in found.texts["causes"]


def test_a_skilled_model_is_graded_a_and_noise_is_graded_c(whole, page):
    good = whole.texts
    poor = page(customers(), proven(held_out(skill=0.0))).texts

    assert "Clearly better than the simple rule" in good["grade-risk"]
    assert "Clearly better than the simple rule" in good["grade-value"]
    assert "No better than the simple rule" in poor["grade-risk"]


def test_a_small_test_is_not_graded(page):
    grade = page(customers(1), proven(held_out(150))).texts["grade-risk"]

    assert "Too few to tell" in grade


def test_without_a_test_the_report_says_so(page):
    found = page(customers())

    assert "Not tested" in found.texts["grade-risk"]
    assert "Not tested" in found.texts["grade-value"]
    assert "The data are too short for a test." in found.texts["quality"]
    for key in ("calibration", "gain", "forecast"):
        assert "Not tested: no customers with a known future were set aside." in found.texts[key]


def test_the_test_figures_are_those_of_the_held_out_customers(whole):
    outcomes = held_out()

    active = outcomes[outcomes["is_active"]]
    within = outcomes["value"].between(
        outcomes["expected_value_low"], outcomes["expected_value_high"]
    )
    total = outcomes["value"].sum() / outcomes["expected_value"].sum()
    expected_leavers = (1 - active["purchase_probability"]).mean()
    assert whole.figures["expected_leavers"] == pytest.approx(expected_leavers)
    assert whole.figures["total"] == pytest.approx(total)
    assert whole.figures["coverage"] == pytest.approx(within.mean())
    assert sum(row[4] for row in whole.rows("calibration")) == len(active)
    assert [row[0] for row in whole.rows("forecast")] == list(range(1, 11))
    assert [row[1] for row in whole.rows("forecast")] == [100] * 10


def test_the_gain_table_counts_the_leavers_found(page):
    outcomes = held_out(1000).assign(is_active=True)

    rows = page(customers(1), proven(outcomes)).rows("gain")

    riskiest = outcomes.nsmallest(200, "purchase_probability")
    assert rows[2][0] == 0.2
    assert rows[2][1] == pytest.approx(
        (1 - riskiest["bought"]).sum() / (1 - outcomes["bought"]).sum()
    )
    assert rows[2][2] == pytest.approx(0.2)  # one probability for all finds no more than chance
    assert rows[2][3] == pytest.approx(rows[2][1] / 0.2)


def test_every_measure_is_in_the_last_table(page):
    given = pd.DataFrame(
        [
            ("churn", "model", "auc", 0.79),
            ("churn", "baseline", "auc", 0.7),
            ("clv", "model", "mae", 62.3),
        ],
        columns=["task", "model", "metric", "value"],
    )

    found = page(customers(), Proof(None, given, ""))

    assert found.tables["metrics"] == [
        ["Question", "Measure", "Model", "Simple rule"],
        ["Who will leave (churn)", "auc", 0.79, 0.7],
        ["What customers are worth (clv)", "Mean absolute error", 62.3, "–"],
    ]


def test_texts_of_other_people_cannot_become_markup(page):
    evil = "<script>alert('x')</script>"
    scores = customers(5).assign(
        customer_id=evil,
        churn_probability=0.5,
        expected_loss=10.0,
        top_factors=evil,
        tier=evil,
        stage=evil,
        status=evil,
        churn_band=evil,
    )
    metrics = pd.DataFrame([(evil, evil, evil, 1.0)], columns=NO_METRICS.columns)

    found = page(scores, Proof(held_out(), metrics, evil), title=evil, facts={evil: evil})

    assert evil not in found.html
    assert [tag for tag, _ in found.tags].count("script") == 1
    assert found.rows("at_risk")[0][0] == evil


def test_the_page_asks_for_nothing_from_outside(whole):
    html = whole.html

    assert set(re.findall(r"https?://[^\"' <]*", html)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert set(re.findall(r'(\S+)="https?://', html)) == {"xmlns", "xmlns:xlink"}
    assert not re.search(r"<link|<img|<iframe|@import|\bsrc=", html)
    assert all(target.startswith("#") for target in re.findall(r'href="([^"]*)"', html))
    assert set(re.findall(r"url\((.)", html)) == {"#"}


def test_no_two_elements_share_an_id(whole):
    ids = [given["id"] for _, given in whole.tags if "id" in given]
    assert len(ids) == len(set(ids))


def test_the_same_input_gives_the_same_bytes(whole, page):
    again = page(customers(), proven(held_out()))

    assert again.html == whole.html


def test_the_sections_stand_in_the_order_of_the_list(whole):
    sections = [given["id"] for tag, given in whole.tags if tag == "section"]
    links = [given["href"] for tag, given in whole.tags if tag == "a"]
    assert len(sections) == len(SECTIONS)
    assert links == [f"#{key}" for key in sections]


def test_a_customer_who_costs_more_than_he_brings_is_no_money_at_risk(page):
    scores = customers(2).assign(churn_probability=0.5, expected_loss=[40.0, -100.0])

    assert page(scores).figures["money_at_risk"] == 40


def test_no_customers_is_an_error_with_a_sentence(page):
    with pytest.raises(UserError, match=r"^There are no customers in the scores, so there is noth"):
        page(customers().head(0))


def test_a_missing_column_is_named(page):
    with pytest.raises(UserError) as error:
        page(customers().drop(columns=["tier", "expected_loss"]))

    assert str(error.value) == (
        "The report needs the score columns tier, expected_loss, which are not there. "
        "Give the table that `holdfast score` writes."
    )
