"""The verb of the planner over a small scored business, and what it refuses."""

import json
import shutil
from datetime import timedelta

import ibis
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

import holdfast
from features.errors import UserError
from features.store import FeatureStore
from features.workspace import Workspace, ingest
from serving import batch, plan_files, plan_verbs
from serving.planner import CONTACTED
from serving.policy import POLICY
from tests.serving.conftest import AS_OF
from training import champion
from training.frame import last_event

app = typer.Typer()
app.command()(plan_verbs.plan)


@pytest.fixture(scope="module")
def scored(trained_workspace, tmp_path_factory):
    """A copy of the trained business with everybody's scores."""
    folder = tmp_path_factory.mktemp("planned") / "workspace"
    space = Workspace(shutil.copytree(trained_workspace.root, folder))
    scores = batch.score_everyone(space, champion.load(space), POLICY, AS_OF)
    batch.write(scores, batch.score_path(space, AS_OF))
    return space


def asked(space, *words):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HOLDFAST_HOME", str(space.root))
        moment = ["--as-of", AS_OF.isoformat(), "--quiet"]
        return CliRunner().invoke(app, [*moment, *words], catch_exceptions=True)


def test_a_plan_lies_beside_the_scores_and_keeps_to_its_terms(scored, tmp_path):
    out = tmp_path / "plan.csv"
    words = ["--budget", "5", "--capacity", "phone=2", "--cost", "remind=0.5", "--json"]
    done = asked(scored, *words, "--out", str(out))
    assert done.exit_code == 0, done.output
    facts = json.loads(done.stdout)
    plan = plan_files.read(plan_files.path(scored, AS_OF))
    assert facts["spent"] == plan.table.cost.sum() <= 5.0
    assert ((plan.table.channel == "phone") & ~plan.table.is_control).sum() <= 2
    assert facts["cost_remind"] == 0.5
    assert pd.read_csv(out).customer_id.tolist() == plan.table.customer_id.tolist()
    # The business has contacts, so who was just contacted is known and left out.
    assert "left_out_contacted" in facts


@pytest.fixture
def kept(trained_workspace, tmp_path, monkeypatch):
    """A copy with scores beside which the features stand that they were made of."""
    space = Workspace(shutil.copytree(trained_workspace.root, tmp_path / "workspace"))
    monkeypatch.setenv("HOLDFAST_HOME", str(space.root))
    batch.score_file(space, POLICY, AS_OF, processes=1)
    return space


def contacted(space):
    scores = pd.read_parquet(batch.score_path(space, AS_OF))
    return plan_files.with_contacts(FeatureStore(space), scores, AS_OF)[CONTACTED]


def test_whom_we_contacted_stays_known_when_events_come_after_the_scores(kept):
    before = contacted(kept)
    order = {"customer_id": "C000001", "happened_at": AS_OF - timedelta(hours=1), "amount": 5.0}
    ingest(kept, {"transactions": ibis.memtable(pd.DataFrame([order]))})
    assert before.notna().any()
    pd.testing.assert_series_equal(contacted(kept), before)


def test_scores_long_after_the_newest_event_say_so(kept):
    def told(as_of):
        asked = ["score", "--as-of", as_of.isoformat(), "--quiet"]
        return CliRunner().invoke(holdfast.app, asked, catch_exceptions=False).stdout

    last = last_event(FeatureStore(kept))
    late = last + timedelta(days=POLICY.stale_after_days + 1)
    assert "The newest event" not in told(last + timedelta(days=POLICY.stale_after_days))
    said = f"The newest event is of {last:%Y-%m-%d}, {POLICY.stale_after_days + 1} days earlier"
    assert said in told(late)


def test_without_json_it_is_told_in_words(scored):
    done = asked(scored, "--control", "0")
    assert "Within these limits no other plan would bring more." in done.stdout
    assert "Control group: 0 drawn by lot are left alone, of whom 0 would" in done.stdout
    assert "What actions save is assumed" in done.stdout


def test_campaigns_of_a_business_too_small_are_refused(scored):
    done = asked(scored, "--measure")
    assert isinstance(done.exception, UserError)
    assert "At least 100 of each are needed" in str(done.exception)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--capacity", "phone"], "'phone' cannot be read"),
        (["--cost", "dance=3"], "A cost was given for dance"),
        (["--as-of", "2024-06-30"], "There are no scores as of 2024-06-30"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_a_sentence(scored, words, sentence):
    done = asked(scored, *words)
    assert isinstance(done.exception, UserError)
    assert sentence in str(done.exception)
