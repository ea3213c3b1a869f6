"""When a simulated customer who has not left buys: a renewal process run by a clock of needs.

On the clock of needs one purchase falls due per unit of time. The clock runs at the customer's
rate, faster in season and on the right days of the week, and by a trend. On this clock the gaps
between purchases are independent and of one of three rhythms, so what is to be expected after any
wait has a closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import gammaincc, gammaln

# Share of a day's purchases made by an hour of the day: few at night, most before ten.
HOURS = np.array([0.0, 7.0, 12.0, 18.0, 22.0, 24.0]) / 24.0
SHARE_BY_HOUR = np.array([0.0, 0.03, 0.32, 0.68, 0.97, 1.0])


@dataclass(frozen=True)
class Rhythm:
    """A renewal process with gaps of mean 1: a mixture of Erlang gaps.

    branches: (share, stages, rate) of each kind of gap; a gap is the time through `stages`
    exponential stages of that rate.
    """

    branches: tuple[tuple[float, int, float], ...]

    def gaps(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Draw `n` gaps, (n,)."""
        shares, stages, rates = (np.array(column) for column in zip(*self.branches, strict=True))
        branch = rng.choice(len(shares), n, p=shares)
        return rng.gamma(stages[branch]) / rates[branch]

    def none_within(self, age: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        """P(no purchase in the next `ahead` | none for `age`); (n,), (n, k) -> (n, k)."""
        stages_left, rates = self._stages_left, self._stage_rates
        chance = gammaincc(stages_left, ahead[..., None] * rates)
        return np.einsum("ns,nks->nk", self._stage(age), chance)

    def expected_within(self, age: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        """Expected purchases in the next `ahead`, given none for `age`; (n,), (n, k) -> (n, k).

        The stage is a Markov chain with generator Q that buys at the rate r(stage), so the
        expected number is the integral over u from 0 to `ahead` of w exp(Qu) r, w the chance of
        each stage now: a sum of exponentials in the eigenvalues of Q.
        """
        values, vectors = np.linalg.eig(self._generator)
        buying = np.linalg.solve(vectors, np.where(self._stages_left == 1, self._stage_rates, 0.0))
        weights = (self._stage(age) @ vectors) * buying
        total = np.zeros(ahead.shape)
        for value, weight in zip(values, weights.T, strict=True):
            is_steady = abs(value) < 1e-9  # the eigenvalue 0: purchases at the rate 1
            integral = ahead if is_steady else np.expm1(value * ahead) / value
            total += (weight[:, None] * integral).real
        return total

    @cached_property
    def _stages_left(self) -> np.ndarray:
        return np.concatenate([np.arange(stages, 0, -1) for _, stages, _ in self.branches])

    @cached_property
    def _stage_rates(self) -> np.ndarray:
        return np.concatenate([np.full(stages, rate) for _, stages, rate in self.branches])

    @cached_property
    def _generator(self) -> np.ndarray:
        """Rates from stage to stage: on to the next, and after a purchase into a new gap."""
        is_last = self._stages_left == 1
        is_first = np.append(True, is_last[:-1])
        generator = np.diag(-self._stage_rates)
        generator += np.diag(np.where(is_last, 0.0, self._stage_rates)[:-1], 1)
        shares = [share for share, _, _ in self.branches]
        generator[np.ix_(is_last, is_first)] += np.outer(self._stage_rates[is_last], shares)
        return generator

    def _stage(self, age: np.ndarray) -> np.ndarray:
        """Chance of each stage of the gap, given that it has lasted for `age`; (n,) -> (n, s)."""
        done = np.concatenate([np.arange(stages) for _, stages, _ in self.branches])
        share = np.concatenate([np.full(stages, share) for share, stages, _ in self.branches])
        passed = np.maximum(age, 1e-12)[:, None] * self._stage_rates
        log_chance = np.log(share) + done * np.log(passed) - passed - gammaln(done + 1.0)
        chance = np.exp(log_chance - log_chance.max(axis=1, keepdims=True))
        return chance / chance.sum(axis=1, keepdims=True)


RHYTHMS = (
    Rhythm(((0.6, 1, 2.4), (0.4, 1, 0.4 / 0.75))),  # clumpy: short gaps or long, CV 1.4
    Rhythm(((1.0, 1, 1.0),)),  # at random, CV 1
    Rhythm(((1.0, 4, 4.0),)),  # regular, CV 0.5
)
RHYTHM_SHARES = (0.3, 0.35, 0.35)


@dataclass(frozen=True)
class NeedClock:
    """How far the clock of needs has run by a moment, for each customer.

    speed: purchases a day on each day since the start, (n, days).
    """

    speed: np.ndarray

    @cached_property
    def _by_midnight(self) -> np.ndarray:
        return np.pad(np.cumsum(self.speed, axis=1), ((0, 0), (1, 0)))

    def at(self, owner: np.ndarray, day: np.ndarray) -> np.ndarray:
        """The clock of customer `owner` at the time `day`, days since the start."""
        whole = np.minimum(day.astype(int), self.speed.shape[1] - 1)
        within = np.interp(day - whole, HOURS, SHARE_BY_HOUR)
        return self._by_midnight[owner, whole] + self.speed[owner, whole] * within

    def when(self, owner: np.ndarray, need: np.ndarray) -> np.ndarray:
        """The time at which the clock of customer `owner` shows `need`; the inverse of `at`."""
        # One search serves all: each customer's clock is lifted above the one before.
        lift = self._by_midnight[:, -1].max() + 1.0
        days = self.speed.shape[1]
        lifted = (self._by_midnight[:, 1:] + lift * np.arange(len(self.speed))[:, None]).ravel()
        whole = np.searchsorted(lifted, need + lift * owner) - days * owner
        whole = whole.clip(0, days - 1)
        share = (need - self._by_midnight[owner, whole]) / self.speed[owner, whole]
        return whole + np.interp(share, SHARE_BY_HOUR, HOURS)
