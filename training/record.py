"""What a training leaves in MLflow: parameters, metrics, data, plots, the card, and the gate."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from training import card, evaluate, plots, registry, segments
from training.evaluate import Backtest
from training.gate import Verdict
from training.models.two_part import TwoPart
from training.tasks import TASKS

if TYPE_CHECKING:
    from training.request import Request
    from training.train import Learned


def training(learned: Learned, request: Request, tags: Mapping[str, str]) -> None:
    """Write a training into the current run: everything but the models themselves.

    tags: `events` is the digest of the data.
    """
    models, panel, metrics = learned.models, learned.panel, learned.metrics
    registry.log_facts(
        {
            "trained_as_of": request.as_of.isoformat(),  # `mlflow run` logs its own as_of
            "churn": request.tasks["churn"].definition,
            "horizon_days": request.horizon_days,
            "value_horizon_days": request.value_horizon_days,
            "treated": request.treated,
            "features": len(models.reference.features),
            "panel_rows": len(panel),
            "cut_offs": panel.as_of.nunique(),
            "churn_type_source": models.churn_type.source,
            **{f"trees_{name}": value for name, value in asdict(request.trees).items()},
        },
        named(metrics) | of_segments(learned.churn_test, learned.value_test),
    )
    registry.log_dataset(panel, "churn panel", tags["events"], target="bought")
    tests = learned.churn_test, learned.value_test
    for what, test in zip(("churn", "value"), tests, strict=True):
        if test is not None:
            held_out(test, f"{what} held out", tags["events"])
    registry.log_figures(plots.of_tests(*tests))
    written = card.write(models, metrics, panel, *tests, learned.methods, request.treated)
    registry.log_text(written, "model_card.md")
    registry.log_text("\n".join(models.reference.features), "features.txt")


def verdict(found: Verdict) -> None:
    """Write the gate's verdict into the current run: tags, figures, and all of it as JSON."""
    registry.log_facts({}, {f"gate/{name}": figure for name, figure in found.figures().items()})
    registry.log_text(json.dumps(found.to_dict(), indent=1), "gate.json")
    told = {f.name: "refused" if f.refuses else "passed" if f.passed else "not compared"
            for f in found.findings}  # fmt: skip
    registry.tag({"gate": "passed" if found.passed else "refused",
                  **{f"gate.{name}": word for name, word in told.items()}})  # fmt: skip


def models(learned: Learned, request: Request) -> None:
    """A child run for each of the four models: what it was asked, and its own metrics."""
    metrics = learned.metrics
    for name in TASKS:
        task = learned.models.tasks[name]
        own = metrics[metrics.task == name].assign(task="")
        with registry.child(f"model {name}", {"model": name, "definition": task.definition}):
            facts = {"horizon_days": task.horizon_days, "question": task.sentence()}
            registry.log_facts(facts, {k.removeprefix("/"): v for k, v in named(own).items()})


def origins(tests: Mapping[str, Sequence[Backtest]], digest: str) -> None:
    """A child run for each tested moment: the metrics, whole and by group, and the customers.

    tests: by what was forecast, churn or value. digest: of the events.
    """
    for what, found in tests.items():
        for test in found:
            moment = f"{test.origin.as_of:%Y-%m-%d}"
            with registry.child(f"test of {what} as of {moment}", {"tested": what}):
                facts = {"origin": moment, "horizon_days": test.origin.horizon_days,
                         "customers": len(test.held_out)}  # fmt: skip
                registry.log_facts(facts, named(metrics_of(test)) | of_segments(test, test))
                held_out(test, f"{what} held out", digest)


def metrics_of(test: Backtest) -> pd.DataFrame:
    """Metrics of a test on its own: of churn, and of value where it forecast value."""
    found = evaluate.purchase_metrics(test.held_out)
    if isinstance(test.model, TwoPart):
        found = pd.concat([found, evaluate.value_metrics(test.held_out)], ignore_index=True)
    return found


def held_out(test: Backtest, name: str, digest: str) -> None:
    """Note in the current run on whom a forecast was tested."""
    registry.log_dataset(test.held_out, name, digest, target="bought", context="testing")


def of_segments(churn: Backtest | None, value: Backtest | None) -> dict[str, float]:
    """segment/<task>/<group>/<figure> -> value, of groups with enough customers."""
    of_churn, of_value = segments.of_newest(churn, value)
    tables = {"churn": (of_churn, "calibration_error"), "clv": (of_value, "coverage_90")}
    found = {}
    for task, (table, figure) in tables.items():
        for row in table.dropna(subset="level").to_dict("records") if len(table) else ():
            group = f"{row['segment']} {row['group']}".strip().replace(":", "")
            for name in ("level", figure):
                found[f"segment/{task}/{group}/{name}"] = float(row[name])
    return found


def named(metrics: pd.DataFrame) -> dict[str, float]:
    """task/model/metric -> value; MLflow's names take no brackets."""
    names = metrics.task + "/" + metrics.model + "/" + metrics.metric
    return dict(zip(names.str.replace(r"[()]", "", regex=True), metrics.value, strict=True))
