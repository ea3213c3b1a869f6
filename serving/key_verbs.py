"""The verbs of API keys: holdfast keys add, holdfast keys revoke.

The rooms are imported inside them: their vendors take seconds, `--help` should not.
"""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="API keys of the service.", no_args_is_help=True)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Who holds it.")],
    role: Annotated[str, typer.Option(help="scorer, writer or admin.")] = "scorer",
) -> None:
    """Make an API key. It is shown this once."""
    from features.workspace import Workspace
    from serving import keys

    typer.echo(keys.make(keys.default_file(Workspace.from_environment()), name, role))


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="Whose key is to end.")]) -> None:
    """End an API key; a running service notices within a second."""
    from features.workspace import Workspace
    from serving import keys

    keys.revoke(keys.default_file(Workspace.from_environment()), name)
    typer.echo(f"The key of {name} has ended.")
