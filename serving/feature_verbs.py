"""The verb of the features in use: holdfast features."""

from __future__ import annotations

from typing import Annotated

import typer

from serving.mouth import AsOf, Json, Mouth, Quiet

Trainings = Annotated[int, typer.Option(min=1, help="Registered trainings to look at.")]


def features(
    as_of: AsOf = "", trainings: Trainings = 3, quiet: Quiet = False, as_json: Json = False
) -> None:
    """Features that the last trainings made no use of; advice alone, nothing is dropped."""
    mouth = Mouth(quiet, as_json)
    from features.moment import parse_moment
    from features.store import FeatureStore
    from features.workspace import Workspace
    from training import frame, idle_features

    store = FeatureStore(Workspace.from_environment())
    moment = parse_moment(as_of) if as_of else frame.last_event(store)
    for family, _ in store.build([moment]):
        mouth.progress(f"{family} as of {moment:%Y-%m-%d}")
    found = idle_features.of_trainings(store.workspace, frame.customers(store, moment), trainings)
    known = len(found.shares)
    said = [f"  {name}" for name in found.idle] or ["  none"]
    mouth.result(
        {"versions": list(found.versions), "features": known, "idle": list(found.idle)},
        f"Of {known} features, {len(found.idle)} had less than {idle_features.NEGLIGIBLE:.0e} of "
        f"all effects on the churn risk in each of {', '.join(found.versions)}:\n"
        + "\n".join(said)
        + "\nNothing was dropped. Value and causes may use them; leave one out of the catalogue "
        "only where a training without it is no worse: holdfast evaluate.",
    )
