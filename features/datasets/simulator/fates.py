"""What becomes of simulated customers: six Markov chains, one per cause, and the first ends it.

For each cause a customer is calm, warned or in danger, in continuous time. The customer is gone at
the first of the six departures. A campaign that treats a customer changes the rates of leaving for
a while.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from features.datasets.simulator.causes import CALM, CAUSES, DANGER, GONE, WARNED
from features.datasets.simulator.people import DAYS_PER_YEAR

# A day is this many second-order steps: the fastest rate is 1/12 a day, so the error is below 1e-7.
STEPS_A_DAY = 64


def _column(name: str) -> np.ndarray:
    return np.array([getattr(cause, name) for cause in CAUSES])


# The same table by cause, as rates a day.
_ONSET = _column("onset") / DAYS_PER_YEAR
_SILENT = _column("silent") / DAYS_PER_YEAR
_ESCALATION = _column("escalates") / _column("warning_days")
_ALL_CLEAR = (1.0 - _column("escalates")) / _column("warning_days")
_LEAVING = _column("leaves") / _column("danger_days")
_RECOVERY = (1.0 - _column("leaves")) / _column("danger_days")
_TREATABLE = _column("treatable")


@dataclass(frozen=True)
class Campaigns:
    """The plan of campaigns, fixed beforehand: who is chosen, and by lot treated or not."""

    names: tuple[str, ...]
    days: np.ndarray  # when each begins, (campaigns,)
    lot: np.ndarray  # 1 treated, 0 control, NaN not chosen, (customers, campaigns)
    effect_days: float

    def treats(self, owner: np.ndarray, day: np.ndarray) -> np.ndarray:
        """Whether customer `owner` is under the effect of a treatment at the time `day`."""
        last = np.searchsorted(self.days, day, side="right") - 1
        within = (last >= 0) & (day < self.days[last] + self.effect_days)
        return within & (self.lot[owner, last] == 1.0)


@dataclass(frozen=True)
class Fates:
    """What became of the customers: one entry per stay of a customer in a state of risk.

    Stays are cut at the departure; `until` is infinite for those that outlast the simulation.
    """

    owner: np.ndarray
    cause: np.ndarray  # index into CAUSES
    state: np.ndarray  # WARNED or DANGER; no stay means calm
    since: np.ndarray  # day
    until: np.ndarray  # day
    then: np.ndarray  # the state that follows
    death: np.ndarray  # day of leaving, (customers,); infinity: none so far
    death_cause: np.ndarray  # index into CAUSES, (customers,); -1: none so far

    def state_at(self, day: float) -> np.ndarray:
        """The state of each customer and cause at the time `day`, (customers, causes)."""
        states = np.full((len(self.death), len(CAUSES)), CALM)
        stays = (self.since <= day) & (day < self.until)
        states[self.owner[stays], self.cause[stays]] = self.state[stays]
        return states


def live(
    rng: np.random.Generator,
    begin: np.ndarray,
    risk: np.ndarray,
    persuadability: np.ndarray,
    campaigns: Campaigns,
    end: float,
) -> Fates:
    """Let all six chains of all customers run from `begin`, (n,), to `end`, in days.

    risk: factor on onset and on leaving without a sign, (n, causes). persuadability: (n,).
    """
    n, causes = risk.shape
    owner, cause = (grid.ravel() for grid in np.mgrid[:n, :causes])
    state, now, since = np.full(n * causes, CALM), begin[owner], begin[owner]
    gone_at = np.full((n, causes), np.inf)
    stays: list[tuple[np.ndarray, ...]] = []
    running = np.flatnonzero(now < end)
    while running.size:
        who, why, was = owner[running], cause[running], state[running]
        now[running], becomes = _next_event(
            rng, who, why, was, now[running], risk[who, why], persuadability[who], campaigns
        )
        lasts = now[running] >= end
        becomes = np.where(lasts, was, becomes)
        closes = (was != CALM) & (lasts | (becomes != was))
        done = running[closes]
        until = np.where(lasts, np.inf, now[running])[closes]
        stays.append((owner[done], cause[done], was[closes], since[done], until, becomes[closes]))
        since[running] = np.where(becomes != was, now[running], since[running])
        state[running] = becomes
        gone = running[becomes == GONE]
        gone_at[owner[gone], cause[gone]] = now[gone]
        running = running[~lasts & (becomes != GONE)]
    return _cut_at_death(stays, gone_at)


def _next_event(
    rng: np.random.Generator,
    owner: np.ndarray,
    cause: np.ndarray,
    state: np.ndarray,
    now: np.ndarray,
    risk: np.ndarray,
    persuadability: np.ndarray,
    campaigns: Campaigns,
) -> tuple[np.ndarray, np.ndarray]:
    """When each chain has its next event, and its state after it; all arrays are (chains,).

    Departures are proposed at the highest rate a treatment can bring, and happen with the share
    that the rate of the moment is of it: thinning, Lewis and Shedler (1979), Naval Research
    Logistics 26(3).
    """
    n, highest = len(owner), np.maximum(1.0, 1.0 - persuadability)
    leaving = np.choose(state, [_SILENT[cause] * risk, 0.0, _LEAVING[cause]]) * highest
    moving = np.choose(
        state, [_ONSET[cause] * risk, (_ESCALATION + _ALL_CLEAR)[cause], _RECOVERY[cause]]
    )
    then = now + rng.exponential(1.0, n) / (leaving + moving)
    proposed = rng.random(n) * (leaving + moving) < leaving
    factor = leaving_factor(persuadability, cause, campaigns.treats(owner, then))
    leaves = proposed & (rng.random(n) * highest < factor)
    escalates = rng.random(n) * (_ESCALATION + _ALL_CLEAR)[cause] < _ESCALATION[cause]
    moves_to = np.choose(state, [WARNED, np.where(escalates, DANGER, CALM), CALM])
    return then, np.select([leaves, proposed], [GONE, state], moves_to)


def leaving_factor(
    persuadability: np.ndarray, cause: np.ndarray, treated: np.ndarray
) -> np.ndarray:
    """What the rate of leaving is multiplied with: 1, or less, or more, under a treatment."""
    return np.where(treated & _TREATABLE[cause], 1.0 - persuadability, 1.0)


def _cut_at_death(stays: list[tuple[np.ndarray, ...]], gone_at: np.ndarray) -> Fates:
    """Only the first departure of a customer happens, and nothing of the other chains after it."""
    owner, cause, state, since, until, then = (
        np.concatenate(parts) for parts in zip(*stays, strict=True)
    )
    death = gone_at.min(axis=1)
    death_cause = np.where(np.isfinite(death), gone_at.argmin(axis=1), -1)
    lived = since < death[owner]
    owner, cause, state, since, until, then = (
        column[lived] for column in (owner, cause, state, since, until, then)
    )
    is_cut = until > death[owner]
    until, then = np.where(is_cut, death[owner], until), np.where(is_cut, GONE, then)
    return Fates(owner, cause, state, since, until, then, death, death_cause)


def step_of_a_day(risk: np.ndarray, persuadability: np.ndarray, treated: bool) -> np.ndarray:
    """Chances to be in each state a day later, by state now, (n, causes, 3, 3).

    A row adds up to the chance not to leave for this cause within the day.
    """
    n, causes = risk.shape
    cause = np.arange(causes)
    factor = leaving_factor(persuadability[:, None], cause, np.full((n, causes), treated))
    generator = np.zeros((n, causes, 3, 3))
    generator[..., CALM, WARNED] = _ONSET * risk
    generator[..., CALM, CALM] = -(_ONSET + _SILENT * factor) * risk
    generator[..., WARNED, DANGER] = _ESCALATION
    generator[..., WARNED, CALM] = _ALL_CLEAR
    generator[..., WARNED, WARNED] = -(_ESCALATION + _ALL_CLEAR)
    generator[..., DANGER, CALM] = _RECOVERY
    generator[..., DANGER, DANGER] = -(_RECOVERY + _LEAVING * factor)
    small = generator / STEPS_A_DAY
    return np.linalg.matrix_power(np.eye(3) + small + small @ small / 2.0, STEPS_A_DAY)
