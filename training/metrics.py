"""How good a forecast is: small functions of what happened and what was forecast.

Three lists in plain sight, one per kind of answer: CHURN_METRICS take (happened, probability),
VALUE_METRICS (actual, forecast), TYPE_METRICS (labels, probabilities). Rows are customers. Every
function raises UserError for no rows, differing lengths, missing or infinite values. Customers of
equal score share alike, so no result depends on the order of the rows.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata, spearmanr
from sklearn import metrics as sk

from features.errors import UserError

FloatArray = NDArray[np.float64]
Metric = Callable[[ArrayLike, ArrayLike], float]

BINS = 10
# Below it the log of a chance would weigh one surprise like a thousand customers.
LEAST_CHANCE = 1e-4


def log_loss(y: ArrayLike, p: ArrayLike) -> float:
    """Mean negative log-likelihood of the probabilities, from 0 (best) to about 36.

    A probability of exactly 0 or 1 is taken one rounding step inside, hence the upper end.
    """
    y, p = _events(y, p)
    return float(sk.log_loss(y, p, labels=[0, 1]))


def log_losses(y: ArrayLike, p: ArrayLike) -> FloatArray:
    """Negative log-likelihood of each row, (n,); no chance counts as surer than LEAST_CHANCE."""
    y, p = _events(y, p)
    inside = np.clip(p, LEAST_CHANCE, 1.0 - LEAST_CHANCE)
    return -np.log(np.where(y > 0, inside, 1.0 - inside))


def brier(y: ArrayLike, p: ArrayLike) -> float:
    """Mean squared error of the probabilities, 0 (best) to 1."""
    y, p = _events(y, p)
    return float(np.mean((y - p) ** 2))


def roc_auc(y: ArrayLike, p: ArrayLike) -> float:
    """P(an event is ranked above a non-event), 0 to 1 (best); NaN when only one of them occurs."""
    y, p = _events(y, p)
    return float(sk.roc_auc_score(y, p)) if _both_occur(y) else np.nan


def pr_auc(y: ArrayLike, p: ArrayLike) -> float:
    """Average precision over recall, event rate (chance) to 1 (best); NaN with one class only."""
    y, p = _events(y, p)
    return float(sk.average_precision_score(y, p)) if _both_occur(y) else np.nan


def expected_calibration_error(y: ArrayLike, p: ArrayLike, bins: int = BINS) -> float:
    """Gap between mean probability and observed rate, mean over equal-mass bins, 0 (best) to 1.

    Bins are weighed by their rows; equal probabilities stay in one bin, so a bin can be larger.
    """
    y, p = _events(y, p)
    mean_y, mean_p, rows = _bin_means(y, p, bins)
    return float(np.average(np.abs(mean_y - mean_p), weights=rows))


def lift(y: ArrayLike, p: ArrayLike, share: float = 0.1) -> float:
    """Event rate among the `share` of rows with the highest risk over the overall rate.

    From 0 over 1 (chance) to 1 / share or 1 / event rate, whichever is less; NaN without an event.
    """
    y, p = _events(y, p)
    return _share_in_top(y, p, share) / share


def equal_bins(score: ArrayLike, bins: int = BINS) -> NDArray[np.intp]:
    """The equal-mass bin of each row, 0 for the lowest score; equal scores stay in one bin.

    A bin that nobody falls into is left out, so there may be fewer.
    """
    score = np.asarray(score, dtype=np.float64)
    middle = (rankdata(score) - 0.5) / len(score)
    return np.unique(np.floor(bins * middle), return_inverse=True)[1]


def total_bias(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Sum of forecasts over sum of actuals, minus 1; 0 is best, NaN when the actuals sum to 0."""
    actual, forecast = _pair(actual, forecast)
    total = float(np.sum(actual))
    return float(np.sum(forecast)) / total - 1.0 if total != 0 else np.nan


