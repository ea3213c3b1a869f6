"""The champion as plain folders: what scoring reads, without MLflow."""

from __future__ import annotations

import json

from features.errors import UserError
from features.workspace import Workspace
from training.model_set import ModelSet


def versions(workspace: Workspace) -> dict[str, str]:
    """Task -> version of the promoted models.

    Raises UserError when nothing was promoted yet.
    """
    pointer = workspace.models / "champion.json"
    try:
        return json.loads(pointer.read_text())
    except FileNotFoundError:
        raise UserError(
            f"The workspace {workspace.root} has no champion yet. Train one: holdfast train."
        ) from None


def load(workspace: Workspace) -> ModelSet:
    """The promoted models.

    Raises UserError when nothing was promoted yet.
    """
    chosen = versions(workspace)
    folders = {name: workspace.models / name / version for name, version in chosen.items()}
    return ModelSet.load(folders, {name: f"{name}@{v}" for name, v in chosen.items()})
