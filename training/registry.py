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
from mlflow.types import ColSpec, DataType, Schema, TensorSpec
from mlflow.types.schema import AnyType
from mlflow.utils import logging_utils

from features import backend
from features.errors import UserError
from features.workspace import Workspace
from training import examples
from training.comparison import Side
from training.model_set import ModelSet
from training.models import MODELS
from training.models.design import Design
from training.tasks import TASKS, TIERS

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
def run(
    workspace: Workspace, name: str, tags: Mapping[str, str], resumed: str | None = None
) -> Iterator[str]:
    """An MLflow run of the experiment; yields its id. It is marked failed when the block raises.

    resumed: the id of one that was ended, to go on with; where it is gone another is begun.
    """
    _connect(workspace)
    known = resumed if resumed and is_there(workspace, resumed) else None
    with mlflow.start_run(run_id=known, run_name=name, tags=dict(tags)) as active:
        yield active.info.run_id


@contextmanager
def child(name: str, tags: Mapping[str, str]) -> Iterator[str]:
    """A run below the current one; yields its id. One of that name is gone on with."""
    parent = f"tags.mlflow.parentRunId = '{_current()}' and attributes.run_name = '{name}'"
    found = mlflow.search_runs(filter_string=parent, output_format="list")
    known = found[0].info.run_id if found else None
    with mlflow.start_run(run_id=known, run_name=name, tags=dict(tags), nested=True) as active:
        yield active.info.run_id


def is_there(workspace: Workspace, run_id: str) -> bool:
    """Whether a run exists and was not deleted."""
    _connect(workspace)
    return _is_there(MlflowClient(), run_id)


def tag(tags: Mapping[str, str]) -> None:
    """Tag the current run."""
    mlflow.set_tags(dict(tags))


def log_facts(parameters: Mapping[str, object], metrics: Mapping[str, float]) -> None:
    """Write parameters and metrics into the current run."""
    mlflow.log_params(dict(parameters))
    mlflow.log_metrics({name: value for name, value in metrics.items() if pd.notna(value)})


def log_dataset(
    rows: pd.DataFrame, name: str, digest: str, target: str, context: str = "training"
) -> None:
    """Note in the current run which rows a model learnt from, or was tested on (context)."""
    dataset = mlflow.data.from_pandas(  # type: ignore[attr-defined]
        rows, targets=target, name=name, digest=digest
    )
    # Told, since MLflow would look at every value to find it out: minutes of a large business.
    dataset.schema = Schema([ColSpec(_kind(column), str(n), False) for n, column in rows.items()])
    mlflow.log_input(dataset, context=context)


