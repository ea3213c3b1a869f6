"""Alternating rounds of two ways to do the same, so that a noisy machine slows both."""

import time
from collections.abc import Callable
from statistics import median
from typing import TypeVar

ROUNDS = 5
T = TypeVar("T")


def alternate(ours: Callable[[], object], rival: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of both over ROUNDS rounds, each round timing one after the other."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for way, taken in zip((ours, rival), seconds, strict=True):
            start = time.perf_counter()
            way()
            taken.append(time.perf_counter() - start)
    return median(seconds[0]), median(seconds[1])


def side_by_side(
    ours: Callable[[T], object],
    rival: Callable[[T], object],
    asked: Callable[[], T],
    rounds: tuple[int, int],
) -> tuple[list[float], list[float]]:
    """Seconds of each round of both, each round with something else that is asked for.

    rounds: of ours and of the rival, whose fewer rounds are spread evenly over ours.
    """
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds[0]):
        ways = [(ours, seconds[0])]
        if number % (rounds[0] // rounds[1]) == 0:
            ways.append((rival, seconds[1]))
        for way, taken in ways:
            question = asked()
            start = time.perf_counter()
            way(question)
            taken.append(time.perf_counter() - start)
    return seconds
