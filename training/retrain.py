"""Retraining: new snapshots, matured labels, four models, several tests, the gate, and promotion.

Asked twice for the same it is done once; ended in the middle it goes on; two at once cannot run.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pandas as pd

from features import catalog, source_code, workspace
from features.errors import UserError
from features.store import FeatureStore
from features.workspace import Workspace
from training import (
    evaluate,
    gate,
    outcome,
    phases,
    probes,
    record,
    registry,
    search,
    train,
    unfinished,
)
from training.evaluate import Backtest
from training.gate import Verdict
from training.models.boosting import Boosting
from training.models.two_part import TwoPart
from training.outcome import Outcome
from training.phases import Phases
from training.request import Request
from training.rolling import STEP
from training.tasks import CHURN
from training.train import NO_PROBES, Learned, Progress

log = logging.getLogger(__name__)

# The newest, which the gate looks at, and two more, which tell a lucky moment from a good model.
ORIGINS = 3
Tests = Mapping[str, Sequence[Backtest]]


@dataclass(frozen=True)
class Order:
    """What a retraining is asked for: the question, the tested moments, the minutes of search."""

    request: Request
    origins: int = ORIGINS
    search_minutes: float = 0.0

    def facts(self) -> dict:
        """All of it, JSON-ready; the same order has the same facts in every process."""
        asked = self.request
        return {
            "as_of": asked.as_of.isoformat(),
            "horizons": [asked.horizon_days, asked.value_horizon_days],
            "churn": asked.churn.to_dict(),
            "trees": asdict(asked.trees),
            "treated": asked.treated,
            "origins": self.origins,
            "search_minutes": self.search_minutes,
        }


def retrain(
    space: Workspace,
    order: Order,
    labels: Mapping[str, str],
    progress: Progress = log.info,
    *,
    force: bool = False,
) -> Outcome:
    """Train challengers, test them, ask the gate, and promote them if it lets them.

    labels: more tags of run and models, such as the version of the policy. force: to do it although
    the same was done before. What was finished lies in `retrain/<key>/` of the workspace, until all
    of it is; then only the outcome.
    Raises UserError when the data cannot carry the request, and Unavailable while another runs.
    """
    with unfinished.alone(space):
        store = FeatureStore(space)
        train.check(store, order.request)
        folder = unfinished.home(space) / _key(space, store, order, labels)
        if force:
            shutil.rmtree(folder, ignore_errors=True)
        known = Outcome.load(folder)
        if known and registry.is_there(space, known.run_id):
            return known
        unfinished.remove(space, but=folder)
        found = _carried_out(space, store, order, labels, Phases(folder, progress))
        unfinished.remove_phases(folder)
        return found


def _carried_out(
    space: Workspace, store: FeatureStore, order: Order, labels: Mapping[str, str], kept: Phases
) -> Outcome:
    as_of, key = order.request.as_of, kept.folder.name
    tags = {"catalog": catalog.version(store.snapshots.families),
            "events": workspace.events_digest(space), "retrain": key, **labels}  # fmt: skip
    started = kept.folder / "run.json"
    resumed = json.loads(started.read_text())["run_id"] if started.exists() else None
    with registry.run(space, f"retrain {as_of:%Y-%m-%d}", tags, resumed) as run_id:
        kept.folder.mkdir(parents=True, exist_ok=True)
        started.write_text(json.dumps({"run_id": run_id}))
        today = kept.timed("features of past moments", lambda: train.build(store, order.request))
        request = _with_trees(store, order, kept)
        tests = _tests(store, request, order.origins, kept)
        learned, leaks = _learned(store, request, today, tests, kept)
        verdict = Verdict.from_dict(kept.facts(
            "gate", lambda: gate.judge(learned.evidence(space, store, leaks=leaks)).to_dict()
        ))  # fmt: skip
        kept.facts("record", lambda: _recorded(learned, request, tests, verdict, order, tags))
        changes = kept.facts("changes", lambda: _changes(space, learned))["sentences"]
        versions = kept.timed("registration", lambda: _registered(learned, verdict, tags))
        if verdict.passed:
            learned.models.versions = registry.promote(space, versions)
            learned.proof.save(space.models / "proof")
            verdict.save(space.models, {"versions": learned.models.versions})
        found = Outcome(run_id, as_of.isoformat(), versions, verdict.passed, verdict,
                        tuple(changes), kept.seconds)  # fmt: skip
        registry.log_text(found.in_words(), "summary.txt")
    found.save(kept.folder)
    return found


def _with_trees(store: FeatureStore, order: Order, kept: Phases) -> Request:
    """The request with the trees a search found, where one was asked for."""
    if not order.search_minutes:
        return order.request
    if not order.request.churn.asks_for_purchase:
        raise UserError(
            "A search for better trees was asked for, but it is made for the chance of a purchase, "
            f"and churn by {order.request.churn.kind} is something else. Leave --search-minutes "
            "out, or use --churn inactivity without a gap."
        )
    horizon = order.request.horizon_days

    def searched() -> dict:
        origin = evaluate.newest_origin(store, order.request.as_of, horizon)
        pasts = search.pasts(store, origin.as_of, horizon, treated=order.request.treated)
        found = search.search(
            pasts, store.feature_names, order.search_minutes, kept.folder, kept.progress
        )
        return search.to_dict(found)

    found = search.from_dict(kept.facts("search", searched))
    kept.progress(found.sentence)
    registry.tag({"search": found.sentence})
    return replace(order.request, trees=found.trees)


def _tests(store: FeatureStore, request: Request, origins: int, kept: Phases) -> Tests:
    """Tests of churn and of value, the newest first; of one horizon they are the same."""
    value = _rolled(store, request, "value", origins, kept)
    if request.is_one_question:
        return {"churn": value, "value": value}
    return {"churn": _rolled(store, request, "churn", origins, kept), "value": value}


def _rolled(
    store: FeatureStore, request: Request, what: str, origins: int, kept: Phases
) -> list[Backtest]:
    """Tests at several origins, each a phase; the older ones over the whole horizon only."""
    is_value = what == "value"
    horizon = request.value_horizon_days if is_value else request.horizon_days
    kind: type[TwoPart] | type[Boosting] = TwoPart if is_value else Boosting
    trees = request.value_trees if is_value else request.trees
    question = CHURN if is_value and not request.is_one_question else request.tasks["churn"]
    step = timedelta(days=max(round(STEP * horizon), 1))

    def made(number: int) -> Backtest | None:
        now = request.as_of - number * step
        test = evaluate.backtest(store, now, horizon, kind, question, trees, request.treated)
        if test is None or number == 0:
            return test
        if test.origin.horizon_days != horizon:
            return None
        return replace(test, panel=test.panel.head(0))  # only the newest is looked into

    load = partial(phases.load_test, store=store, churn=question, treated=request.treated)
    found = []
    for number in range(origins):
        name = f"test of {what} {number + 1} of {origins}"
        test = kept.step(name, partial(made, number), phases.save_test, load)
        if test is None:
            break  # the history ends
        found.append(test)
    return found


def _learned(
    store: FeatureStore, request: Request, today: pd.DataFrame, tests: Tests, kept: Phases
) -> tuple[Learned, bool]:
    """The four models with their newest tests, and whether a leakage probe gave an alarm."""
    churn, value = (next(iter(tests[what]), None) for what in ("churn", "value"))

    def probed() -> dict:
        try:
            told = NO_PROBES
            if churn:
                told = probes.check(churn, store.feature_names, request.tasks["churn"])
        except UserError as alarm:  # the gate refuses with it, beside all other reasons
            return {"told": str(alarm), "leaks": True}
        return {"told": told, "leaks": False}

    said = kept.facts("leakage probes", probed)

    def load(folder: Path) -> Learned:
        models, metrics, methods = phases.load_learned(folder)
        panel = train.churn_panel(store, request)
        return Learned(models, panel, churn, value, metrics, methods, said["told"])

    learned = kept.step(
        "four models",
        lambda: train.proven(store, request, today, churn, value, said["told"]),
        phases.save_learned,
        load,
    )
    return learned, said["leaks"]


def _recorded(
    learned: Learned,
    request: Request,
    tests: Tests,
    verdict: Verdict,
    order: Order,
    tags: Mapping[str, str],
) -> dict:
    """Write everything but the models into the run and its children."""
    record.training(learned, request, tags)
    registry.log_facts({"tested_origins": order.origins, "search_budget": order.search_minutes}, {})
    record.models(learned, request)
    record.origins(tests, tags["events"])
    record.verdict(verdict)
    return {}


def _registered(learned: Learned, verdict: Verdict, tags: Mapping[str, str]) -> dict[str, str]:
    told = {**tags, "gate": "passed" if verdict.passed else "refused"}
    with tempfile.TemporaryDirectory() as folder:
        return registry.register(learned.models, Path(folder), told, verdict.sentence())


def _changes(space: Workspace, learned: Learned) -> dict:
    metrics = learned.metrics.set_index(["task", "model", "metric"]).value
    asked = {"log-loss of churn": ("churn", "model", "log_loss"),
             "absolute error of value": ("clv", "model (median)", "mae")}  # fmt: skip
    figures = {
        name: (float(metrics[place]), float(metrics[place[0], "baseline", place[2]]))
        for name, place in asked.items()
        if place in metrics
    }
    return {"sentences": outcome.changes(space, learned.models, figures)}


def _key(space: Workspace, store: FeatureStore, order: Order, labels: Mapping[str, str]) -> str:
    """What a retraining is made of, as a name: events, features, code, and what was asked."""
    code = source_code.digest("features", "training")
    made_of = [workspace.events_digest(space), catalog.version(store.snapshots.families), code,
               order.facts(), sorted(labels.items())]  # fmt: skip
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]
