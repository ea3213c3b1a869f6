"""The recipe, top to bottom: snapshots, panels, tests, four models, a run with its proof."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from features import catalog, workspace
from features.errors import UserError
from features.store import FeatureStore
from features.workspace import Workspace
from training import (
    evaluate,
    evidence,
    examples,
    frame,
    gate,
    input_profile,
    lifecycle,
    probes,
    record,
    registry,
    split,
    staying,
    tier_moves,
    value_methods,
)
from training.business_facts import BusinessFacts, numbers_if_any
from training.evaluate import Backtest
from training.evidence import Evidence
from training.gate import Verdict
from training.model_set import ModelSet, Reference, is_active, percentiles, words_of
from training.models.boosting import Boosting
from training.models.churn_type import ChurnType
from training.models.two_part import TwoPart
from training.proof import Proof
from training.reliability import Reliability
from training.request import Request
from training.tasks import CHURN, Task
from training.value_classes import ValueCuts
from training.value_tiers import TierCuts

log = logging.getLogger(__name__)

# A forecast of customers from fewer than these would be a story about a handful of people.
LEAST_CUSTOMERS = 50
LEAST_REPEATERS = 10

NO_PROBES = f"{probes.NOT_RUN}: there is no test."

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Learned:
    """What a training gave: the models, the panel they learnt from, and their tests.

    metrics: one row per question, model and metric: task, model, metric, value. methods: the three
    ways to value customers beside what came (value_methods.compare); None without a test. probes:
    what the leakage probes said. verdict: that of the gate, where it was asked.
    """

    models: ModelSet
    panel: pd.DataFrame
    churn_test: Backtest | None
    value_test: Backtest | None
    metrics: pd.DataFrame
    methods: pd.DataFrame | None = None
    probes: str = NO_PROBES
    verdict: Verdict | None = None

    @property
    def proof(self) -> Proof:
        """The tests as the report shows them."""
        return Proof.of(self.churn_test, self.value_test, self.metrics, self.methods)

    def evidence(self, space: Workspace, store: FeatureStore, *, leaks: bool = False) -> Evidence:
        """What the gate looks at, before the models are promoted; leaks: a probe gave an alarm."""
        tests = self.churn_test, self.value_test
        return evidence.gather(space, store, self.models, tests, self.probes, leaks=leaks)


def train(
    space: Workspace,
    request: Request,
    progress: Progress = log.info,
    labels: Mapping[str, str] = MappingProxyType({}),
) -> Learned:
    """Train the four models as of a moment, register them with their proof, and promote them.

    Nothing known or happened after `request.as_of` is used. The gate's verdict is told and kept,
    and promotes or refuses nothing: who trains by hand decides by hand (retrain.py asks the gate).
    labels: more tags of the run and of the models, such as the version of the policy.
    Raises UserError when the history or the customers do not suffice; then nothing is registered.
    """
    store = FeatureStore(space)
    check(store, request)
    tags = {"catalog": catalog.version(store.snapshots.families),
            "events": workspace.events_digest(space), **labels}  # fmt: skip
    with registry.run(space, f"train {request.as_of:%Y-%m-%d}", tags):
        learned = learn(store, request, progress)
        progress("model card and registration")
        verdict = gate.judge(learned.evidence(space, store))
        record.training(learned, request, tags)
        record.verdict(verdict)
        with tempfile.TemporaryDirectory() as folder:
            registry.register(learned.models, Path(folder), tags, verdict.sentence())
        learned.models.versions = registry.promote(space)
        learned.proof.save(space.models / "proof")
        verdict.save(space.models, {"versions": learned.models.versions})
    return replace(learned, verdict=verdict)


def learn(store: FeatureStore, request: Request, progress: Progress = log.info) -> Learned:
    """The same without a record: snapshots, tests at an earlier moment, and the four models.

    Raises UserError as well when a test is too good to be true (training/probes.py).
    """
    check(store, request)
    progress("features of past moments")
    today = build(store, request)
    progress("test of the value forecast at an earlier moment")
    churn = request.tasks["churn"]
    value_test = evaluate.backtest(
        store, request.as_of, request.value_horizon_days, TwoPart,
        churn if request.is_one_question else CHURN, request.value_trees, request.treated,
    )  # fmt: skip
    churn_test, probed = value_test, NO_PROBES
    if not request.is_one_question:
        progress("test of the churn forecast at an earlier moment")
        churn_test = evaluate.backtest(
            store, request.as_of, request.horizon_days, Boosting, churn, request.trees,
            request.treated,
        )  # fmt: skip
    if churn_test:
        probed = probes.check(churn_test, store.feature_names, churn)
    progress("churn, value, cause and tier models")
    return proven(store, request, today, churn_test, value_test, probed)


def proven(
    store: FeatureStore,
    request: Request,
    today: pd.DataFrame,
    churn_test: Backtest | None,
    value_test: Backtest | None,
    probed: str,
) -> Learned:
    """The four models for the customers of today, with what the tests say of each.

    today: see build. probed: what the leakage probes said of the churn test.
    """
    tests = churn_test, value_test, _purchase_test(store, request, churn_test, value_test)
    models, panel, tier_test = fit(store, request, today, *tests)
    metrics = [tier_test]
    if churn_test:
        type_test, models.churn_type.strength = evaluate.type_test(
            churn_test, store.feature_names, request.tasks["churn"]
        )
        metrics = [evaluate.purchase_metrics(churn_test.held_out), type_test, tier_test]
    if value_test:
        metrics.append(evaluate.value_metrics(value_test.held_out))
    methods = value_methods.compare([value_test], store) if value_test else None
    return Learned(models, panel, churn_test, value_test, _together(metrics), methods, probed)


def _together(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Metrics of several questions as one table: task, model, metric, value."""
    some = [table for table in tables if len(table)]
    empty = pd.DataFrame(columns=["task", "model", "metric", "value"])
    return pd.concat(some, ignore_index=True) if some else empty