def mae(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Mean absolute error in the unit of the actuals, from 0 (best). The median minimizes it."""
    return float(sk.mean_absolute_error(*_pair(actual, forecast)))


def rmse(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Root of the mean squared error in the unit of the actuals, from 0. The mean minimizes it."""
    return float(sk.root_mean_squared_error(*_pair(actual, forecast)))


def spearman(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Rank correlation, -1 to 1 (best); NaN when the actuals or the forecasts are all equal."""
    actual, forecast = _pair(actual, forecast)
    if np.ptp(actual) == 0 or np.ptp(forecast) == 0:
        return np.nan
    return float(spearmanr(actual, forecast).statistic)


def normalized_gini(actual: ArrayLike, forecast: ArrayLike) -> float:
    """g(forecast) / g(actual), about -1 to 1 (best); NaN when the actuals sum to 0.

    g is the mean cumulative share of actual value, customers sorted by falling score, minus 0.5.
    """
    actual, forecast = _pair(actual, forecast)
    if np.sum(actual) == 0:
        return np.nan
    return _gini(actual, forecast) / _gini(actual, actual)


def capture(actual: ArrayLike, forecast: ArrayLike, share: float = 0.2) -> float:
    """Share of the actual value brought by the `share` of rows with the highest forecast.

    From 0 over `share` (chance) to 1; NaN when the actuals sum to 0.
    """
    return _share_in_top(*_pair(actual, forecast), share)


def decile_error(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Relative gap between mean forecast and mean actual, mean over forecast deciles; 0 is best.

    The gap is relative to the actual (decile MAPE). A decile whose actuals are 0 has no relative
    gap: it counts 0 when its forecasts are 0 too, else 1, wholly wrong.
    """
    mean_actual, mean_forecast, _ = _bin_means(*_pair(actual, forecast), BINS)
    gap = np.abs(mean_forecast - mean_actual)
    base = np.abs(mean_actual)
    return float(np.mean(np.divide(gap, base, out=(gap > 0) * 1.0, where=base > 0)))


def coverage(actual: ArrayLike, low: ArrayLike, high: ArrayLike) -> float:
    """Share of actuals inside [low, high], 0 to 1; best is what the interval claims, not 1.

    Raises UserError when an interval ends before it begins.
    """
    actual, low = _pair(actual, low)
    _, high = _pair(actual, high)
    if np.any(low > high):
        raise UserError(
            f"Coverage was asked of intervals, but {int(np.sum(low > high))} of them end below "
            "their beginning. Give the lower end first."
        )
    return float(np.mean((low <= actual) & (actual <= high)))


def type_log_loss(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean negative log-likelihood of the true type, from 0 (best) to about 36."""
    labels, probabilities = _types(labels, probabilities)
    return float(sk.log_loss(labels, probabilities, labels=np.arange(probabilities.shape[1])))


def log_loss_gain(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Share of the prior's log-loss that the forecast saves: 1 - log-loss / prior's log-loss.

    1 is best, 0 is no better than the prior, below 0 worse. The prior is the mix of types in these
    very labels, the best constant in hindsight; NaN when they are all of one type.
    """
    labels, probabilities = _types(labels, probabilities)
    shares = np.bincount(labels, minlength=probabilities.shape[1]) / len(labels)
    prior_loss = -float(np.sum(shares[shares > 0] * np.log(shares[shares > 0])))
    return 1.0 - type_log_loss(labels, probabilities) / prior_loss if prior_loss > 0 else np.nan


def type_brier(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean over rows of the squared errors summed over types, 0 (best) to 2."""
    return float(np.sum([brier(y, p) for y, p in _one_against_rest(labels, probabilities)]))


def type_roc_auc(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Cause-specific AUC, mean over the types that occur, 0 to 1 (best); NaN with one type only."""
    pairs = _one_against_rest(labels, probabilities)
    return float(np.mean([roc_auc(y, p) for y, p in pairs if _both_occur(y)] or [np.nan]))


def type_calibration_error(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Expected calibration error of each type against the rest, mean over types, 0 (best) to 1."""
    pairs = _one_against_rest(labels, probabilities)
    return float(np.mean([expected_calibration_error(y, p) for y, p in pairs]))


def lift_at_10(y: ArrayLike, p: ArrayLike) -> float:
    """Lift among the 10 % with the highest risk."""
    return lift(y, p, share=0.1)


def capture_at_10(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Share of the actual value brought by the 10 % with the highest forecast."""
    return capture(actual, forecast, share=0.1)


def capture_at_20(actual: ArrayLike, forecast: ArrayLike) -> float:
    """Share of the actual value brought by the 20 % with the highest forecast."""
    return capture(actual, forecast, share=0.2)


CHURN_METRICS: dict[str, Metric] = {
    "log_loss": log_loss,
    "brier": brier,
    "calibration_error": expected_calibration_error,
    "pr_auc": pr_auc,
    "lift_at_10": lift_at_10,
    "roc_auc": roc_auc,
}
VALUE_METRICS: dict[str, Metric] = {
    "total_bias": total_bias,
    "mae": mae,
    "rmse": rmse,
    "spearman": spearman,
    "normalized_gini": normalized_gini,
    "capture_at_10": capture_at_10,
    "capture_at_20": capture_at_20,
    "decile_error": decile_error,
}
TYPE_METRICS: dict[str, Metric] = {
    "log_loss": type_log_loss,
    "log_loss_gain": log_loss_gain,
    "brier": type_brier,
    "calibration_error": type_calibration_error,
    "roc_auc": type_roc_auc,
}

# All others are best at 0.
HIGHER_IS_BETTER = frozenset(
    {
        *("pr_auc", "lift_at_10", "roc_auc"),
        *("spearman", "normalized_gini", "capture_at_10", "capture_at_20"),
        "log_loss_gain",
    }
)


def _pair(actual: ArrayLike, forecast: ArrayLike) -> tuple[FloatArray, FloatArray]:
    a, f = np.asarray(actual, dtype=np.float64), np.asarray(forecast, dtype=np.float64)
    if a.ndim != 1 or a.shape != f.shape or not len(a):
        raise UserError(
            f"A metric was asked of actuals of shape {a.shape} and forecasts of shape {f.shape}. "
            "Give one forecast for each actual, and at least one of both."
        )
    missing = ~(np.isfinite(a) & np.isfinite(f))
    if missing.any():
        raise UserError(
            f"A metric was asked of {len(a)} rows, but {int(missing.sum())} of them have a missing "
            "or infinite value. Leave out the rows without an answer, and say how many."
        )
    return a, f


def _events(y: ArrayLike, p: ArrayLike) -> tuple[FloatArray, FloatArray]:
    y, p = _pair(y, p)
    if not np.isin(y, (0.0, 1.0)).all() or p.min() < 0 or p.max() > 1:
        raise UserError(
            "A metric of probabilities was given outcomes other than 0 and 1, or probabilities "
            "outside 0 to 1. Give what happened first, the probability of it second."
        )
    return y, p


def _types(labels: ArrayLike, probabilities: ArrayLike) -> tuple[NDArray[np.intp], FloatArray]:
    y, p = np.asarray(labels), np.asarray(probabilities, dtype=np.float64)
    fits = y.ndim == 1 and p.ndim == 2 and len(y) == len(p) > 0 and p.shape[1] > 1
    if not fits or not np.isin(y, np.arange(p.shape[1])).all():
        raise UserError(
            f"Labels of shape {y.shape} came with probabilities of shape {p.shape}. Give one label "
            "0, 1, ... for each row, and a column of probabilities for each of the types."
        )
    if not np.all(p >= 0) or not np.allclose(p.sum(axis=1), 1.0):
        raise UserError(
            "The probabilities of the types are missing, negative, or do not sum to 1 in every "
            "row. Divide each row by its sum."
        )
    return y.astype(np.intp), p


def _one_against_rest(
    labels: ArrayLike, probabilities: ArrayLike
) -> list[tuple[FloatArray, FloatArray]]:
    labels, probabilities = _types(labels, probabilities)
    return [((labels == k) * 1.0, np.minimum(p, 1.0)) for k, p in enumerate(probabilities.T)]


def _both_occur(y: FloatArray) -> bool:
    return 0.0 < y.mean() < 1.0


def _bin_means(
    actual: FloatArray, score: FloatArray, bins: int
) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """Mean actual, mean score and rows of each equal-mass bin of the score.

    Equal scores stay together, in the bin of their middle rank; empty bins are left out.
    """
    which = equal_bins(score, bins)
    rows = np.bincount(which)
    return np.bincount(which, actual) / rows, np.bincount(which, score) / rows, rows


def _falling(actual: FloatArray, score: FloatArray) -> FloatArray:
    """Actuals by falling score; rows of equal score each have the mean of their actuals."""
    _, which = np.unique(-score, return_inverse=True)
    rows = np.bincount(which)
    return np.repeat(np.bincount(which, actual) / rows, rows)


def _gini(actual: FloatArray, score: FloatArray) -> float:
    return float(np.mean(np.cumsum(_falling(actual, score)) / np.sum(actual))) - 0.5


def _share_in_top(actual: FloatArray, score: FloatArray, share: float) -> float:
    """Share of the actuals' sum in the top `share` of rows, the last in part; NaN for sum 0."""
    if not 0.0 < share <= 1.0:
        raise UserError(
            f"The top {share} of the rows was asked for. Give a share above 0, up to 1."
        )
    if np.sum(actual) == 0:
        return np.nan
    so_far = np.concatenate([[0.0], np.cumsum(_falling(actual, score))])
    return float(np.interp(share * len(actual), np.arange(len(so_far)), so_far) / so_far[-1])
