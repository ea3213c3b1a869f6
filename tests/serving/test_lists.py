"""Given a score table, whom a condition lists, what is refused, and what stands beside each."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import holdfast
from features import backend, workspace
from features.errors import UserError
from features.events import TRANSACTIONS
from features.moment import parse_moment
from features.workspace import Workspace
from serving import batch, planner
from serving.lists import CONTROL, LATELY, Listing, condition, customers, listed, write
from serving.planner import CONTACTED, Terms
from tests.world import as_table, world

SCORES = pd.DataFrame({
    "customer_id": ["ann", "bob", "cid", "dan", "eve"],
    "churn_band": ["high", "high", "low", "high", "high"],
    "tier": ["mvc", "mgc", "mvc", "below_zero", "mvc"],
    "cause": ["fault", "fault", "fault", "fault", "malicious"],
    "saveable_loss": [5.0, 9.0, 1.0, 2.0, 7.0],
    "retain_advised": [True, True, True, True, True],
})  # fmt: skip
COLUMNS = list(SCORES.columns)


@pytest.fixture
def file(tmp_path):
    return backend.write_frame(SCORES, tmp_path / "scores.parquet")


def ids(file, where, **given):
    return customers(file, Listing(where, **given)).customer_id.tolist()


@pytest.mark.parametrize(
    ("where", "who"),
    [
        ("", ["ann", "bob", "cid"]),
        ("churn_band = 'high' and tier = 'mvc'", ["ann"]),
        ("tier in ('mgc', 'maintain') or saveable_loss < 2", ["bob", "cid"]),
        ("not (saveable_loss between 2 and 6)", ["bob", "cid"]),
        ("saveable_loss * 2 >= 10 and cause is not null", ["ann", "bob"]),
        ("tier like 'm_c'", ["ann", "bob", "cid"]),
        ("retain_advised", ["ann", "bob", "cid"]),
    ],
)
def test_a_condition_lists_those_of_whom_it_holds_and_whom_to_keep(file, where, who):
    assert ids(file, where) == who


def test_whom_to_leave_alone_is_listed_only_when_asked_for(file):
    assert ids(file, "churn_band = 'high'", everybody=True) == ["ann", "bob", "dan", "eve"]


@pytest.mark.parametrize(
    "where",
    [
        "tier = 'mvc'; drop table scores",
        "tier = (select max(tier) from scores)",
        "select 1",
        "tier = getenv('HOME')",
        "customer_id in (select customer_id from read_parquet('x.parquet'))",
        "scores.tier = 'mvc'",
        "saveable_loss + 1",
        "'mvc'",
        "tier = ",
        "saveable_loss > 1 union select 1",
        "case when true then true end",
        "cast(tier as int) = 1",
    ],
)
def test_anything_but_a_condition_is_refused(where):
    with pytest.raises(UserError, match="Write a condition"):
        condition(where, COLUMNS)


def test_an_unknown_column_is_named_with_those_that_are_there():
    with pytest.raises(UserError, match=r"asks for colour, mood.*customer_id, churn_band"):
        condition("mood = 1 and colour = 'red'", COLUMNS)


def test_a_text_without_quotes_is_told_how_texts_are_written():
    with pytest.raises(UserError, match="Texts stand in single quotes"):
        condition("tier = mvc", COLUMNS)


def test_what_cannot_be_compared_is_refused(file):
    with pytest.raises(UserError, match="Write a condition"):
        ids(file, "saveable_loss = 'much'")


def test_what_is_written_behind_a_comment_is_not_passed_on():
    assert condition("tier = 'mvc' -- or true", COLUMNS) == "tier = 'mvc'"


def test_a_list_has_contacts_and_the_lot_of_the_plan_and_most_at_stake_first(file):
    rows = customers(file, Listing())
    rows[CONTACTED] = [3.0, np.nan, 30.0]
    made = listed(rows, Listing(control_share=0.5, contact_cap_days=14))
    assert made.customer_id.tolist() == ["bob", "ann", "cid"]
    assert made[LATELY].tolist() == [False, True, False]
    lot = planner.kept_aside(made.customer_id, Terms(control_share=0.5))
    assert made[CONTROL].tolist() == lot.tolist()
    assert listed(rows, Listing())[CONTROL].tolist() == [False, False, False]


def test_where_contacts_are_not_known_nobody_is_said_not_to_have_been_contacted(file):
    assert listed(customers(file, Listing()), Listing())[LATELY].isna().all()


def test_a_list_is_written_as_it_is(file, tmp_path):
    made = listed(customers(file, Listing()), Listing())
    assert pd.read_csv(write(made, tmp_path / "list.csv")).customer_id.tolist() == [
        "bob",
        "ann",
        "cid",
    ]
    assert len(pd.read_parquet(write(made, tmp_path / "list.parquet"))) == 3
    with pytest.raises(UserError, match="Name a"):
        write(made, tmp_path / "list.xls")


def test_the_verb_writes_a_list_of_the_scores_of_a_moment(tmp_path, monkeypatch):
    space, as_of = Workspace(tmp_path / "w"), parse_moment("2024-03-31")
    rows = as_table(world("ann  2024-03-01  10").transactions, TRANSACTIONS)
    workspace.ingest(space, {"transactions": rows})
    backend.write_frame(SCORES.assign(as_of=as_of), batch.score_path(space, as_of))
    monkeypatch.setenv("HOLDFAST_HOME", str(space.root))
    out = tmp_path / "list.csv"
    asked = ["list", "--as-of", "2024-03-31", "--out", str(out), "--quiet", "--json"]
    told = CliRunner().invoke(holdfast.app, [*asked, "--where", "tier = 'mvc'"]).stdout
    assert json.loads(told)["customers"] == 2
    assert json.loads(told)["contacted_lately"] is None
    assert pd.read_csv(out).customer_id.tolist() == ["ann", "cid"]
    in_words = CliRunner().invoke(holdfast.app, asked[:-1]).stdout
    assert "it is not known who was contacted in the last 14 days" in in_words
    other = CliRunner().invoke(holdfast.app, [*asked[:2], "2024-01-31", *asked[3:]])
    assert "no scores as of 2024-01-31" in str(other.exception)
