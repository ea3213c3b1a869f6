"""The record on a real MLflow server with Postgres behind it, as production has it.

Marked `services`: the server alone takes half a minute to start.
"""

import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import mlflow
import pytest
from mlflow.tracking import MlflowClient

from features.workspace import Workspace
from tests.ports import free_port
from tests.serving.test_deploy_really import wait_until_healthy
from tests.waiting import PATIENCE
from training import comparison, record, registry
from training.gate import Finding, Verdict
from training.tasks import TASKS

pytestmark = pytest.mark.services

FIRST, SECOND = ({name: f"{name}@{version}" for name in TASKS} for version in "12")
VERDICT = Verdict((Finding("bytes", "They are small.", True, "they are", 5.0, None, 9.0),))


@pytest.fixture(scope="module")
def server(postgres, tmp_path_factory):
    """The address of a server that keeps runs and models in Postgres; artifacts it does not serve.

    As in the compose file, where the jobs write them into the workspace themselves.
    """
    folder = tmp_path_factory.mktemp("mlflow")
    port = free_port()
    uri = f"postgresql+psycopg://{postgres.new_database()}"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host=127.0.0.1", f"--port={port}",
             "--no-serve-artifacts", "--workers=1"],
            cwd=folder,
            env={**os.environ, "MLFLOW_BACKEND_STORE_URI": uri,
                 "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            stdout=log,
            stderr=log,
        )  # fmt: skip
    try:
        wait_until_healthy(process, f"http://127.0.0.1:{port}", folder / "log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture(scope="module")
def business(server, trained, tmp_path_factory):
    """Two trainings recorded there, with children, as a retraining does."""
    space = Workspace(tmp_path_factory.mktemp("served") / "workspace")
    tags = {"events": "e1", "catalog": "c1", "policy": "policy@7"}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(registry, "_ASKED_URI", server)
        patched.delenv("MLFLOW_RUN_ID", raising=False)
        for number in range(2):
            with registry.run(space, f"retrain {number}", tags) as run_id:
                record.training(trained.learned, trained.request, tags)
                record.models(trained.learned, trained.request)
                record.verdict(VERDICT)
                folder = tmp_path_factory.mktemp("models")
                registry.register(trained.learned.models, folder, tags, VERDICT.sentence())
                shutil.rmtree(folder)
        yield SimpleNamespace(space=space, run_id=run_id, client=MlflowClient(server))
    mlflow.set_tracking_uri(None)


def test_runs_children_and_data_are_there(business):
    run = business.client.get_run(business.run_id)
    assert (run.info.status, run.data.tags["gate"]) == ("FINISHED", "passed")
    assert run.data.metrics["gate/bytes"] == 5.0
    assert {d.dataset.name for d in run.inputs.dataset_inputs} == {
        "churn panel", "churn held out", "value held out",
    }  # fmt: skip
    children = business.client.search_runs(
        [run.info.experiment_id], f"tags.mlflow.parentRunId = '{business.run_id}'"
    )
    assert {child.info.run_name for child in children} == {f"model {name}" for name in TASKS}


def test_champions_are_promoted_rolled_back_and_compared(business):
    first = dict.fromkeys(TASKS, "1")
    assert registry.promote(business.space, first) == FIRST
    assert registry.promote(business.space) == SECOND
    assert registry.rollback(business.space) == FIRST
    sides = [registry.side(business.space, version) for version in "12"]
    found = comparison.compare(*sides)
    assert (found.better, found.parameters) == ({}, {})
    assert "churn/model/log_loss" in found.metrics


def test_a_run_goes_on_where_it_was_ended_and_says_nothing(business, capsys):
    with registry.run(business.space, "again", {}, business.run_id) as run_id:
        assert run_id == business.run_id
    with registry.run(business.space, "anew", {}, "0" * 32) as run_id:
        assert run_id != "0" * 32
    assert capsys.readouterr() == ("", "")


def test_a_deleted_run_does_not_become_champion(business):
    business.client.delete_run(business.run_id)
    shutil.rmtree(business.space.models / "churn" / "2", ignore_errors=True)
    with pytest.raises(registry.UserError, match="was deleted"):
        registry.promote(business.space)
    business.client.restore_run(business.run_id)
    assert registry.promote(business.space) == SECOND
