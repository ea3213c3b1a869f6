"""The verbs that stand in files of their own, by name; to add one, name it here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import typer

from serving.expiry_verbs import expire
from serving.feature_verbs import features
from serving.freshness_verbs import freshness
from serving.list_verbs import list_customers
from serving.monitor_verbs import monitor
from serving.plan_verbs import plan
from serving.replay_verbs import diff, replay
from serving.report_verbs import report
from serving.retrain_verbs import compare, promote, retrain, rollback, train
from serving.simulate_verbs import simulate

VERBS: Mapping[str, Callable[..., None]] = {
    "train": train,
    "retrain": retrain,
    "compare": compare,
    "promote": promote,
    "rollback": rollback,
    "plan": plan,
    "report": report,
    "monitor": monitor,
    "replay": replay,
    "diff": diff,
    "list": list_customers,
    "freshness": freshness,
    "features": features,
    "expire": expire,
    "simulate": simulate,
}


def add_to(app: typer.Typer) -> None:
    """Make them verbs of a command line."""
    for name, verb in VERBS.items():
        app.command(name)(verb)
