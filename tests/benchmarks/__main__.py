"""Run every benchmark and write its table: `make bench`."""

import sys

from tests.benchmarks import build, online

sys.stdout.write(f"{build.table()}\n\n{online.table()}\n")
