"""The verb of the report: holdfast report."""

from __future__ import annotations

from typing import Annotated

import typer

from serving.mouth import AsOf, Json, Mouth, Quiet

Language = Annotated[str, typer.Option(help="Of the report: en or zh.")]


def report(
    as_of: AsOf = "", language: Language = "en", quiet: Quiet = False, as_json: Json = False
) -> None:
    """The report of the scores of a moment, in English or Chinese."""
    mouth = Mouth(quiet, as_json)
    from features.moment import parse_moment
    from features.store import FeatureStore
    from features.workspace import Workspace
    from serving.reporting import report_of
    from training.frame import last_event

    space = Workspace.from_environment()
    moment = parse_moment(as_of) if as_of else last_event(FeatureStore(space))
    path = report_of(space, moment, language)
    mouth.result({"report": path}, f"Report  {path}")
