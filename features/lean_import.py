"""Feast's import without two things it does: its types are not checked, its warnings not first.

It has each of its calls checked by typeguard, which reads and compiles Feast's source anew for
every function at every start: two thirds of the import, seconds before each command.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typeguard

from features import backend


@contextmanager
def lean() -> Iterator[None]:
    """While Feast is imported in it, and nothing else: what asks for checks gets none."""
    checked: Any = typeguard.typechecked
    typeguard.typechecked = _as_it_is  # type: ignore[assignment]
    try:
        yield
    finally:
        typeguard.typechecked = checked
        backend.quiet()  # Feast has put its own warning filters first


def _as_it_is(checked: Any = None, **_: object) -> Any:
    """In the place of typeguard.typechecked, with or without options: what it is given."""
    return _as_it_is if checked is None else checked
