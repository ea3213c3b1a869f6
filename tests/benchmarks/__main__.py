"""Run every benchmark and print its table: `make bench`."""

from tests.benchmarks import build, online

print(build.table())
print()
print(online.table())
