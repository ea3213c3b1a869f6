"""Given scores of now and before, expected figures of where customers stand, by hand."""

import json
from datetime import datetime, timedelta

import ibis
import pandas as pd
import pytest
from typer.testing import CliRunner

import holdfast
from features import workspace as workspaces
from features.events import TRANSACTIONS
from features.moment import parse_moment
from serving import batch, kpi_history
from serving.freshness import freshness
from serving.kpi_events import Facts, Known
from serving.kpi_history import LEAST_PAST, LESS_IS_BETTER, NEAREST_TO_0, composite
from serving.kpi_standing import earlier_states, standing, written_at
from serving.kpis import KPIS, Kpi, with_composites
from tests.world import as_table, world
from training.proof import Proof
from training.tasks import CHURN

AS_OF = parse_moment("2024-12-31")
UNTESTED = Proof(None, pd.DataFrame(columns=["task", "model", "metric", "value"]), "No test.")
BOUGHT = world("ann  2024-03-01  80")


def scores(**columns):
    return pd.DataFrame({"status": "scored", "tier": None, "clv_future": 1.0, **columns})


def batches(*rows):
    """Earlier states: customer_id, days_ago, tier, ladder, abc, value_now."""
    names = ["customer_id", "days_ago", "tier", "ladder", "abc", "value_now"]
    return ibis.memtable(pd.DataFrame(rows, columns=names))


def found(given, now, **facts):
    return standing(Known.of(given.events, AS_OF, CHURN, Facts(now, UNTESTED, **facts)))


def test_time_in_a_class_runs_back_to_the_last_batch_that_said_another():
    now = scores(customer_id=["ann", "bob", "cid", "new"], tier="mvc", ladder="client")
    earlier = batches(
        ("ann", 10, "mvc", "client", "A", 1.0), ("ann", 40, "mvc", "customer", "A", 1.0),
        ("ann", 90, "maintain", "client", "A", 1.0), ("ann", 200, "mvc", "client", "A", 1.0),
        ("bob", 10, "maintain", "client", "A", 1.0), ("bob", 40, "mvc", "client", "A", 1.0),
        ("cid", 10, "mvc", "client", "A", 1.0), ("cid", 300, "mvc", "client", "A", 1.0),
    )  # fmt: skip
    got = found(BOUGHT, now, earlier=earlier)
    assert got["tier_age"] == 40  # of 40, 0 and 300
    assert got["rung_age"] == 40  # of 10, 40 and 300


def test_win_win_needs_a_good_answer_and_a_future_value():
    surveys = world(
        "ann  2024-03-01  80",
        interactions=[
            "ann  2024-05-01  survey  in  email  value=2",
            "ann  2024-09-01  survey  in  email  value=4",
            "bob  2024-09-01  survey  in  email  value=5",
            "cid  2024-09-01  survey  in  email  value=3",
            "dan  2022-09-01  survey  in  email  value=5",
        ],
    )
    now = scores(customer_id=["ann", "bob", "cid", "dan"], clv_future=[10.0, -1.0, 10.0, 10.0])
    assert found(surveys, now)["win_win"] == pytest.approx(1 / 3)  # ann; dan did not answer now
    assert found(BOUGHT, now)["win_win"] is None


def test_golden_customers_are_compared_with_the_batch_about_a_horizon_ago():
    now = scores(
        customer_id=["ann", "bob", "cid"], abc=["A", "A", "C"], value_now=[50.0, 30.0, 1.0]
    )
    earlier = batches(
        ("ann", 88, None, None, "A", 40.0), ("bob", 88, None, None, "B", 20.0),
        ("cid", 88, None, None, "C", 2.0), ("ann", 5, None, None, "C", 0.0),
    )  # fmt: skip
    got = found(BOUGHT, now, earlier=earlier)
    assert got["golden_change"] == pytest.approx(1 / 3)
    assert got["golden_profit_change"] == pytest.approx((10 + 30 + 0) / 3)
    late = batches(("ann", 44, None, None, "A", 40.0))  # less than half a horizon ago
    assert "golden_change" not in found(BOUGHT, now, earlier=late)


def test_with_a_control_group_the_change_is_that_of_the_treated_beyond_it():
    treated, kept = [f"t{k}" for k in range(40)], [f"c{k}" for k in range(40)]
    given = world(
        "ann  2024-03-01  80",
        interactions=[f"{who}  2024-11-01  campaign  out  email  value={int(who in treated)}"
                      for who in treated + kept],
    )  # fmt: skip
    # Of the treated 20 rise to A, of the others 10.
    rose = {*treated[:20], *kept[:10]}
    who = treated + kept
    now = scores(customer_id=who, abc=["A" if c in rose else "B" for c in who], value_now=10.0)
    earlier = batches(*[(c, 90, None, None, "B", 10.0) for c in who])
    got = found(given, now, earlier=earlier)
    assert got["golden_change"].value == pytest.approx(0.5 - 0.25)
    assert got["golden_change"].low < 0.25 < got["golden_change"].high
    assert got["golden_profit_change"].value == pytest.approx(5.0 - 2.5)


