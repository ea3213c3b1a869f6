"""A small business with models, made once for all tests of the service and of the batch."""

import json
import shutil
import warnings
from datetime import datetime, timedelta

import ibis
import pytest

from features import backend
from features import workspace as workspaces
from features.datasets.simulated import simulate
from features.store import FeatureStore
from features.workspace import Workspace
from serving import following, lane
from tests.waiting import PATIENCE
from training import train
from training.tasks import TASKS

AS_OF = datetime(2024, 12, 31, 23, 59, 59, 999999)


@pytest.fixture(scope="session")
def trained_workspace(tmp_path_factory):
    """300 simulated customers of one year, four models for 60 days, and everybody online.

    The models are laid out as promotion does, without a record of runs and without tests at an
    earlier moment, which take most of a training's time and change no number's way.
    Nobody writes into it: who has to, takes a copy.
    """
    space = Workspace(tmp_path_factory.mktemp("business") / "workspace")
    made = simulate(customers=300, start=datetime(2024, 1, 1), end=AS_OF)
    names = ("customers", "transactions", "interactions")
    workspaces.ingest(space, {name: ibis.memtable(getattr(made, name)) for name in names})
    store, request = FeatureStore(space), train.Request(AS_OF, 60, 60)
    today = train.build(store, request)
    models, *_ = train.fit(store, request, today, None, None)
    models.save(space.root / "fitted")
    promote(space, "1")
    store.materialize(AS_OF)
    return space


def promote(space, version):
    """Make the fitted models the champion under a version."""
    for name in TASKS:
        target = space.models / name / version
        shutil.copytree(space.root / "fitted" / name, target, dirs_exist_ok=True)
    point(space, dict.fromkeys(TASKS, version))


def point(space, versions):
    """Name the champions in one move, as promotion does: no service sees half a name."""
    with backend.whole_or_nothing(space.models / "champion.json") as temporary:
        temporary.write_text(json.dumps(versions))


@pytest.fixture(scope="session")
def served_workspace(trained_workspace, tmp_path_factory):
    """A copy of the business for the service, which takes events and erases customers."""
    folder = tmp_path_factory.mktemp("served") / "workspace"
    return Workspace(shutil.copytree(trained_workspace.root, folder))


@pytest.fixture
def promotable(served_workspace, service):
    """The served business, which afterwards has no versions but the first again."""
    import bentoml

    yield served_workspace
    promote(served_workspace, "1")
    service.portal.call(bentoml.get_current_service()._following.look)
    for folder in served_workspace.models.glob("*/*/"):
        if folder.name != "1":
            shutil.rmtree(folder)


@pytest.fixture(scope="session")
def service(served_workspace, tmp_path_factory):
    """A client of the service over the served business, eight hours after its last event.

    One for all tests: BentoML's metrics can be made once in a process. It looks for another
    champion when a test tells it to: a look of its own would end in the middle of another test. And
    it gives nobody up, who on a busy machine would be told 504.
    """
    with warnings.catch_warnings():  # of a client package that will have another name
        warnings.filterwarnings("ignore", message="Using `httpx` with")
        from starlette.testclient import TestClient
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("HOLDFAST_HOME", str(served_workspace.root))
        environment.setenv("HOLDFAST_NOW", (AS_OF + timedelta(hours=8)).isoformat())
        environment.setenv("BENTOML_HOME", str(tmp_path_factory.mktemp("bentoml")))
        environment.setattr(following, "SECONDS_BETWEEN_LOOKS", 1e6)
        environment.setattr(lane, "MOST_SECONDS", PATIENCE)
        from serving.service import Holdfast

        with TestClient(Holdfast.to_asgi()) as client:
            yield client
