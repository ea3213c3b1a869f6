"""P(at least one purchase in the horizon): differences learnt on top of buy-till-you-die."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray
from scipy.optimize import brentq, minimize
from scipy.special import expit, logit

from features.columns import Columns, Rows, numbers_of
from training.models import boosters, stack
from training.models.boosters import STANDARD, Inputs, Trees
from training.models.design import Design
from training.models.offsets import OFFSET_COLUMNS, Offsets, Outlook
from training.models.ridge import Ridge
from training.sampling import counted, crowding, kept_aside, thinned

# The slope may be corrected this far; more would be a sign of a broken model, not of calibration.
# Before a test its log is known to a twentieth: over six past moments of two businesses and four
# small stationary ones .03 to .05 had a smaller log-loss than .1, .2, or no slope at all.
SLOPES = (0.8, 1.25)
SLOPE_SPREAD = 0.05
MEMBERS = ("repeat_buying", "ridge", "with_offset", "with_level")
_NUMBERS = ("level_odds", "center", "middle", "weights", "slope")  # stored beside the parts
MOST_LOG_ODDS = 60.0  # beyond, a chance is 0 or 1 in double precision
LEAST_PROBABILITY = 1e-4  # nothing about a person is surer than one in ten thousand


@dataclass(frozen=True)
class Forecast:
    """Log odds of a purchase, (n,), with the rows and the matrix they were computed from."""

    columns: Rows
    inputs: Inputs
    log_odds: NDArray[np.float64]

    def chosen(self, which: NDArray[np.intp]) -> Forecast:
        """That of some of the rows."""
        columns = Columns.of(self.columns).chosen(which)
        return Forecast(columns, Inputs(self.inputs.matrix[which]), self.log_odds[which])


@dataclass
class Boosting:
    """A stack, in log odds, of buy-till-you-die and three learners.

    Claim: ranks customers better than buy-till-you-die alone and than trees alone, and is
    calibrated. Members: the offset itself, which is buy-till-you-die at its level; a ridge logit
    with the offset; trees with the offset; trees that know only the level. `weights` are their
    shares (stack.py) and `slope` the calibration, both measured on the newest matured cut-off by
    an equal model that had not seen it. A customer of log odds `center` has `middle` in the end.
    `trees`: how both boosters were grown.
    """

    offsets: Offsets
    design: Design
    ridge: Ridge
    with_offset: xgb.Booster
    with_level: xgb.Booster
    level_odds: float
    center: float = 0.0
    middle: float = 0.0
    weights: list[float] = field(default_factory=lambda: [1.0 / len(MEMBERS)] * len(MEMBERS))
    slope: float = 1.0
    trees: Trees = STANDARD

    @classmethod
    def fit(
        cls,
        panel: pd.DataFrame,
        today: pd.DataFrame,
        as_of: datetime,
        features: Sequence[str],
        trees: Trees = STANDARD,
    ) -> Boosting:
        """Fit on a panel of matured cut-offs for the customers of `today`.

        panel: features, horizon_days, weight and the outcomes bought and value; today: features
        and horizon_days of the customers to forecast.
        """
        offsets, rows = Offsets.learn(panel, today, as_of)
        return cls.on_offsets(offsets, rows, today, features, trees)

    @classmethod
    def on_offsets(
        cls,
        offsets: Offsets,
        rows: pd.DataFrame,
        today: pd.DataFrame,
        features: Sequence[str],
        trees: Trees = STANDARD,
    ) -> Boosting:
        """Fit on a panel whose OFFSET_COLUMNS are there already."""
        rows = thinned(counted(rows))
        design = Design.of(rows, [*features, *OFFSET_COLUMNS])
        matrix, bought = design.matrix(rows), rows.bought.to_numpy(dtype=float)
        offset, weight = rows.offset_odds.to_numpy(), rows.weight.to_numpy()
        aside, least = kept_aside(rows.customer_id), crowding(rows) * trees.least_leaf_rows
        grown = partial(
            boosters.fit, matrix, bought, weight=weight, aside=aside, columns=design.columns,
            objective="binary:logistic",
            min_child_weight=boosters.leaf_weight(bought.mean(), least),
            **trees.parameters(),
        )  # fmt: skip
        columns = offsets.columns(today)
        model = cls(
            offsets=offsets,
            design=design,
            ridge=Ridge.fit(matrix, bought, offset, weight, aside),
            with_offset=grown(offset=offset),
            with_level=grown(offset=_level_odds(rows)),
            level_odds=float(_safe_logit(np.mean(expit(columns.offset_odds)))),
            weights=stack.believed(len(MEMBERS), len(today)).tolist(),
            trees=trees,
        )
        model.settle(columns)
        return model

    def settle(self, columns: pd.DataFrame) -> None:
        """Move the log odds so that the total over customers is that of the level.

        columns: the customers of today with their OFFSET_COLUMNS. The members rank better than
        they total: they learnt from other seasons than the one to come (training/level.py).
        """
        mixed, total = self._mixed(columns), float(np.mean(expit(columns.offset_odds)))
        self.center = float(np.mean(mixed))
        spread = self.slope * (mixed - self.center)

        def gap(middle: float) -> float:
            return float(np.mean(expit(middle + spread))) - total

        self.middle = float(brentq(gap, -MOST_LOG_ODDS, MOST_LOG_ODDS))

    def calibrate(self, tested: Boosting, held_out: pd.DataFrame, today: pd.DataFrame) -> None:
        """Set weights and slope from forecasts of an equal model at a cut-off it had not seen.

        tested: that model; held_out: features, horizon_days and the outcome bought; today: the
        customers to forecast. The level of the test is not carried over: it belongs to its own
        season (training/level.py).
        """
        columns = tested.offsets.columns(held_out)
        self.calibrate_on(tested, columns, held_out.bought.to_numpy(dtype=float))
        self.settle(self.offsets.columns(today))

    def calibrate_on(self, tested: Boosting, columns: pd.DataFrame, bought: NDArray) -> None:
        """The same for rows that have their OFFSET_COLUMNS already; `settle` has to follow."""
        members = tested._members(columns)
        self.weights = stack.shares(members, bought).tolist()
        self.slope = _slope(_weighted(members, self.weights), bought)

    def predict(self, rows: Rows) -> NDArray[np.float64]:
        """P(at least one purchase in `horizon_days`) of each row, (n,)."""
        return self.predict_on(self.offsets.columns(rows))

    def predict_on(self, columns: Rows, inputs: Inputs | None = None) -> NDArray[np.float64]:
        """The same for rows that have their OFFSET_COLUMNS already.

        inputs: what the design makes of them, where that is there already.
        """
        return self.chances(self.log_odds(columns, inputs))

    def chances(self, log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log odds as chances within the bounds, (n,)."""
        return np.clip(expit(log_odds), LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY)

    def log_odds(self, columns: Rows, inputs: Inputs | None = None) -> NDArray[np.float64]:
        """Log odds of at least one purchase of rows with OFFSET_COLUMNS, (n,), without bounds."""
        return self.middle + self.slope * (self._mixed(columns, inputs) - self.center)

    def forecast(self, rows: Columns, outlook: Outlook | None = None) -> Forecast:
        """The same with what it was made of, for who wants to explain it too.

        rows: with `horizon_days`. outlook: see Offsets.columns.
        """
        columns = self.offsets.columns(rows, outlook)
        inputs = self.design.inputs(columns)
        return Forecast(columns, inputs, self.log_odds(columns, inputs))

    def _mixed(self, columns: Rows, inputs: Inputs | None = None) -> NDArray[np.float64]:
        return _weighted(self._members(columns, inputs), self.weights)

    def _members(self, columns: Rows, inputs: Inputs | None = None) -> NDArray[np.float64]:
        """Log odds of each of MEMBERS, (n, 4)."""
        inputs = inputs or self.design.inputs(columns)
        offset = numbers_of(columns, "offset_odds")
        level = np.full(len(columns), self.level_odds)
        members = (
            offset,
            offset + self.ridge.difference(inputs.matrix),
            boosters.predict(self.with_offset, inputs, offset),
            boosters.predict(self.with_level, inputs, level),
        )
        return np.column_stack(members)

    def save(self, folder: Path) -> None:
        """Write `model.json` and two .ubj files into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        boosters.save(self.with_offset, folder / "with_offset.ubj")
        boosters.save(self.with_level, folder / "with_level.ubj")
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        parts = {name: getattr(self, name).to_dict() for name in ("offsets", "design", "ridge")}
        stored = numbers | parts | {"trees": asdict(self.trees)}
        (folder / "model.json").write_text(json.dumps(stored))

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
            trees=Trees(**stored.get("trees", {})),  # models of before had no others
            **{name: stored[name] for name in _NUMBERS},
        )


def _weighted(members: NDArray, weights: Sequence[float]) -> NDArray[np.float64]:
    # Not by matrix product, whose order of summation depends on the number of rows.
    return np.einsum("ij,j->i", members, np.asarray(weights))


def _slope(log_odds: NDArray, bought: NDArray) -> float:
    """The slope that makes the log odds of the customers tested right, whatever their level.

    The shift beside it is free: with a fixed one, such as the log odds of the rate, a slope of
    skewed log odds would have to mend the total too.
    """
    centered = log_odds - log_odds.mean()

    def loss(free: NDArray) -> float:
        moved = free[0] + free[1] * centered
        fit = float(np.sum(np.logaddexp(0.0, np.where(bought > 0, -moved, moved))))
        return (fit + np.log(free[1]) ** 2 / (2.0 * SLOPE_SPREAD**2)) / len(bought)

    start = np.array([float(_safe_logit(np.mean(bought))), 1.0])
    return float(minimize(loss, start, method="L-BFGS-B", bounds=[(None, None), SLOPES]).x[1])


def _level_odds(rows: pd.DataFrame) -> NDArray[np.float64]:
    """The log odds of each row's cut-off as a whole, (n,)."""
    rate = rows.groupby(["as_of", "horizon_days"]).bought.transform("mean").to_numpy(dtype=float)
    return _safe_logit(rate)


def _safe_logit(probability: NDArray | float) -> NDArray[np.float64]:
    return logit(np.clip(probability, LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY))
