"""The production configuration over two people, for tests against real services."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import pytest

from features.errors import UserError
from features.events import TABLES
from features.store import FeatureStore
from features.workspace import Workspace, ingest
from tests.world import World, world

JANUARY = datetime(2024, 1, 31, 23, 59, 59, 999999)
FEBRUARY = datetime(2024, 2, 29, 12, 30)
MARCH = datetime(2024, 3, 31, 23, 59, 59, 999999)

TWO_PEOPLE = world(
    "ann  2024-01-03  10",
    "ann  2024-02-20  20",
    "bob  2024-02-25   5",
    interactions=["bob  2024-02-26  visit in web"],
    customers=["ann  2024-01-01  kind=person city=Rome", "bob  2024-02-24  kind=organisation"],
)


def opened(workspace: Workspace, environment: Mapping[str, str]) -> FeatureStore:
    """A store that has read its configuration from an environment, as another process would."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        store = FeatureStore(workspace)
        store.newest_online()
    return store


def built(given: World, folder: Path) -> Workspace:
    """A workspace with the snapshots of three moments."""
    workspace = Workspace(folder)
    ingest(workspace, {name: getattr(given.events, name) for name in TABLES})
    list(FeatureStore(workspace).build([JANUARY, FEBRUARY, MARCH]))
    return workspace


def spend(store: FeatureStore, *customers: str) -> list[float]:
    """What some customers have spent in all, as it stands online."""
    return store.latest(customers).values.spend_total.tolist()


def refusal(call, *arguments) -> str:
    """The sentence with which a call is refused."""
    with pytest.raises(UserError) as refused:
        call(*arguments)
    return str(refused.value)
