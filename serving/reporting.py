"""The report of a workspace: what its sections need is gathered, and the page is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd

from features import workspace
from features.errors import UserError
from features.snapshots import moment_name
from features.store import FeatureStore
from features.workspace import Workspace
from serving import abstention, batch, channels, cohorts, kpis, migration, plan_files, planner
from serving.abstention import Blank
from serving.monitoring import monitor
from serving.planner import Plan, Terms
from serving.policy import POLICY, Policy
from serving.report import write_report
from serving.report_parts.extras import Extras
from serving.report_parts.words import LANGUAGES, Words
from training import champion, sampling
from training.model_set import ModelSet
from training.proof import Proof

LANGUAGE = "en"


def report_of(space: Workspace, as_of: datetime, language: str = LANGUAGE) -> Path:
    """Write the report of the stored scores of a moment, and return its path.

    language: one of words.LANGUAGES. Raises UserError for another, and when there are no scores.
    """
    words, stored = words_of(language), batch.score_path(space, as_of)
    if not stored.exists():
        raise UserError(
            f"There are no scores as of {as_of:%Y-%m-%d %H:%M} to report on. "
            f"Make them first: holdfast score --as-of {as_of.isoformat()}."
        )
    name = "report.html" if language == LANGUAGE else f"report.{language}.html"
    path = space.reports / f"as_of={moment_name(as_of)}" / name
    models, proof = champion.load(space), Proof.load(space.models / "proof")
    return report_on(space, pd.read_parquet(stored), models, proof, POLICY, path, words)


def words_of(language: str) -> Words:
    """The words of a language; raises UserError naming those there are."""
    if language not in LANGUAGES:
        raise UserError(
            f"The report was asked for in {language!r}, but it speaks {', '.join(LANGUAGES)}. "
            "Use one of these."
        )
    return LANGUAGES[language]


def report_on(
    space: Workspace,
    scores: pd.DataFrame,
    models: ModelSet,
    proof: Proof,
    policy: Policy,
    path: Path,
    words: Words,
    title: str = "page.title",
) -> Path:
    """Write the report of a score table beside the models and the tests it rests on.

    title: its key in the words.
    """
    tasks, reference = models.tasks, models.reference
    facts = {
        "as_of": f"{scores.as_of.iloc[0]:%Y-%m-%d %H:%M}",
        "churn_definition": tasks["churn"].sentence(),
        "value_horizon": f"{tasks['clv'].horizon_days} days",
        "trained_as_of": f"{reference.trained_as_of:%Y-%m-%d}",
        "model_versions": words["page.comma"].join(models.versions.values()) or "not registered",
        "policy": policy.label,
        "features": f"{len(reference.features)} (catalogue {reference.catalog})",
    }
    extras = gather(space, scores, models, proof, policy)
    return write_report(
        scores, proof, path, title=words[title], facts=facts, extras=extras, words=words
    )


def gather(
    space: Workspace, scores: pd.DataFrame, models: ModelSet, proof: Proof, policy: Policy
) -> Extras:
    """What a report shows that neither the scores nor the tests hold.

    The plan is the one that lies beside the stored scores of the moment, else the plan without a
    limit to the budget.
    """
    as_of, churn = scores.as_of.iloc[0].to_pydatetime(), models.tasks["churn"]
    events, store = workspace.open_events(space), FeatureStore(space)
    made = _plan(space, store, scores, as_of)
    return Extras(
        moves=migration.moves(space, models, policy, as_of, scores),
        cohorts=cohorts.retention(events, as_of),
        customers_by_month=cohorts.by_month(events, as_of, churn.active_days),
        channels=channels.channels(events, as_of, churn),
        kpis=kpis.sheet(space, as_of, scores, proof, churn=churn, margin_rate=policy.margin_rate),
        plan=made.summary(),
        plan_facts=made.facts,
        plan_assumptions=made.assumptions,
        blanks=_blanks(store, scores.customer_id, as_of, models, policy),
        monitoring=monitor.newest(space, as_of),
    )


def _plan(space: Workspace, store: FeatureStore, scores: pd.DataFrame, as_of: datetime) -> Plan:
    path = plan_files.path(space, as_of)
    if path.exists():
        return plan_files.read(path)
    return planner.plan(plan_files.with_contacts(store, scores, as_of), Terms())


def _blanks(
    store: FeatureStore, customers: pd.Series, as_of: datetime, models: ModelSet, policy: Policy
) -> Sequence[Blank]:
    """What the data cannot tell of the customers, or of those drawn from among very many."""
    few = customers[sampling.drawn(customers, len(customers))]
    return abstention.summary(store.snapshot(as_of, few.tolist()), abstention.known(models, policy))
