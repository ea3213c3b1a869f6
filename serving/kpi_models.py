"""What the scores, the tests of the models and the earlier batches tell of a business."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import ibis.expr.types as ir
import numpy as np

from features import backend, events, moment, received
from features.workspace import Workspace, event_files
from serving import cohorts
from serving.kpi_events import TOP_SHARE, YEAR, Facts, Figures, Known, finite, ratio
from training.proof import Proof


def scoring(known: Known) -> Figures:
    """Figures of who is known: rows with a customer, customers with a tier, warnings in time."""
    facts = known.facts
    if facts is None:
        return {}
    scores = facts.scores
    active, tiered = scores.status != "not_active", scores.tier.notna()
    return {
        "identified_rate": facts.identified,
        "tier_coverage": ratio(float((active & tiered).sum()), float(active.sum())),
        "customer_equity": finite(scores.clv_future.sum(min_count=1)),
        "days_between_scores": finite(min(facts.scored_days_ago, default=None)),
        **_warnings(known, facts),
    }


def accuracy(known: Known) -> Figures:
    """How good the models were on customers whose future they had not seen."""
    if known.facts is None:
        return {}
    proof = known.facts.proof
    return {
        "model_auc": _metric(proof, "churn", "roc_auc"),
        "model_calibration": _metric(proof, "churn", "calibration_error"),
        "value_rank": _metric(proof, "clv", "spearman"),
        "value_bias": _metric(proof, "clv", "total_bias"),
        "golden_precision": golden_precision(proof),
    }


def golden_precision(proof: Proof) -> float | None:
    """Share of the fifth forecast most valuable that was among the fifth that brought most, 0 to 1.

    Of equal forecasts the first by id counts as higher, and of equal values alike.
    """
    if proof.held_out is None:
        return None
    tested = proof.held_out.dropna(subset=["expected_value", "value"]).sort_values("customer_id")
    top = int(np.ceil(TOP_SHARE * len(tested)))
    best = [
        set(tested.sort_values(name, ascending=False, kind="stable").customer_id[:top])
        for name in ("expected_value", "value")
    ]
    return ratio(float(len(best[0] & best[1])), float(top))


def identified_rate(space: Workspace) -> float | None:
    """Share of the order lines and contacts brought in that named their customer, 0 to 1.

    By files and by pushes. Rows that a source left out before do not count; where none came without
    a customer, they are more likely left out than not there, and the answer is None.
    """
    tables = ("transactions", "interactions")
    unnamed = sum(received.refused(space.events, table, events.UNNAMED) for table in tables)
    if not unnamed:
        return None
    named = sum(
        backend.read_parquet(files).count().execute()
        for table in tables
        if (files := event_files(space, table))
    )
    return ratio(float(named), float(named + unnamed))


def earlier_batches(space: Workspace, as_of: datetime) -> tuple[ir.Table | None, Sequence[int]]:
    """The alerts of the batches of days before `as_of`, and the days since each; see Facts."""
    paths = sorted(space.scores.glob("as_of=*/scores.parquet"))
    if not paths:
        return None, ()
    rows = backend.read_parquet(paths)
    ago = moment.days_before(rows.as_of.cast("timestamp(6)"), as_of)
    rows = rows.select("customer_id", "churn_band", alert_days_ago=ago)
    earlier = rows.filter(rows.alert_days_ago > 0)
    days = earlier.select("alert_days_ago").distinct().order_by("alert_days_ago")
    days_ago = backend.connect().to_pyarrow(days)["alert_days_ago"].to_pylist()
    alerts = earlier.filter(earlier.churn_band == "high").drop("churn_band")
    return (alerts, tuple(days_ago)) if days_ago else (None, ())


def _warnings(known: Known, facts: Facts) -> Figures:
    """Whether those lost in the year had been called high risk since their last purchase.

    lead_time: the median of the days from the first such call until they counted as lost. Judged
    are those whom an earlier batch scored in between.
    """
    if facts.alerts is None:
        return {}
    gone = cohorts.lost(known.days, known.churn.active_days, YEAR)
    told = gone.left_join(facts.alerts, "customer_id")
    ago = told.alert_days_ago
    in_time = (ago <= told.last_days_ago) & (ago >= told.lost_days_ago)
    each = told.group_by("customer_id", "last_days_ago", "lost_days_ago")
    rows = backend.connect().to_pyarrow(each.agg(alert=ago.max(where=in_time))).to_pandas()
    batches = np.sort(facts.scored_days_ago)
    until_last = np.searchsorted(batches, rows.last_days_ago, side="right")
    judged = rows[until_last > np.searchsorted(batches, rows.lost_days_ago, side="left")]
    lead = (judged.alert - judged.lost_days_ago).dropna()
    return {
        "lead_time": finite(lead.median()),
        "warned_share": ratio(float(len(lead)), float(len(judged))),
    }


def _metric(proof: Proof, task: str, metric: str) -> float | None:
    table = proof.metrics
    found = table[(table.task == task) & (table.model == "model") & (table.metric == metric)].value
    return None if found.empty else finite(found.iloc[0])
