"""What a long work has finished, kept on disk: a run that was ended goes on after it.

A phase is a folder that is whole or not there. No pickle: tests are tables and model files.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from features.store import FeatureStore
from training import evaluate, staying
from training.evaluate import Backtest
from training.exposure import AS_THEY_ARE, Treated
from training.model_set import ModelSet
from training.models import MODELS
from training.models.two_part import TwoPart
from training.split import CutOff
from training.tasks import CHURN, TASKS, Task

if TYPE_CHECKING:
    from training.train import Learned

T = TypeVar("T")


@dataclass
class Phases:
    """The phases of one work, in a folder of its own.

    seconds: what each phase took that was not there already.
    """

    folder: Path
    progress: Callable[[str], None]
    seconds: dict[str, float] = field(default_factory=dict)

    def step(
        self,
        name: str,
        make: Callable[[], T],
        save: Callable[[T, Path], None],
        load: Callable[[Path], T],
    ) -> T:
        """What a phase gives: read where it was finished before, else made and kept."""
        place = self.folder / name
        if place.exists():
            self.progress(f"{name}: was finished before")
            return load(place)
        return self.timed(name, lambda: _kept(make(), save, place))

    def timed(self, name: str, make: Callable[[], T]) -> T:
        """What a phase gives, told and timed; by itself for what is kept elsewhere."""
        self.progress(name)
        start = time.perf_counter()
        made = make()
        self.seconds[name] = time.perf_counter() - start
        return made

    def facts(self, name: str, make: Callable[[], dict]) -> dict:
        """The same for facts that are JSON-ready."""
        return self.step(name, make, write_facts, read_facts)


def _kept(made: T, save: Callable[[T, Path], None], place: Path) -> T:
    staging = place.with_name(f".{place.name}")
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    save(made, staging)
    staging.rename(place)
    return made


def write_facts(facts: dict, folder: Path) -> None:
    """Write `facts.json` into a folder."""
    (folder / "facts.json").write_text(json.dumps(facts))


def read_facts(folder: Path) -> dict:
    """The facts that `write_facts` wrote."""
    return json.loads((folder / "facts.json").read_text())


def save_test(test: Backtest | None, folder: Path) -> None:
    """Write a test into a folder, without the panel, which is made again faster than it is read."""
    if test is None:
        return write_facts({}, folder)
    test.held_out.to_parquet(folder / "held_out.parquet", index=False)
    test.model.save(folder / "model")
    return write_facts(
        {
            "as_of": test.origin.as_of.isoformat(),
            "horizon_days": test.origin.horizon_days,
            "wait_days": test.origin.wait_days,
            "task": "clv" if isinstance(test.model, TwoPart) else "churn",
            "seconds": test.seconds,
            "has_panel": len(test.panel) > 0,
        },
        folder,
    )


def load_test(
    folder: Path, store: FeatureStore, churn: Task = CHURN, treated: Treated = AS_THEY_ARE
) -> Backtest | None:
    """The test that `save_test` wrote, with its panel where it had one; churn: its question."""
    facts = read_facts(folder)
    if not facts:
        return None
    as_of = datetime.fromisoformat(facts["as_of"])
    origin = CutOff(as_of, facts["horizon_days"], facts["wait_days"])
    held_out = pd.read_parquet(folder / "held_out.parquet")
    panel = held_out.head(0)
    if facts["has_panel"]:
        panel = staying.asking(evaluate.panel_of(store, origin, churn, treated), churn)
    model = MODELS[facts["task"]].load(folder / "model")  # type: ignore[attr-defined]
    return Backtest(origin, panel, held_out, model, facts["seconds"])


def save_learned(learned: Learned, folder: Path) -> None:
    """Write models and their metrics into a folder; the tests are phases of their own."""
    learned.models.save(folder / "models")
    learned.metrics.to_parquet(folder / "metrics.parquet", index=False)
    if learned.methods is not None:
        learned.methods.to_parquet(folder / "methods.parquet", index=False)


def load_learned(folder: Path) -> tuple[ModelSet, pd.DataFrame, pd.DataFrame | None]:
    """Models, metrics and methods that `save_learned` wrote."""
    labels = {name: f"{name} of an unfinished training" for name in TASKS}
    models = ModelSet.load({name: folder / "models" / name for name in TASKS}, labels)
    models.versions = {}
    methods = folder / "methods.parquet"
    return (
        models,
        pd.read_parquet(folder / "metrics.parquet"),
        pd.read_parquet(methods) if methods.exists() else None,
    )
