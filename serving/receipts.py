"""The workspace's secret, with which its receipts are signed and customers in them are named."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from typing import Any

from features import backend
from features.workspace import Workspace

_KEY_BYTES = 32


def signature(space: Workspace, facts: Mapping[str, Any]) -> str:
    """A keyed digest of the facts of a receipt, which only this workspace can make."""
    text = json.dumps(facts, sort_keys=True)
    return hmac.new(key(space), text.encode(), hashlib.sha256).hexdigest()


def key(space: Workspace) -> bytes:
    """The secret, made when it is first needed."""
    file = space.root / "erasures" / "receipts.key"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with backend.whole_or_nothing(file) as temporary:
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(secrets.token_bytes(_KEY_BYTES))
    return file.read_bytes()
