"""How customers move between the tiers of value: from the newest matured cut-off to today."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from features.store import FeatureStore
from training import evaluate, frame, split, value_tiers
from training.models.tier import TierTransition
from training.models.two_part import TwoPart
from training.value_tiers import TierCuts


def learn(
    store: FeatureStore,
    today: pd.DataFrame,
    moments: list[datetime],
    clv: TwoPart,
    cuts: TierCuts,
    value_horizon_days: int,
) -> tuple[TierTransition, pd.DataFrame]:
    """Learn where customers of the newest matured cut-off stand today; the model and its test.

    moments: see the function of that name; they are built. The test, and the calibration, are of
    an equal model that learnt one step earlier and had not seen today; without enough history
    there is neither.
    """

    def classified(rows: pd.DataFrame, before: pd.DataFrame | None = None) -> pd.DataFrame:
        """The rows with their tier, which some keep from before, as they would have."""
        value = clv.predict(rows.assign(horizon_days=value_horizon_days)).expected_value
        was = None if before is None else rows.customer_id.map(_by_customer(before))
        return rows.assign(tier=value_tiers.assign(value, rows, cuts, None, previous=was))

    def moves(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
        later = before.customer_id.map(_by_customer(after))
        known = before.assign(tier_next=later, weight=1.0)
        return known.dropna(subset="tier_next").reset_index(drop=True)

    steps: list[pd.DataFrame] = []
    for rows in [*(frame.customers(store, moment) for moment in reversed(moments)), today]:
        steps.append(classified(rows, steps[-1] if steps else None))
    *_, start, end = steps
    newest = moves(start, end)
    model = TierTransition.fit(newest, store.feature_names)
    if len(moments) == 1:
        return model, pd.DataFrame()
    unseen = TierTransition.fit(moves(steps[0], start), store.feature_names)
    model.strength = unseen.strength_on(newest)
    return model, evaluate.tier_metrics(unseen, newest)


def moments(first: datetime, as_of: datetime, horizon_days: int) -> list[datetime]:
    """The newest matured cut-off, and the moment as long before it where there is history.

    first: the first event of the business.
    """
    newest = split.training_cutoffs(first, as_of, horizon_days)[0].as_of
    earlier = newest - (as_of - newest)
    has_history = (earlier - first).days >= split.LEAST_SPAN_DAYS
    return [newest, earlier] if has_history else [newest]


def _by_customer(rows: pd.DataFrame) -> dict[str, str]:
    return dict(zip(rows.customer_id, rows.tier, strict=True))
