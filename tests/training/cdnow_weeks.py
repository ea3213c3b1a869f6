"""CDNOW's 39 calibration and 39 hold-out weeks, as the published fits and forecasts take them."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from features.datasets import cdnow
from tests.real_data import real_data
from training.models.purchase_history import PurchaseHistory

CUT_OFF = pd.Timestamp("1997-09-30")  # the last calibration day; the hold-out is the 273 after it
HOLDOUT_DAYS = 273


class Weeks(NamedTuple):
    """One row per customer of the 1/10 sample, in every array."""

    history: PurchaseHistory
    repeat_value: np.ndarray  # mean dollars of a repeat purchase day, 0 without one
    holdout_orders: np.ndarray


@cache
def sample_weeks() -> Weeks:
    purchases = cdnow.load_sample(real_data("cdnow"))["transactions"]
    days = purchases.groupby(["customer_id", "happened_at"], as_index=False).amount.sum()
    past, future = days[days.happened_at <= CUT_OFF], days[days.happened_at > CUT_OFF]
    by_customer = past.groupby("customer_id").happened_at
    first, last = by_customer.min(), by_customer.max()
    gap = by_customer.diff().dt.days
    repeats = past[gap.notna()].groupby("customer_id").amount.mean()
    history = PurchaseHistory(
        frequency=by_customer.size().to_numpy() - 1,
        recency=(last - first).dt.days.to_numpy(),
        age=(CUT_OFF - first).dt.days.to_numpy(),
        log_gaps=np.log(gap).groupby(past.customer_id).sum().to_numpy(),
    )
    return Weeks(
        history,
        repeats.reindex(first.index, fill_value=0.0).to_numpy(),
        future.groupby("customer_id").size().reindex(first.index, fill_value=0).to_numpy(),
    )


def log_likelihood_in_weeks(model, history: PurchaseHistory) -> float:
    """A density of x purchase times in days, told in weeks, is 7^x times as large."""
    return model.log_likelihood(history) + float(np.sum(history.frequency)) * np.log(7)