def check(store: FeatureStore, request: Request) -> None:
    """Refuse a request that the data cannot carry, in a sentence."""
    first, as_of, wait = frame.first_event(store), request.as_of, request.churn.wait_days
    days = (as_of.date() - first.date()).days + 1
    if first > as_of:
        raise UserError(
            f"Scores were asked for as of {as_of:%Y-%m-%d}, but the first purchase happened on "
            f"{first:%Y-%m-%d}. Use a later moment."
        )
    if days < request.horizon_days:
        raise UserError(
            f"A horizon of {request.horizon_days} days was asked for, but there are only {days} "
            f"days of history before {as_of:%Y-%m-%d}. Use a horizon of at most {days} days, or "
            "bring more history."
        )
    if days < request.horizon_days + wait:
        raise UserError(
            f"A horizon of {request.horizon_days} days with {wait} days of gap and grace was asked "
            f"for, but there are only {days} days of history before {as_of:%Y-%m-%d}. Use fewer "
            "days, or bring more history."
        )
    request.churn.refuse_unknowable(store.snapshots.events, as_of)
    horizons = {"churn": request.horizon_days + wait, "value": request.value_horizon_days}
    for what, horizon in horizons.items():
        if days < split.SHORT_HISTORY * horizon:
            log.warning(
                "%s over %d days is extrapolated from %d days of history", what, horizon, days
            )


def build(store: FeatureStore, request: Request) -> pd.DataFrame:
    """Build every snapshot the training needs; returns today's customers (frame.customers)."""
    moments = {request.as_of}
    first = frame.first_event(store)
    wait = request.churn.wait_days
    for horizon, days in {(request.horizon_days, 0), (request.value_horizon_days, 0),
                          (request.horizon_days, wait)}:  # fmt: skip
        cutoffs = split.training_cutoffs(first, request.as_of, horizon, days)
        moments |= {cutoff.as_of for cutoff in cutoffs}
    moments |= set(_tier_moments(first, request))
    for _ in store.build(sorted(moments)):
        pass
    store.apply()
    today = frame.customers(store, request.as_of)
    _refuse_too_few(today, request)
    return today


def fit(
    store: FeatureStore,
    request: Request,
    today: pd.DataFrame,
    churn_test: Backtest | None,
    value_test: Backtest | None,
    purchase_test: Backtest | None = None,
) -> tuple[ModelSet, pd.DataFrame, pd.DataFrame]:
    """The four models for the customers of today, the churn panel, and the test of the tiers.

    purchase_test: of a purchase in the churn horizon, which is the churn test as a rule.
    """
    tasks, names = request.tasks, store.feature_names
    value_panel = _panel(store, request, request.value_horizon_days)
    value_today = today.assign(horizon_days=request.value_horizon_days)
    clv = TwoPart.fit(value_panel, value_today, request.as_of, names, request.value_trees)
    if value_test and isinstance(value_test.model, TwoPart):
        clv.calibrate(value_test.model, value_test.held_out, value_today)
    churn, panel, asked = clv.purchase, value_panel, value_today
    if request.horizon_days != request.value_horizon_days:
        panel = _panel(store, request, request.horizon_days)
        asked = today.assign(horizon_days=request.horizon_days)
        churn = Boosting.fit(panel, asked, request.as_of, names, request.trees)
        if purchase_test and isinstance(purchase_test.model, Boosting):
            churn.calibrate(purchase_test.model, purchase_test.held_out, asked)
    purchase = None
    if not request.churn.asks_for_purchase:
        purchase, test = churn, churn_test
        churn, panel = staying.learn(
            store, tasks["churn"], asked, request.as_of, test, request.trees, request.treated
        )
    value = clv.predict(value_today).expected_value
    cuts = TierCuts.of(value, today.age, numbers_if_any(today, "contacts_365d"))
    moments = _tier_moments(frame.first_event(store), request)
    tier, tier_test = tier_moves.learn(store, today, moments, clv, cuts, request.value_horizon_days)
    risk = 1.0 - churn.predict(asked)
    stages = _stages(asked, churn, tasks["churn"])
    models = ModelSet(
        tasks=tasks,
        churn=churn,
        clv=clv,
        churn_type=ChurnType.fit(panel[tasks["churn"].is_asked(panel)], names),
        tier=tier,
        reference=Reference(
            trained_as_of=request.as_of,
            catalog=catalog.version(store.snapshots.families),
            features=names,
            words=words_of(store.snapshots.families),
            **_ranks(risk, stages, tasks["churn"].is_asked(today)),
            stage_moves=_stage_moves(store, request, churn, pd.Series(stages, today.customer_id)),
            facts=BusinessFacts.of(today),
            tier_cuts=cuts,
            value_cuts=ValueCuts.of(today),
            youngest_days=float(today.age.min()),
            most_purchase_days=float(today.purchase_days_total.max()),
            reliability=_reliability(churn_test),
            examples=examples.of(today, names),
        ),
        versions={},
        purchase=purchase,
    )
    models.inputs = input_profile.of_training(models, today, panel)
    return models, panel, tier_test


