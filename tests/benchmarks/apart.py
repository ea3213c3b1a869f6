"""One piece of work in a process of its own: its seconds without imports, and its peak memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

_KILOBYTES = 1_000_000  # in a gigabyte; the system counts in kilobytes
_BYTES = 1_000_000_000
_BETWEEN_LOOKS = 0.1  # seconds


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
    """Do the work and say its cost on the last line of the output.

    The memory is that of this process, and of all its processes together while it has others.
    """
    with ThreadPoolExecutor(1) as watch:
        over = threading.Event()
        together = watch.submit(_peak_together, over)
        start = time.perf_counter()
        try:
            work()
        finally:
            seconds = time.perf_counter() - start
            over.set()
    peak = max(_peak(), together.result())
    sys.stdout.write(json.dumps({"seconds": seconds, "gigabytes": peak}) + "\n")


def _peak_together(over: threading.Event) -> float:
    """Gigabytes of this process and its children at the peak, looked at until it is over.

    What they share, such as libraries, is counted in each: it is rather too much than too little.
    """
    me, peak = psutil.Process(), 0
    while not over.wait(_BETWEEN_LOOKS):
        sizes = [_size(process) for process in me.children(recursive=True)]
        if sizes:
            peak = max(peak, me.memory_info().rss + sum(sizes))
    return peak / _BYTES


def _size(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0


def _peak() -> float:
    """Gigabytes of this process at its peak.

    From Linux's own count: that of getrusage begins with the memory of the process that started us.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KILOBYTES
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return float(line.split()[1]) / _KILOBYTES
