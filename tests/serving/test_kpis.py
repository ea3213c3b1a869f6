"""Given events, scores and tests, expected figures of the business, computed by hand."""

import shutil
from datetime import datetime
from math import exp, isfinite, log, sqrt
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
import yaml

import serving
from features import workspace as workspaces
from features.datasets.simulated import simulate
from features.events import TRANSACTIONS
from features.moment import parse_moment
from serving import batch, kpis
from serving.abstention import NEEDS
from serving.campaign_effect import campaigns
from serving.kpi_contacts import contacts, payments, satisfaction, service
from serving.kpi_events import Facts, Known, base, knowledge, trade
from serving.kpi_models import accuracy, identified_rate, scoring
from serving.kpis import KPIS
from tests.world import as_table, world
from training.proof import Proof
from training.tasks import CHURN

AS_OF = "2024-12-31"
UNTESTED = Proof(None, pd.DataFrame(columns=["task", "model", "metric", "value"]), "No test.")
NOBODY = pd.DataFrame({"customer_id": [], "status": [], "tier": [], "clv_future": []}).astype(
    {"clv_future": "float64"}
)


def known(given, facts=None, as_of=AS_OF):
    return Known.of(given.events, parse_moment(as_of), CHURN, facts)


def facts(**given):
    return Facts(given.pop("scores", NOBODY), given.pop("proof", UNTESTED), **given)


def check(found, **expected):
    assert {key: found.get(key) for key in expected} == pytest.approx(expected)


def test_trade():
    given = world(
        "ann  2024-03-01   80  order_id=o1 product_id=p1 channel=web   discount=0",
        "ann  2024-06-01   15  order_id=o2 product_id=p2 channel=store discount=5",
        "ann  2024-06-10  -19  order_id=o2 product_id=p2 channel=store",
        "bob  2024-06-02    5  product_id=p1 channel=store",  # nobody knows at what price
        "bob  2023-06-02   50  product_id=p3 channel=fair discount=0",  # a year too early
        "our  2024-06-02   50  product_id=p4 channel=test discount=0",
        customers=["our  2023-01-01  is_internal=true"],
    )
    check(
        trade(known(given)),
        returns_share=19 / 100,
        full_price_share=80 / 95,
        products_sold=2,
        new_product_share=None,  # what was sold two years ago is not known
        sales_channels=2,
        sales_channels_effective=exp(-(0.8 * log(0.8) + 0.2 * log(0.2))),
    )


def test_new_products_are_told_by_two_years_of_history():
    given = world(
        "ann  2022-06-01  10  product_id=p1",
        "ann  2024-03-01  30  product_id=p1",
        "ann  2024-03-01  10  product_id=p2",
    )
    check(trade(known(given)), new_product_share=10 / 40)


def test_what_was_never_recorded_is_no_zero():
    found = trade(known(world("ann  2024-03-01  80")))
    keys = ("returns_share", "full_price_share", "products_sold", "sales_channels")
    check(found, **dict.fromkeys(keys))


def test_base():
    given = world(
        "ann  2024-03-01   80",
        "ann  2024-06-01   15",
        "ann  2024-06-10  -19",
        "bob  2024-06-02    5",
        "cid  2022-12-01   10",  # silent for 180 days on 30 May 2023, back in September 2024
        "cid  2024-09-09   19",
    )
    check(
        base(known(given)),
        repeat_purchase_rate=1 / 3,
        top20_share=76 / 100,
        share_for_80=2 / 3,
        retention_rate=0,  # cid, of the third quarter, did not buy in the fourth
        customers_won=2 / 12,
        customers_back=1 / 12,
        churn_velocity=2 / 12,  # ann on 28 November, bob on 29 November
    )


def test_the_delay_of_a_source_is_known_where_a_row_was_late():
    given = world(
        "ann  2024-06-01T00:00  10  known_at=2024-06-01T06:00",
        "bob  2024-06-01T00:00  10  known_at=2024-06-01T02:00",
        "cid  2024-06-01T00:00  10",
        interactions=["ann  2024-12-31T20:00  visit  in"],
    )
    found = knowledge(known(given, as_of="2024-12-31T23:00:00"))
    check(found, feedback_hours_sales=2, feedback_hours_contacts=None, data_age_hours=3)


