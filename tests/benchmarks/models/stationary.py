"""A made-up shop that obeys the law of the peers: Pareto/NBD purchases, gamma-gamma money.

There buy-till-you-die is the truth, and nothing can be learnt beyond it. Sources: Schmittlein,
Morrison, Colombo (1987), Management Science 33(1); Fader, Hardie (2013), "The gamma-gamma model".
"""

from __future__ import annotations

import numpy as np
import pandas as pd

BEGIN = "2023-01-01"
# Near what fits retail data: half of the customers buy again within some months.
R, ALPHA, S, BETA = 0.9, 60.0, 0.7, 150.0  # rates of buying and of leaving, per day
P, Q, GAMMA = 6.0, 4.0, 15.0  # currency units


def purchases(customers: int, come_within: int, days: int, seed: int = 0) -> pd.DataFrame:
    """The purchases of customers over `days` from BEGIN: customer_id, happened_at, amount.

    They come evenly over the first `come_within` days.
    """
    rng = np.random.default_rng(seed)
    begin = rng.uniform(0.0, come_within, customers)
    lifetime = rng.exponential(1.0 / rng.gamma(S, 1.0 / BETA, customers))
    stays = np.minimum(lifetime, days - begin)
    repeats = rng.poisson(rng.gamma(R, 1.0 / ALPHA, customers) * stays)
    who = np.repeat(np.arange(customers), repeats + 1)
    is_first = np.concatenate([[True], who[1:] != who[:-1]])
    day = begin[who] + np.where(is_first, 0.0, rng.uniform(size=len(who)) * stays[who])
    scale = 1.0 / rng.gamma(Q, 1.0 / GAMMA, customers)
    names = np.array([f"C{k:07d}" for k in range(customers)], dtype=object)
    seconds = (86_400 * day).astype(np.int64)
    return pd.DataFrame({
        "customer_id": names[who],
        "happened_at": pd.Timestamp(BEGIN) + pd.to_timedelta(seconds, unit="s"),
        "amount": rng.gamma(P, scale[who]).round(2),
    })  # fmt: skip
