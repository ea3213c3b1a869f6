"""Models that say what a test tells them to, so that an expected answer can be written by hand."""

from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from training.business_facts import NOTHING_KNOWN
from training.model_set import Reference
from training.models.boosters import Inputs
from training.models.boosting import Forecast
from training.models.explanation import Factor
from training.reliability import Reliability
from training.tasks import CHURN_TYPES, TASKS, TIERS
from training.value_classes import Scale, ValueCuts
from training.value_tiers import TierCuts

AS_OF = datetime(2025, 6, 30, 23, 59, 59, 999999)
# One active customer as the feature store knows him; a test changes what it is about.
ROW = {
    "purchase_days_total": 5.0,
    "recency": 10.0,
    "age": 400.0,
    "spend_total": 250.0,
    "margin_total": None,
    "spend_365d": 200.0,
    "margin_365d": None,
    "purchase_days_recent_365d": 4.0,
    "gap_mean": 97.5,
    "gap_limit_80": 150.0,
    "gap_variation": 0.5,
    "gap_log_sum": 18.0,
    "day_amount_sum": 260.0,
    "return_amount_total": 10.0,
    "spend_trend_90d": 0.0,
    "purchase_trend_90d": -0.1,
    "purchase_days_recent_90d": 1.0,
    "open_complaints": 0.0,
    "payments_failed_unrecovered": 0.0,
    "count_fraud_flag_365d": 0.0,
    "count_payment_failed_90d": 0.0,
    "count_chargeback_90d": 0.0,
    "count_life_event_90d": 0.0,
    "count_competitor_mention_90d": 0.0,
    "count_price_check_90d": 0.0,
    "count_complaint_90d": 0.0,
    "days_since_complaint": None,
    "survey_mean": 4.5,
    "profile_plan": "gold",
}
FACTORS = [
    Factor("service", "open_complaints", "Complaints not yet closed, a count.", 1.0, 0.12, True),
    Factor("repeat_buying", "repeat_buying", "Chance by the rhythm alone.", 0.7, -0.05, False),
]
SHARES = {"natural": 0.1, "competitive": 0.5, "fault": 0.4}


def rows(*changes, as_of=AS_OF):
    """One row per given set of changes to ROW, for customers C0, C1 and so on."""
    frame = pd.DataFrame([{**ROW, **change} for change in changes])
    for name in ("margin_total", "margin_365d"):
        frame[name] = frame[name].astype(float)
    frame.insert(0, "customer_id", [f"C{i}" for i in range(len(frame))])
    frame.insert(1, "as_of", pd.Series([as_of] * len(frame), dtype="datetime64[us]"))
    frame.insert(2, "request_id", "r1")
    return frame


def models(stays=0.6, shares=SHARES):
    """A model set that gives everybody the same chance to stay, causes and value."""
    design = SimpleNamespace(
        numbers=("recency", "survey_mean", "days_since_complaint", "logit_purchase"),
        categories={"profile_plan": ("gold",)},
    )
    return SimpleNamespace(
        tasks={n: replace(t, horizon_days=365 if n == "clv" else 90) for n, t in TASKS.items()},
        churn=SimpleNamespace(
            design=design,
            offsets=SimpleNamespace(
                repeat_buying=SimpleNamespace(pareto=SimpleNamespace(beta=100.0, s=0.5)),
                level=SimpleNamespace(odds=0.0),
            ),
            forecast=lambda rows, outlook: Forecast(
                rows, Inputs(np.zeros((len(rows), 1))), logit(np.full(len(rows), stays))
            ),
            chances=expit,
        ),
        clv=SimpleNamespace(
            design=design,
            purchase=SimpleNamespace(design=design),
            forecast=lambda rows, outlook: {
                name: np.full(len(rows), value)
                for name, value in {
                    "purchase_probability": 0.9,
                    "expected_orders": 3.0,
                    "expected_value": 120.0,
                    "expected_value_median": 100.0,
                    "expected_value_low": 0.0,
                    "expected_value_high": 300.0,
                }.items()
            },
        ),
        churn_type=SimpleNamespace(
            design=None,
            source="model",
            shares_of=lambda rows: {
                cause: np.full(len(rows), shares.get(cause, np.nan)) for cause in CHURN_TYPES
            },
        ),
        tier=SimpleNamespace(
            design=design,
            chances=lambda rows: {tier: np.full(len(rows), 0.25) for tier in TIERS},
        ),
        reference=Reference(
            trained_as_of=AS_OF,
            catalog="abc",
            features=tuple(ROW),
            words={},
            churn_percentiles=tuple(i / 100 for i in range(101)),
            churn_percentiles_by_stage={"maturity": tuple(i / 200 for i in range(101))},
            stage_moves={"maturity": {"growth": 0.1, "maturity": 0.6, "decline": 0.3}},
            facts=NOTHING_KNOWN,
            tier_cuts=TierCuts(most_valuable=500.0, possible=(150.0, 150.0, 150.0)),
            value_cuts=ValueCuts(
                "spend_365d",
                a=200.0,
                b=50.0,
                recency=Scale((-90.0, -60.0, -30.0, -7.0), 3.0),
                frequency=Scale((1.0, 3.0), 1.5),
                monetary=Scale((50.0, 100.0, 200.0, 400.0), 3.0),
            ),
            youngest_days=0.0,
            most_purchase_days=50.0,
            reliability=Reliability([0.5], [0.08, 0.2], [0.09, 0.3]),
            examples=(),
        ),
        outlooks=lambda rows: (
            # The rhythm says of a purchase what the model says.
            dict.fromkeys(("logit_alive", "logit_purchase"), logit(np.full(len(rows), stays))),
            None,
        ),
        explain=lambda forecast, most: [FACTORS[:most] for _ in forecast.log_odds],
        versions={
            "churn": "churn@12",
            "clv": "clv@7",
            "churn_type": "churn_type@1",
            "tier": "tier@3",
        },
    )
