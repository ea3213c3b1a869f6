"""Productions over two people: services of this test run, a workspace with three moments."""

import shutil

import pytest

from features.workspace import Workspace
from tests.features.production import TWO_PEOPLE, built, opened


@pytest.fixture(scope="session")
def environment(redis, postgres):
    """What names a production to a process; each call makes a new one with nothing in it."""

    def new():
        return {
            "HOLDFAST_FEATURE_STORE": "production",
            "HOLDFAST_REDIS": redis.new_database(),
            "HOLDFAST_REGISTRY": postgres.new_database(),
        }

    return new


@pytest.fixture(scope="session")
def two_people(tmp_path_factory):
    """A workspace with the snapshots of three moments."""
    return built(TWO_PEOPLE, tmp_path_factory.mktemp("two_people"))


@pytest.fixture
def production(two_people, environment, tmp_path):
    """A production of the test's own, nothing loaded yet: each call opens a store on it."""
    shutil.copytree(two_people.root, tmp_path / "production")
    there = environment()
    return lambda: opened(Workspace(tmp_path / "production"), there)
