"""Files that are on disk when they are said to be: synced, renamed, and the folder synced."""

from __future__ import annotations

import os
from pathlib import Path


def publish(staged: Path, final: Path) -> None:
    """Put a finished file in its place for good, whole or not at all, whatever fails."""
    final.parent.mkdir(parents=True, exist_ok=True)
    sync(staged)
    staged.replace(final)
    sync(final.parent)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
