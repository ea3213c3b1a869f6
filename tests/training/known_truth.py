"""Customers made by simple rules, so that a test knows what a model could know of them."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd

OPENING = datetime(2023, 1, 1)
HORIZON = 90
# Days after the opening; the outcomes of the training cut-offs are known by TODAY.
TODAY, CUTS = 400, (310, 280)
FEATURES = (
    "recency", "age", "purchase_days_total", "gap_log_sum", "day_amount_sum",
    "day_amount_log_sum", "day_amount_log_square_sum", "spend_total", "count_complaint_90d",
    "profile_plan",
)  # fmt: skip

# The column that shows each cause; the retaliatory show three, of which rules alone read the last.
SIGN_COLUMNS = {
    "natural": ("count_life_event_90d",),
    "competitive": ("count_price_check_90d",),
    "fault": ("count_complaint_90d",),
    "non_malicious": ("payments_failed_unrecovered",),
    "retaliatory": ("open_complaints", "count_chargeback_90d", "complaints_at_refusal"),
    "malicious": ("count_fraud_flag_365d",),
}
QUIET = (
    "count_competitor_mention_90d", "count_payment_failed_90d", "count_payment_due_365d",
    "count_payment_failed_365d", "count_payment_recovered_365d", "count_chargeback_365d",
)  # fmt: skip


def moment(day):
    return OPENING + timedelta(days=day)


def purchases(customers, seed=0):
    """One row per purchase: customer, day, amount, and of its customer complains_at and plan.

    Each buys at a rhythm of his own until he leaves unseen, after 200 days in the mean. Most
    leavers complain in the weeks before, so a complaint says more than the purchases alone.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(customers):
        first, leaves = rng.integers(0, 300), rng.exponential(200.0)
        gaps = np.maximum(np.ceil(rng.exponential(1 / rng.gamma(2.0, 1 / 40.0), 200)), 1.0)
        offsets = np.concatenate([[0.0], np.cumsum(gaps)])
        days = first + offsets[offsets <= max(leaves, 0.0)]
        days = days[days <= TODAY + HORIZON]
        complains = first + leaves - rng.uniform(0, 40) if rng.random() < 0.8 else np.inf
        usual = rng.lognormal(3.5, 0.8)
        rows.append(
            pd.DataFrame(
                {
                    "customer_id": f"C{k:05d}",
                    "day": days,
                    "amount": usual * rng.lognormal(0.0, 0.4, len(days)),
                    "complains_at": complains,
                    "profile_plan": "gold" if rng.random() < 0.3 else "basic",
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def customers_at(bought, day):
    """One row per customer with a purchase by a day: FEATURES, and the outcomes after it."""
    past = bought[bought.day <= day].sort_values(["customer_id", "day"])
    future = bought[(bought.day > day) & (bought.day <= day + HORIZON)]
    logs = np.log(past.amount)
    gaps = past.groupby("customer_id").day.diff()
    past = past.assign(log=logs, square=logs**2, log_gap=np.log(gaps.fillna(1.0)))
    found = past.groupby("customer_id").agg(
        first=("day", "min"), last=("day", "max"), purchase_days_total=("day", "size"),
        gap_log_sum=("log_gap", "sum"), day_amount_sum=("amount", "sum"),
        day_amount_log_sum=("log", "sum"), day_amount_log_square_sum=("square", "sum"),
        complains_at=("complains_at", "first"), profile_plan=("profile_plan", "first"),
    ).reset_index()  # fmt: skip
    value = future.groupby("customer_id").amount.sum()
    complained = (found.complains_at <= day) & (found.complains_at > day - 90)
    return found.assign(
        as_of=pd.Timestamp(moment(day)),
        horizon_days=HORIZON,
        recency=day - found["last"],
        age=day - found["first"],
        purchase_days_total=found.purchase_days_total.astype(float),
        spend_total=found.day_amount_sum,
        count_complaint_90d=complained.astype(float),
        bought=found.customer_id.isin(value.index).astype(float),
        value=found.customer_id.map(value).fillna(0.0),
        weight=1.0,
    ).drop(columns=["first", "last", "complains_at"])


def training_panel(bought, cuts=CUTS):
    """The customers of several cut-offs, one under the other."""
    return pd.concat([customers_at(bought, day) for day in cuts], ignore_index=True)


def leavers(customers, seed=0, causes=tuple(SIGN_COLUMNS), shown=0.7, reasons=True):
    """Leavers with a cause each, whose sign most of them show; `cause` is the truth.

    Without a passive cause among `causes` there are no payment events.
    """
    rng = np.random.default_rng(seed)
    columns = [*dict.fromkeys(name for names in SIGN_COLUMNS.values() for name in names), *QUIET]
    rows = pd.DataFrame(0.0, index=range(customers), columns=columns)
    cause = rng.choice(np.array(causes, dtype=object), customers)
    for name, signs in SIGN_COLUMNS.items():
        rows.loc[(cause == name) & (rng.random(customers) < shown), list(signs)] = 1.0
    if "malicious" in causes:
        rows["count_payment_due_365d"] = 12.0
    rows["recency"] = rng.integers(0, 100, customers).astype(float)
    return rows.assign(
        customer_id=[f"L{k:05d}" for k in range(customers)],
        bought=0.0,
        weight=1.0,
        cause=cause,
        closure_reason=cause if reasons else None,
    )


def moving_tiers(customers, seed=0, is_told=True):
    """Customers whose next tier follows from today's and, when `is_told`, from `health`."""
    rng = np.random.default_rng(seed)
    health = rng.normal(size=customers)
    tier = rng.choice(np.array(["mvc", "mgc", "maintain"], dtype=object), customers)
    rises = rng.random(customers) < 1 / (1 + np.exp(-2.0 * health * is_told))
    after = {"mvc": ("mvc", "maintain"), "mgc": ("mvc", "mgc"), "maintain": ("mgc", "maintain")}
    return pd.DataFrame(
        {
            "customer_id": [f"T{k:05d}" for k in range(customers)],
            "health": health,
            "age": rng.uniform(0, 900, customers),
            "tier": tier,
            "tier_next": [after[t][0 if up else 1] for t, up in zip(tier, rises, strict=True)],
            "weight": 1.0,
        }
    )
