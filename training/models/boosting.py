"""P(at least one purchase in the horizon): differences learnt on top of buy-till-you-die."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit

from training.models import boosters
from training.models.design import Design
from training.models.offsets import OFFSET_COLUMNS, Offsets
from training.models.ridge import Ridge

# One customer in this many is kept aside to choose the number of trees and the penalty.
ASIDE_ONE_IN = 4
# Differences between customers are learnt from so many rows; more only take longer.
MOST_ROWS = 50_000
# The slope may be corrected this far; more would be a sign of a broken model, not of calibration.
SLOPES = (0.8, 1.25)
LEAST_PROBABILITY = 1e-4  # nothing about a person is surer than one in ten thousand


@dataclass
class Boosting:
    """The mean, in log odds, of three learners that start from the same offset.

    Claim: ranks customers better than buy-till-you-die alone and than trees alone, and is
    calibrated. Members: a ridge logit with the offset, trees with the offset, and trees that know
    only the level. `slope` is the calibration, measured on the newest matured cut-off by a model
    that had not seen it.
    """

    offsets: Offsets
    design: Design
    ridge: Ridge
    with_offset: xgb.Booster
    with_level: xgb.Booster
    level_odds: float
    center: float
    slope: float = 1.0

    @classmethod
    def fit(
        cls, panel: pd.DataFrame, today: pd.DataFrame, as_of: datetime, features: Sequence[str]
    ) -> Boosting:
        """Fit on a panel of matured cut-offs for the customers of `today`.

        panel: features, horizon_days, weight and the outcomes bought and value; today: features
        and horizon_days of the customers to forecast.
        """
        offsets, rows = Offsets.learn(panel, today, as_of)
        return cls.on_offsets(offsets, rows, today, features)

    @classmethod
    def on_offsets(
        cls, offsets: Offsets, rows: pd.DataFrame, today: pd.DataFrame, features: Sequence[str]
    ) -> Boosting:
        """Fit on a panel whose OFFSET_COLUMNS are there already."""
        rows = thinned(rows)
        design = Design.of(rows, [*features, *OFFSET_COLUMNS])
        matrix, bought = design.matrix(rows), rows.bought.to_numpy(dtype=float)
        offset, weight = rows.offset_odds.to_numpy(), rows.weight.to_numpy()
        aside = kept_aside(rows.customer_id)
        trees = partial(
            boosters.fit, matrix, bought, weight=weight, aside=aside, columns=design.columns,
            objective="binary:logistic", min_child_weight=boosters.leaf_weight(bought.mean()),
        )  # fmt: skip
        columns = offsets.columns(today)
        model = cls(
            offsets=offsets,
            design=design,
            ridge=Ridge.fit(matrix, bought, offset, weight, aside),
            with_offset=trees(offset=offset),
            with_level=trees(offset=_level_odds(rows)),
            level_odds=float(_safe_logit(np.mean(expit(columns.offset_odds)))),
            center=0.0,
        )
        model.center = float(np.mean(model._log_odds(columns)))
        return model

    def calibrate(self, forecast: NDArray, bought: NDArray) -> None:
        """Set the slope from forecasts of an equal model at a cut-off it had not seen.

        forecast: purchase probabilities, (n,); bought: what happened, (n,). The level is free in
        the fit and not carried over: it belongs to its own season (training/level.py).
        """
        log_odds = _safe_logit(forecast)
        centered = log_odds - log_odds.mean()
        shift = _safe_logit(np.mean(bought))

        def loss(slope: float) -> float:
            p = expit(shift + slope * centered)
            return float(-np.mean(np.where(bought > 0, np.log(p), np.log1p(-p))))

        self.slope = float(minimize_scalar(loss, bounds=SLOPES, method="bounded").x)

    def predict(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        """P(at least one purchase in `horizon_days`) of each row, (n,)."""
        return self.predict_on(self.offsets.columns(rows))

    def predict_on(self, columns: pd.DataFrame) -> NDArray[np.float64]:
        """The same for rows that have their OFFSET_COLUMNS already."""
        log_odds = self.center + self.slope * (self._log_odds(columns) - self.center)
        return np.clip(expit(log_odds), LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY)

    def _log_odds(self, columns: pd.DataFrame) -> NDArray[np.float64]:
        matrix, offset = self.design.matrix(columns), columns.offset_odds.to_numpy()
        members = (
            offset + self.ridge.difference(matrix),
            boosters.predict(self.with_offset, matrix, offset),
            boosters.predict(self.with_level, matrix, np.full(len(columns), self.level_odds)),
        )
        return np.mean(members, axis=0)

    def save(self, folder: Path) -> None:
        """Write `model.json` and two .ubj files into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        boosters.save(self.with_offset, folder / "with_offset.ubj")
        boosters.save(self.with_level, folder / "with_level.ubj")
        numbers = {name: getattr(self, name) for name in ("level_odds", "center", "slope")}
        parts = {name: getattr(self, name).to_dict() for name in ("offsets", "design", "ridge")}
        (folder / "model.json").write_text(json.dumps(numbers | parts))

    @classmethod
    def load(cls, folder: Path) -> Boosting:
        """The model that `save` wrote."""
        stored: Mapping = json.loads((folder / "model.json").read_text())
        return cls(
            offsets=Offsets.from_dict(stored["offsets"]),
            design=Design.from_dict(stored["design"]),
            ridge=Ridge.from_dict(stored["ridge"]),
            with_offset=boosters.load(folder / "with_offset.ubj"),
            with_level=boosters.load(folder / "with_level.ubj"),
            **{name: stored[name] for name in ("level_odds", "center", "slope")},
        )


def kept_aside(customers: pd.Series) -> NDArray[np.bool_]:
    """Whether a row's customer is kept aside, by a hash of the id: a customer in all or no cut."""
    return _hashed(customers) % ASIDE_ONE_IN == 0


def thinned(panel: pd.DataFrame) -> pd.DataFrame:
    """At most about MOST_ROWS rows, whole customers by a hash of the id, with a new index."""
    if len(panel) <= MOST_ROWS:
        return panel.reset_index(drop=True)
    # Other digits of the hash than those that keep customers aside.
    place = (_hashed(panel.customer_id) // ASIDE_ONE_IN) % len(panel)
    return panel[place < MOST_ROWS].reset_index(drop=True)


def _hashed(customers: pd.Series) -> NDArray:
    hashed = pd.util.hash_pandas_object(customers.astype(str), index=False)
    return hashed.to_numpy(dtype=np.uint64)


def _level_odds(rows: pd.DataFrame) -> NDArray[np.float64]:
    """The log odds of each row's cut-off as a whole, (n,)."""
    rate = rows.groupby(["as_of", "horizon_days"]).bought.transform("mean").to_numpy(dtype=float)
    return _safe_logit(rate)


def _safe_logit(probability: NDArray | float) -> NDArray[np.float64]:
    return logit(np.clip(probability, LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY))
