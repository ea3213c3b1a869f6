"""The report in a real browser: it asks for nothing, shows the scores, and its controls work."""

import shutil

import numpy as np
import pandas as pd
import pytest

from serving.kpis import Kpi
from serving.planner import SUMMARY
from serving.report import write_report
from serving.report_parts import threshold
from serving.report_parts.extras import Extras
from serving.report_parts.view import view
from serving.report_parts.words import CHINESE, ENGLISH
from serving.responses import ASSUMED
from tests.missing import program
from tests.serving.report_world import CAUSES, FACTS, NO_METRICS, customers, held_out, proven

pytestmark = pytest.mark.services

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ROWS = "#table-at_risk tbody tr"
NOTHING = Extras()
SCALE = (1, 2, 3, 4, 5)


@pytest.fixture(scope="module")
def browser():
    program("chromium", "chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        running = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS, headless=True
        )
        yield running
        running.close()


@pytest.fixture
def opened(browser, tmp_path):
    """Open a report; at the end, nothing went wrong in it and it asked for nothing but itself."""
    wrong, asked, pages = [], [], []

    def open_report(scores, evidence=None, words=ENGLISH, extras=NOTHING):
        path = tmp_path / "report.html"
        given = evidence or proven(held_out())
        write_report(scores, given, path, title="Report", facts=FACTS, words=words,
                     extras=extras)  # fmt: skip
        page = browser.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield open_report
    for page in pages:
        page.close()
    assert wrong == []
    assert asked == [page_url for page_url in asked if page_url.endswith("/report.html")]
    assert len(asked) == len(pages)


def number(page, key):
    return float(page.locator(f"#figure-{key}").get_attribute("value"))


def numbers(page, table):
    """The rows of a table: the numbers where cells have one, else their texts."""
    return page.eval_on_selector_all(
        f"#table-{table} tbody tr",
        """rows => rows.map(row => [...row.cells].map(cell => {
            const data = cell.querySelector("data");
            return data ? Number(data.value) : cell.firstElementChild.textContent;
        }))""",
    )


def shown(page):
    """The customers of the rows that can be seen."""
    return page.eval_on_selector_all(
        ROWS,
        """rows => rows.filter(row => row.getClientRects().length)
            .map(row => row.cells[0].firstElementChild.textContent)""",
    )


def test_the_numbers_equal_the_scores_table(opened):
    scores = customers()

    page = opened(scores)

    assert number(page, "customers") == len(scores)
    assert number(page, "active") == scores["churn_probability"].notna().sum()
    assert number(page, "high_risk") == (scores["churn_band"] == "high").sum()
    assert number(page, "money_at_risk") == pytest.approx(scores["expected_loss"].sum())
    assert number(page, "expected_value") == pytest.approx(scores["expected_value"].sum())
    top = scores.nlargest(100, "expected_loss")
    listed = numbers(page, "at_risk")
    assert [row[0] for row in listed] == list(top["customer_id"])
    columns = ("churn_probability", "expected_loss", "expected_value")
    assert [row[1:4] for row in listed] == [pytest.approx(list(row))
                                            for row in top[list(columns)].to_numpy()]  # fmt: skip
    for table, column in (("tiers", "tier"), ("stages", "stage")):
        rows = numbers(page, table)
        groups = scores.groupby(column)
        assert sorted(row[1] for row in rows) == sorted(groups.size())
        assert sorted(row[3] for row in rows) == pytest.approx(
            sorted(groups["expected_value"].sum())
        )
        assert sorted(row[6] for row in rows) == pytest.approx(
            sorted(groups["expected_loss"].sum())
        )


def whole_scores():
    """Scores with every column that a section reads; a lapsed customer has no loss."""
    draw = np.random.default_rng(7)
    scores = customers()
    n, active = len(scores), scores["churn_probability"].notna()
    return scores.assign(
        clv_if_retained=scores["expected_value"] / scores["purchase_probability"],
        cause=scores[[f"type_{cause}" for cause in CAUSES]].fillna(0).idxmax(axis=1).str[5:],
        lever=np.where(active, draw.choice(["remind", "repair", "let_go"], n), "none"),
        rfm_recency=draw.choice(SCALE, n),
        rfm_frequency=draw.choice(SCALE, n),
        rfm_monetary=draw.choice(SCALE, n),
        rfm_class=draw.choice(["important_value", "general_keep"], n),
        value_now=draw.lognormal(3, 1, n),
        lifetime_days=draw.uniform(1, 900, n),
        remaining_days=draw.uniform(1, 900, n),
        ladder=draw.choice(["customer", "client"], n),
        loyalty=draw.choice(["true", "spurious", "latent", "none"], n),
        loyalty_type=draw.choice(["price", "undetermined"], n),
        marketing_mode=draw.choice(["mass", "drop", "customised", "frequency"], n),
    )


def whole_extras():
    """Something in every part that the scores cannot give."""
    states = ["growth", "maturity", "decline"]
    plan = pd.DataFrame([("remind", "email", 80, 20.0, 90.0, 70.0)], columns=SUMMARY)
    return Extras(
        moves={"stage": pd.DataFrame(7, index=states, columns=states)},
        kpis=(Kpi("retention_rate", "relationship", 0.62, "share", before=0.64),
              Kpi("survey_mean", "relationship", None, "ratio", "surveys")),
        plan=plan,
        plan_facts={"spent": 20.0, "net": 70.0, "kept_aside": 9.0, "gap": 0.0,
                    "save_share_remind": 0.2, "cost_remind": 0.25},
        plan_assumptions=(ASSUMED.sentence,),
        blanks=({"field": "uplift", "needs": "campaigns", "share": 1.0},),
    )  # fmt: skip


