"""One piece of work in a process of its own: its seconds without imports, and its peak memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

_KILOBYTES = 1_000_000  # ru_maxrss counts kilobytes; a gigabyte has a million


@dataclass(frozen=True)
class Cost:
    """What a piece of work took: seconds by the clock, and gigabytes at the peak."""

    seconds: float
    gigabytes: float


def run(module: str, *arguments: object) -> Cost:
    """Run `python -m module arguments`, whose main calls `measure`, and read what it says."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    finished = subprocess.run(command, check=True, capture_output=True, text=True)
    return Cost(**json.loads(finished.stdout.splitlines()[-1]))


def measure(work: Callable[[], object]) -> None:
    """Do the work and say its cost on the last line of the output."""
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KILOBYTES
    sys.stdout.write(json.dumps({"seconds": seconds, "gigabytes": peak}) + "\n")
