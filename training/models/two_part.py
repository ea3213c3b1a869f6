"""Value in the horizon: whether a customer buys, times how much when he does, and an interval."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray
from scipy.special import expit

from training.models import boosters
from training.models.boosting import Boosting, kept_aside, thinned
from training.models.design import Design
from training.models.offsets import OFFSET_COLUMNS, Offsets

COVERAGE = 0.90
QUANTILES = (0.05, 0.5, 0.95)
# The tallest half per cent of values is cut in training: one wholesaler must not lead all trees.
CAP_QUANTILE = 0.995
LEAST_LEAF_ROWS = 20.0  # of buyers, for the mean of a heavy-tailed value
# The amount is the mean, in logs, of trees and offset: on earlier moments of three settings it had
# the smaller RMSE in each (by 1 to 5 %) and the same ranking as the trees alone.
TREE_SHARE = 0.5
# The total is that of the leveled buy-till-you-die forecast: trees cut at CAP_QUANTILE rank better
# than they total. Further than twice off, the trees know something the level does not.
ANCHORS = (0.5, 2.0)
# A correction of the interval in log money: e^1.5 = 4.5 times; more is not calibration.
MOST_WIDENING = 1.5


@dataclass
class TwoPart:
    """E[value] = P(buys) x E[value | buys]; median and interval by conformalized quantiles.

    Claim: on values that are mostly zero it ranks and levels better than one regression.
    `anchor` scales the mean so that its total is the level's (training/level.py). `widening` is
    measured on the newest matured cut-off by a model that had not seen it: [lower, upper]
    additions in log1p money, for likely and for unlikely buyers.
    Source of the interval: Romano, Patterson, Candes (2019), Conformalized quantile regression.
    """

    purchase: Boosting
    design: Design
    amount: xgb.Booster
    quantiles: xgb.Booster
    largest: float
    anchor: float = 1.0
    widening: dict[str, list[float]] = field(
        default_factory=lambda: {"likely": [0.0, 0.0], "unlikely": [0.0, 0.0]}
    )

    @classmethod
    def fit(
        cls, panel: pd.DataFrame, today: pd.DataFrame, as_of: datetime, features: Sequence[str]
    ) -> TwoPart:
        """Fit on a panel of matured cut-offs for the customers of `today`; see Boosting.fit."""
        offsets, rows = Offsets.learn(panel, today, as_of)
        purchase = Boosting.on_offsets(offsets, rows, today, features)
        model = cls.on_purchase(purchase, rows, features)
        expected = float(np.exp(offsets.columns(today).offset_money).sum())
        forecast = float(model.predict(today).expected_value.sum())
        model.anchor = float(np.clip(expected / max(forecast, 1e-9), *ANCHORS))
        return model

    @classmethod
    def on_purchase(
        cls, purchase: Boosting, rows: pd.DataFrame, features: Sequence[str]
    ) -> TwoPart:
        """Fit the amounts beside a fitted purchase model, on rows with OFFSET_COLUMNS."""
        rows = thinned(rows)
        design = Design.of(rows, [*features, *OFFSET_COLUMNS])
        value = rows.value.to_numpy(dtype=float)
        largest = float(np.quantile(value, CAP_QUANTILE))
        value = np.minimum(value, max(largest, 1.0))
        shared = {"weight": rows.weight.to_numpy(), "aside": kept_aside(rows.customer_id)}
        buys, paid = _payments(rows, value)
        return cls(
            purchase=purchase,
            design=design,
            amount=boosters.fit(
                design.matrix(rows[buys]), paid, offset=_log_amount(rows[buys]),
                weight=shared["weight"][buys], aside=shared["aside"][buys],
                columns=design.columns, objective="reg:gamma",
                min_child_weight=LEAST_LEAF_ROWS,
            ),
            quantiles=boosters.fit(
                design.matrix(rows), np.log1p(np.maximum(value, 0.0)),
                offset=_quantile_offset(rows), columns=design.columns,
                objective="reg:quantileerror", quantile_alpha=list(QUANTILES),
                min_child_weight=LEAST_LEAF_ROWS, eta=boosters.MANY_TREES_ETA, **shared,
            ),
            largest=float(rows.value.max()),
        )  # fmt: skip

    def calibrate(self, held_out: pd.DataFrame) -> None:
        """Set slope and widening from forecasts of an equal model at a cut-off it had not seen.

        held_out: purchase_probability and the bounds as `predict` gives them, with the outcomes
        bought and value.
        """
        self.purchase.calibrate(
            held_out.purchase_probability.to_numpy(), held_out.bought.to_numpy(dtype=float)
        )
        likely = held_out.purchase_probability > 0.5
        for group, rows in (("likely", held_out[likely]), ("unlikely", held_out[~likely])):
            if len(rows):
                self.widening[group] = _widening(rows)

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """One row per row, all for `horizon_days`, money undiscounted in currency units.

        Columns purchase_probability, expected_orders, expected_value (mean),
        expected_value_median, expected_value_low, expected_value_high (90 % interval).
        """
        columns = self.purchase.offsets.columns(rows)
        matrix = self.design.matrix(columns)
        chance = self.purchase.predict_on(columns)
        offset = _log_amount(columns)
        trees = boosters.predict(self.amount, matrix, offset)
        amount = np.exp(TREE_SHARE * trees + (1.0 - TREE_SHARE) * offset)
        mean = self.anchor * chance * np.minimum(amount, self.largest)
        low, median, high = self._interval(columns, matrix, chance)
        return pd.DataFrame(
            {
                "purchase_probability": chance,
                "expected_orders": _orders(columns, chance),
                "expected_value": mean,
                "expected_value_median": median,
                "expected_value_low": np.minimum(low, mean),
                "expected_value_high": np.maximum(high, mean),
            },
            index=rows.index,
        )

    def _interval(
        self, columns: pd.DataFrame, matrix: NDArray, chance: NDArray
    ) -> tuple[NDArray, NDArray, NDArray]:
        offset = _quantile_offset(columns)
        logs = np.sort(boosters.predict(self.quantiles, matrix, offset), axis=1)
        likely = (chance > 0.5)[:, None]
        widening = np.where(likely, self.widening["likely"], self.widening["unlikely"])
        logs[:, 0] -= widening[:, 0]
        logs[:, 2] += widening[:, 1]
        ceiling = np.log1p(max(self.largest, 1.0)) + MOST_WIDENING
        return tuple(np.expm1(np.clip(np.sort(logs, axis=1), 0.0, ceiling)).T)

    def save(self, folder: Path) -> None:
        """Write the model into a folder: JSON and .ubj files."""
        self.purchase.save(folder / "purchase")
        boosters.save(self.amount, folder / "amount.ubj")
        boosters.save(self.quantiles, folder / "quantiles.ubj")
        numbers = {"largest": self.largest, "anchor": self.anchor, "widening": self.widening}
        stored = {"design": self.design.to_dict()} | numbers
        (folder / "model.json").write_text(json.dumps(stored))

    @classmethod
    def load(cls, folder: Path) -> TwoPart:
        """The model that `save` wrote."""
        stored: Mapping = json.loads((folder / "model.json").read_text())
        return cls(
            purchase=Boosting.load(folder / "purchase"),
            design=Design.from_dict(stored["design"]),
            amount=boosters.load(folder / "amount.ubj"),
            quantiles=boosters.load(folder / "quantiles.ubj"),
            **{name: stored[name] for name in ("largest", "anchor", "widening")},
        )


def _payments(rows: pd.DataFrame, value: NDArray) -> tuple[NDArray[np.bool_], NDArray]:
    """Which rows teach what a buyer pays, (n,), and what those pay."""
    buys = (rows.bought.to_numpy(dtype=float) > 0) & (value > 0)
    if buys.any():
        return buys, value[buys]
    # A business that has stopped: its past alone says what a buyer would pay.
    return np.ones(len(rows), dtype=bool), np.exp(_log_amount(rows))


def _log_amount(columns: pd.DataFrame) -> NDArray[np.float64]:
    """Log of the value expected of a buyer: the expected value over the chance to buy."""
    return (columns.offset_money - np.log(expit(columns.offset_odds))).to_numpy()


def _quantile_offset(columns: pd.DataFrame) -> NDArray[np.float64]:
    """The expected value in log1p money, once per quantile."""
    expected = np.log1p(np.exp(columns.offset_money.to_numpy()))
    return np.repeat(expected[:, None], len(QUANTILES), axis=1)


def _orders(columns: pd.DataFrame, chance: NDArray) -> NDArray[np.float64]:
    """Expected purchase days: the chance to buy times the orders of a buyer, at least one."""
    of_a_buyer = np.exp(columns.log_orders.to_numpy()) / expit(columns.logit_purchase.to_numpy())
    return chance * np.maximum(of_a_buyer, 1.0)


def _widening(rows: pd.DataFrame) -> list[float]:
    """How far each bound must move so that it holds its share of the held-out values."""
    value = np.log1p(np.maximum(rows.value.to_numpy(dtype=float), 0.0))
    below = np.log1p(rows.expected_value_low.to_numpy()) - value
    above = value - np.log1p(rows.expected_value_high.to_numpy())
    tail = (1.0 - COVERAGE) / 2
    share = min((1.0 - tail) * (1.0 + 1.0 / len(rows)), 1.0)
    moves = [float(np.quantile(move, share)) for move in (below, above)]
    # Wider where the test asks for it, never narrower: one lucky moment is no proof.
    return [float(np.clip(move, 0.0, MOST_WIDENING)) for move in moves]
