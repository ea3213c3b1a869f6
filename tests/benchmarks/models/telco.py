"""IBM Telco 11.1.3: customers of one moment, so a stratified split takes the place of time.

The learners of our stack, with the rate of the training customers as the offset that elsewhere is
buy-till-you-die, beside logistic regression and LightGBM, in repeated cross-validation. Columns
that are filled in with the outcome (satisfaction, IBM's own score and value, the status) are left
out, and rows are shuffled, because their order tells the outcome too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.real_data import real_data
from training import metrics
from training.models import boosters, stack, strength
from training.models.boosting import _slope
from training.models.design import Design
from training.models.ridge import Ridge
from training.sampling import kept_aside

FOLDS, REPEATS = 5, 3
# What is known while a customer stays: all but names, places of one value, and what leaks.
LEFT_OUT = (
    "Customer ID", "Count", "Quarter", "Service ID", "Location ID", "Country", "State", "City",
    "Zip Code", "Lat Long",
)  # fmt: skip
CHURN = {
    "AUC": metrics.roc_auc,
    "log-loss": metrics.log_loss,
    "Brier": metrics.brier,
    "calibration error": metrics.expected_calibration_error,
}
TREES = {"n_estimators": 150, "learning_rate": 0.05, "min_child_samples": 50, "verbose": -1}

Forecast = Callable[[pd.DataFrame, NDArray, pd.DataFrame], NDArray]


def table() -> str:
    """Churn and its category, mean and standard deviation over the folds, in Markdown."""
    rows, status = _customers()
    return f"{_churn(rows, status)}\n\n{_categories(rows, status)}"


def _customers() -> tuple[pd.DataFrame, pd.DataFrame]:
    folder = real_data("ibm-telco-11.1.3")

    def read(name: str) -> pd.DataFrame:
        path = folder / f"Telco_customer_churn_{name}.csv.gz"
        return pd.read_csv(path, keep_default_na=False).set_index("Customer ID")

    places = read("location")[["Latitude", "Longitude"]]
    rows = read("demographics").join(places).join(read("services"), rsuffix=" of services")
    status = read("status").reindex(rows.index)
    kept = [name for name in rows if name.removesuffix(" of services") not in LEFT_OUT]
    shuffled = np.random.default_rng(0).permutation(len(rows))
    rows = rows[kept].iloc[shuffled].reset_index(names="customer_id")
    return rows, status.iloc[shuffled].reset_index(drop=True)


def _churn(rows: pd.DataFrame, status: pd.DataFrame) -> str:
    label = status["Churn Value"].to_numpy(dtype=float)
    found = _validated(rows, label, {"Holdfast": _ours, "logistic regression": _logistic,
                                     "LightGBM": _lightgbm})  # fmt: skip
    scores = {
        name: {metric: [f(label[t], p) for t, p in folds] for metric, f in CHURN.items()}
        for name, folds in found.items()
    }
    return _markdown(f"IBM Telco, {len(rows):,} customers, churn", scores)


def _categories(rows: pd.DataFrame, status: pd.DataFrame) -> str:
    churned = (status["Churn Value"] == 1).to_numpy()
    codes, _ = pd.factorize(status["Churn Category"][churned], sort=True)
    left = rows[churned].reset_index(drop=True)
    found = _validated(left, codes, {"Holdfast": _our_categories, "prior": _prior})
    scores = {
        name: {
            "log-loss": [metrics.type_log_loss(codes[t], p) for t, p in folds],
            "cause-specific AUC": [metrics.type_roc_auc(codes[t], p) for t, p in folds],
            "calibration error": [metrics.type_calibration_error(codes[t], p) for t, p in folds],
        }
        for name, folds in found.items()
    }
    return _markdown(f"churn category of {len(left):,} who left", scores)


def _validated(
    rows: pd.DataFrame, label: NDArray, forecasts: dict[str, Forecast]
) -> dict[str, list[tuple[NDArray, NDArray]]]:
    """Each forecast's answers for the customers of every fold, with their positions."""
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=0)
    splits = list(folds.split(rows, label))
    return {
        name: [(test, forecast(rows.iloc[learn], label[learn], rows.iloc[test]))
               for learn, test in splits]
        for name, forecast in forecasts.items()
    }  # fmt: skip


