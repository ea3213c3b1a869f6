"""How far one distribution stands from another, and how far chance alone would take it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, ks_2samp, kstwobign

# Half a customer in every class: an empty class makes the index large, never infinite.
SMOOTHING = 0.5


def psi(expected: ArrayLike, found: ArrayLike) -> float:
    """Population stability index of counts by class, (k,) each: sum of (f - e) ln(f / e), >= 0.

    e, f: shares of the classes, each count with SMOOTHING added. By the usual rule of thumb below
    0.10 is no change and above 0.25 a large one.
    Source: Siddiqi (2006), Credit Risk Scorecards, chapter 8; the symmetric Kullback-Leibler sum.
    """
    before = np.asarray(expected, dtype=np.float64) + SMOOTHING
    now = np.asarray(found, dtype=np.float64) + SMOOTHING
    e, f = before / before.sum(), now / now.sum()
    return float(((f - e) * np.log(f / e)).sum())


def psi_by_chance(classes: int, expected: int, found: int, level: float) -> float:
    """What the index of two samples of one distribution stays below with probability `level`.

    expected, found: customers of each. Source: Yurdakul, Naranjo (2020), Statistical properties of
    the population stability index, Journal of Risk Model Validation 14(4): (1/n + 1/m) chi-squared
    with k - 1 degrees of freedom.
    """
    if classes < 2 or not expected or not found:
        return 0.0
    return float(chi2.ppf(level, classes - 1) * (1.0 / expected + 1.0 / found))


def ks(knots: NDArray[np.float64], values: NDArray[np.float64]) -> float:
    """Kolmogorov-Smirnov distance of values from a distribution given by its percentiles, 0 to 1.

    Exact to the share between two percentiles. NaN where either has nothing.
    """
    if not len(knots) or not len(values):
        return float("nan")
    return float(ks_2samp(knots, values, method="asymp").statistic)


def ks_p_value(distance: float, expected: int, found: int) -> float:
    """How often two samples of one distribution stand at least so far apart, of these sizes.

    Source: Smirnov (1948), Annals of Mathematical Statistics 19(2), the limit for large samples.
    """
    if not expected or not found or not np.isfinite(distance):
        return float("nan")
    return float(kstwobign.sf(distance * np.sqrt(expected * found / (expected + found))))
