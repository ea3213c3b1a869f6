"""The moment the service stands at: a chosen one, or the clock's."""

from __future__ import annotations

import os
from datetime import datetime

from features import moment

VARIABLE = "HOLDFAST_NOW"


def chosen() -> datetime | None:
    """The moment that HOLDFAST_NOW names, naive UTC; None where it is not set.

    Raises UserError when it cannot be read.
    """
    text = os.environ.get(VARIABLE)
    return moment.parse_moment(text) if text else None


def now() -> datetime:
    """The chosen moment, else that of the clock, naive UTC; raises UserError as `chosen` does."""
    return chosen() or moment.now()