def test_contacts():
    given = world(
        "ann  2024-01-05  10",
        interactions=[
            "ann  2024-05-01  contact   out  phone",  # answered two days later
            "ann  2024-05-03  contact   in   phone",
            "bob  2024-05-01  contact   out  email",  # answered too late
            "bob  2024-05-09  contact   in   email",
            "bob  2024-12-28  contact   out  phone",  # may still be answered
            "bob  2024-08-01  campaign  out  email  value=0",  # kept apart: not reached
        ],
    )
    check(
        contacts(known(given)),
        contacts_in=2 / 2 / 12,
        contacts_out=3 / 2 / 12,
        reciprocity=2 / 3,
        response_rate=1 / 2,
        contact_channels=2,
        contact_channels_effective=exp(-(0.6 * log(0.6) + 0.4 * log(0.4))),
    )


def test_service():
    given = world(
        "ann  2024-01-05  10",
        interactions=[
            "ann  2024-03-11T10:00  contact             in   phone  c1",
            "ann  2024-03-11T16:00  contact             out  phone  c1",  # 6 hours
            "ann  2024-04-10T08:00  complaint           in   phone  c2  detail=late",
            "ann  2024-04-12T08:00  complaint_resolved  out  phone  c2",  # 48 hours
            "bob  2024-04-10T00:00  complaint           in   email  c3  detail=late",
            "bob  2024-04-10T12:00  complaint_resolved  out  email  c3",  # 12 hours
            "bob  2024-05-10T00:00  complaint           in   email  c3  detail=late",  # again
            "cid  2024-05-10T00:00  contact             in   email  c4",  # never answered
        ],
    )
    check(
        service(known(given)),
        resolution_hours=30,
        first_response_hours=12,
        answered_within_day=2 / 4,
        first_contact_resolution=1 / 2,
        reopen_rate=1 / 2,
        unresolved_share=1 / 2,
        repeat_fault_share=1 / 3,
    )


SURVEYS = world(
    "ann  2024-03-01  10",  # lost on 28 August
    "bob  2024-03-01  10",  # as well
    "cid  2024-03-01  10",  # and never asked
    "dan  2024-12-01  10",
    interactions=[
        "ann  2024-03-05  survey  in  email  value=2",
        "ann  2024-04-05  survey  in  email  value=4",
        "ann  2024-09-05  survey  in  email  value=1",  # after he was lost
        "bob  2024-03-01  contact  in  phone",
        "bob  2024-03-05  survey  in  email  value=3",
        "dan  2024-11-01  complaint_resolved  out  phone",
        "dan  2024-11-05  survey  in  email  value=5",
    ],
)


def test_satisfaction():
    check(
        satisfaction(known(SURVEYS)),
        survey_mean=15 / 5,
        satisfied_share=2 / 5,
        contact_rating=3,
        solution_rating=5,
        satisfied_churn_share=1 / 2,  # ann by his last answer before, bob not
    )


@pytest.mark.parametrize(
    ("answer", "satisfied"),
    [
        ("5", 3 / 6),  # 4, 5 and 5 of five
        ("8", 1 / 6),  # of ten, where all others are below 8
        ("7", 0 / 6),
        ("80", 1 / 6),  # of a hundred
        ("101", None),  # of no known scale
    ],
)
def test_who_is_satisfied_depends_on_the_scale(answer, satisfied):
    more = world(interactions=[f"eve  2024-11-05  survey  in  email  value={answer}"])
    check(satisfaction(known(SURVEYS.also(more))), satisfied_share=satisfied)


def test_disputes():
    given = world(
        "ann  2024-01-05  10",
        interactions=["ann  2024-03-01  payment_due", "ann  2024-04-01  payment_due",
                      "ann  2024-04-02  chargeback"],
    )  # fmt: skip
    check(payments(known(given)), dispute_rate=1 / 2)


def campaign(treated, of_treated, control, of_control):
    """A campaign on 1 June, and purchases of 10 a month later; who bought of each group."""
    names = [f"t{k}" for k in range(of_treated)], [f"c{k}" for k in range(of_control)]
    buyers = names[0][:treated] + names[1][:control]
    sent = [f"{who}  2024-06-01  campaign  out  email  value=1 detail=may" for who in names[0]]
    kept = [f"{who}  2024-06-01  campaign  out  email  value=0 detail=may" for who in names[1]]
    late = [f"{who}  2024-11-01  99" for who in names[0]]  # beyond the horizon
    return world(*[f"{who}  2024-07-01  10" for who in buyers], *late, interactions=sent + kept)


