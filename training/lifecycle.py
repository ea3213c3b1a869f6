"""The five stages of a relationship, how long it has lasted, and how long it is likely to last.

Rules over feature rows alone, no model inside: PRODUCT 9. How customers move from one snapshot to
the next is counted here too, for stages and for any other classes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import exprel

from features.columns import Rows, numbers_of
from training.models.pareto_nbd import ParetoNBD

STAGES = ("acquisition", "growth", "maturity", "decline", "termination")
# What is still to be settled between the customer and the business.
OPEN_AFFAIRS = ("open_complaints", "payments_failed_unrecovered")
# Days since something was bought, sent back or settled: the newest ends the lifetime of who left.
SETTLED_AFFAIRS = (
    "recency", "days_since_return", "days_since_complaint_resolved",
    "days_since_payment_recovered", "days_since_closure",
)  # fmt: skip

Stages = pd.Series | NDArray[np.object_]
Matrix = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class LifecycleRule:
    """The thresholds of the stages.

    trend: change in log spend of 90 days that counts: twice or half as much. Of the customers of a
    shop with three purchase days or more, half stand outside of -1 to 1.6, so a quarter more or
    less is nearly everybody's. least_alive: P(alive) below which a customer is more likely gone
    than not. newcomer_gaps: own mean gaps since the first purchase before which a trend says
    nothing. most_days: no remaining lifetime is said to be longer; five years, since no history
    here is long enough to show who stays for more.
    """

    trend: float = math.log(2.0)
    least_alive: float = 0.5
    newcomer_gaps: float = 3.0
    most_days: float = 1826.0


LIFECYCLE = LifecycleRule()


def stage(
    rows: Rows,
    is_active: pd.Series | NDArray[np.bool_],
    rule: LifecycleRule = LIFECYCLE,
    alive: NDArray[np.float64] | None = None,
) -> NDArray[np.object_]:
    """The stage of each row, (n,): termination > acquisition > decline > growth > maturity.

    is_active: by the churn definition. alive: P(alive), (n,); without it silence and spending alone
    tell of decline. Termination is no longer active with nothing open between the two; with
    something open it is decline. Acquisition is no purchase yet.
    """
    spending, is_new = numbers_of(rows, "spend_trend_90d"), _is_newcomer(rows, rule)
    # The limit is shrunk to everybody's, so who has bought once falls silent at everybody's pace.
    is_silent = numbers_of(rows, "recency") > numbers_of(rows, "gap_limit_80")
    has_bought = numbers_of(rows, "purchase_days_total") > 0
    has_left = has_bought & ~np.asarray(is_active, dtype=bool)
    is_gone = np.zeros(len(rows), dtype=bool) if alive is None else alive < rule.least_alive
    found = np.full(len(rows), "maturity", dtype=object)
    found[(spending > rule.trend) | is_new] = "growth"
    found[is_silent | is_gone | ((spending < -rule.trend) & ~is_new) | has_left] = "decline"
    found[~has_bought] = "acquisition"
    found[has_left & ~has_open_affairs(rows)] = "termination"
    return found


def has_open_affairs(rows: Rows) -> NDArray[np.bool_]:
    """Whether a complaint or a payment is still to be settled, (n,)."""
    some = np.zeros(len(rows), dtype=bool)
    for name in OPEN_AFFAIRS:
        if name in rows:
            some |= numbers_of(rows, name) > 0
    return some


def lifetime_days(rows: Rows, stages: Stages | None = None) -> NDArray[np.float64]:
    """Days from the first contact or purchase to now, (n,); null for who was never met.

    stages: those in termination have lived until the last purchase or settled affair, not until
    now.
    """
    days = numbers_of(rows, "age")
    if "tenure" in rows:
        days = np.fmax(days, numbers_of(rows, "tenure"))
    if stages is None:
        return days
    known = [numbers_of(rows, name) for name in SETTLED_AFFAIRS if name in rows]
    since_end = np.fmin.reduce(known)
    return np.where(np.asarray(stages) == "termination", days - since_end, days)


def remaining_days(
    rows: Rows,
    alive: NDArray[np.float64],
    pareto: ParetoNBD,
    rule: LifecycleRule = LIFECYCLE,
    stages: Stages | None = None,
) -> NDArray[np.float64]:
    """Expected days until the customer leaves, (n,): the area under his survival curve.

    P(alive) times the area of who is alive, up to the rule's most_days, so never above it. The
    leaving rate of who is alive at age T is Gamma(s, beta + T) in Pareto/NBD (Schmittlein,
    Morrison, Colombo, 1987, Management Science 33(1)), so he survives u days more with chance
    ((beta + T) / (beta + T + u))^s. Null without a purchase or P(alive); 0 in termination.
    """
    begun = pareto.beta + numbers_of(rows, "age")
    lasting = np.log1p(rule.most_days / begun)
    # (1 - e^-(s-1)x) / (s-1) without the hole at s = 1
    days = alive * begun * lasting * exprel(-(pareto.s - 1.0) * lasting)
    return days if stages is None else np.where(np.asarray(stages) == "termination", 0.0, days)


def moves(before: pd.Series, after: pd.Series, states: Sequence[str]) -> pd.DataFrame:
    """Customers by state before (rows) and after (columns), counts, both in the order of `states`.

    before, after: the state by customer id at two snapshots; who is in one alone is not counted.
    """
    both = pd.concat([before.rename("before"), after.rename("after")], axis=1, join="inner")
    counts = pd.crosstab(both["before"], both["after"])
    names = list(states)
    return counts.reindex(index=names, columns=names, fill_value=0).rename_axis(
        index="before", columns="after"
    )


def shares(counts: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Of the customers in each state, the share that moved to each: a Markov matrix, JSON-ready.

    A state nobody was in has no row: of it nothing is known.
    """
    seen = counts[counts.sum(axis=1) > 0]
    rows = seen.div(seen.sum(axis=1), axis=0)
    return {
        str(state): {str(to): float(share) for to, share in row.items()}
        for state, row in rows.iterrows()
    }


def next_stage(
    stages: Stages, matrix: Matrix, states: Sequence[str] = STAGES
) -> dict[str, NDArray[np.float64]]:
    """P(each state at the next snapshot), each (n,); null from a state that `matrix` lacks."""
    unknown = dict.fromkeys(states, np.nan)
    table = np.array([[matrix.get(state, unknown).get(to, 0.0) for to in states]
                      for state in states] + [list(unknown.values())])  # fmt: skip
    place = {state: at for at, state in enumerate(states)}
    chances = table[[place.get(state, len(states)) for state in np.asarray(stages)]]
    return dict(zip(states, chances.T, strict=True))


def _is_newcomer(rows: Rows, rule: LifecycleRule) -> NDArray[np.bool_]:
    """Whether a customer has no rhythm yet: bought once, or for a few of his own gaps."""
    gap = np.nan_to_num(numbers_of(rows, "gap_mean"), nan=0.0)
    is_recent = numbers_of(rows, "age") < rule.newcomer_gaps * gap
    return (numbers_of(rows, "purchase_days_total") < 2) | is_recent
