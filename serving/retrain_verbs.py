"""The verbs of the models' life: holdfast train, retrain, compare, promote, rollback.

The rooms are imported inside them: their vendors take seconds, `--help` should not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from serving.churn_options import ActiveDays, Churn, Gap, Grace, NewcomerDays
from serving.mouth import AsOf, Horizon, Json, Mouth, Quiet, ValueHorizon

if TYPE_CHECKING:
    from training import exposure
    from training.definitions import Definition
    from training.request import Request

DatasetName = Annotated[str, typer.Option(help="A known data set, such as simulated.")]
Folder = Annotated[str, typer.Option(help="Folder with the files of the data set.")]
Origins = Annotated[int, typer.Option(min=1, max=24, help="Past moments to test at.")]
Minutes = Annotated[float, typer.Option(min=0.0, help="Of search for better trees; 0: none.")]
Treated = Annotated[
    Literal["as_they_are", "by_control"],
    typer.Option(help="Customers of campaigns: as usual, or the control speaks for the treated."),
]
Force = Annotated[bool, typer.Option("--force", help="Also when the same was done before.")]
Version = Annotated[str, typer.Argument(help="A registered version, such as 3.")]


def train(
    dataset: DatasetName = "",
    folder: Folder = "",
    as_of: AsOf = "",
    horizon: Horizon = 90,
    value_horizon: ValueHorizon = 365,
    churn: Churn = "inactivity",
    gap: Gap = 0,
    grace: Grace = 30,
    active_days: ActiveDays = 0,
    newcomer_days: NewcomerDays = 0,
    treated: Treated = "as_they_are",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train, test, register and promote the four models, whatever the gate says.

    With --dataset an empty workspace is filled with that data set first.
    """
    mouth = Mouth(quiet, as_json)
    from features import workspace
    from features.datasets import load_dataset
    from features.workspace import Workspace
    from training import definitions, words
    from training.train import train as way

    space = Workspace.from_environment()
    if dataset and not workspace.event_files(space, "transactions"):
        for report in workspace.ingest(space, load_dataset(dataset, folder)):
            mouth.progress(report.sentence())
    rule = definitions.chosen(churn, gap, grace, active_days, newcomer_days)
    request = request_of(as_of, horizon, value_horizon, rule, treated)
    learned = way(space, request, mouth.progress, _labels())
    verdict = learned.verdict
    mouth.result(
        {
            "versions": learned.models.versions,
            "metrics": learned.metrics.to_dict("records"),
            "gate": verdict.to_dict() if verdict else None,
        },
        f"{words.of_metrics(learned.metrics)}\n\n"
        f"Gate (it decides at a retrain):\n{verdict.in_words() if verdict else 'not asked'}\n\n"
        f"Champions: {', '.join(learned.models.versions.values())}",
    )


def retrain(
    as_of: AsOf = "",
    horizon: Horizon = 90,
    value_horizon: ValueHorizon = 365,
    churn: Churn = "inactivity",
    gap: Gap = 0,
    grace: Grace = 30,
    active_days: ActiveDays = 0,
    newcomer_days: NewcomerDays = 0,
    treated: Treated = "as_they_are",
    origins: Origins = 3,
    search_minutes: Minutes = 0.0,
    force: Force = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train challengers; the gate promotes or refuses them. Exit code 1 when it refuses.

    Done once for the same events, code and options; ended in the middle it goes on.
    """
    mouth = Mouth(quiet, as_json)
    from features.workspace import Workspace
    from training import definitions
    from training.retrain import Order
    from training.retrain import retrain as way

    rule = definitions.chosen(churn, gap, grace, active_days, newcomer_days)
    request = request_of(as_of, horizon, value_horizon, rule, treated)
    order = Order(request, origins, search_minutes)
    space = Workspace.from_environment()
    found = way(space, order, _labels(), mouth.progress, force=force)
    mouth.result(found.facts(), found.in_words())
    if not found.promoted:
        raise typer.Exit(1)


def compare(a: Version, b: Version, quiet: Quiet = False, as_json: Json = False) -> None:
    """Two registered versions side by side: figures, parameters, features, data."""
    mouth = Mouth(quiet, as_json)
    from features.workspace import Workspace
    from training import comparison, registry

    space = Workspace.from_environment()
    found = comparison.compare(registry.side(space, a), registry.side(space, b))
    mouth.result(found.facts(), found.in_words())


def promote(quiet: Quiet = False, as_json: Json = False) -> None:
    """Make the newest challengers the champions, whatever the gate says."""
    mouth = Mouth(quiet, as_json)
    from features.workspace import Workspace
    from training import registry

    versions = registry.promote(Workspace.from_environment())
    mouth.result(versions, f"Champions: {', '.join(versions.values())}")


def rollback(quiet: Quiet = False, as_json: Json = False) -> None:
    """Return to the former champions."""
    mouth = Mouth(quiet, as_json)
    from features.workspace import Workspace
    from training import registry

    versions = registry.rollback(Workspace.from_environment())
    mouth.result(versions, f"Champions: {', '.join(versions.values())}")


def request_of(
    as_of: str,
    horizon: int,
    value_horizon: int,
    churn: Definition,
    treated: exposure.Treated,
) -> Request:
    """The question about the workspace's business; no moment is the end of its data."""
    from features.moment import parse_moment
    from features.store import FeatureStore
    from features.workspace import Workspace
    from training.frame import last_event
    from training.request import Request

    store = FeatureStore(Workspace.from_environment())
    moment = parse_moment(as_of) if as_of else last_event(store)
    return Request(moment, horizon, value_horizon, churn, treated=treated)


def _labels() -> dict[str, str]:
    from serving.policy import POLICY

    return {"policy": POLICY.label}
