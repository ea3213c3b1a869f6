"""What holds for every test: the environment, set before anything is imported, and a workspace."""

import os
import tempfile
import time

# Feast would set its own, and BentoML's metrics need one that exists.
_prometheus = tempfile.TemporaryDirectory(prefix="holdfast-prometheus-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _prometheus.name
os.environ["OMP_NUM_THREADS"] = "2"
os.environ["MPLBACKEND"] = "Agg"
os.environ["TZ"] = "UTC"
time.tzset()

from pathlib import Path  # noqa: E402

import pytest  # noqa: E402

from features.workspace import Workspace  # noqa: E402
from tests.services import postgres, redis  # noqa: E402, F401

# Minutes each: begun last, one process would wait for the other.
LONGEST = ("test_notebooks.py", "test_retrain.py", "test_real_runs.py", "test_guides.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; all else stays in its order."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace of its own, with nothing in it yet."""
    return Workspace(tmp_path / "workspace")
