"""One retraining: python -m tests.benchmarks.retrain_way WORKSPACE AS_OF."""

import sys
from datetime import datetime
from pathlib import Path

from features.workspace import Workspace
from tests.benchmarks import apart
from training.request import Request
from training.retrain import Order, retrain

HORIZON = 90

if __name__ == "__main__":
    request = Request(datetime.fromisoformat(sys.argv[2]), HORIZON, HORIZON)
    apart.measure(lambda: retrain(Workspace(Path(sys.argv[1])), Order(request), {}))
