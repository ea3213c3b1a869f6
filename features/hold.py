"""One writer of a folder at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from features.errors import Unavailable


@contextmanager
def alone(folder: Path, otherwise: str) -> Iterator[None]:
    """Within the block nobody else holds the folder; the system ends the hold with the process.

    Raises Unavailable with the words of `otherwise` while another one does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    held = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(otherwise) from None
        yield
    finally:
        os.close(held)
