"""The peers: what a data scientist would reach for otherwise, with the settings their pages show.

Each gets the same past and answers, for the customers of today, P(at least one order), expected
orders and expected value in the horizon. lifetimes has no P(at least one order) and pymc-marketing
one that samples; both are given the exact one of their own parameters.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter, ModifiedBetaGeoFitter, ParetoNBDFitter
from lifetimes.fitters import BaseFitter
from lifetimes.utils import ConvergenceError, summary_data_from_transaction_data
from lightgbm import LGBMClassifier, LGBMModel, LGBMRegressor, early_stopping
from pymc_marketing import clv

from tests.benchmarks.models.questions import Past
from training.models.baseline import Baseline
from training.models.bg_nbd import BetaGeometricNBD, ModifiedBetaGeometricNBD
from training.models.pareto_nbd import ParetoNBD
from training.models.purchase_history import PurchaseHistory
from training.sampling import kept_aside

Forecaster = Callable[[Past], pd.DataFrame]
ExactModel = ParetoNBD | BetaGeometricNBD | ModifiedBetaGeometricNBD

# LightGBM's guides for tables of some ten thousand rows; not tuned to any set.
TREES = {"n_estimators": 1000, "learning_rate": 0.05, "min_child_samples": 50, "verbose": -1}
PATIENCE = 25  # rounds without gain on the customers kept aside
TWEEDIE_POWER = 1.5  # between counts and amounts: many zeros and a long tail
# lifetimes' penalty on large parameters: none, unless it does not converge; then it asks for a
# larger one, and its pages name 0.001 to 0.1.
PENALIZERS = (0.0, 0.001, 0.01, 0.1)
EXACT: Mapping[str, type[ExactModel]] = {
    "BG/NBD": BetaGeometricNBD,
    "MBG/NBD": ModifiedBetaGeometricNBD,
    "Pareto/NBD": ParetoNBD,
}
_FITTERS = {
    "BG/NBD": BetaGeoFitter,
    "MBG/NBD": ModifiedBetaGeoFitter,
    "Pareto/NBD": ParetoNBDFitter,
}
_MODELS = {
    "BG/NBD": clv.BetaGeoModel,
    "MBG/NBD": clv.ModifiedBetaGeoModel,
    "Pareto/NBD": clv.ParetoNBDModel,
}


def recency_rule(past: Past) -> pd.DataFrame:
    """P from the days of silence alone; orders at the customer's repeat rate, each his mean."""
    today = past.today
    chance = Baseline.fit(past.panel).predict(today).purchase_probability
    orders = (today.purchase_days_total - 1.0) / today.age.clip(lower=1.0) * past.days
    each = today.day_amount_sum / today.purchase_days_total
    return pd.DataFrame({
        "purchase_probability": chance, "expected_orders": orders, "expected_value": orders * each,
    })  # fmt: skip


def lightgbm(past: Past) -> pd.DataFrame:
    """LightGBM on our own windows: a classifier, and Tweedie for orders and money.

    The number of trees is what helps on customers kept aside. Of a history that allows only
    shorter horizons than the one asked for, orders and money are scaled to it.
    """
    panel, today = past.panel, past.today
    names, aside = _numeric(past), kept_aside(past.panel.customer_id)
    scale = past.days / panel.horizon_days

    def fitted(model: LGBMModel, label: pd.Series) -> LGBMModel:
        learn, choose = ((panel.loc[rows, names], label[rows]) for rows in (~aside, aside))
        weight = panel.weight[~aside]
        return model.fit(
            *learn, sample_weight=weight, eval_set=[choose],
            callbacks=[early_stopping(PATIENCE, verbose=False)],
        )  # fmt: skip

    def regressed(target: str) -> np.ndarray:
        model = LGBMRegressor(objective="tweedie", tweedie_variance_power=TWEEDIE_POWER, **TREES)
        label = panel[target].astype(float).clip(lower=0.0) * scale
        return fitted(model, label).predict(today[names])

    buys = fitted(LGBMClassifier(**TREES), panel.bought.astype(int))
    return pd.DataFrame(
        {
            "purchase_probability": buys.predict_proba(today[names])[:, 1],
            "expected_orders": regressed("purchase_days"),
            "expected_value": regressed("value"),
        },
        index=today.index,
    )


