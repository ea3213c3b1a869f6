"""A retraining: goes on where it was ended, is done once, and promotes only what the gate lets."""

import json
import shutil
from types import SimpleNamespace

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from features.errors import Unavailable
from features.workspace import Workspace
from training import comparison, registry, retrain, unfinished
from training.gate import GATE, Finding, Verdict
from training.retrain import Order
from training.tasks import TASKS

LABELS = {"policy": "policy@7"}
GOOD = Finding("beats_baseline_churn", "It is better.", True, "it is", -0.1, None, 0.0)
BAD = Finding("bytes", "The files are small.", True, "the files have 900.0 MB", 9e8, None, 5e7)


class Ended(BaseException):
    """What a signal does to a process, in a test."""


@pytest.fixture(autouse=True)
def _tracking_in_the_workspace(monkeypatch):
    monkeypatch.delenv("MLFLOW_RUN_ID", raising=False)
    monkeypatch.setattr(registry, "_ASKED_URI", None)


@pytest.fixture(scope="module")
def ended(trained, tmp_path_factory):
    """The trained business, retrained until the models were to be registered, and ended there."""
    space = Workspace(tmp_path_factory.mktemp("retrained") / "workspace")
    shutil.copytree(trained.space.root, space.root)
    order, steps = Order(trained.request, origins=1), []

    def signal(*_):
        raise Ended

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(registry, "_ASKED_URI", None)
        patched.setattr(registry, "register", signal)
        with pytest.raises(Ended):
            retrain.retrain(space, order, LABELS, steps.append)
    return SimpleNamespace(space=space, order=order, steps=steps)


@pytest.fixture
def business(ended, tmp_path):
    """A copy of it in which the gate has found what a test says; retrained to the end."""

    def finished(*findings):
        space = Workspace(tmp_path / "workspace")
        shutil.copytree(ended.space.root, space.root)
        (facts,) = space.root.glob("retrain/*/gate/facts.json")
        facts.write_text(json.dumps(Verdict(findings).to_dict()))
        steps = []
        outcome = retrain.retrain(space, ended.order, LABELS, steps.append)
        return SimpleNamespace(space=space, outcome=outcome, steps=steps, order=ended.order)

    return finished


def runs(space):
    mlflow.set_tracking_uri(f"sqlite:///{space.mlflow / 'mlflow.db'}")
    client = MlflowClient()
    experiment = client.get_experiment_by_name(registry.EXPERIMENT)
    found = client.search_runs([experiment.experiment_id])
    return {run.info.run_name: run for run in found}


def champions(space):
    return json.loads((space.models / "champion.json").read_text())


def test_phases_are_told_in_order(ended):
    assert ended.steps == [
        "features of past moments", "test of value 1 of 1", "leakage probes", "four models",
        "gate", "record", "changes", "registration",
    ]  # fmt: skip


def test_every_check_of_the_gate_was_asked(ended):
    (facts,) = ended.space.root.glob("retrain/*/gate/facts.json")
    verdict = Verdict.from_dict(json.loads(facts.read_text()))
    assert [f.name for f in verdict.findings] == [check.name for check in GATE]
    told = {f.name: f for f in verdict.findings}
    # The champion was trained as of the same day, and has learnt from the days that are tested.
    assert told["keeps_champion_churn"].sentence == (
        "not compared, because every champion so far was trained after 2024-11-01 and has learnt "
        "from the days that are tested"
    )
    assert told["leavers_today"].figure == pytest.approx(1.0)  # the same recipe, data and day
    assert told["examples_alike"].passed
    assert told["milliseconds"].figure > 0.0


def test_an_ended_run_leaves_the_champion_and_a_failed_run(ended):
    assert champions(ended.space) == dict.fromkeys(TASKS, "1")
    parent = runs(ended.space)["retrain 2024-12-31"]
    assert parent.info.status == "FAILED"


def test_what_was_finished_is_not_done_again(business):
    done = business(GOOD)
    assert done.steps == [
        "features of past moments", "test of value 1 of 1: was finished before",
        "leakage probes: was finished before", "four models: was finished before",
        "gate: was finished before", "record: was finished before",
        "changes: was finished before", "registration",
    ]  # fmt: skip


def test_what_the_gate_lets_pass_is_promoted(business):
    done = business(GOOD)
    second = dict.fromkeys(TASKS, "2")
    assert (done.outcome.promoted, dict(done.outcome.versions)) == (True, second)
    assert champions(done.space) == second
    gate = json.loads((done.space.models / "gate.json").read_text())
    assert (gate["versions"]["churn"], gate["passed"]) == ("churn@2", True)
    told = done.outcome.in_words()
    assert told.startswith("Promoted: churn@2, churn_type@2, clv@2, tier@2.")
    assert "trained as of 2024-12-31, before 2024-12-31" in told
    assert "beats_baseline_churn        passed" in told
    assert registry.rollback(done.space) == {name: f"{name}@1" for name in TASKS}


