"""Models and a training that several tests look at, each made once."""

from datetime import datetime
from types import SimpleNamespace

import ibis
import pytest

from features import workspace as workspaces
from features.datasets.simulated import simulate
from features.workspace import Workspace
from tests.training import known_truth
from training import train
from training.models.two_part import TwoPart

AS_OF = datetime(2024, 12, 31, 23, 59, 59, 999999)


@pytest.fixture(scope="session")
def shop():
    """A shop of 800 customers: its training panel, and today's with what came after."""
    bought = known_truth.purchases(800)
    return SimpleNamespace(
        panel=known_truth.training_panel(bought),
        today=known_truth.customers_at(bought, known_truth.TODAY),
        as_of=known_truth.moment(known_truth.TODAY),
    )


@pytest.fixture(scope="session")
def two_part(shop):
    """A value model of the shop, uncalibrated; its `purchase` is the Boosting."""
    return TwoPart.fit(shop.panel, shop.today, shop.as_of, known_truth.FEATURES)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A whole training with its record: 300 simulated customers of one year, 60 days ahead."""
    space = Workspace(tmp_path_factory.mktemp("training") / "workspace")
    made = simulate(customers=300, start=datetime(2024, 1, 1), end=AS_OF)
    names = ("customers", "transactions", "interactions")
    workspaces.ingest(space, {name: ibis.memtable(getattr(made, name)) for name in names})
    steps = []
    request = train.Request(AS_OF, 60, 60)
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("MLFLOW_TRACKING_URI", raising=False)
        environment.delenv("MLFLOW_RUN_ID", raising=False)
        learned = train.train(space, request, steps.append)
    return SimpleNamespace(space=space, learned=learned, request=request, steps=steps)
