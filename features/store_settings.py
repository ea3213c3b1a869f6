"""Which feature store is used: Feast's settings, read from a file with places for the environment.

The file is what HOLDFAST_FEATURE_STORE names: a path, or `production` for the one beside this;
default: the embedded one. In it ${HOLDFAST_HOME} is the workspace, other ${...} the environment.
"""

from __future__ import annotations

import os
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from features.errors import UserError
from features.workspace import Workspace

_EMBEDDED = Path(__file__).with_name("feature_store.yaml")
_PRODUCTION = Path(__file__).with_name("feature_store.production.yaml")


def settings(workspace: Workspace) -> dict[str, Any]:
    """The settings for a workspace.

    Raises UserError when the file, or a variable that it needs, is not there.
    """
    named = os.environ.get("HOLDFAST_FEATURE_STORE", _EMBEDDED)
    path = _PRODUCTION if named == "production" else Path(named)
    if not path.is_file():
        raise UserError(
            f"The feature store configuration {path} does not exist. "
            "Correct HOLDFAST_FEATURE_STORE, or unset it to use the embedded configuration."
        )
    places = {**os.environ, "HOLDFAST_HOME": str(workspace.root)}
    try:
        return _filled(yaml.safe_load(path.read_text(encoding="utf-8")), places)
    except KeyError as missing:
        raise UserError(
            f"The feature store configuration {path} needs the environment variable "
            f"{missing.args[0]}, which is not set. Set it, or use the embedded configuration."
        ) from None
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(
            f"The feature store configuration {path} cannot be read: {error}. Correct the file; "
            "a dollar sign that names no variable is written $$."
        ) from None


def _filled(setting: Any, places: Mapping[str, str]) -> Any:
    """Settings with their places filled, value by value: a path or password may hold anything."""
    if isinstance(setting, dict):
        return {name: _filled(value, places) for name, value in setting.items()}
    if isinstance(setting, list):
        return [_filled(value, places) for value in setting]
    return string.Template(setting).substitute(places) if isinstance(setting, str) else setting
