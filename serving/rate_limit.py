"""How many requests a second one asker may send: a token bucket for each, in one process."""

from __future__ import annotations

import math
import os
import time
from collections import OrderedDict

from features.errors import UserError

# Requests a second. A worker answers 150 to 900 of them, more the more come at once: one asker may
# take what a quiet worker gives, and no more.
USUAL_RATE = 200.0
BURST_SECONDS = 2.0  # of requests that may come at once, after a pause as long
# Askers who are remembered, about 200 bytes each. The one longest silent is forgotten first, whose
# bucket is full again unless 10,000 others have asked within BURST_SECONDS.
MOST_ASKERS = 10_000


class RateLimit:
    """A bucket of tokens per asker: each request takes one, and `rate` come back a second.

    Each worker counts for itself, so a service of four workers lets four times as many through.
    """

    def __init__(self, rate: float, most_askers: int = MOST_ASKERS) -> None:
        self.rate, self._most = rate, most_askers
        self._burst = max(1.0, rate * BURST_SECONDS)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, when counted

    def wait(self, asker: str) -> float:
        """Take a token of the asker's; 0 when there was one, else the seconds until there is."""
        now = time.monotonic()
        tokens, counted = self._buckets.pop(asker, (self._burst, now))
        tokens = min(self._burst, tokens + (now - counted) * self.rate)
        allowed = tokens >= 1.0
        self._buckets[asker] = (tokens - allowed, now)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1.0 - tokens) / self.rate


def rate_from_environment() -> float:
    """Requests a second that HOLDFAST_RATE_LIMIT allows, USUAL_RATE where it is not set; 0 is off.

    Raises UserError when it is no such number.
    """
    text = os.environ.get("HOLDFAST_RATE_LIMIT", "")
    try:
        rate = float(text) if text else USUAL_RATE
    except ValueError:
        rate = math.nan
    if not (math.isfinite(rate) and rate >= 0.0):
        raise UserError(
            f"HOLDFAST_RATE_LIMIT is {text!r}, which is no number of requests a second. "
            "Set it to a number such as 100, or to 0 for no limit."
        )
    return rate
