"""Runs, registered models and their aliases; the only file that imports mlflow.

The champion is also laid out as plain folders in the workspace, so that neither the service nor a
batch needs MLflow: `models/<name>/<version>/` and `models/champion.json`, which is replaced in one
move.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pandas as pd
from matplotlib.figure import Figure
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.tracking import MlflowClient
from mlflow.types import ColSpec, Schema, TensorSpec
from mlflow.types.schema import AnyType

from features import backend
from features.errors import UserError
from features.workspace import Workspace
from training.model_set import ModelSet
from training.models import MODELS
from training.models.design import Design
from training.tasks import TASKS

log = logging.getLogger(__name__)

EXPERIMENT = "holdfast"
CHAMPION, CHALLENGER, FORMER = "champion", "challenger", "former_champion"
# Read once: MLflow writes the variable itself whenever an address is set.
_ASKED_URI = os.environ.get("MLFLOW_TRACKING_URI")
_REMEDIES = {
    CHALLENGER: "Train one first: holdfast train.",
    FORMER: "Only a second promotion leaves one to return to.",
}
# Named, because inferring them starts a second Python that imports everything again.
_REQUIREMENTS = ["xgboost", "scikit-learn", "scipy", "pandas", "numpy"]


@contextmanager
def run(workspace: Workspace, name: str, tags: Mapping[str, str]) -> Iterator[str]:
    """An MLflow run of the experiment; yields its id. It is marked failed when the block raises."""
    _connect(workspace)
    with mlflow.start_run(run_name=name, tags=dict(tags)) as active:
        yield active.info.run_id


def log_facts(parameters: Mapping[str, object], metrics: Mapping[str, float]) -> None:
    """Write parameters and metrics into the current run."""
    mlflow.log_params(dict(parameters))
    mlflow.log_metrics({name: value for name, value in metrics.items() if pd.notna(value)})


def log_dataset(rows: pd.DataFrame, name: str, digest: str, target: str) -> None:
    """Note in the current run which rows a model learnt from."""
    # MLflow warns of integer columns because they could have had holes; ours are floats or text.
    numeric = rows.drop(columns="as_of").convert_dtypes(convert_integer=False)
    dataset = mlflow.data.from_pandas(  # type: ignore[attr-defined]
        numeric.astype(dict.fromkeys(numeric.select_dtypes("number"), float)),
        targets=target, name=name, digest=digest,
    )  # fmt: skip
    mlflow.log_input(dataset, context="training")


def log_figures(figures: Mapping[str, Figure]) -> None:
    """Write plots into the current run as PNG files."""
    for name, figure in figures.items():
        mlflow.log_figure(figure, f"plots/{name}.png")


def log_text(text: str, path: str) -> None:
    """Write a text file, such as the model card, into the current run."""
    mlflow.log_text(text, path)


def register(models: ModelSet, folder: Path, tags: Mapping[str, str]) -> dict[str, str]:
    """Register the four models of the current run as challengers; returns task -> version.

    folder: a place to write the model files, which MLflow copies.
    """
    models.save(folder)
    client = MlflowClient()
    versions = {}
    for name in TASKS:
        info = mlflow.pyfunc.log_model(
            name=name,
            loader_module="training.registry",
            data_path=str(folder / name),
            signature=_signature(models, name),
            pip_requirements=_REQUIREMENTS,
            registered_model_name=name,
            metadata={"definition": models.tasks[name].definition},
        )
        version = str(info.registered_model_version)
        for key, value in tags.items():
            client.set_model_version_tag(name, version, key, value)
        client.set_registered_model_alias(name, CHALLENGER, version)
        versions[name] = version
    return versions


def promote(workspace: Workspace, versions: Mapping[str, str] | None = None) -> dict[str, str]:
    """Make challengers (or the named versions) the champions; returns task -> name@version.

    The former champions keep an alias, to which `rollback` returns.
    Raises UserError when there is no such model.
    """
    _connect(workspace)
    client = MlflowClient()
    chosen = dict(versions or {name: _version(client, name, CHALLENGER) for name in TASKS})
    if set(chosen) != set(TASKS):
        raise UserError(
            f"A promotion of {', '.join(chosen)} was asked for, but the models answer together. "
            f"Name a version for each of {', '.join(TASKS)}."
        )
    for name, version in chosen.items():
        _refuse_unknown(client, name, version)
    _copy(workspace, chosen)  # before an alias moves: a failed copy must change nothing
    for name, version in chosen.items():
        former = _alias(client, name, CHAMPION)
        if former and former != version:
            client.set_registered_model_alias(name, FORMER, former)
        client.set_registered_model_alias(name, CHAMPION, version)
    with backend.whole_or_nothing(workspace.models / "champion.json") as temporary:
        temporary.write_text(json.dumps(chosen))
    return {name: f"{name}@{version}" for name, version in chosen.items()}


def rollback(workspace: Workspace) -> dict[str, str]:
    """Return to the former champions; returns task -> name@version.

    Raises UserError when there are none.
    """
    _connect(workspace)
    client = MlflowClient()
    return promote(workspace, {name: _version(client, name, FORMER) for name in TASKS})


def _connect(workspace: Workspace) -> None:
    """Point MLflow at MLFLOW_TRACKING_URI, default the workspace's SQLite file."""
    workspace.mlflow.mkdir(parents=True, exist_ok=True)
    default = f"sqlite:///{workspace.mlflow / 'mlflow.db'}"
    warnings.filterwarnings("ignore", module="mlflow")  # its advice to developers, not to users
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    mlflow.set_tracking_uri(_ASKED_URI or default)
    if "MLFLOW_RUN_ID" in os.environ:
        return  # started by `mlflow run`, which has opened the run already
    if mlflow.get_experiment_by_name(EXPERIMENT) is None:
        mlflow.create_experiment(EXPERIMENT, (workspace.mlflow / "artifacts").as_uri())
    mlflow.set_experiment(EXPERIMENT)


