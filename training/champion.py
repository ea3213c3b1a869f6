"""The champion as plain folders: what scoring reads, without MLflow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

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


def load(workspace: Workspace, chosen: Mapping[str, str] | None = None) -> ModelSet:
    """The promoted models, or those of some versions, which were promoted once.

    chosen: task -> version.
    Raises UserError when nothing was promoted yet, and when what was promoted is damaged.
    """
    chosen = chosen or versions(workspace)
    labels = {name: f"{name}@{version}" for name, version in chosen.items()}
    try:
        return ModelSet.load(folders(workspace, chosen), labels)
    except UserError:
        raise
    except Exception as error:  # whatever a damaged file makes of its reader
        raise UserError(
            f"The models {', '.join(labels.values())} cannot be loaded: {type(error).__name__}: "
            f"{error}. Return to the former ones (holdfast rollback), or train anew: "
            "holdfast train."
        ) from error


def digest(workspace: Workspace, chosen: Mapping[str, str]) -> str:
    """A short digest of the files of some versions: it changes when and only when they do."""
    found = hashlib.sha256()
    for name, folder in sorted(folders(workspace, chosen).items()):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            found.update(f"{name}/{path.relative_to(folder)}".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:16]


def folders(workspace: Workspace, chosen: Mapping[str, str]) -> dict[str, Path]:
    """Where the files of some versions lie, by task; chosen: task -> version."""
    return {name: workspace.models / name / version for name, version in chosen.items()}
