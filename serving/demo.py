"""The whole way on a made business whose truth is known, and how near the answer came to it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import ibis
import pandas as pd

from features import workspace
from features.datasets.simulated import Simulation, simulate
from features.snapshots import moment_name
from features.store import FeatureStore
from features.workspace import Workspace
from serving import batch
from serving.policy import POLICY
from serving.report_parts.words import ENGLISH
from serving.reporting import report_on
from training.metrics import log_loss, roc_auc
from training.request import Request
from training.train import Progress, train

log = logging.getLogger(__name__)

# Three months before the simulated data end, so that the future of the scores is known as well.
AS_OF = datetime(2025, 3, 31, 23, 59, 59, 999999)
HORIZON_DAYS, VALUE_HORIZON_DAYS = 90, 365


@dataclass(frozen=True)
class DemoResult:
    """Where the results lie, and log-loss and AUC beside those of the true hazard."""

    report: Path
    scores: Path
    as_of: datetime
    customers: int
    log_loss: dict[str, float]
    roc_auc: dict[str, float]


def run(space: Workspace, customers: int, seed: int, progress: Progress) -> DemoResult:
    """Simulate, ingest, build, train, score, report and load the online store of a workspace."""
    progress(f"simulating {customers:,} customers")
    world = simulate(customers=customers, seed=seed)
    for report in workspace.ingest(space, tables_of(world)):
        progress(report.sentence())
    request = Request(AS_OF, HORIZON_DAYS, VALUE_HORIZON_DAYS)
    learned = train(space, request, progress)
    progress("scores of every customer")
    path = batch.score_file(space, POLICY, AS_OF)
    scores = pd.read_parquet(path)
    progress("report")
    page = space.reports / f"as_of={moment_name(AS_OF)}" / "report.html"
    report_on(
        space, scores, learned.models, learned.proof, POLICY, page, ENGLISH, "page.title_demo"
    )
    progress("online store")
    FeatureStore(space).materialize(AS_OF)
    losses, areas = beside_the_truth(scores, world)
    return DemoResult(page, path, AS_OF, len(scores), losses, areas)


def tables_of(world: Simulation) -> dict[str, ibis.Table]:
    """The simulated frames as raw tables."""
    names = ("customers", "transactions", "interactions")
    return {name: ibis.memtable(getattr(world, name)) for name in names}


def beside_the_truth(
    scores: pd.DataFrame, world: Simulation
) -> tuple[dict[str, float], dict[str, float]]:
    """Log-loss and AUC of churn among active customers: the model's and the true hazard's."""
    truth = world.truth(AS_OF, HORIZON_DAYS).set_index("customer_id")
    active = scores[scores.churn_probability.notna()].set_index("customer_id")
    end = AS_OF + pd.Timedelta(days=HORIZON_DAYS)
    lines = world.transactions
    window = (lines.happened_at > AS_OF) & (lines.happened_at <= end) & (lines.amount > 0)
    left = (~active.index.isin(lines.customer_id[window])).astype(float)
    chances = {
        "model": active.churn_probability.to_numpy(),
        "true hazard": truth.churn_probability.reindex(active.index).to_numpy(),
        "everyone alike": pd.Series(left.mean(), active.index).to_numpy(),
    }
    losses = {name: log_loss(left, chance) for name, chance in chances.items()}
    return losses, {name: roc_auc(left, chance) for name, chance in chances.items()}