def _signature(models: ModelSet, task: str) -> ModelSignature:
    columns: list[ColSpec | TensorSpec] = [
        ColSpec(_column_type(models.churn.design, name), name, required=False)
        for name in models.reference.features
    ]
    if task == "tier":
        columns.append(ColSpec("string", "tier"))  # where the customer stands today
    return ModelSignature(inputs=Schema(columns))


def _column_type(design: Design, name: str) -> str | AnyType:
    if name in design.categories:
        return "string"
    # A column the model found nothing in may be either: a constant, or texts nobody shares.
    return "double" if name in design.numbers else AnyType()


def _alias(client: MlflowClient, name: str, alias: str) -> str | None:
    try:
        return str(client.get_model_version_by_alias(name, alias).version)
    except MlflowException:
        return None


def _version(client: MlflowClient, name: str, alias: str) -> str:
    version = _alias(client, name, alias)
    if version is None:
        raise UserError(
            f"There is no {alias} of the model {name} in this workspace. {_REMEDIES[alias]}"
        )
    return version


def _refuse_unknown(client: MlflowClient, name: str, version: str) -> None:
    try:
        client.get_model_version(name, version)
    except MlflowException:
        raise UserError(
            f"There is no version {version} of the model {name} in this workspace. "
            "Name one that a training registered."
        ) from None


def _copy(workspace: Workspace, versions: Mapping[str, str]) -> None:
    for name, version in versions.items():
        target = workspace.models / name / version
        if target.exists():
            continue
        source = Path(mlflow.artifacts.download_artifacts(f"models:/{name}/{version}"))
        staging = target.with_name(f".{version}.staging")
        shutil.rmtree(staging, ignore_errors=True)
        shutil.copytree(source / "data" / name, staging)
        staging.rename(target)


class _Served:
    """A registered model as MLflow serves it: feature rows in, the model's own answer out."""

    def __init__(self, folder: Path) -> None:
        self.task = json.loads((folder / "task.json").read_text())
        self.model = MODELS[self.task["task"]].load(folder)  # type: ignore[attr-defined]

    def predict(self, rows: pd.DataFrame, params: object = None) -> pd.DataFrame:
        """The answer for each row of features; `params` belongs to MLflow's interface."""
        answer = self.model.predict(rows.assign(horizon_days=self.task["horizon_days"]))
        return pd.DataFrame(answer, index=rows.index)


def _load_pyfunc(path: str) -> _Served:
    """MLflow's hook: the model of a registered folder."""
    return _Served(Path(path))
