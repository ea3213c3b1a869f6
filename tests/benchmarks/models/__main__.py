"""Ours beside the peers on every question: `make bench-models`, or some questions by a word."""

import sys
import tempfile
from pathlib import Path

from tests.benchmarks.models import comparison, scale, telco
from tests.benchmarks.models.peers import PEERS
from tests.benchmarks.models.questions import QUESTIONS

words = sys.argv[1:]
for question in QUESTIONS:
    if words and not any(word in question.name for word in words):
        continue
    with tempfile.TemporaryDirectory() as folder:
        answers = comparison.ask(question, PEERS, Path(folder) / "workspace")
    sys.stdout.write(f"{comparison.markdown(answers)}\n\n")
    sys.stdout.flush()
if not words or "Telco" in words:
    sys.stdout.write(f"{telco.table()}\n\n")
if not words or "scale" in words:
    sys.stdout.write(f"{scale.table()}\n")
