"""Benchmarks: every figure as a ratio beside a named rival, both timed in one run."""