def test_the_effect_of_a_campaign_is_measured_against_its_control_group():
    given = campaign(treated=30, of_treated=40, control=20, of_control=40)
    found = campaigns(known(given, facts(contact_cost=0.5, margin_rate=0.4)))
    half = 1.96 * sqrt(0.75 * 0.25 / 40 + 0.5 * 0.5 / 40)
    effect = found["campaign_effect"]
    assert (effect.value, effect.low, effect.high) == pytest.approx(
        (0.25, 0.25 - half, 0.25 + half)
    )
    assert found["campaign_money_effect"].value == pytest.approx(7.5 - 5.0)
    assert found["retention_roi"].value == pytest.approx(2.5 * 0.4 / 0.5)
    assert campaigns(known(given))["retention_roi"] == "cost_to_serve"


@pytest.mark.parametrize("of_control", [0, 29])
def test_without_a_control_group_nothing_is_said_of_an_effect(of_control):
    assert campaigns(known(campaign(30, 40, 0, of_control), facts(contact_cost=1.0))) == {}


def test_scores_tell_coverage_and_equity():
    scores = pd.DataFrame(
        {
            "customer_id": ["ann", "bob", "cid"],
            "status": ["scored", "out_of_range", "not_active"],
            "tier": ["mvc", None, "maintain"],
            "clv_future": [100.0, 20.0, np.nan],
        }
    )
    found = scoring(known(world("ann  2024-03-01  80"), facts(scores=scores, identified=0.75)))
    check(found, identified_rate=0.75, tier_coverage=1 / 2, customer_equity=120)
    check(found, lead_time=None, warned_share=None, days_between_scores=None)


def test_a_warning_counts_between_the_last_purchase_and_the_loss():
    given = world(
        "ann  2024-05-01  10",  # 244 days ago, lost 64 days ago
        "bob  2024-05-01  10",
        "cid  2024-01-15  10",  # lost 171 days ago, before the first batch
        "dan  2024-12-01  10",
    )
    alerts = [("ann", 150), ("ann", 63), ("bob", 63), ("dan", 150)]  # of bob a day too late
    table = ibis.memtable(
        {"customer_id": [who for who, _ in alerts], "alert_days_ago": [ago for _, ago in alerts]}
    )
    found = scoring(known(given, facts(alerts=table, scored_days_ago=(30, 63, 150))))
    check(found, warned_share=1 / 2, lead_time=150 - 64, days_between_scores=30)


def test_the_models_are_judged_by_their_tests():
    held_out = pd.DataFrame(
        {
            "customer_id": list("abcdefghij"),
            "expected_value": [90, 80, 70, 1, 1, 1, 1, 1, 1, 1],
            "value": [50, 10, 60, 0, 0, 0, 0, 0, 0, 0],
        }
    )
    metrics = pd.DataFrame(
        [("churn", "model", "roc_auc", 0.8), ("churn", "baseline", "roc_auc", 0.7)],
        columns=["task", "model", "metric", "value"],
    )
    found = accuracy(known(world("ann  2024-03-01  80"), facts(proof=Proof(held_out, metrics, ""))))
    check(found, golden_precision=1 / 2, model_auc=0.8, value_rank=None)


def test_the_year_before_is_shown_where_the_data_reach_back():
    given = world("ann  2022-12-01  10", "ann  2023-06-01  10", "ann  2024-06-01  10",
                  "bob  2024-07-01  10", "bob  2024-07-02  10")  # fmt: skip
    for as_of, before in (("2024-12-31", 0.0), ("2024-11-30", 0.0), ("2024-11-29", None)):
        sheet = kpis.figures(
            known(given, facts(), as_of),
            Known.a_year_earlier(given.events, parse_moment(as_of), CHURN),
        )
        repeat = next(kpi for kpi in sheet if kpi.key == "repeat_purchase_rate")
        assert (repeat.value, repeat.before) == (0.5, before)


def test_every_key_stands_once():
    keys = [which.key for which in KPIS]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("language", ["english", "chinese"])
