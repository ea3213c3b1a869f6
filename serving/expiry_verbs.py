"""The verb of the retention job: holdfast expire."""

from __future__ import annotations

from typing import Annotated

import typer

from serving.mouth import Json, Mouth, Quiet

KeepDays = Annotated[
    int | None,
    typer.Option(min=1, help="Of events and customers, and the most of what is made of them."),
]
Keep = Annotated[list[str] | None, typer.Option("--keep", help="kind=days, such as scores=365")]
Now = Annotated[str, typer.Option(help="Moment to count back from, UTC; empty: now.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without, it is only told.")]


def expire(
    keep_days: KeepDays = None,
    keep: Keep = None,
    now: Now = "",
    yes: Yes = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Delete what is past its period, with a receipt; without --yes it only tells what would go."""
    mouth = Mouth(quiet, as_json)
    from features import expiry as periods
    from features.moment import now as clock
    from features.moment import parse_moment
    from features.store import FeatureStore
    from features.workspace import Workspace
    from serving import expiry

    space, moment = Workspace.from_environment(), parse_moment(now) if now else clock()
    store, since = FeatureStore(space), periods.starts(moment, keep_days, _days(keep))
    if yes:
        facts = expiry.expire(space, store, since, moment)
    else:
        seen = periods.look(space, since, store.newest_online())
        facts = expiry.receipt_of(seen, since, moment)
    mouth.result({**facts, "done": yes}, expiry.in_words(facts, is_done=yes))


def _days(given: list[str] | None) -> dict[str, int]:
    """kind=days, as often as given."""
    from features.errors import UserError

    found = {}
    for text in given or []:
        name, _, days = text.partition("=")
        if not days.strip().isdigit():
            raise UserError(
                f"{text!r} cannot be read. Write a kind and whole days, such as scores=365."
            )
        found[name.strip()] = int(days)
    return found
