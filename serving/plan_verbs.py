"""The verb of the retention planner: holdfast plan.

The rooms are imported inside it: their vendors take seconds, `--help` should not.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.mouth import AsOf, Json, Mouth, Quiet

if TYPE_CHECKING:
    import pandas as pd

    from features.store import FeatureStore
    from features.workspace import Workspace
    from serving.planner import Plan
    from serving.responses import Responses

Budget = Annotated[float | None, typer.Option(min=0.0, help="Money to spend; none: no limit.")]
Capacity = Annotated[list[str] | None, typer.Option("--capacity", help="channel=most contacts")]
Cost = Annotated[list[str] | None, typer.Option("--cost", help="action=money each")]
SaveRate = Annotated[float, typer.Option(min=0.0, max=1.0, help="Leavers a contact saves.")]
CapDays = Annotated[float, typer.Option(min=0.0, help="Nobody contacted in these last days.")]
ControlShare = Annotated[float, typer.Option(min=0.0, max=0.99, help="Kept aside, to measure.")]
Name = Annotated[str, typer.Option(help="Of the plan; another name draws another control group.")]
Measure = Annotated[bool, typer.Option("--measure", help="Learn effects from past campaigns.")]
Out = Annotated[str, typer.Option(help="Also to: a .csv or .parquet file.")]


def plan(
    as_of: AsOf = "",
    budget: Budget = None,
    capacity: Capacity = None,
    cost: Cost = None,
    save_rate: SaveRate = 0.1,
    contact_cap: CapDays = 14.0,
    control: ControlShare = 0.1,
    name: Name = "plan",
    measure: Measure = False,
    out: Out = "",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Whom to do what for within a budget, from the scores of a moment; with a control group."""
    mouth = Mouth(quiet, as_json)
    from features.store import FeatureStore
    from features.workspace import Workspace
    from serving import actions, plan_files, planner
    from serving.responses import ASSUMED

    terms = planner.Terms(name, budget, _numbers(capacity), contact_cap, control)
    chosen = actions.adjusted(save_rate, _numbers(cost))
    space = Workspace.from_environment()
    store = FeatureStore(space)
    moment = _moment(as_of, store)
    scores = _scores(space, store, moment)
    responses = _responses(store, scores, moment, mouth) if measure else ASSUMED
    made = planner.plan(scores, terms, chosen, responses)
    path = plan_files.write(made, plan_files.path(space, moment))
    if out:
        plan_files.write(made, Path(out))
    mouth.result({"plan": path, **made.facts, "prices": dict(made.prices),
                  "assumptions": made.assumptions}, _in_words(made, path))  # fmt: skip


def _moment(as_of: str, store: FeatureStore) -> datetime:
    from features.moment import parse_moment
    from training.frame import last_event

    return parse_moment(as_of) if as_of else last_event(store)


def _scores(space: Workspace, store: FeatureStore, moment: datetime) -> pd.DataFrame:
    """The scores of a moment, with the days since each customer was contacted where it is known."""
    import pandas as pd

    from features.errors import UserError
    from serving import batch, plan_files

    path = batch.score_path(space, moment)
    if not path.exists():
        raise UserError(
            f"There are no scores as of {moment:%Y-%m-%d %H:%M} to plan with. "
            f"Make them first: holdfast score --as-of {moment.isoformat()}."
        )
    return plan_files.with_contacts(store, pd.read_parquet(path), moment)


def _responses(
    store: FeatureStore, scores: pd.DataFrame, moment: datetime, mouth: Mouth
) -> Responses:
    """What past campaigns tell, over the horizon the champion forecasts churn for."""
    from serving.responses import of_campaigns
    from training import champion, uplift

    models = champion.load(store.workspace)
    horizon = models.tasks["churn"].horizon_days
    learned = uplift.learn(store, moment, horizon, mouth.progress)
    learned.save(store.workspace.models / "uplift")
    for _ in store.build([moment]):
        pass
    return of_campaigns(learned, store.snapshot(moment, scores.customer_id.tolist()), scores)


def _numbers(given: list[str] | None) -> dict[str, float]:
    """name=number, as often as given."""
    from features.errors import UserError

    found = {}
    for text in given or []:
        name, _, number = text.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            raise UserError(
                f"{text!r} cannot be read. Write a name and a number, such as phone=200."
            ) from None
    return found


def _best(gap: float) -> str:
    from serving.planner import LEAST_MONEY

    if gap < LEAST_MONEY:
        return "Within these limits no other plan would bring more."
    return f"Within these limits the best plan would bring at most {gap:,.2f} more."


def _in_words(made: Plan, path: Path) -> str:
    facts = made.facts
    lines = [
        f"  {row.action:15s} {row.channel:8s} {row.customers:8,} customers  cost {row.cost:12,.2f}"
        f"  saves {row.saved_value:12,.2f}  net {row.net:12,.2f}"
        for row in made.summary().itertuples()
    ]
    worth = [f"One more of {name} would be worth {price:,.2f}."
             for name, price in made.prices.items() if price > 0.0]  # fmt: skip
    return "\n".join([
        f"{facts['chosen_customers']:,.0f} customers, {facts['spent']:,.2f} to spend, expected net "
        f"{facts['net']:,.2f}.",
        f"Control group: {facts['kept_aside']:,.0f} drawn by lot are left alone, of whom "
        f"{facts['control_customers']:,.0f} would have been contacted.",
        *(lines or ["  No action is worth its cost."]),
        *worth,
        _best(facts["gap"]),
        *made.assumptions,
        f"Plan  {path}",
    ])  # fmt: skip
