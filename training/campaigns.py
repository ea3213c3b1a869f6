"""Past campaigns with a treated and a control group, as an experiment to learn from.

A campaign is one name on one day, an interaction of the kind `campaign` with the value 1 for
whoever was treated and 0 for whoever was spared to compare with.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features import moment
from features.direction import is_control
from features.errors import UserError
from features.store import FeatureStore
from training import frame
from training.definitions import ACTIVE_HORIZONS
from training.split import CutOff

log = logging.getLogger(__name__)

# A group of fewer says nothing of an effect of some points: of 100 a rate is known to 10 points.
LEAST_GROUP = 100
# Each needs the features of its day; more are older than the business that is asked about.
MOST_CAMPAIGNS = 12
# A difference below a tenth of a standard deviation is no imbalance: Austin (2009), Balance
# diagnostics for comparing the distribution of baseline covariates, Statistics in Medicine 28(25).
# Of some hundred features one is beyond four and a half standard errors by chance once in ten.
BALANCED, STANDARD_ERRORS = 0.10, 4.5


@dataclass(frozen=True)
class Campaign:
    """One campaign: its name, the moment before its day from which features are taken, horizon."""

    name: str
    cutoff: CutOff


def panel(
    store: FeatureStore,
    as_of: datetime,
    horizon_days: int,
    progress: Callable[[str], None] = log.info,
) -> pd.DataFrame:
    """One row per campaign and customer of it who was active: features before it, what came after.

    Columns: those of frame.panel, `campaign`, and `treated`, 0 or 1. Only campaigns whose horizon
    was over and known by `as_of` are used, the newest MOST_CAMPAIGNS of them.
    Raises UserError when there are none, or none with both groups large enough.
    """
    groups = _groups(store, as_of)
    campaigns = _usable(groups, as_of, horizon_days)
    progress(f"features before {len(campaigns)} campaigns")
    cutoffs = [campaign.cutoff for campaign in campaigns]
    moments = sorted({cutoff.as_of for cutoff in cutoffs})
    for _ in store.build(moments):
        pass
    store.apply()
    known = frame.panel(store, [CutOff(m, horizon_days) for m in moments], known_by=as_of)
    rows = known.merge(groups, on=["customer_id", "as_of"], validate="one_to_one")
    rows = rows[rows.campaign.isin({campaign.name for campaign in campaigns})]
    active = rows[rows.recency < ACTIVE_HORIZONS * horizon_days].reset_index(drop=True)
    _refuse_small(active)
    return active


def balance(rows: pd.DataFrame, features: Sequence[str]) -> pd.Series:
    """Standardised difference of each numeric feature, treated less control, within campaigns.

    In standard deviations of both groups, by feature; Austin (2009), above.
    """
    numbers = [name for name in features if pd.api.types.is_numeric_dtype(rows[name])]
    values = rows[numbers].astype(np.float64)
    apart = values - values.groupby(rows.campaign).transform("mean")
    treated = rows.treated.to_numpy() == 1.0
    mean = apart[treated].mean() - apart[~treated].mean()
    spread = np.sqrt((apart[treated].var() + apart[~treated].var()) / 2.0)
    return (mean / spread.where(spread > 0.0)).fillna(0.0)


def imbalanced(rows: pd.DataFrame, features: Sequence[str]) -> pd.Series:
    """The differences that are neither small nor chance, largest first; warns when there are any.

    Treated and spared were then not drawn by lot from the same customers.
    """
    found = balance(rows, features)
    told = rows[found.index].notna()
    many = told.groupby(rows.treated.to_numpy()).sum()  # a rare event is compared among few
    chance = STANDARD_ERRORS * np.sqrt(1.0 / many.loc[1.0] + 1.0 / many.loc[0.0])
    found = found[found.abs() > np.maximum(chance, BALANCED)]
    found = found.reindex(found.abs().sort_values(ascending=False).index)
    if len(found):
        log.warning(
            "Treated and control customers differ in %d features, most in %s (%.2f standard "
            "deviations): they were not drawn by lot. The effect is corrected for what is known",
            len(found), found.index[0], found.iloc[0],
        )  # fmt: skip
    return found


def shares_treated(rows: pd.DataFrame) -> NDArray[np.float64]:
    """The share of the row's campaign that was treated, (n,): the propensity if it was by lot."""
    return rows.groupby("campaign").treated.transform("mean").to_numpy(dtype=np.float64)


def _groups(store: FeatureStore, as_of: datetime) -> pd.DataFrame:
    """One row per campaign and customer: customer_id, as_of, campaign, treated."""
    past = moment.past(store.snapshots.events.interactions, as_of)
    of_campaigns = past.filter(past.kind == "campaign", past.value.notnull())
    found = of_campaigns.select(
        "customer_id",
        day=of_campaigns.happened_at.date(),
        name=of_campaigns.detail.fill_null("campaign"),
        treated=(~is_control(of_campaigns)).cast("float64"),
    ).to_pandas()
    if found.empty:
        raise UserError(
            "The effect of contacts was asked for, but there are no past campaigns in the data. "
            "Give interactions of the kind `campaign`, with the value 1 for treated customers and "
            "0 for those spared as control."
        )
    days = pd.to_datetime(found.day)
    found["as_of"] = (days - timedelta(microseconds=1)).astype("datetime64[us]")
    found["campaign"] = found.name + " " + days.dt.strftime("%Y-%m-%d")
    # Whoever stands in it twice, or in two campaigns of a day, was treated if once treated.
    return found.sort_values("campaign").groupby(["customer_id", "as_of"], as_index=False).agg(
        campaign=("campaign", "first"), treated=("treated", "max")
    )  # fmt: skip


def _usable(groups: pd.DataFrame, as_of: datetime, horizon_days: int) -> list[Campaign]:
    counts = groups.groupby(["campaign", "as_of"]).treated.agg(["size", "sum"]).reset_index()
    counts = counts[(counts["sum"] > 0) & (counts["sum"] < counts["size"])]
    if counts.empty:
        raise UserError(
            "The effect of contacts was asked for, but no past campaign has a control group: "
            "nobody tells what customers do who are left alone. Spare some customers of each "
            "campaign at random, and record them with the value 0."
        )
    newest = counts.sort_values("as_of", ascending=False)
    found = [
        Campaign(name, CutOff(pd.Timestamp(at).to_pydatetime(), horizon_days))
        for name, at in newest[["campaign", "as_of"]].itertuples(index=False, name=None)
    ]
    matured = [campaign for campaign in found if campaign.cutoff.matured_at <= as_of]
    if not matured:
        raise UserError(
            f"The effect of contacts over {horizon_days} days was asked for as of "
            f"{as_of:%Y-%m-%d}, but no campaign with a control group is as long ago. Wait, or ask "
            "for a shorter horizon."
        )
    return matured[:MOST_CAMPAIGNS]


def _refuse_small(rows: pd.DataFrame) -> None:
    treated = int(rows.treated.sum())
    if min(treated, len(rows) - treated) < LEAST_GROUP:
        raise UserError(
            f"The effect of contacts was asked for, but past campaigns treated {treated} active "
            f"customers and spared {len(rows) - treated}. At least {LEAST_GROUP} of each are "
            "needed: make further campaigns with a control group."
        )
