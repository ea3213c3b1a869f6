"""The closed forms of the simulator's purchase rhythms, against drawn gaps."""

import numpy as np
import pytest

from features.datasets.simulator.rhythm import RHYTHMS, NeedClock


@pytest.mark.parametrize("rhythm", RHYTHMS, ids=["clumpy", "random", "regular"])
@pytest.mark.parametrize("age", [0.0, 0.6, 2.0])
def test_the_closed_forms_of_a_rhythm_agree_with_drawn_gaps(rhythm, age):
    rng = np.random.default_rng(5)
    n, ahead = 60_000, np.array([0.3, 1.0, 4.0])
    gaps = rhythm.gaps(rng, n)
    assert abs(gaps.mean() - 1.0) < 0.02
    next_purchase = gaps[gaps > age] - age
    chains = (
        next_purchase[:, None]
        + np.cumsum(
            [
                np.zeros(len(next_purchase)),
                *(rhythm.gaps(rng, len(next_purchase)) for _ in range(20)),
            ],
            axis=0,
        ).T
    )

    orders = (chains[:, :, None] <= ahead).sum(axis=1)
    expected = rhythm.expected_within(np.array([age]), ahead[None, :])[0]
    none = rhythm.none_within(np.array([age]), ahead[None, :])[0]
    root = np.sqrt(len(orders))
    assert (abs(orders.mean(axis=0) - expected) < 4 * orders.std(axis=0) / root).all()
    assert (abs((orders == 0).mean(axis=0) - none) < 4 * np.sqrt(none * (1 - none)) / root).all()


def test_the_clock_of_needs_runs_forth_and_back():
    clock = NeedClock(np.array([[0.5, 0.1], [2.0, 1.0]]))
    owner, day = np.array([0, 0, 1, 1]), np.array([0.25, 1.75, 0.5, 1.999])

    assert clock.at(np.array([0, 1]), np.array([1.0, 2.0])).tolist() == [0.5, 3.0]
    assert np.allclose(clock.when(owner, clock.at(owner, day)), day)


# Mistakes of the caller