def test_the_tables_of_the_whole_report_equal_the_scores(opened):
    scores = whole_scores()

    page = opened(scores, extras=whole_extras())

    for table, column in (("tiers", "tier"), ("stages", "stage"), ("rungs", "ladder")):
        loss = 6 if table != "rungs" else 5
        assert sorted(row[loss] for row in numbers(page, table)) == pytest.approx(
            sorted(scores.groupby(column)["expected_loss"].sum())
        )
    lost = numbers(page, "money")
    assert lost[-1][-1] == pytest.approx(scores["expected_loss"].sum())
    assert lost[-1][-1] == pytest.approx(number(page, "money_at_risk"))
    board = scores.groupby(["rfm_recency", "rfm_frequency"]).size()
    drawn = {(row[0], row[1]): row[2] for row in numbers(page, "rfm_map")}
    assert {place: drawn[place] for place in board.index} == dict(board)
    gone = scores[scores["status"] == "not_active"]
    gone = gone[gone["tier"] != "below_zero"]
    worth = (gone["purchase_probability"] * gone["clv_if_retained"]).nlargest(50)
    assert [row[3] for row in numbers(page, "win_back")] == pytest.approx(list(worth))
    assert numbers(page, "plan")[0][2:6] == [80, 20, 90, 70]


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["english", "chinese"])
def test_no_code_is_shown_in_place_of_words(opened, words):
    page = opened(whole_scores(), words=words, extras=whole_extras())

    texts = page.locator("body").inner_text()

    codes = ("let_go", "important_value", "save_share", "kept_aside", "not_active",
             "retention_rate", "non_malicious", "None", "nan")  # fmt: skip
    assert [code for code in codes if code in texts.split()] == []
    assert [key for key in words if "_" in key and key in texts] == []


def test_a_screenful_is_shown_until_all_are_asked_for(opened):
    page = opened(customers())

    assert len(shown(page)) == 20
    page.locator("#at_risk").get_by_role("button", name="Show all").click()
    assert len(shown(page)) == 100


def test_the_search_and_the_filters_leave_the_rows_that_match(opened):
    scores = customers()
    page = opened(scores)
    first = scores.nlargest(100, "expected_loss")
    wanted = first["customer_id"].iloc[57]

    page.locator("[data-for=table-at_risk] input").fill(wanted.lower())
    assert wanted in shown(page)
    assert all(name.startswith(wanted) for name in shown(page))

    page.locator("[data-for=table-at_risk] input").fill("")
    page.locator("#at_risk").get_by_label("Tier").select_option("Most valuable")
    assert shown(page) == list(first.loc[first["tier"] == "mvc", "customer_id"])[:20]


def test_a_click_on_a_head_sorts_by_the_number(opened):
    scores = customers()
    page = opened(scores)
    top = scores.nlargest(100, "expected_loss")

    page.locator("#at_risk").get_by_role("button", name="Risk of leaving").click()
    assert shown(page) == list(top.nlargest(20, "churn_probability")["customer_id"])
    page.locator("#at_risk").get_by_role("button", name="Risk of leaving").press("Enter")
    assert shown(page) == list(top.nsmallest(20, "churn_probability")["customer_id"])


def set_to(page, name, value):
    page.locator(f"[name={name}]").evaluate(
        """(input, value) => {
            input.value = value;
            input.dispatchEvent(new Event("input", {bubbles: true}));
        }""",
        str(value),
    )


@pytest.mark.parametrize(
    ("step", "cost", "percent"), [(0, 2.5, 10), (35, 1.0, 20), (60, 12.25, 7.5), (100, 100000, 50)]
)
def test_the_threshold_explorer_says_what_python_computes(opened, step, cost, percent):
    scores = customers()
    tidied = view(scores, None, NO_METRICS, "", ENGLISH, Extras()).scores
    found = threshold.profits(threshold.steps_of_risk(tidied), cost, percent / 100)
    best = threshold.best_threshold(found)

    page = opened(scores)
    before = number(page, "threshold_profit")
    for name, value in (("threshold", step), ("contact_cost", cost), ("save_rate", percent)):
        set_to(page, name, value)

    for name in threshold.RESULTS:
        assert number(page, f"threshold_{name}") == pytest.approx(found[name].iloc[step])
    assert number(page, "threshold_profit") != before
    expected = ENGLISH["threshold.nobody"] if best is None else f"{best}%"
    assert page.locator("#figure-threshold_best").inner_text() == expected
    written = page.locator("#figure-threshold_contacted").inner_text()
    assert written == f"{found['contacted'].iloc[step]:,.0f}"


def test_the_chinese_page_is_chinese(opened):
    page = opened(customers().assign(top_factors=None), words=CHINESE)

    texts = page.locator("body").inner_text()
    assert page.locator("html").get_attribute("lang") == "zh"
    assert page.locator("#table-tiers tbody tr").first.inner_text().startswith("贵宾型")
    assert [key for key in CHINESE if key in texts] == []
    assert page.locator("[data-for=table-at_risk] output").inner_text() == "显示 20 条，共 100 条"


def test_print_shows_every_row_and_no_controls(opened):
    page = opened(customers())

    page.emulate_media(media="print")

    assert len(shown(page)) == 100
    assert not page.locator(".interactive").is_visible()
    assert not page.locator("nav").is_visible()
    assert page.locator("#table-threshold tbody tr").first.is_visible()


def test_without_a_script_everything_that_is_known_is_there(browser, tmp_path):
    path = tmp_path / "report.html"
    write_report(customers(), proven(held_out()), path, title="Report", facts=FACTS)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()

    page.goto(path.as_uri())

    assert page.locator(f"{ROWS}:visible").count() == 100
    assert page.locator("#table-threshold tbody tr:visible").count() >= 9
    assert page.locator(".interactive:visible").count() == 0
    context.close()
