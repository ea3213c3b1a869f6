"""The command line: each verb is a thin mouth over one function.

Exit codes: 0 done, 1 the work failed with a reason, 2 the call or the input was wrong.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from serving import key_verbs, retrain_verbs, verbs
from serving.churn_options import ActiveDays, Churn, Gap, Grace, NewcomerDays
from serving.mouth import AsOf, Horizon, Json, Mouth, Quiet, ValueHorizon
from serving.report_verbs import Language
from serving.retrain_verbs import Treated

if TYPE_CHECKING:
    from features.store import FeatureStore
    from features.workspace import Workspace

# The rooms are imported inside the verbs: their vendors take seconds, `--help` should not.
app = typer.Typer(
    name="holdfast",
    help="Which customers you are about to lose, why, what each is worth, what it pays to do.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(key_verbs.app, name="keys")
verbs.add_to(app)

Transactions = Annotated[Path | None, typer.Option(help="CSV or Parquet file of order lines.")]
Interactions = Annotated[Path | None, typer.Option(help="CSV or Parquet file of contacts.")]
Customers = Annotated[Path | None, typer.Option(help="CSV or Parquet file of customers.")]
MappingFile = Annotated[str, typer.Option(help="YAML file: table -> our name: your column.")]
Columns = Annotated[list[str] | None, typer.Option("--column", help="table.name=your column")]
DatasetName = Annotated[str, typer.Option(help="A known data set, such as simulated.")]
Folder = Annotated[str, typer.Option(help="Folder with the files of the data set.")]


@app.command()
def demo(
    customers: Annotated[int, typer.Option(min=500, help="How many to simulate.")] = 4000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same world.")] = 0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Simulated customers -> features -> models -> scores -> report, and what to do next."""
    mouth = Mouth(quiet, as_json)
    from serving import demo as way

    space = _workspace()
    done = way.run(space, customers, seed, mouth.progress)
    table = "\n".join(
        f"  {name:16s} log-loss {done.log_loss[name]:.4f}   AUC {done.roc_auc[name]:.4f}"
        for name in done.log_loss
    )
    mouth.result(
        vars(done),
        f"{done.customers:,} customers scored as of {done.as_of:%Y-%m-%d}.\n\n"
        f"Churn within 90 days, the model beside the truth of the simulator:\n{table}\n\n"
        f"Report  {done.report}\nScores  {done.scores}\n\n"
        "Next:\n"
        f"  .venv/bin/holdfast serve --as-of {done.as_of:%Y-%m-%d}     ask for scores by HTTP\n"
        "  .venv/bin/holdfast run --transactions FILE --out DIR   your own data",
    )


