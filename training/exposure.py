"""Who was treated while an outcome was awaited: treated customers bend the labels.

Of a campaign with a control group drawn by lot, the control customers show what all of it would
have done untreated. So the treated are left out, and each control customer stands for as many as
the lot says. Source: Horvitz, Thompson (1952), A generalization of sampling without replacement
from a finite universe, JASA 47(260).
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd

from features import moment
from features.direction import is_control
from features.store import FeatureStore
from training.split import CutOff

# A campaign with fewer control customers is taken as one without: one of them would stand for many.
LEAST_CONTROL = 20
COLUMNS = ("customer_id", "treated", "weight")


def exposures(
    store: FeatureStore,
    cutoff: CutOff,
    known_by: datetime,
    customers: pd.Series,
    planned: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row per customer who stood in a campaign after a cut-off and within its horizon: COLUMNS.

    treated: whether one of them reached him. weight: 0 for the treated of campaigns with a control
    group; for their control customers the inverse of the control's share, multiplied over
    campaigns; 1 where no campaign has a control group, since nothing then tells what was changed.
    customers: whom the shares are taken of. planned: customer_id, campaign, treated of a plan made
    at the cut-off; it counts as carried out where no control customer was recorded. Whoever is in
    no campaign has weight 1 and no row.
    """
    after = moment.future(
        store.snapshots.events.interactions, cutoff.as_of, cutoff.horizon_days, known_by
    )
    met = after.filter(after.kind == "campaign", after.value.notnull())
    rows = met.select(
        "customer_id",
        campaign=met.detail.fill_null("") + " " + met.happened_at.date().cast("string"),
        treated=~is_control(met),
    ).to_pandas()
    rows = rows[rows.customer_id.isin(customers)]
    if planned is not None and rows.treated.all():
        rows = pd.concat([rows, planned], ignore_index=True)
    return weights(rows[rows.customer_id.isin(customers)])


def weights(rows: pd.DataFrame) -> pd.DataFrame:
    """The same from one row per contact: customer_id, campaign, treated (boolean)."""
    each = rows.groupby(["campaign", "customer_id"], as_index=False).treated.max()
    by = each.groupby("campaign").treated
    share, spared = by.transform("mean"), by.transform(lambda treated: (~treated).sum())
    usable = (spared >= LEAST_CONTROL) & (share > 0.0)
    # 1 / (1 - share) for control; the treated of such a campaign are spoken for by them.
    factor = np.where(each.treated, 0.0, 1.0 / (1.0 - share.where(usable, 0.0)))
    each["weight"] = np.where(usable, factor, 1.0)
    found = each.groupby("customer_id", as_index=False).agg(
        treated=("treated", "max"), weight=("weight", "prod")
    )
    found["treated"] = found.treated.astype(bool)
    return pd.DataFrame(found, columns=list(COLUMNS))
