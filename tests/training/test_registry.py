"""A training's record in MLflow, and the champion's way out of it."""

import json
from types import SimpleNamespace

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

from features.errors import UserError
from features.store import FeatureStore
from features.workspace import Workspace
from training import champion, registry
from training.gate import GATE
from training.tasks import TASKS


@pytest.fixture(scope="module")
def record(trained):
    """The one run of the training, and a client to look with."""
    mlflow.set_tracking_uri(f"sqlite:///{trained.space.mlflow / 'mlflow.db'}")
    client = MlflowClient()
    experiment = client.get_experiment_by_name(registry.EXPERIMENT)
    (run,) = client.search_runs([experiment.experiment_id])
    return SimpleNamespace(client=client, run=run)


@pytest.fixture
def today(trained):
    """The customers of today with everything known of them."""
    store = FeatureStore(trained.space)
    rows = store.snapshot(trained.request.as_of)
    return rows[rows.purchase_days_total > 0].reset_index(drop=True)


def pointer(space):
    return json.loads((space.models / "champion.json").read_text())


def test_the_run_has_parameters_metrics_and_tags(record, trained):
    data = record.run.data
    assert record.run.info.status == "FINISHED"
    assert data.params["trained_as_of"] == "2024-12-31T23:59:59.999999"
    assert (data.params["horizon_days"], data.params["value_horizon_days"]) == ("60", "60")
    assert data.params["panel_rows"] == str(len(trained.learned.panel))
    assert data.metrics["clv/model/coverage_90"] == pytest.approx(
        trained.learned.metrics.set_index(["task", "model", "metric"]).value[
            "clv", "model", "coverage_90"
        ]
    )
    assert {"churn/model/log_loss", "churn/baseline/log_loss", "clv/model median/mae"} <= set(
        data.metrics
    )
    assert data.tags["catalog"] == trained.learned.models.reference.catalog


def test_the_run_has_plots_card_features_and_data(record, trained):
    run_id = record.run.info.run_id
    files = {file.path for file in record.client.list_artifacts(run_id)}
    assert {"plots", "model_card.md", "features.txt"} <= files
    plots = {file.path for file in record.client.list_artifacts(run_id, "plots")}
    assert plots == {"plots/calibration.png", "plots/gain.png", "plots/value_by_decile.png"}
    data = {d.dataset.name: d for d in record.run.inputs.dataset_inputs}
    assert {name: d.tags[0].value for name, d in data.items()} == {
        "churn panel": "training", "churn held out": "testing", "value held out": "testing",
    }  # fmt: skip
    assert {d.dataset.digest for d in data.values()} == {record.run.data.tags["events"]}
    told = json.loads(data["churn panel"].dataset.schema)["mlflow_colspec"]
    kinds = {column["name"]: column["type"] for column in told}
    assert (kinds["customer_id"], kinds["as_of"], kinds["bought"]) == (
        "string", "datetime", "double",
    )  # fmt: skip


def test_the_verdict_of_the_gate_is_told_and_refuses_nothing(record, trained):
    verdict = trained.learned.verdict
    assert record.run.data.tags["gate"] == ("passed" if verdict.passed else "refused")
    assert record.run.data.metrics["gate/milliseconds"] == verdict.figures()["milliseconds"]
    kept = json.loads((trained.space.models / "gate.json").read_text())
    assert kept["versions"] == dict(trained.learned.models.versions)
    assert len(kept["findings"]) == len(GATE)


@pytest.mark.parametrize("name", list(TASKS))
def test_a_registered_model_has_a_signature_and_answers_as_the_champion(
    name, record, trained, today
):
    served = mlflow.pyfunc.load_model(f"models:/{name}@champion")
    features = list(trained.learned.models.reference.features)
    inputs = served.metadata.get_input_schema().input_names()
    assert inputs == (features if name != "tier" else [*features, "tier"])
    rows = today[features]
    if name == "tier":
        rows = rows.assign(
            tier=["mvc", "mgc", "maintain"] * (len(rows) // 3) + ["mvc"] * (len(rows) % 3)
        )
    model = getattr(champion.load(trained.space), name)
    expected = model.predict(rows.assign(horizon_days=60))
    np.testing.assert_array_equal(served.predict(rows).to_numpy(), pd.DataFrame(expected))


def test_the_champion_folder_answers_as_the_trained_models(trained, today):
    loaded = champion.load(trained.space)
    rows = today.assign(horizon_days=60)
    np.testing.assert_array_equal(
        loaded.clv.predict(rows), trained.learned.models.clv.predict(rows)
    )
    assert loaded.reference == trained.learned.models.reference
    assert loaded.versions["churn"] == "churn@1"
    files = [path for path in trained.space.models.glob("*/1/**/*") if path.is_file()]
    assert {path.suffix for path in files} == {".json", ".ubj"}


def test_promotions_and_rollbacks_move_the_aliases_and_the_pointer(
    record, trained, tmp_path, capsys
):
    space, client = trained.space, record.client

    def versions(alias):
        return {n: str(client.get_model_version_by_alias(n, alias).version) for n in TASKS}

    first, second = dict.fromkeys(TASKS, "1"), dict.fromkeys(TASKS, "2")
    with pytest.raises(UserError) as refused:
        registry.rollback(space)
    assert str(refused.value) == (
        "There is no former_champion of the model churn in this workspace. "
        "Only a second promotion leaves one to return to."
    )
    with registry.run(space, "again", {}):
        assert registry.register(trained.learned.models, tmp_path, {"events": "e1"}) == second
    assert capsys.readouterr() == ("", "")  # MLflow says nothing of its own
    assert (versions("challenger"), versions("champion"), pointer(space)) == (second, first, first)
    assert registry.promote(space) == {name: f"{name}@2" for name in TASKS}
    assert (versions("champion"), versions("former_champion"), pointer(space)) == (
        second, first, second,
    )  # fmt: skip
    registry.promote(space)  # once more changes nothing
    assert versions("former_champion") == first
    assert registry.rollback(space) == {name: f"{name}@1" for name in TASKS}
    assert (versions("champion"), pointer(space)) == (first, first)
    with pytest.raises(UserError) as refused:
        registry.promote(space, {"churn": "1"})
    assert str(refused.value) == (
        "A promotion of churn was asked for, but the models answer together. "
        "Name a version for each of churn, churn_type, clv, tier."
    )
    with pytest.raises(UserError) as refused:
        registry.promote(space, first | {"churn": "9"})
    assert str(refused.value) == (
        "There is no version 9 of the model churn in this workspace. "
        "Name one that a training registered."
    )
    assert (versions("champion"), pointer(space)) == (first, first)


def test_a_block_that_fails_leaves_a_failed_run(record, trained):
    with pytest.raises(ZeroDivisionError), registry.run(trained.space, "breaks", {}) as run_id:
        raise ZeroDivisionError
    assert record.client.get_run(run_id).info.status == "FAILED"


def test_a_workspace_without_a_training_has_no_champion(tmp_path):
    with pytest.raises(UserError) as refused:
        champion.load(Workspace(tmp_path))
    assert str(refused.value) == (
        f"The workspace {tmp_path} has no champion yet. Train one: holdfast train."
    )
