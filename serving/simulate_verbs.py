"""The verb that makes a business whose truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serving.mouth import Json, Mouth, Quiet


def simulate(
    out: Annotated[Path, typer.Option(help="Folder for the three tables and truth.parquet.")],
    customers: Annotated[int, typer.Option(min=1)] = 4000,
    seed: int = 0,
    truth_as_of: Annotated[str, typer.Option(help="Moment of the truth table.")] = "2025-03-31",
    truth_horizon: Annotated[int, typer.Option(min=1)] = 90,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """The generator alone, with its truth table."""
    mouth = Mouth(quiet, as_json)
    from features.backend import write_frame
    from features.datasets.simulated import simulate as make
    from features.moment import parse_moment

    moment = parse_moment(truth_as_of)
    mouth.progress(f"simulating {customers:,} customers")
    world = make(customers=customers, seed=seed)
    paths = {
        name: out / f"{name}.parquet" for name in ("customers", "transactions", "interactions")
    }
    for name, path in paths.items():
        write_frame(getattr(world, name), path)
    paths["truth"] = write_frame(world.truth(moment, truth_horizon), out / "truth.parquet")
    mouth.result(dict(paths), "\n".join(str(path) for path in paths.values()))