def _kind(column: pd.Series) -> DataType:
    """The kind of a column of a panel, as MLflow calls it: a number, a moment, or a text."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return DataType.datetime
    return DataType.double if pd.api.types.is_numeric_dtype(column) else DataType.string


def log_figures(figures: Mapping[str, Figure]) -> None:
    """Write plots into the current run as PNG files."""
    for name, figure in figures.items():
        mlflow.log_figure(figure, f"plots/{name}.png")


def log_text(text: str, path: str) -> None:
    """Write a text file, such as the model card, into the current run."""
    mlflow.log_text(text, path)


def register(
    models: ModelSet, folder: Path, tags: Mapping[str, str], note: str = ""
) -> dict[str, str]:
    """Register the four models of the current run as challengers; returns task -> version.

    A model that this run has registered already is not registered again. folder: a place to write
    the model files, which MLflow copies. note: goes into the description of each.
    """
    models.save(folder)
    client, run_id = MlflowClient(), _current()
    versions = {}
    for name in TASKS:
        version = _registered(client, name, run_id)
        if version is None:
            with _unannounced():
                version = _log_model(models, name, folder / name)
        task, reference = models.tasks[name], models.reference
        told = {"definition": task.definition,
                "trained_as_of": reference.trained_as_of.isoformat(), **tags}  # fmt: skip
        for key, value in told.items():
            client.set_model_version_tag(name, version, key, value)
        about = f"{task.sentence()} Trained as of {reference.trained_as_of:%Y-%m-%d}. {note}"
        client.update_model_version(name, version, about.strip())
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
        _refuse_of_deleted_run(client, workspace, name, version)
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


def side(workspace: Workspace, version: str) -> Side:
    """What a registered version was made of and how well it did, to be compared.

    Raises UserError when it is not registered, or its run was deleted.
    """
    _connect(workspace)
    client = MlflowClient()
    definitions: dict[str, str] = {}
    for name in TASKS:
        _refuse_unknown(client, name, version)
        info = mlflow.models.get_model_info(f"models:/{name}/{version}")
        definitions[name] = str((info.metadata or {}).get("definition"))
        if name == "churn":
            features = tuple(info.signature.inputs.input_names())
    registered = client.get_model_version("churn", version)
    run_id = str(registered.run_id)
    if not _is_there(client, run_id):
        raise UserError(
            f"Version {version} was asked about, but the run {run_id} that trained it was "
            "deleted, and with it what is known of it. Bring it back: mlflow runs restore "
            f"--run-id {run_id}; or compare another version."
        )
    data = client.get_run(run_id).data
    return Side(version, definitions, features, data.params, data.metrics, registered.tags)


def _connect(workspace: Workspace) -> None:
    """Point MLflow at MLFLOW_TRACKING_URI, default the workspace's SQLite file."""
    workspace.mlflow.mkdir(parents=True, exist_ok=True)
    default = f"sqlite:///{workspace.mlflow / 'mlflow.db'}"
    warnings.filterwarnings("ignore", module="mlflow")  # its advice to developers, not to users
    logging.getLogger("mlflow").setLevel(logging.WARNING)
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # results go there
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


def _example(models: ModelSet, task: str) -> pd.DataFrame:
    """The made-up customers as rows that fit the signature: a text nobody has is no number."""
    rows = examples.frame(models.reference.examples)
    for text in models.churn.design.categories:
        rows[text] = [value if isinstance(value, str) else None for value in rows[text]]
    return rows.assign(tier=TIERS[0]) if task == "tier" else rows


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


def _refuse_of_deleted_run(
    client: MlflowClient, workspace: Workspace, name: str, version: str
) -> None:
    """MLflow lets a run be deleted while its model is registered, and the files go with it.

    What was promoted once has a copy of its own, so that there is always a way back.
    """
    run_id = client.get_model_version(name, version).run_id
    if not run_id or _is_there(client, run_id):
        return
    if (workspace.models / name / version).exists():
        log.warning("the run %s that trained %s@%s was deleted", run_id, name, version)
        return
    raise UserError(
        f"{name}@{version} was to be promoted, but the run {run_id} that trained it was deleted: "
        "nobody could tell any more what it had learnt from. Bring the run back (mlflow runs "
        f"restore --run-id {run_id}), or train anew: holdfast train."
    )


def _current() -> str:
    active = mlflow.active_run()
    if active is None:
        raise RuntimeError("There is no run to write into.")
    return str(active.info.run_id)


def _is_there(client: MlflowClient, run_id: str) -> bool:
    try:
        return client.get_run(run_id).info.lifecycle_stage == "active"
    except MlflowException:
        return False


def _registered(client: MlflowClient, name: str, run_id: str) -> str | None:
    """The version of a model that a run has registered."""
    found = client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'")
    return str(max(int(one.version) for one in found)) if found else None


@contextmanager
def _unannounced() -> Iterator[None]:
    """MLflow tells on standard error what it registers, at every level of logging."""
    logging_utils.disable_logging()
    try:
        yield
    finally:
        logging_utils.enable_logging()


def _log_model(models: ModelSet, name: str, folder: Path) -> str:
    info = mlflow.pyfunc.log_model(
        name=name,
        loader_module="training.registry",
        data_path=str(folder),
        signature=_signature(models, name),
        input_example=_example(models, name),
        pip_requirements=_REQUIREMENTS,
        registered_model_name=name,
        metadata={"definition": models.tasks[name].definition},
    )
    return str(info.registered_model_version)


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
