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

    Raises UserError when nothing was promoted yet, and when what was promoted is damaged.
    """
    chosen = versions(workspace)
    folders = {name: workspace.models / name / version for name, version in chosen.items()}
    labels = {name: f"{name}@{version}" for name, version in chosen.items()}
    try:
        return ModelSet.load(folders, labels)
    except UserError:
        raise
    except Exception as error:  # whatever a damaged file makes of its reader
        raise UserError(
            f"The models {', '.join(labels.values())} cannot be loaded: {type(error).__name__}: "
            f"{error}. Return to the former ones (holdfast rollback), or train anew: "
            "holdfast train."
        ) from error
