"""Two models of one customer, averaged: what they say together fits together."""

import numpy as np
import pandas as pd
from scipy.special import expit

from training.models.bg_nbd import ModifiedBetaGeometricNBD
from training.models.order_value import ShrunkOrderValue
from training.models.pareto_nbd import ParetoNBD
from training.models.repeat_buying import RepeatBuying

HORIZON = 60  # days

# As fitted to subscribers of a monthly plan, among whom some paid for a year: Pareto/NBD takes the
# silent for slow, the regular model takes them for gone.
SUBSCRIBERS = RepeatBuying(
    ParetoNBD(r=0.25, alpha=64, s=57, beta=42_000),
    ModifiedBetaGeometricNBD(r=3_800, alpha=10_000, a=0.63, b=0.16, k=12),
    ShrunkOrderValue(prior=184, m=0.2),
)


def customers():
    """One has just paid for a fifth month in a row, one has been silent for half a year."""
    return pd.DataFrame(
        {
            "horizon_days": [HORIZON, HORIZON],
            "purchase_days_total": [5.0, 1.0],
            "age": [125.0, 180.0],
            "recency": [5.0, 180.0],
            "gap_log_sum": [4 * np.log(30.0), 0.0],
            "day_amount_sum": [145.0, 249.0],
            "day_amount_log_sum": [5 * np.log(29.0), np.log(249.0)],
            "day_amount_log_square_sum": [5 * np.log(29.0) ** 2, np.log(249.0) ** 2],
        }
    )


def test_the_members_disagree_about_the_silent():
    forecast = SUBSCRIBERS.forecast(customers())

    assert (forecast.logit_purchase_pareto - forecast.logit_purchase_regular).iloc[1] > 5


def test_orders_of_who_buys_are_a_few_where_the_members_disagree():
    forecast = SUBSCRIBERS.forecast(customers())

    of_a_buyer = np.exp(forecast.log_orders) / expit(forecast.logit_purchase)
    # Once a month for two months, and Pareto/NBD allows a little more.
    assert of_a_buyer.between(1.0, 3.0).all()


def test_the_value_is_orders_times_the_value_of_one():
    forecast = SUBSCRIBERS.forecast(customers())

    assert np.allclose(forecast.log_value, forecast.log_orders + forecast.log_order_value)
