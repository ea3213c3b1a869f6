"""Ours beside the peers on every question: `make bench-models`, or some of it by a word."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.models import comparison, scale, simulated, telco
from tests.benchmarks.models.peers import PEERS
from tests.benchmarks.models.questions import QUESTIONS, Question

OTHERS: dict[str, Callable[[], str]] = {
    "Telco": telco.table,
    "simulated": simulated.table,
    "scale": scale.table,
}


def _asked(question: Question) -> str:
    with tempfile.TemporaryDirectory() as folder:
        answers = comparison.ask(question, PEERS, Path(folder) / "workspace")
    return comparison.markdown(answers)


words = sys.argv[1:]
for question in QUESTIONS:
    if not words or any(word in question.name for word in words):
        sys.stdout.write(f"{_asked(question)}\n\n")
        sys.stdout.flush()
for name, table in OTHERS.items():
    if not words or name in words:
        sys.stdout.write(f"{table()}\n\n")
        sys.stdout.flush()
