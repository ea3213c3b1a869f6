"""What the gate looks at: tests, a champion asked the same, today's totals, speed and size.

A champion is compared at the tested moment only when it was trained by then: a later one has learnt
from the days that are tested. So it may be an older one that is asked, or none.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import UserError
from features.store import FeatureStore
from features.workspace import Workspace
from training import champion, frame, segments
from training.evaluate import Backtest
from training.model_set import ModelSet
from training.models.boosting import Boosting
from training.models.two_part import TwoPart
from training.tasks import TASKS

Answers = Mapping[str, list[float | None]]

# The median of so many is not moved by the few that another process interrupts.
TIMED = 21


@dataclass(frozen=True)
class Rival:
    """A champion asked about the customers of a test, of whose days it had seen nothing.

    version: name@version. trained_as_of: its moment. forecast: P(purchase), or the median value,
    of each row of the test, (n,).
    """

    version: str
    trained_as_of: datetime
    forecast: NDArray[np.float64]


@dataclass(frozen=True)
class Totals:
    """What challenger and champion expect of the same customers of today.

    leavers: of the active ones in the churn horizon; value: of all in the value horizon, money.
    """

    champion: str
    leavers: float
    champion_leavers: float
    value: float
    champion_value: float


@dataclass(frozen=True)
class Evidence:
    """All that the gate decides by; what could not be had is a sentence that says why.

    probed, leaks: what the leakage probes said, and whether that is an alarm. answers, reloaded:
    of the stored examples, before and after the models were stored. milliseconds: to answer the
    examples; size: bytes of the model files; both of the champion too, where there is one.
    """

    churn_test: Backtest | None
    value_test: Backtest | None
    churn_rival: Rival | str
    value_rival: Rival | str
    probed: str
    leaks: bool
    answers: Answers
    reloaded: Answers | str
    milliseconds: float
    champion_milliseconds: float | None
    size: int
    champion_size: int | None
    totals: Totals | str

    @property
    def churn_groups(self) -> pd.DataFrame:
        """The churn test by group (segments.of_churn)."""
        return segments.of_newest(self.churn_test, None)[0]

    @property
    def value_groups(self) -> pd.DataFrame:
        """The value test by group (segments.of_value)."""
        return segments.of_newest(None, self.value_test)[1]


def gather(
    space: Workspace,
    store: FeatureStore,
    models: ModelSet,
    tests: tuple[Backtest | None, Backtest | None],
    probed: str,
    *,
    leaks: bool = False,
) -> Evidence:
    """The evidence on models that are not promoted yet; tests: of churn and of value."""
    reigning = _champion(space)
    with tempfile.TemporaryDirectory() as folder:
        models.save(Path(folder))
        reloaded = _reloaded(Path(folder))
        size = _size([Path(folder)])
    known = isinstance(reigning, ModelSet)
    times = milliseconds([models, reigning] if isinstance(reigning, ModelSet) else [models])
    return Evidence(
        *tests,
        rival(space, "churn", tests[0], models.tasks["churn"].definition),
        rival(space, "clv", tests[1], models.tasks["clv"].definition),
        probed,
        leaks,
        models.answers(),
        reloaded,
        times[0],
        times[1] if known else None,
        size,
        _size(champion.folders(space, champion.versions(space)).values()) if known else None,
        totals(models, reigning, frame.customers(store, models.reference.trained_as_of)),
    )


def rival(space: Workspace, name: str, test: Backtest | None, definition: str) -> Rival | str:
    """The champion to compare with at the origin of a test, or why there is none.

    The present one where it was trained by then; else of all that were promoted once the one
    trained last by then. name: the task, churn or clv; definition: of the question asked.
    """
    if test is None:
        return "there is no test at an earlier moment"
    promoted = _promoted(space, name)
    if not promoted:
        return "there was no champion yet"
    alike = [one for one in promoted if one[1] == definition]
    if not alike:
        return f"no champion so far answers {definition}"
    blind = [one for one in alike if one[0] <= test.origin.as_of]
    if not blind:
        return (
            f"every champion so far was trained after {test.origin.as_of:%Y-%m-%d} and has learnt "
            "from the days that are tested"
        )
    trained, _, folder = blind[0]
    version = f"{name}@{folder.name}"
    try:
        return Rival(version, trained, _forecast(name, folder, test.held_out))
    except (UserError, KeyError) as error:
        return f"{version} cannot read today's features: {error}"


def totals(models: ModelSet, reigning: ModelSet | str, today: pd.DataFrame) -> Totals | str:
    """What both expect of today's customers, or why that cannot be compared."""
    if isinstance(reigning, str):
        return reigning
    for name in ("churn", "clv"):
        ours, theirs = (m.tasks[name].definition for m in (models, reigning))
        if ours != theirs:
            return f"the champion answers another question, {theirs} instead of {ours}"
    try:
        leavers, value = zip(*(_expected(m, today) for m in (models, reigning)), strict=True)
    except (UserError, KeyError) as error:
        return f"the champion cannot read today's features: {error}"
    return Totals(reigning.versions["churn"], *leavers, *value)


def milliseconds(sets: Sequence[ModelSet]) -> list[float]:
    """How long each takes to answer its examples: the median, in turns, of processor time.

    Of the processor, because what else runs on the machine is no property of the models.
    """
    taken: list[list[float]] = [[] for _ in sets]
    for _ in range(TIMED):
        for models, times in zip(sets, taken, strict=True):
            start = time.process_time()
            models.answers()
            times.append(1e3 * (time.process_time() - start))
    return [median(times) for times in taken]


def _expected(models: ModelSet, today: pd.DataFrame) -> tuple[float, float]:
    churn, clv = models.tasks["churn"], models.tasks["clv"]
    active = today[churn.is_asked(today)].assign(horizon_days=churn.horizon_days)
    leaving = 1.0 - models.churn.predict(active)
    value = models.clv.predict(today.assign(horizon_days=clv.horizon_days)).expected_value
    return float(leaving.sum()), float(value.sum())


def _forecast(name: str, folder: Path, held_out: pd.DataFrame) -> NDArray[np.float64]:
    if name == "churn":
        return Boosting.load(folder).predict(held_out)
    return TwoPart.load(folder).predict(held_out).expected_value_median.to_numpy()


def _promoted(space: Workspace, name: str) -> list[tuple[datetime, str, Path]]:
    """Every version that was promoted once: its moment, definition and folder, best rival first."""
    pointer = space.models / "champion.json"
    reigning = champion.versions(space)[name] if pointer.exists() else ""
    found = []
    for file in (space.models / name).glob("*/task.json"):
        if file.parent.name.isdigit():  # and no copy that was never finished
            meta = json.loads(file.read_text())
            trained = datetime.fromisoformat(meta["trained_as_of"])
            found.append((trained, meta["definition"], file.parent))
    found.sort(key=lambda one: (one[0], int(one[2].name)), reverse=True)
    return sorted(found, key=lambda one: one[2].name != reigning)


def _champion(space: Workspace) -> ModelSet | str:
    if not (space.models / "champion.json").exists():
        return "there is no champion yet"
    try:
        return champion.load(space)
    except UserError as error:  # a damaged one is a reason to train, not to stop
        return str(error)


def _reloaded(folder: Path) -> Answers | str:
    try:
        labels = {name: f"{name}, just stored" for name in TASKS}
        return ModelSet.load({name: folder / name for name in TASKS}, labels).answers()
    except UserError as error:
        return str(error)


def _size(folders: Iterable[Path]) -> int:
    """Bytes of all files in some folders."""
    return sum(f.stat().st_size for folder in folders for f in folder.rglob("*") if f.is_file())
