"""A registry or an online store that is down or refuses: a sentence instead of a driver's error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from features.errors import Unavailable


@contextmanager
def registry_answering() -> Iterator[None]:
    """Within the block, or a function decorated with it, a failing registry is Unavailable."""
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig).strip().split("\n")[0].rstrip(".")
        raise Unavailable(
            f"The registry of the feature store does not answer: {reason}. "
            "See that its database is there and running, or correct HOLDFAST_REGISTRY."
        ) from error


@contextmanager
def online_store_answering(name: object) -> Iterator[None]:
    """Within the block, whatever a store and its driver can raise is Unavailable, a UserError.

    name: the file of the store, which must be there, else what kind of store it is.
    """
    try:
        if isinstance(name, Path) and not name.exists():
            raise FileNotFoundError("the file is gone")
        yield
    except Exception as error:
        raise Unavailable(
            f"The online store {name} does not answer: {str(error).rstrip('.')}. "
            "See that it is there and running; when it is empty, load it: holdfast materialize."
        ) from error


def identity(file: Path) -> tuple[int, int] | None:
    """What tells a file from another of the same name; None when there is none.

    A database that is open lives on unseen when its file is removed.
    """
    if not file.exists():
        return None
    status = file.stat()
    return status.st_dev, status.st_ino