@app.command()
def run(
    transactions: Annotated[Path, typer.Option(help="CSV or Parquet file of order lines.")],
    out: Annotated[Path, typer.Option(help="Folder for scores.parquet and report.html.")],
    interactions: Interactions = None,
    customers: Customers = None,
    mapping: MappingFile = "",
    column: Columns = None,
    as_of: AsOf = "",
    horizon: Horizon = 90,
    value_horizon: ValueHorizon = 365,
    churn: Churn = "inactivity",
    gap: Gap = 0,
    grace: Grace = 30,
    active_days: ActiveDays = 0,
    newcomer_days: NewcomerDays = 0,
    margin_rate: Annotated[float, typer.Option(min=0.0, max=1.0, help="Margin per money.")] = 1.0,
    discount_rate: Annotated[float, typer.Option(min=0.0, max=1.0, help="Per year.")] = 0.1,
    cost_per_contact: Annotated[float | None, typer.Option(min=0.0, help="Money each.")] = None,
    cost_to_serve: Annotated[float | None, typer.Option(min=0.0, help="Of a customer.")] = None,
    retention_cost: Annotated[float | None, typer.Option(min=0.0, help="Of one attempt.")] = None,
    tier_basis: Annotated[Literal["clv", "abc", "rfm"], typer.Option(help="Of tiers.")] = "clv",
    currency: Annotated[str, typer.Option(help="Of all amounts, such as CNY.")] = "",
    language: Language = "en",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """One shot: your files in, scores and report out. Nothing later than --as-of is used."""
    mouth = Mouth(quiet, as_json)
    from features.reading import read_mapping
    from serving import one_shot
    from serving.policy import POLICY
    from training import definitions

    files = one_shot.Files(
        _given(transactions=transactions, interactions=interactions, customers=customers),
        read_mapping(Path(mapping) if mapping else None, column or []),
    )
    policy = replace(
        POLICY, margin_rate=margin_rate, discount_rate=discount_rate, currency=currency or None,
        cost_per_contact=cost_per_contact, cost_to_serve=cost_to_serve,
        retention_cost=retention_cost, tier_basis=tier_basis,
    )  # fmt: skip
    scores = one_shot.run(
        files, _moment(as_of), horizon, value_horizon, policy, out, mouth.progress, language,
        definitions.chosen(churn, gap, grace, active_days, newcomer_days),
    )  # fmt: skip
    mouth.result(
        {"customers": len(scores), "scores": out / "scores.parquet", "report": out / "report.html"},
        f"{len(scores):,} customers scored.\nScores  {out / 'scores.parquet'}\n"
        f"Report  {out / 'report.html'}",
    )


@app.command()
def ingest(
    transactions: Transactions = None,
    interactions: Interactions = None,
    customers: Customers = None,
    mapping: MappingFile = "",
    column: Columns = None,
    dataset: DatasetName = "",
    folder: Folder = "",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Files, or a known data set, into the workspace's events."""
    mouth = Mouth(quiet, as_json)
    from features import workspace
    from features.datasets import load_dataset
    from features.errors import UserError
    from features.events import TABLES
    from features.reading import read, read_mapping

    paths = _given(transactions=transactions, interactions=interactions, customers=customers)
    if bool(paths) == bool(dataset):
        raise UserError("Say what to bring in: --transactions FILE (and more), or --dataset NAME.")
    names = read_mapping(Path(mapping) if mapping else None, column or [])
    tables = {name: read(path, TABLES[name], names) for name, path in paths.items()}
    tables = tables or load_dataset(dataset, folder)
    reports = workspace.ingest(_workspace(), tables, names.time_format)
    mouth.result({r.table: vars(r) for r in reports}, "\n".join(r.sentence() for r in reports))


@app.command()
def build(as_of: AsOf = "", quiet: Quiet = False, as_json: Json = False) -> None:
    """The feature snapshot of a moment, when it is missing."""
    mouth = Mouth(quiet, as_json)
    _, moment = _built(as_of, mouth)
    mouth.result({"as_of": moment}, f"Features stand as of {moment:%Y-%m-%d %H:%M}.")


@app.command()
def materialize(as_of: AsOf = "", quiet: Quiet = False, as_json: Json = False) -> None:
    """A feature snapshot into the online store."""
    mouth = Mouth(quiet, as_json)
    store, moment = _built(as_of, mouth)
    count = store.materialize(moment)
    mouth.result(
        {"customers": count, "as_of": moment},
        f"{count:,} customers online as of {moment:%Y-%m-%d %H:%M}.",
    )


@app.command()
def evaluate(
    as_of: AsOf = "",
    horizon: Horizon = 90,
    value_horizon: ValueHorizon = 365,
    churn: Churn = "inactivity",
    gap: Gap = 0,
    grace: Grace = 30,
    active_days: ActiveDays = 0,
    newcomer_days: NewcomerDays = 0,
    treated: Treated = "as_they_are",
    contact_cost: Annotated[float | None, typer.Option(min=0.0, help="Money per contact.")] = None,
    save_rate: Annotated[float, typer.Option(min=0.0, max=1.0, help="Leavers it saves.")] = 0.1,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """The test alone: at several earlier moments, by group and in money. No record."""
    mouth = Mouth(quiet, as_json)
    from features.store import FeatureStore
    from training import definitions, retention, rolling

    space = _workspace()
    rule = definitions.chosen(churn, gap, grace, active_days, newcomer_days)
    request = retrain_verbs.request_of(as_of, horizon, value_horizon, rule, treated)
    store = FeatureStore(space)
    given = retention.Assumptions(contact_cost, save_rate)
    found = rolling.measure(store, request, given, mouth.progress)
    mouth.result(found.facts(), found.in_words())


@app.command()
def score(
    as_of: AsOf = "",
    out: Annotated[str, typer.Option(help="Also to: a .csv, a .parquet, a database's URL.")] = "",
    table: Annotated[str, typer.Option(help="Table of the database.")] = "holdfast_scores",
    resume: Annotated[bool, typer.Option(help="Go on after a run that was ended.")] = True,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Everyone at a moment, with the champions; and the lists of whom to do something about."""
    mouth = Mouth(quiet, as_json)
    from features.store import FeatureStore
    from serving import batch, outputs, segments
    from serving.policy import POLICY

    space = _workspace()
    asked, newest = _moment(as_of), _end_of_data(FeatureStore(space))
    moment = asked or newest
    path = batch.score_file(space, POLICY, moment, mouth.progress, resume=resume)
    lists, changes = segments.write(space, moment)
    if out:
        outputs.write(path, out, table)
    count = batch.customers_in(path)
    warning = ""
    if moment - newest > timedelta(days=POLICY.stale_after_days):
        warning = (
            f"The newest event is of {newest:%Y-%m-%d}, {(moment - newest).days:,} days earlier: "
            "who seems silent may only not have arrived. Ingest newer events, or use an earlier "
            "--as-of.\n"
        )
    mouth.result(
        {"customers": count, "scores": path, "segments": lists, "changes": changes,
         "newest_event": newest.isoformat()},
        f"{count:,} customers scored.\n{warning}"
        f"Scores    {path}\nSegments  {lists}\nChanges   {changes}",
    )  # fmt: skip


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Loopback unless you say otherwise.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 3000,
    as_of: Annotated[str, typer.Option(help="Moment to stand at; empty: now.")] = "",
    workers: Annotated[int, typer.Option(min=1, help="Processes that answer.")] = 1,
) -> None:
    """The HTTP service over the champions and the online store."""
    from serving.run_service import serve as way

    way(_workspace(), host, port, _moment(as_of), workers)


@app.command()
def erase(
    customer_id: Annotated[str, typer.Argument(help="Whose data are to go.")],
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Remove a customer from events, features, online store, scores, answers; gives the receipt."""
    mouth = Mouth(quiet, as_json)
    from features.moment import now
    from features.store import FeatureStore
    from serving import erasure

    space = _workspace()
    receipt = erasure.erase(space, FeatureStore(space), customer_id, now())
    mouth.result(receipt.model_dump(), receipt.model_dump_json(indent=1))


def main() -> None:
    """Run a verb; a mistake of the caller ends in a sentence and 2, a failure in one and 1."""
    from features.errors import UserError

    try:
        app()
    except UserError as error:
        typer.echo(f"holdfast: {error}", err=True)
        sys.exit(2)
    except Exception as error:  # the last line of defense: a reason instead of a trace
        if os.environ.get("HOLDFAST_DEBUG"):
            raise
        typer.echo(
            f"holdfast: the work failed: {type(error).__name__}: {error}\n"
            "Set HOLDFAST_DEBUG=1 and run it again to see where.",
            err=True,
        )
        sys.exit(1)


def _workspace() -> Workspace:
    from features.workspace import Workspace

    return Workspace.from_environment()


def _moment(text: str) -> datetime | None:
    from features.moment import parse_moment

    return parse_moment(text) if text else None


def _built(as_of: str, mouth: Mouth) -> tuple[FeatureStore, datetime]:
    """The feature store with the snapshot of a moment in it, and that moment."""
    from features.store import FeatureStore

    store = FeatureStore(_workspace())
    moment = _moment(as_of) or _end_of_data(store)
    for family, _ in store.build([moment]):
        mouth.progress(f"{family} as of {moment:%Y-%m-%d}")
    store.apply()
    return store, moment


def _end_of_data(store: FeatureStore) -> datetime:
    from training.frame import last_event

    return last_event(store)


def _given(**paths: Path | None) -> dict[str, Path]:
    return {name: path for name, path in paths.items() if path is not None}


if __name__ == "__main__":
    main()
