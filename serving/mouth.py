"""How the verbs of the command line speak: progress, results, and moments as they are written."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping
from typing import Annotated

import typer

Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but the result.")]
Json = Annotated[bool, typer.Option("--json", help="Give the result as JSON.")]
Horizon = Annotated[int, typer.Option(min=1, max=3650, help="Days of the churn question.")]
ValueHorizon = Annotated[int, typer.Option(min=1, max=3650, help="Days of the value question.")]
AsOf = Annotated[str, typer.Option(help="Moment to stand at, UTC; empty: the end of the data.")]


class Mouth:
    """How a verb speaks: progress on standard error with the seconds gone, results on output."""

    def __init__(self, quiet: bool, as_json: bool) -> None:
        self.quiet, self.as_json, self.start = quiet, as_json, time.monotonic()
        logging.basicConfig(level=logging.ERROR if quiet else logging.WARNING, format="%(message)s")
        logging.getLogger("features").setLevel(logging.ERROR if quiet else logging.INFO)

    def progress(self, text: str) -> None:
        """Say what is being done."""
        if not self.quiet:
            typer.echo(f"{time.monotonic() - self.start:6.1f} s  {text}", err=True)

    def result(self, facts: Mapping[str, object], text: str) -> None:
        """Say what came of it: the facts as JSON, or the text."""
        typer.echo(json.dumps(facts, default=str) if self.as_json else text)
