"""The verbs that make stored scores again: holdfast replay and holdfast diff.

The rooms are imported inside them: their vendors take seconds, `--help` should not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from serving.mouth import Json, Mouth, Quiet

if TYPE_CHECKING:
    from features.workspace import Workspace
    from serving.replay import Replay

Whose = Annotated[str, typer.Argument(help="Whose score; none with --everybody.")]
Moment = Annotated[str, typer.Option("--as-of", help="Moment of the batch, UTC.")]
Asked = Annotated[str, typer.Option("--request", help="X-Request-ID of an answer of the service.")]
# What can be asked for together: customer, moment, request, everybody.
_ASKED = {
    (True, False, False, False),
    (True, True, False, False),
    (True, False, True, False),
    (False, False, True, False),
    (False, True, False, True),
}
Everybody = Annotated[bool, typer.Option("--everybody", help="A whole batch.")]


def replay(
    customer_id: Whose = "",
    as_of: Moment = "",
    request: Asked = "",
    everybody: Everybody = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """A stored score made again from what was stored; ends with 1 when a bit differs.

    Without --as-of: the last answer of the service about the customer.
    """
    mouth = Mouth(quiet, as_json)
    from features.workspace import Workspace

    found = _replayed(Workspace.from_environment(), customer_id, as_of, request, everybody)
    mouth.result(found.facts, found.in_words())
    if not found.is_equal:
        raise typer.Exit(1)


def diff(
    customer_id: Annotated[str, typer.Argument(help="Whose score.")],
    first: Annotated[str, typer.Argument(help="Moment of the batch before, UTC.")],
    second: Annotated[str, typer.Argument(help="Moment of the batch after, UTC.")],
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Why a score moved between two batches: data, model, definition, policy, and what features."""
    mouth = Mouth(quiet, as_json)
    from features.moment import parse_moment
    from features.workspace import Workspace
    from serving import moved

    space = Workspace.from_environment()
    found = moved.between(space, customer_id, parse_moment(first), parse_moment(second))
    mouth.result(found.facts, found.in_words())


def _replayed(
    space: Workspace, customer_id: str, as_of: str, request: str, everybody: bool
) -> Replay:
    from features.errors import UserError
    from features.moment import parse_moment
    from serving import replay as way

    told = (bool(customer_id), bool(as_of), bool(request), everybody)
    if told not in _ASKED:
        raise UserError(
            "Say what to make again: CUSTOMER, CUSTOMER --as-of MOMENT, CUSTOMER --request ID, "
            "--request ID of rows that named no customer, or --everybody --as-of MOMENT."
        )
    if everybody:
        return way.everybody(space, parse_moment(as_of))
    if as_of:
        return way.customer(space, customer_id, parse_moment(as_of))
    return way.served(space, customer_id, request)
