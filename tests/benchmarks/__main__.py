"""Run the benchmarks and write their tables: `make bench`, or some by name."""

import sys
from collections.abc import Callable

from tests.benchmarks import (
    batch,
    build,
    monitoring,
    monthly,
    online,
    planner,
    replay,
    report,
    retrain,
    serving,
    spark,
    training_set,
    value_methods,
)

TABLES: dict[str, Callable[[], str]] = {
    "build": build.table,
    "growth": build.growth,
    "training_set": training_set.table,
    "online": online.table,
    "batch": batch.table,
    "serving": serving.table,
    "monitoring": monitoring.table,
    "monthly": monthly.table,
    "planner": planner.table,
    "replay": replay.table,
    "report": report.table,
    "retrain": retrain.table,
    "spark": spark.table,
    "value_methods": value_methods.table,
}

for name in sys.argv[1:] or TABLES:
    sys.stdout.write(f"{TABLES[name]()}\n\n")
    sys.stdout.flush()