def test_need_is_covered_where_a_mode_is_told():
    now = scores(customer_id=["a", "b", "c"], marketing_mode=["mass", None, "mass"],
                 status=["scored", "scored", "not_active"])  # fmt: skip
    assert found(BOUGHT, now)["need_coverage"] == pytest.approx(1 / 2)
    assert found(BOUGHT, scores(customer_id=["a"]))["need_coverage"] is None


def test_hours_to_scores_run_from_the_newest_row(workspace):
    now = scores(customer_id=["ann"])
    assert written_at(workspace, AS_OF) is None
    path = batch.score_path(workspace, AS_OF).with_name("made_of.json")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"as_of": "2024-12-31", "written_at": "2024-03-02T06:00:00+00:00"}))
    when = written_at(workspace, AS_OF)
    assert when == datetime(2024, 3, 2, 6)
    assert found(BOUGHT, now, written_at=when)["hours_to_scores"] == 30
    assert found(BOUGHT, now)["hours_to_scores"] is None
    looked_back = datetime(2026, 3, 2)
    assert found(BOUGHT, now, written_at=looked_back)["hours_to_scores"] is None


def test_earlier_states_are_those_of_days_before(workspace):
    for days, tier in ((0, "mvc"), (90, "maintain")):
        moment = AS_OF - timedelta(days=days)
        rows = pd.DataFrame({"customer_id": ["ann"], "as_of": [moment], "tier": [tier]})
        path = batch.score_path(workspace, moment)
        path.parent.mkdir(parents=True)
        rows.to_parquet(path, coerce_timestamps="us")
    assert earlier_states(workspace, AS_OF).execute().values.tolist() == [["ann", "maintain", 90]]


def test_freshness_is_told_by_table_source_and_basis(workspace):
    rows = as_table(
        world(
            "ann  2024-12-30T00:00  10  source=till",
            "bob  2024-12-01T00:00  10  source=shop lawful_basis=contract",
            "cid  2024-11-01T00:00  10",
        ).transactions,
        TRANSACTIONS,
    )
    workspaces.ingest(workspace, {"transactions": rows})
    got = freshness(workspace, datetime(2024, 12, 31))
    told = {(row.by, row.name_): (row.rows, row.hours)
            for row in got.rename(columns={"name": "name_"}).itertuples()}  # fmt: skip
    assert told == {
        ("table", "transactions"): (3, 24),
        ("source", "shop"): (1, 30 * 24),
        ("source", "till"): (1, 24),
        ("lawful_basis", "contract"): (1, 30 * 24),
    }
    figures = found(BOUGHT, scores(customer_id=["ann"]), freshness=got)
    assert figures["oldest_source_hours"] == 30 * 24
    assert figures["sourced_share"] == pytest.approx(2 / 3)
    assert figures["lawful_basis_share"] == pytest.approx(1 / 3)


def test_a_composite_is_the_mean_distance_from_its_own_past():
    past = [{"a": 1.0, "returns_share": 0.1}, {"a": 2.0, "returns_share": 0.2},
            {"a": 3.0, "returns_share": 0.3}]  # fmt: skip
    # a is 2 deviations above its mean; of returns, 1 above, less is better.
    now = {"a": 4.0, "returns_share": 0.3, "b": 9.0}
    assert composite(now, past, ["a", "returns_share", "b"]) == pytest.approx((2 - 1) / 2)
    assert composite(now, past[: LEAST_PAST - 1], ["a"]) is None
    assert composite({"a": 4.0}, [{"a": 1.0}] * 5, ["a"]) is None


def test_a_sheet_has_its_composites_once_enough_were_kept(workspace):
    for month in (9, 10, 11):
        kpi_history.keep(workspace, datetime(2024, month, 1), {"top20_share": month / 20})
    kpi_history.keep(workspace, AS_OF, {"top20_share": 1.0})
    past = kpi_history.before(workspace, AS_OF)
    assert [sheet["top20_share"] for sheet in past] == [0.45, 0.5, 0.55]
    made = (Kpi("top20_share", "insight", 0.6, "share"),
            Kpi("insight_composite", "insight", None, "ratio", "earlier_sheets"))  # fmt: skip
    assert with_composites(made, past)[1].value == pytest.approx(2.0)
    assert with_composites(made, past[:2])[1].needs == "earlier_sheets"


def test_every_figure_with_a_direction_is_one_of_the_sheet():
    assert {which.key for which in KPIS} >= LESS_IS_BETTER | NEAREST_TO_0


def test_the_verb_tells_the_age_of_each_source(workspace, monkeypatch):
    rows = as_table(world("ann  2024-12-30T00:00  10  source=till").transactions, TRANSACTIONS)
    workspaces.ingest(workspace, {"transactions": rows})
    monkeypatch.setenv("HOLDFAST_HOME", str(workspace.root))
    asked = ["freshness", "--as-of", "2024-12-31T00:00:00", "--quiet"]
    told = CliRunner().invoke(holdfast.app, asked).stdout
    assert [line.split()[:4] for line in told.splitlines()] == [
        ["transactions", "table", "transactions", "1"],
        ["transactions", "source", "till", "1"],
    ]
    assert "24.0 hours" in told