def _ours(learn: pd.DataFrame, label: NDArray, test: pd.DataFrame) -> NDArray:
    """Shares and slope come from customers whom the members measured had not seen at all."""
    unseen = _unseen(learn)
    held = _members(learn[~unseen], label[~unseen], learn[unseen])
    shares = stack.shares(held, label[unseen])
    slope = _slope(held @ shares, label[unseen])
    log_odds = _members(learn, label, test) @ shares
    level = float(logit(label.mean()))
    return expit(level + slope * (log_odds - level))


def _members(learn: pd.DataFrame, label: NDArray, asked: pd.DataFrame) -> NDArray:
    """Log odds of regression and trees, (n, 2)."""
    design, aside, weight = _design(learn), kept_aside(learn.customer_id), np.ones(len(learn))
    matrix, matrix_asked = design.matrix(learn), design.matrix(asked)
    level = float(logit(label.mean()))
    offset = np.full(len(learn), level)
    ridge = Ridge.fit(matrix, label, offset, weight, aside)
    trees = boosters.fit(
        matrix, label, offset=offset, weight=weight, aside=aside, columns=design.columns,
        objective="binary:logistic", min_child_weight=boosters.leaf_weight(label.mean()),
    )  # fmt: skip
    of_trees = boosters.predict(trees, matrix_asked, np.full(len(asked), level))
    return np.column_stack([level + ridge.difference(matrix_asked), of_trees])


def _unseen(rows: pd.DataFrame) -> NDArray[np.bool_]:
    return kept_aside("unseen " + rows.customer_id)


def _logistic(learn: pd.DataFrame, label: NDArray, test: pd.DataFrame) -> NDArray:
    design = _design(learn)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return model.fit(design.matrix(learn), label).predict_proba(design.matrix(test))[:, 1]


def _lightgbm(learn: pd.DataFrame, label: NDArray, test: pd.DataFrame) -> NDArray:
    design = _design(learn)
    model = LGBMClassifier(**TREES).fit(design.matrix(learn), label)
    return model.predict_proba(design.matrix(test))[:, 1]


def _our_categories(learn: pd.DataFrame, label: NDArray, test: pd.DataFrame) -> NDArray:
    """Trees over the shares, shrunk to them by what helped customers kept aside."""
    aside, design = kept_aside(learn.customer_id), _design(learn)
    matrix = design.matrix(learn)

    def fitted(rows: NDArray) -> tuple[NDArray, object]:
        shares = np.log(np.bincount(label[rows]) / rows.sum())
        booster = boosters.fit(
            matrix[rows], label[rows].astype(float), offset=np.tile(shares, (rows.sum(), 1)),
            weight=np.ones(rows.sum()), aside=aside[rows], columns=design.columns,
            objective="multi:softprob", num_class=len(shares), eta=boosters.MANY_TREES_ETA,
            min_child_weight=boosters.LEAST_LEAF_ROWS / 4.0,
        )  # fmt: skip
        return shares, booster

    def logs(model: tuple[NDArray, object], asked: NDArray) -> tuple[NDArray, NDArray]:
        prior = np.tile(model[0], (len(asked), 1))
        return prior, boosters.predict(model[1], asked, prior)  # type: ignore[arg-type]

    # The strength comes from customers whom the model measured had not seen at all.
    unseen = kept_aside("unseen " + learn.customer_id)
    held = strength.measure(*logs(fitted(~unseen), matrix[unseen]), label[unseen])
    return strength.strengthened(
        *logs(fitted(np.ones(len(learn), bool)), design.matrix(test)), held
    )


def _prior(learn: pd.DataFrame, label: NDArray, test: pd.DataFrame) -> NDArray:
    return np.tile(np.bincount(label) / len(label), (len(test), 1))


def _design(rows: pd.DataFrame) -> Design:
    return Design.of(rows, [name for name in rows if name != "customer_id"])


def _markdown(what: str, scores: dict[str, dict[str, list[float]]]) -> str:
    names = list(scores)
    lines = [f"| {what} | {' | '.join(names)} |", "|" + "---|" * (len(names) + 1)]
    for metric in scores[names[0]]:
        cells = [f"{np.mean(scores[n][metric]):.4f} ± {np.std(scores[n][metric]):.4f}"
                 for n in names]  # fmt: skip
        lines.append(f"| {metric} | {' | '.join(cells)} |")
    return "\n".join(lines)
