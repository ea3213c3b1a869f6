"""Scores of everyone in one of several ways: python -m ... WAY WORKSPACE."""

import sys
from collections.abc import Callable
from pathlib import Path

from features.workspace import Workspace
from serving import batch
from serving.policy import POLICY
from tests.benchmarks import apart
from tests.benchmarks.batch import AS_OF
from training import champion


def parts(space: Workspace) -> None:
    """Part by part, on all cores."""
    batch.score_file(space, POLICY, AS_OF)


def alone(space: Workspace) -> None:
    """Everybody's scores in this process, then one file."""
    scores = batch.score_everyone(space, champion.load(space), POLICY, AS_OF)
    batch.write(scores, space.root / "alone.parquet")


WAYS: dict[str, Callable[[Workspace], None]] = {"parts": parts, "alone": alone}

if __name__ == "__main__":
    way, root = sys.argv[1:]
    apart.measure(lambda: WAYS[way](Workspace(Path(root))))
