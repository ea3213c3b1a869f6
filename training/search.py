"""How the trees of the churn forecast are grown, searched for on past cut-offs; off by default.

Every outcome that is looked at was known when the gate's test begins, so that the gate judges what
was found on days the search has not seen. What was found is used only where it beats the standard
beyond chance on those past cut-offs: the best of many tries is partly the luckiest. The only file
that imports optuna.

Source: Akiba et al. (2019), Optuna, KDD; pruned where the mean so far is worse than the median of
the tries before (Golovin et al. (2017), Google Vizier, KDD, section 3.2.2).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
from numpy.typing import NDArray

from features.errors import UserError
from features.store import FeatureStore
from training import evaluate, registry
from training.chance import paired_bootstrap
from training.exposure import AS_THEY_ARE, Treated
from training.metrics import log_losses
from training.models.boosters import STANDARD, Trees
from training.models.boosting import Boosting
from training.models.offsets import Offsets
from training.sampling import counted
from training.split import CutOff
from training.tasks import CHURN

log = logging.getLogger(__name__)

ORIGINS = 3
# As in rolling.py: nearer origins would say the same.
STEP = 0.5
# Tries before the first may be pruned: a median of fewer is a matter of luck.
UNPRUNED = 5


@dataclass(frozen=True)
class Past:
    """A past cut-off, ready to be learnt again and again: the offsets do not depend on the trees.

    rows: the panel with OFFSET_COLUMNS; today: the customers to forecast, with what came.
    """

    origin: CutOff
    offsets: Offsets
    rows: pd.DataFrame
    today: pd.DataFrame

    def losses(self, trees: Trees, features: Sequence[str]) -> NDArray[np.float64]:
        """Log-loss of each active customer under trees grown so, (n,)."""
        active = self.active
        model = Boosting.on_offsets(self.offsets, self.rows, self.today, features, trees)
        return log_losses(active.bought.to_numpy(dtype=float), model.predict(active))

    @property
    def active(self) -> pd.DataFrame:
        """The customers that are counted."""
        today = counted(self.today)
        return today[CHURN.rule.is_asked(today, self.origin.horizon_days)]


@dataclass(frozen=True)
class Searched:
    """What a search found: the trees to use, how many were tried, and why these, in a sentence."""

    trees: Trees
    tried: int
    pruned: int
    sentence: str


def pasts(
    store: FeatureStore,
    until: datetime,
    horizon_days: int,
    origins: int = ORIGINS,
    treated: Treated = AS_THEY_ARE,
) -> list[Past]:
    """The newest cut-offs whose outcome was known at a moment, ready to be learnt; perhaps none."""
    step = timedelta(days=max(round(STEP * horizon_days), 1))
    found: dict[datetime, Past] = {}
    for number in range(origins):
        try:
            origin, panel, today, _ = evaluate.at_origin(
                store, until - number * step, horizon_days, treated=treated
            )
        except UserError as reason:
            log.info("no search at an earlier moment: %s", reason)
            break
        if origin.horizon_days == horizon_days:
            offsets, rows = Offsets.learn(panel, today, origin.as_of)
            found.setdefault(origin.as_of, Past(origin, offsets, rows, today))
    return list(found.values())


def search(
    given: Sequence[Past],
    features: Sequence[str],
    minutes: float,
    folder: Path,
    progress: Callable[[str], None] = log.info,
    most: int | None = None,
) -> Searched:
    """The trees that suit past cut-offs best, or the standard ones.

    minutes: of work; what an ended search has used and found counts, as it is kept in
    `folder/search.db`. most: tries of this call, default as many as there is time for. Each try is
    a child of the current run.
    """
    if not given:
        return Searched(STANDARD, 0, 0, "No trees were searched: the history is too short.")
    study = _study(folder)
    standard = [past.losses(STANDARD, features) for past in given]
    base = float(np.mean([losses.mean() for losses in standard]))
    left = 60.0 * minutes - _spent(study)
    if left > 0.0:
        study.optimize(
            _objective(given, features), n_trials=most, timeout=left,
            callbacks=[_told(base, progress)],
        )  # fmt: skip
    tried = study.get_trials(deepcopy=False)
    counts = [sum(t.state == state for t in tried) for state in
              (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)]  # fmt: skip
    if not counts[0]:
        return Searched(STANDARD, 0, 0, "No trees were searched: the time was too short for one.")
    best = Trees(**study.best_params)
    whose = np.concatenate([past.active.customer_id.to_numpy() for past in given])
    theirs = np.concatenate([past.losses(best, features) for past in given])
    gap, low, high = paired_bootstrap(theirs, np.concatenate(standard), whose)
    told = (
        f"of {sum(counts)} tries on {len(given)} past moments ({counts[1]} given up early) the "
        f"best log-loss differs from the standard's by {gap:.4f} ({low:.4f} to {high:.4f})"
    )
    if high < 0.0:
        return Searched(best, sum(counts), counts[1], f"New trees are used: {told}.")
    return Searched(STANDARD, sum(counts), counts[1], f"The standard trees are kept: {told}.")


def _study(folder: Path) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name="trees",
        storage=f"sqlite:///{folder / 'search.db'}",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED),
    )
    # Gone on with, it must not draw again what it drew at first.
    study.sampler = optuna.samplers.TPESampler(seed=len(study.get_trials(deepcopy=False)))
    return study


def _suggested(trial: optuna.Trial) -> Trees:
    """Around the standard, from half to a few times of it; depth as far as it can be looked up."""
    return Trees(
        eta=trial.suggest_float("eta", 0.02, 0.2, log=True),
        max_depth=trial.suggest_int("max_depth", 1, 3),
        subsample=trial.suggest_float("subsample", 0.4, 1.0),
        colsample_bytree=trial.suggest_float("colsample_bytree", 0.2, 1.0),
        smoothing=trial.suggest_float("smoothing", 1.0, 64.0, log=True),
        least_leaf_rows=trial.suggest_float("least_leaf_rows", 10.0, 200.0, log=True),
    )


def _objective(given: Sequence[Past], features: Sequence[str]) -> Callable[[optuna.Trial], float]:
    def mean_loss(trial: optuna.Trial) -> float:
        """The mean over the cut-offs; given up when the mean so far is worse than the median."""
        trees, found = _suggested(trial), []
        for number, past in enumerate(given):
            found.append(float(past.losses(trees, features).mean()))
            trial.report(float(np.mean(found)), number)
            if trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(found))

    return mean_loss


def _told(
    base: float, progress: Callable[[str], None]
) -> Callable[[optuna.Study, optuna.trial.FrozenTrial], None]:
    def tell(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        """A child run of the try, and a word on it."""
        with registry.child(f"trees {trial.number}", {"state": trial.state.name.lower()}):
            loss = {} if trial.value is None else {"log_loss": trial.value, "standard": base}
            registry.log_facts(trial.params, loss)
        if trial.state == optuna.trial.TrialState.COMPLETE:
            progress(f"trees {trial.number}: log-loss {trial.value:.4f}, standard {base:.4f}")

    return tell


def _spent(study: optuna.Study) -> float:
    """Seconds of all tries that ended."""
    ended = [t.duration for t in study.get_trials(deepcopy=False) if t.duration]
    return sum(duration.total_seconds() for duration in ended)


def to_dict(found: Searched) -> dict:
    """JSON-ready form."""
    return asdict(found)


def from_dict(stored: dict) -> Searched:
    """What `to_dict` stored."""
    return Searched(**{**stored, "trees": Trees(**stored["trees"])})
