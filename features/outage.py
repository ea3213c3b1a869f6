"""The registry's database when it is down or refuses: a sentence instead of its driver's error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from features.errors import UserError


@contextmanager
def registry_answering() -> Iterator[None]:
    """Within the block, or a function decorated with it, a failing registry is a UserError."""
    try:
        yield
    except DBAPIError as error:
        reason = str(error.orig).strip().split("\n")[0].rstrip(".")
        raise UserError(
            f"The registry of the feature store does not answer: {reason}. "
            "See that its database is there and running, or correct HOLDFAST_REGISTRY."
        ) from error
