"""Customers who buy and leave exactly as the buy-till-you-die models say, so the truth is known."""

import numpy as np

from training.models.purchase_history import PurchaseHistory


def simulate(model, customers: int, horizon_days: float, seed: int = 0):
    """Histories of customers aged 1 to 400 days, and their orders in the days after, (n,)."""
    rng = np.random.default_rng(seed)
    age = rng.integers(1, 400, customers).astype(float)
    rate = rng.gamma(model.r, 1 / model.alpha, customers)
    k = getattr(model, "k", 1)
    if hasattr(model, "beta"):  # may leave at any moment
        leaves_at = rng.exponential(1 / rng.gamma(model.s, 1 / model.beta, customers))
        leaves = np.zeros(customers)
    else:  # may leave after an order
        leaves_at = np.full(customers, np.inf)
        leaves = rng.beta(model.a, model.b, customers)
    x, t_x, log_gaps, orders = (np.zeros(customers) for _ in range(4))
    now = np.zeros(customers)
    active = np.ones(customers, dtype=bool)
    if getattr(model, "leaves_after_first", False):
        active &= rng.random(customers) >= leaves
    while active.any():
        gap = rng.gamma(k, 1 / rate)
        now = now + gap
        active &= (now <= age + horizon_days) & (now <= leaves_at)
        past = active & (now <= age)
        x += past
        t_x = np.where(past, now, t_x)
        log_gaps += np.where(past, np.log(gap), 0.0)
        orders += active & (now > age)
        active &= rng.random(customers) >= leaves
    return PurchaseHistory(x, t_x, age, log_gaps), orders
