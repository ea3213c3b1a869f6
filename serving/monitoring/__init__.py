"""Monitoring: inputs, scores and what was realised, held against what is usual."""
