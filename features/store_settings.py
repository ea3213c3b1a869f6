"""Which feature store is used: Feast's settings, read from a file with places for the environment.

The file is what HOLDFAST_FEATURE_STORE names: a path, or `production` for the one beside this;
default: the embedded one. In it ${HOLDFAST_HOME} is the workspace, other ${...} the environment.
"""

from __future__ import annotations

import os
import string
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
    text = string.Template(path.read_text(encoding="utf-8"))
    places = {**os.environ, "HOLDFAST_HOME": str(workspace.root)}
    try:
        return yaml.safe_load(text.substitute(places))
    except KeyError as missing:
        raise UserError(
            f"The feature store configuration {path} needs the environment variable "
            f"{missing.args[0]}, which is not set. Set it, or use the embedded configuration."
        ) from None
