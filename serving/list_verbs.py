"""The verb of lists: holdfast list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from serving.mouth import AsOf, Json, Mouth, Quiet
from serving.plan_verbs import CapDays, Name

Where = Annotated[str, typer.Option(help="Condition over score columns; empty: everyone.")]
Out = Annotated[Path, typer.Option(help="The list: a .csv or .parquet file.")]
Control = Annotated[float, typer.Option(min=0.0, max=0.99, help="Share kept aside by lot.")]
Everybody = Annotated[bool, typer.Option("--everybody", help="Also whom to leave alone.")]


def list_customers(
    out: Out,
    where: Where = "",
    as_of: AsOf = "",
    control: Control = 0.0,
    name: Name = "plan",
    contact_cap: CapDays = 14.0,
    everybody: Everybody = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Customers by a condition on their scores, with last contact and a control group by lot.

    Such as --where "churn_band = 'high' and tier = 'mvc'". Whom it is not advised to keep is left
    out unless --everybody is said.
    """
    mouth = Mouth(quiet, as_json)
    from features.errors import UserError
    from features.moment import parse_moment
    from features.store import FeatureStore
    from features.workspace import Workspace
    from serving import batch, lists, plan_files
    from serving.planner import CONTACTED
    from training.frame import last_event

    space = Workspace.from_environment()
    store = FeatureStore(space)
    moment = parse_moment(as_of) if as_of else last_event(store)
    path = batch.score_path(space, moment)
    if not path.exists():
        raise UserError(
            f"There are no scores as of {moment:%Y-%m-%d %H:%M} to list from. "
            f"Make them first: holdfast score --as-of {moment.isoformat()}."
        )
    asked = lists.Listing(where, name, control, contact_cap, everybody)
    rows = plan_files.with_contacts(store, lists.customers(path, asked), moment)
    made = lists.listed(rows, asked)
    lists.write(made, out)
    is_known = CONTACTED in rows
    contacted = int(made[lists.LATELY].sum()) if is_known else None
    facts = {"customers": len(made), "control": int(made[lists.CONTROL].sum()), "list": out,
             "contacted_lately": contacted}  # fmt: skip
    lately = f"{contacted:,} were contacted" if is_known else "it is not known who was contacted"
    mouth.result(
        facts,
        f"{facts['customers']:,} customers, {facts['control']:,} of them kept aside as control; "
        f"{lately} in the last {contact_cap:g} days.\n"
        f"List  {out}",
    )