def test_what_the_gate_refuses_is_registered_and_not_promoted(business):
    done = business(GOOD, BAD)
    assert not done.outcome.promoted
    assert champions(done.space) == dict.fromkeys(TASKS, "1")
    assert (
        not (done.space.models / "gate.json").exists()
        or "churn@2" not in (done.space.models / "gate.json").read_text()
    )
    told = done.outcome.in_words()
    assert told.startswith("Refused by the gate: churn@2, churn_type@2, clv@2, tier@2.")
    assert "- bytes: the files have 900.0 MB" in told
    assert registry.promote(done.space)["churn"] == "churn@2"  # by hand, all the same


def test_the_same_asked_again_is_found_and_told(business):
    done = business(GOOD)
    before = runs(done.space)
    steps = []
    again = retrain.retrain(done.space, done.order, LABELS, steps.append)
    assert (again.run_id, again.again, steps) == (done.outcome.run_id, True, [])
    assert "nothing was done again" in again.in_words()
    assert runs(done.space).keys() == before.keys()
    # Of the phases nothing is left, which name customers.
    (folder,) = done.space.root.glob("retrain/*/")
    assert [path.name for path in folder.iterdir()] == ["outcome.json"]


def test_a_parent_has_a_child_for_each_model_and_tested_moment(business):
    done = business(GOOD)
    found = runs(done.space)
    parent = found["retrain 2024-12-31"]
    children = {name: run for name, run in found.items()
                if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id}  # fmt: skip
    assert set(children) == {
        "model churn", "model churn_type", "model clv", "model tier",
        "test of churn as of 2024-11-01", "test of value as of 2024-11-01",
    }  # fmt: skip
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["policy"] == "policy@7"
    assert parent.data.metrics["gate/milliseconds"] > 0.0
    of_origin = children["test of churn as of 2024-11-01"].data
    assert {"churn/model/log_loss", "segment/churn/everyone/level"} <= set(of_origin.metrics)
    assert "model/log_loss" in children["model churn"].data.metrics
    data = {(d.dataset.name, d.tags[0].value) for d in parent.inputs.dataset_inputs}
    assert data == {("churn panel", "training"), ("churn held out", "testing"),
                    ("value held out", "testing")}  # fmt: skip


def test_a_version_says_what_it_is_and_two_can_be_compared(business):
    done = business(GOOD)
    registered = MlflowClient().get_model_version("churn", "2")
    assert registered.description.startswith("Makes no purchase in the 60 days after")
    assert registered.description.endswith("Trained as of 2024-12-31. Passed the gate.")
    assert {"catalog", "events", "policy", "gate", "definition", "trained_as_of"} <= set(
        registered.tags
    )
    example = mlflow.models.Model.load("models:/churn/2").load_input_example()
    assert len(example) == 5
    found = comparison.compare(registry.side(done.space, "1"), registry.side(done.space, "2"))
    # One recipe, one day, the same events: nothing is better, and only the label differs.
    assert (found.better, found.definitions, found.only_a, found.only_b) == ({}, {}, (), ())
    assert "clv/model/mae" in found.metrics
    assert found.origins == {"policy": ("none", "policy@7")}


def test_a_version_whose_run_was_deleted_is_not_promoted(business):
    done = business(GOOD, BAD)
    client = MlflowClient()
    client.delete_run(done.outcome.run_id)
    with pytest.raises(registry.UserError) as refused:
        registry.promote(done.space)
    assert str(refused.value).startswith(
        f"churn@2 was to be promoted, but the run {done.outcome.run_id} that trained it was deleted"
    )
    assert champions(done.space) == dict.fromkeys(TASKS, "1")
    with pytest.raises(registry.UserError, match="or compare another version"):
        registry.side(done.space, "2")
    client.restore_run(done.outcome.run_id)
    assert registry.promote(done.space)["churn"] == "churn@2"
    client.delete_run(done.outcome.run_id)
    registry.rollback(done.space)
    assert registry.rollback(done.space)["churn"] == "churn@2"  # it has a copy of its own


def test_two_at_once_are_refused_in_a_sentence(tmp_path):
    space = Workspace(tmp_path)
    with unfinished.alone(space), pytest.raises(Unavailable) as refused, unfinished.alone(space):
        pass
    assert str(refused.value) == (
        f"The workspace {tmp_path} is being retrained by another run. Wait until it ends, or end "
        "it and run again: what it has finished is kept."
    )
    with unfinished.alone(space):  # afterwards it is free
        pass


def test_what_others_left_unfinished_is_removed_and_outcomes_stay(tmp_path):
    space = Workspace(tmp_path)
    for key in ("old", "older"):
        (space.root / "retrain" / key / "four models").mkdir(parents=True)
    (space.root / "retrain" / "old" / "outcome.json").write_text("{}")
    unfinished.remove(space)
    assert sorted(path.name for path in space.root.glob("retrain/**/*")) == ["old", "outcome.json"]
