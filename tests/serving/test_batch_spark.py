"""Parts that Spark's workers write beside those of this process."""

from dataclasses import replace

import pytest

from features.errors import EngineError
from serving import workers
from serving.parts import Job
from serving.policy import POLICY
from tests import missing
from tests.serving.conftest import AS_OF

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module", autouse=True)
def spark():
    missing.spark()


@pytest.fixture
def job(trained_workspace, tmp_path):
    """The small business in parts of a hundred, over the features that are built."""
    return Job.of(trained_workspace, POLICY, AS_OF, tmp_path, size=100)


def computed(job, folder):
    """What is in each part, by name."""
    own = replace(job, folder=job.folder.with_name(folder))
    assert sum(workers.compute(own, own.missing(), workers=1)) == len(job.numbers()) == 4
    return {path.name: path.read_bytes() for path in own.folder.iterdir()}


def test_the_parts_are_the_same_to_the_last_bit(job, monkeypatch):
    embedded = computed(job, "embedded")
    monkeypatch.setenv("HOLDFAST_ENGINE", "spark")
    assert computed(job, "spark") == embedded


def test_a_part_that_fails_says_why_and_leaves_nothing_half_written(job, monkeypatch):
    monkeypatch.setenv("HOLDFAST_ENGINE", "spark")
    broken = replace(job, versions=(("churn", "999"),))
    with pytest.raises(EngineError, match=r"KeyError|FileNotFoundError"):
        list(workers.compute(broken, broken.missing(), workers=1))
    assert not broken.folder.exists()
