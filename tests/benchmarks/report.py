"""The report of a hundred thousand customers: how long it takes, and how large the file is."""

import tempfile
import time
from pathlib import Path

from serving.report import write_report
from serving.report_parts.words import LANGUAGES
from tests.serving.report_world import FACTS, customers, held_out, proven

CUSTOMERS, TESTED = 100_000, 50_000


def table() -> str:
    """Seconds and megabytes per language, for every column filled and a test of half as many."""
    scores = customers(CUSTOMERS).assign(
        top_factors="Days since the last purchase: 58 (+19 points)"
    )
    evidence = proven(held_out(TESTED))
    lines = [f"| report of {CUSTOMERS:,} customers | seconds | MB |", "| --- | ---: | ---: |"]
    with tempfile.TemporaryDirectory() as folder:
        for code, words in LANGUAGES.items():
            path = Path(folder) / f"{code}.html"
            start = time.perf_counter()
            write_report(scores, evidence, path, title="Report", facts=FACTS, words=words)
            seconds = time.perf_counter() - start
            lines.append(f"| {code} | {seconds:.1f} | {path.stat().st_size / 1e6:.2f} |")
    return "\n".join(lines)
