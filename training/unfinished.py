"""Where retrainings keep what they have finished: one at a time, and nothing longer than needed.

It knows nothing of training, so that who erases a customer can clear it without MLflow.
"""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager
from pathlib import Path

from features import hold
from features.workspace import Workspace

OUTCOME = "outcome.json"


def home(space: Workspace) -> Path:
    """Where retrainings keep what they have finished."""
    return space.root / "retrain"


def alone(space: Workspace) -> AbstractContextManager[None]:
    """Within the block nobody else retrains the workspace; Unavailable while another one does."""
    return hold.alone(
        home(space),
        f"The workspace {space.root} is being retrained by another run. Wait until it ends, or "
        "end it and run again: what it has finished is kept.",
    )


def remove(space: Workspace, but: Path | None = None) -> None:
    """Remove what ended retrainings have left, which names customers; outcomes stay."""
    for folder in home(space).glob("*/"):
        if folder != but:
            remove_phases(folder)


def remove_phases(folder: Path) -> None:
    """Remove the phases of one retraining, finished or not; its outcome stays."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != OUTCOME:
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()