def _purchase_test(
    store: FeatureStore, request: Request, churn: Backtest | None, value: Backtest | None
) -> Backtest | None:
    """The test of a purchase in the churn horizon: one of the two there are, or its own."""
    if request.churn.asks_for_purchase:
        return churn
    if request.horizon_days == request.value_horizon_days:
        return value
    return evaluate.backtest(
        store, request.as_of, request.horizon_days, Boosting, treated=request.treated
    )


def _stages(rows: pd.DataFrame, churn: Boosting, task: Task) -> NDArray[np.object_]:
    """The lifecycle stage of each row, by the rule that policies have unless they say otherwise."""
    outlook = churn.offsets.repeat_buying.outlook(rows.assign(horizon_days=task.horizon_days))
    return lifecycle.stage(rows, is_active(rows, task), alive=expit(outlook["logit_alive"]))


def _stage_moves(
    store: FeatureStore, request: Request, churn: Boosting, now: pd.Series
) -> lifecycle.Matrix:
    """Shares that moved from each stage to each, from the newest matured cut-off to today.

    now: the stage by customer id.
    """
    before = frame.customers(store, _tier_moments(frame.first_event(store), request)[0])
    then = pd.Series(_stages(before, churn, request.tasks["churn"]), before.customer_id)
    return lifecycle.shares(lifecycle.moves(then, now, lifecycle.STAGES))


def _ranks(
    risk: NDArray[np.float64], stages: NDArray[np.object_], active: NDArray[np.bool_]
) -> dict[str, Any]:
    """Churn probabilities at each percentile of the active customers, and of those of a stage."""
    by_stage = {name: percentiles(risk[active & (stages == name)]) for name in lifecycle.STAGES
                if (active & (stages == name)).any()}  # fmt: skip
    return {
        "churn_percentiles": percentiles(risk[active]),
        "churn_percentiles_by_stage": by_stage,
    }


def _reliability(test: Backtest | None) -> Reliability | None:
    if test is None:
        return None
    active = test.held_out[test.held_out.is_active]
    return Reliability.of(1.0 - active.purchase_probability, 1.0 - active.bought)


def churn_panel(store: FeatureStore, request: Request) -> pd.DataFrame:
    """What the churn model learns from; the snapshots are built."""
    churn = request.tasks["churn"]
    if request.churn.asks_for_purchase:
        return _panel(store, request, request.horizon_days)
    return staying.asking(staying.panel_of(store, churn, request.as_of, request.treated), churn)


def _panel(store: FeatureStore, request: Request, horizon_days: int) -> pd.DataFrame:
    first = frame.first_event(store)
    cutoffs = split.training_cutoffs(first, request.as_of, horizon_days)
    return frame.panel(store, cutoffs, known_by=request.as_of, treated=request.treated)


def _tier_moments(first: datetime, request: Request) -> list[datetime]:
    return tier_moves.moments(first, request.as_of, request.horizon_days)


def _refuse_too_few(today: pd.DataFrame, request: Request) -> None:
    repeaters = int((today.purchase_days_total > 1).sum())
    if len(today) < LEAST_CUSTOMERS:
        raise UserError(
            f"Models were asked for as of {request.as_of:%Y-%m-%d}, but only {len(today)} "
            f"customers had bought by then. Bring at least {LEAST_CUSTOMERS} customers."
        )
    if repeaters < LEAST_REPEATERS:
        raise UserError(
            f"Models were asked for as of {request.as_of:%Y-%m-%d}, but only {repeaters} of "
            f"{len(today)} customers had bought on a second day: all are new, and nothing tells "
            "yet who will return. Wait for repeat purchases, or bring a longer history."
        )
