"""The parts of the simulated business; `features.datasets.simulated` puts them together."""
