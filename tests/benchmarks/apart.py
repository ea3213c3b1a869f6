"""One piece of work in a process of its own: its seconds without imports, and its peak memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_KILOBYTES = 1_000_000  # in a gigabyte; the system counts in kilobytes


@dataclass(frozen=True)
class Cost:
    """What a piece of work took: seconds by the clock, and gigabytes at the peak."""

    seconds: float
    gigabytes: float


def run(module: str, *arguments: object, timeout: float | None = None) -> Cost:
    """Run `python -m module arguments`, whose main calls `measure`, and read what it says.

    timeout: seconds after which it is ended and TimeoutExpired is raised.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    finished = subprocess.run(command, check=True, capture_output=True, text=True, timeout=timeout)
    return Cost(**json.loads(finished.stdout.splitlines()[-1]))


def measure(work: Callable[[], object]) -> None:
    """Do the work and say its cost on the last line of the output."""
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    sys.stdout.write(json.dumps({"seconds": seconds, "gigabytes": _peak()}) + "\n")


def _peak() -> float:
    """Gigabytes of this process at its peak.

    From Linux's own count: that of getrusage begins with the memory of the process that started us.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KILOBYTES
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return float(line.split()[1]) / _KILOBYTES
