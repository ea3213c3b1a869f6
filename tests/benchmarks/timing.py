"""Alternating rounds of two ways to do the same, so that a noisy machine slows both."""

import time
from collections.abc import Callable
from statistics import median

ROUNDS = 5


def alternate(ours: Callable[[], object], rival: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of both over ROUNDS rounds, each round timing one after the other."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for way, taken in zip((ours, rival), seconds, strict=True):
            start = time.perf_counter()
            way()
            taken.append(time.perf_counter() - start)
    return median(seconds[0]), median(seconds[1])
