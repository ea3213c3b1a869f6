"""Patience with a machine that does other things as well: no claim about the product."""

import time
from collections.abc import Callable

PATIENCE = 300.0  # seconds; a service alone takes half of them to start beside heavy work


def until(is_so: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"it was not so within {seconds} seconds"
        time.sleep(0.02)
