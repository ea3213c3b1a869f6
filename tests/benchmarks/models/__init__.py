"""Forecasts beside those of peers: the same customers, the same cut, one run."""
