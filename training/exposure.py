"""Who was treated while an outcome was awaited: treated customers bend the labels.

Of a campaign with a control group drawn by lot, the control customers show what all of it would
have done untreated. So the treated are left out, and each control customer stands for as many as
the lot says. Source: Horvitz, Thompson (1952), A generalization of sampling without replacement
from a finite universe, JASA 47(260).

What a training does about it is asked for (Treated): `as_they_are` forecasts business as usual,
campaigns included; `by_control` what customers do when nobody treats them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import ibis
import numpy as np
import pandas as pd

from features import moment
from features.direction import is_control
from features.store import FeatureStore
from training.sampling import counted, standing
from training.split import CutOff

# A campaign with fewer control customers is taken as one without: one of them would stand for many.
LEAST_CONTROL = 20
Treated: TypeAlias = Literal["as_they_are", "by_control"]
AS_THEY_ARE: Treated = "as_they_are"
BY_CONTROL: Treated = "by_control"
COLUMNS = ("customer_id", "treated", "weight")
# What a panel tells of a row in no campaign.
PANEL_COLUMNS = {"is_treated": False, "is_control": False, "stands_for": 1.0}


def exposures(
    store: FeatureStore,
    cutoff: CutOff,
    known_by: datetime,
    customers: pd.Series,
    planned: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """One row per customer who stood in a campaign before a cut-off's outcome was known: COLUMNS.

    treated: whether one of them reached him. weight: 0 for the treated of campaigns with a control
    group; for their control customers the inverse of the control's share, multiplied over
    campaigns; 1 where no campaign has a control group, since nothing then tells what was changed.
    customers: whom the shares are taken of. planned: customer_id, campaign, treated of a plan made
    at the cut-off; it counts as carried out where no control customer was recorded. Whoever is in
    no campaign has weight 1 and no row.
    """
    after = moment.future(
        store.snapshots.events.interactions, cutoff.as_of,
        cutoff.horizon_days + cutoff.wait_days, known_by,
    )  # fmt: skip
    met = after.filter(after.kind == "campaign", after.value.notnull())
    asked = ibis.memtable({"customer_id": customers.tolist()}, schema={"customer_id": "string"})
    met = met.semi_join(asked, "customer_id")
    rows = met.select(
        "customer_id",
        campaign=met.detail.fill_null("") + " " + met.happened_at.date().cast("string"),
        treated=~is_control(met),
    ).to_pandas()
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


def told(
    store: FeatureStore, cutoff: CutOff, known_by: datetime, customers: pd.Series, treated: Treated
) -> pd.DataFrame:
    """The rows of `exposures` as a panel has them: customer_id, as_of and the PANEL_COLUMNS.

    stands_for: the weight where learning is by control, else 1.
    """
    found = exposures(store, cutoff, known_by, customers)
    return pd.DataFrame({
        "customer_id": found.customer_id,
        "as_of": cutoff.as_of,
        "is_treated": found.treated.astype("boolean"),  # as others will be missing
        "is_control": ~found.treated.astype("boolean"),
        "stands_for": found.weight if treated == BY_CONTROL else 1.0,
    })  # fmt: skip


def in_words(panel: pd.DataFrame, treated: Treated) -> str:
    """How many rows of a panel were treated or control, and how it was learnt, in a sentence."""
    counts = (
        f"Of {len(panel):,} rows {int(panel.is_treated.sum()):,} are of customers a campaign "
        f"treated before the outcome was known, {int(panel.is_control.sum()):,} of control "
        "customers."
    )
    if treated == AS_THEY_ARE:
        return f"{counts} All were learnt as they are: forecasts are of business as usual."
    if (standing(panel) == 1.0).all():
        return (
            f"{counts} Learning by control was asked for, but no campaign had {LEAST_CONTROL} "
            "control customers: all were learnt as they are."
        )
    return (
        f"{counts} Learnt by control: the treated of campaigns with {LEAST_CONTROL} control "
        f"customers were left out, which leaves {len(counted(panel)):,} rows, and control "
        "customers stand for them. Forecasts are of what customers do untreated, and tests leave "
        "out the same."
    )
