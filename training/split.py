"""Cut-offs: the past moments at which a model may learn, because their future is known by now.

A cut-off is matured when cut-off + horizon <= now; where a question begins after a gap, or waits
for who comes back in a time of grace, it matures as many days later. A test cut-off is the moment
one horizon ago; whatever is tested there was trained on cut-offs matured by then, so no training
label reaches into the test window (the embargo).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from features.errors import UserError

PANEL_CUTS = 4
# Steps between cut-offs in days: a week at least, else they say the same; a month at most, else
# the oldest speak of another time. Between them a quarter of the horizon.
SHORTEST_STEP, LONGEST_STEP = 7, 30
# A cut-off of the same season last year sees the same holidays in its future.
SEASON_CUTS = (350, 365, 380)
# Less history than this many horizons has no matured cut-off with a history worth learning from;
# then the span itself is divided, and the horizons are what is left of it.
SHORT_HISTORY = 1.5
SHORT_CUTS = (0.4, 0.5, 0.6, 0.7)
# Before a quarter of the horizon has passed, a customer's history says too little about it.
LEAST_HISTORY = 0.25
# Two weeks: below it, days of the week decide what a history looks like.
LEAST_SPAN_DAYS = 14


@dataclass(frozen=True)
class CutOff:
    """A moment and the days after it that are asked about.

    wait_days: those beyond the horizon until the outcome is known.
    """

    as_of: datetime
    horizon_days: int
    wait_days: int = 0

    @property
    def matured_at(self) -> datetime:
        """The moment from which its outcome is known."""
        return self.as_of + timedelta(days=self.horizon_days + self.wait_days)


def training_cutoffs(
    first: datetime, now: datetime, horizon_days: int, wait_days: int = 0
) -> tuple[CutOff, ...]:
    """The matured cut-offs to learn a horizon from, newest first.

    first: the first event of the business. wait_days: see CutOff. With at least SHORT_HISTORY
    horizons of history they are PANEL_CUTS moments from one horizon ago backwards and those of the
    same season last year; with less, or with less than LEAST_SPAN_DAYS before the newest of them,
    four divisions of the span, each with the rest of it as its horizon.
    Raises UserError when the history is shorter than LEAST_SPAN_DAYS.
    """
    age = (now - first).days
    span = age - wait_days
    if span < LEAST_SPAN_DAYS:
        raise UserError(
            f"Training was asked for as of {now:%Y-%m-%d}, but the events begin on "
            f"{first:%Y-%m-%d}, {age} days before. Bring at least {LEAST_SPAN_DAYS + wait_days} "
            "days of history, better two horizons."
        )
    least = max(LEAST_HISTORY * horizon_days, LEAST_SPAN_DAYS)
    if span < max(SHORT_HISTORY * horizon_days, horizon_days + least):
        return _divisions_of_span(first, now, span, wait_days)
    step = min(max(horizon_days // 4, SHORTEST_STEP), LONGEST_STEP)
    matured = horizon_days + wait_days
    ago = {matured + i * step for i in range(PANEL_CUTS)}
    ago |= {days for days in SEASON_CUTS if days >= matured}
    return tuple(
        CutOff(now - timedelta(days=days), horizon_days, wait_days)
        for days in sorted(ago)
        if age - days >= least
    )


def test_origin(
    first: datetime,
    now: datetime,
    horizon_days: int,
    wait_days: int = 0,  # noqa: PT028 (this is no test)
) -> CutOff:
    """The newest moment at which a model can be tested as if it were that day.

    One horizon, and the days to wait, ago when at least one horizon of history lies before it; else
    half the span, with the other half as its horizon.
    """
    span = (now - first).days - wait_days
    asked = horizon_days if span >= 2 * horizon_days else span // 2
    return CutOff(now - timedelta(days=asked + wait_days), asked, wait_days)


def is_season_matched(cutoff: CutOff, as_of: datetime) -> bool:
    """Whether a cut-off stands at about the same day of the year as `as_of`, a year before."""
    days = (as_of - cutoff.as_of).days
    return SEASON_CUTS[0] <= days <= SEASON_CUTS[-1]


def _divisions_of_span(
    first: datetime, now: datetime, span: int, wait_days: int
) -> tuple[CutOff, ...]:
    left = [span - round(span * share) for share in reversed(SHORT_CUTS)]
    return tuple(CutOff(now - timedelta(days=d + wait_days), d, wait_days) for d in left)
