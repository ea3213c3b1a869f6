"""What campaigns changed: their treated against those kept apart by lot, with an interval."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features import backend, exact, lines
from features.direction import is_control
from features.following import SECONDS_OF_DAY, seconds_between
from serving.kpi_events import YEAR, Estimate, Figures, Known

Z = 1.96  # half-width of a 95 % interval, in standard errors
LEAST = 30  # customers in each group: below, the interval of a share is not to be trusted


class Effects(NamedTuple):
    """Effect of being treated: on the share that buys, and on the money of a customer."""

    bought: Estimate
    money: Estimate


def campaigns(known: Known) -> Figures:
    """The effects as figures, and the margin they brought by the cost of a contact."""
    found = effects(known)
    if found is None:
        return {}
    facts = known.facts
    cost, rate = (facts.contact_cost, facts.margin_rate) if facts else (None, 1.0)
    return {
        "campaign_effect": found.bought,
        "campaign_money_effect": found.money,
        "retention_roi": found.money.times(rate / cost) if cost else "cost_to_serve",
    }


def effects(known: Known) -> Effects | None:
    """Effects within the churn horizon of the campaigns whose horizon ended in the last year.

    The difference of the two groups within each campaign, weighted by its treated; the errors of
    one customer in several campaigns are added up before they are squared. None unless there are
    LEAST treated and LEAST kept apart in campaigns that have both.
    Source: stratified difference in means; Liang, Zeger (1986), Biometrika 73(1), for the errors.
    """
    rows = _outcomes(known)
    both = rows.groupby("campaign").treated.transform("nunique") == 2
    rows = rows[both]
    if min((rows.treated == 1).sum(), (rows.treated == 0).sum()) < LEAST:
        return None
    return Effects(_difference(rows, rows.bought), _difference(rows, rows.money))


def _outcomes(known: Known) -> pd.DataFrame:
    """One row per customer and campaign: treated (0 or 1), bought (0 or 1), money."""
    horizon = known.churn.horizon_days
    met = known.contacts
    over = (met.days_ago > horizon) & (met.days_ago <= horizon + YEAR)
    chosen = met.filter(met.kind == "campaign", over)
    chosen = chosen.group_by("customer_id", campaign=chosen.detail.fill_null("")).agg(
        at=chosen.happened_at.min(), treated=1 - is_control(chosen).cast("int64").max()
    )
    sold = known.lines.filter(known.lines.days_ago <= horizon + YEAR)
    orders = sold.group_by("customer_id", "happened_at").agg(
        amount=exact.fixed(sold.amount.sum()), bought=lines.is_purchase(sold).any()
    )
    pairs = chosen.left_join(orders, "customer_id").drop("customer_id_right")
    waited = seconds_between(pairs["at"], pairs.happened_at)
    after = ((waited > 0) & (waited <= horizon * SECONDS_OF_DAY)).fill_null(False)
    found = pairs.group_by("customer_id", "campaign", "treated").agg(
        bought=(after & pairs.bought.fill_null(False)).cast("int64").max(),
        money=exact.total(pairs.amount, after),
    )
    return backend.connect().to_pyarrow(found).to_pandas()


def _difference(rows: pd.DataFrame, outcome: pd.Series) -> Estimate:
    treated = rows.treated == 1
    weight = treated.groupby(rows.campaign).sum() / treated.sum()
    keys = [rows.campaign, rows.treated]
    mean, size = (outcome.groupby(keys).transform(how) for how in ("mean", "size"))
    sign = np.where(treated, 1.0, -1.0)
    scale = sign * rows.campaign.map(weight).to_numpy() / size.to_numpy()
    value = float((scale * outcome.to_numpy()).sum())
    error = float(np.sqrt((_by_customer(rows, scale * (outcome - mean)) ** 2).sum()))
    return Estimate(value, value - Z * error, value + Z * error)


def _by_customer(rows: pd.DataFrame, influence: pd.Series) -> NDArray[np.float64]:
    codes, _ = pd.factorize(rows.customer_id)
    return np.bincount(codes, influence.to_numpy(dtype=np.float64)).astype(np.float64)