def with_lifetimes(name: str) -> Forecaster:
    """lifetimes' model of that name, with its gamma-gamma for the money."""

    def forecast(past: Past) -> pd.DataFrame:
        rfm = _rfm(past)
        fitter = _converged(_FITTERS[name], rfm.frequency, rfm.recency, rfm["T"])
        orders = fitter.conditional_expected_number_of_purchases_up_to_time(
            past.days, rfm.frequency, rfm.recency, rfm["T"]
        )
        repeaters = rfm[(rfm.frequency > 0) & (rfm.monetary_value > 0)]
        money = _converged(GammaGammaFitter, repeaters.frequency, repeaters.monetary_value)
        each = money.conditional_expected_average_profit(rfm.frequency, rfm.monetary_value)
        params = {key: float(value) for key, value in fitter.params_.items()}
        return _answer(past, rfm, EXACT[name](**params), orders.to_numpy(), each.to_numpy())

    return forecast


def _converged(kind: type[BaseFitter], *columns: pd.Series) -> BaseFitter:
    """lifetimes' model fitted with the first of PENALIZERS with which it converges."""
    for penalizer in PENALIZERS[:-1]:
        try:
            return kind(penalizer_coef=penalizer).fit(*columns)
        except ConvergenceError:
            continue
    return kind(penalizer_coef=PENALIZERS[-1]).fit(*columns)


def with_pymc_marketing(name: str) -> Forecaster:
    """pymc-marketing's model of that name at its maximum a posteriori, with its gamma-gamma."""

    def forecast(past: Past) -> pd.DataFrame:
        rfm = _rfm(past)
        data = rfm.rename_axis("customer_id").reset_index()
        model = _MODELS[name](data=data)
        model.fit(method="map", progressbar=False)
        orders = model.expected_purchases(data, future_t=past.days).to_numpy().ravel()
        repeaters = data[(data.frequency > 0) & (data.monetary_value > 0)]
        money = clv.GammaGammaModel(data=repeaters)
        money.fit(method="map", progressbar=False)
        each = money.expected_customer_spend(data).to_numpy().ravel()
        exact = EXACT[name](**_params(model, EXACT[name]))
        return _answer(past, rfm, exact, orders, each)

    return forecast


def _params(model: clv.CLVModel, exact: type[ExactModel]) -> dict[str, float]:
    wanted = ("r", "alpha", "s", "beta") if exact is ParetoNBD else ("r", "alpha", "a", "b")
    found = model.fit_result
    return {name: float(np.asarray(found[name]).ravel()[0]) for name in wanted}


def _rfm(past: Past) -> pd.DataFrame:
    """lifetimes' summary: repeat days, recency, age, and the mean money of the repeat days."""
    return summary_data_from_transaction_data(
        past.lines,
        "customer_id",
        "happened_at",
        "amount",
        observation_period_end=past.as_of.date(),
    ).reindex(past.today.customer_id)


def _answer(
    past: Past, rfm: pd.DataFrame, exact: ExactModel, orders: np.ndarray, each: np.ndarray
) -> pd.DataFrame:
    """Where a function of the peer's own overflows: its exact orders, the mean money of others."""
    columns = (rfm.frequency, rfm.recency, rfm["T"])
    history = PurchaseHistory(*(column.to_numpy(float) for column in columns))
    orders = np.where(np.isfinite(orders), orders, exact.expected_orders(history, past.days))
    each = np.where(np.isfinite(each), each, np.nanmean(each))
    return pd.DataFrame(
        {
            "purchase_probability": exact.probability_of_order(history, past.days),
            "expected_orders": orders,
            "expected_value": orders * each,
        },
        index=past.today.index,
    )


def _numeric(past: Past) -> list[str]:
    names = past.store.feature_names
    return [name for name in names if pd.api.types.is_numeric_dtype(past.panel[name])]


PEERS: Mapping[str, Forecaster] = {
    "recency rule": recency_rule,
    **{f"lifetimes {name}": with_lifetimes(name) for name in EXACT},
    **{f"pymc-marketing {name}": with_pymc_marketing(name) for name in EXACT},
    "LightGBM": lightgbm,
}

for chatty in ("pymc", "pytensor", "lifetimes"):
    logging.getLogger(chatty).setLevel(logging.ERROR)
warnings.filterwarnings("ignore", module="lifetimes|pymc|pytensor|lightgbm|sklearn|arviz|xarray")