def test_every_key_has_its_words(language):
    path = Path(serving.__file__).parent / f"report_parts/words/{language}/kpis.yaml"
    words = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert [list(words[group]) for group in ("kpi", "kpi_is")] == [[k.key for k in KPIS]] * 2


def test_what_cannot_be_known_says_what_it_needs():
    given = world("ann  2024-12-30  10")
    as_of = parse_moment(AS_OF)
    sheet = kpis.figures(known(given, facts()), Known.a_year_earlier(given.events, as_of, CHURN))
    assert [kpi.key for kpi in sheet] == [which.key for which in KPIS]
    assert {kpi.needs for kpi in sheet if kpi.value is None} <= set(NEEDS)
    told = {kpi.key: kpi.value for kpi in sheet if kpi.value is not None}
    assert told == pytest.approx(
        {
            "top20_share": 1,
            "share_for_80": 1,
            "repeat_purchase_rate": 0,
            "data_age_hours": 48,
            "data_age_hours_sales": 48,
        }
    )
    assert all((kpi.value is None) == (kpi.needs is not None) for kpi in sheet)
    assert all(kpi.before is None for kpi in sheet)


def test_the_sheet_of_the_simulated_business_is_finite(workspace):
    made = simulate(customers=600, start=datetime(2023, 1, 1), end=parse_moment(AS_OF))
    names = ("customers", "transactions", "interactions")
    workspaces.ingest(workspace, {name: ibis.memtable(getattr(made, name)) for name in names})
    people = made.transactions.customer_id.dropna().unique()
    scores = pd.DataFrame(
        {"customer_id": people, "status": "scored", "tier": "mvc", "clv_future": 1.0}
    )
    for moment in (parse_moment("2024-09-30"), parse_moment(AS_OF)):
        stored = scores.assign(as_of=moment, churn_band="high")
        batch.write(stored, batch.score_path(workspace, moment))
    sheet = kpis.sheet(workspace, parse_moment(AS_OF), scores, UNTESTED, contact_cost=1.0)
    found = {kpi.key: kpi for kpi in sheet}
    missing = {key for key, kpi in found.items() if kpi.value is None}
    assert missing == {
        *("golden_precision", "model_auc", "model_calibration", "value_rank", "value_bias"),
        *("staff_rating", "on_time_share", "delivery_days"),
        *("wait_minutes", "abandonment_rate"),
        *("need_coverage", "rung_age", "golden_change", "golden_profit_change"),
        *("sourced_share", "lawful_basis_share", "oldest_source_hours", "hours_to_scores"),
        *("insight_composite", "creation_composite"),
    }
    numbers = [n for kpi in sheet for n in (kpi.value, kpi.before, kpi.low, kpi.high)]
    assert all(isfinite(number) for number in numbers if number is not None)
    shares = [kpi.value for kpi in sheet if kpi.unit == "share" and kpi.value is not None]
    assert all(-1 <= share <= 1 for share in shares)
    assert found["identified_rate"].value < 1  # some rows of the simulation name nobody
    assert found["days_between_scores"].value == 92


def test_rows_without_a_customer_are_counted_where_there_were_any(workspace):
    lines = [f"ann  2024-03-{day:02d}  10" for day in range(1, 21)]
    whole = as_table(world(*lines).transactions, TRANSACTIONS)
    workspaces.ingest(workspace, {"transactions": whole})
    assert identified_rate(workspace) is None  # others were more likely left out before
    more = as_table(world(*[f"bob  2024-04-{day:02d}  10" for day in range(1, 20)],
                          "-  2024-04-20  10").transactions, TRANSACTIONS)  # fmt: skip
    workspaces.ingest(workspace, {"transactions": more})
    assert identified_rate(workspace) == pytest.approx(39 / 40)


def test_rows_without_a_customer_stay_counted_when_their_file_is_gone(workspace):
    """The file of rows set aside holds personal data, and a business may throw it away."""
    given = as_table(world(*[f"bob  2024-04-{day:02d}  10" for day in range(1, 20)],
                           "-  2024-04-20  10").transactions, TRANSACTIONS)  # fmt: skip
    workspaces.ingest(workspace, {"transactions": given})
    shutil.rmtree(workspace.events / "rejected")
    assert identified_rate(workspace) == pytest.approx(19 / 20)
