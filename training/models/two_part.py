"""Value in the horizon: whether a customer buys, times how much when he does, and an interval."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray
from scipy.special import expit

from features.columns import Columns, Rows, numbers_of
from training.models import boosters
from training.models.boosters import STANDARD, Inputs, Trees
from training.models.boosting import Boosting
from training.models.design import Design
from training.models.offsets import OFFSET_COLUMNS, Offsets, Outlook
from training.models.value_distribution import LEVELS, ValueDistribution
from training.sampling import counted, crowding, kept_aside, thinned

COVERAGE = 0.90
HORIZONS = (30, 90, 180, 365)  # days: a month, a quarter, half a year, a year
# The tallest half per cent of values is cut in training: one wholesaler must not lead all trees.
CAP_QUANTILE = 0.995
LEAST_LEAF_ROWS = 20.0  # of buyers, for the mean of a heavy-tailed value
# The amount is the mean, in logs, of trees and offset: on earlier moments of three settings it had
# the smaller RMSE in each (by 1 to 5 %) and the same ranking as the trees alone.
TREE_SHARE = 0.5
# The total is that of the leveled buy-till-you-die forecast: trees cut at CAP_QUANTILE rank better
# than they total. Further than twice off, the trees know something the level does not.
ANCHORS = (0.5, 2.0)
# The levels between which the interval lies, as claimed, and the widest that a test may ask for. Of
# who may well buy nothing it begins at 0, which leaves out nobody below: all that may lie outside
# lies above.
TAILS = ((1.0 - COVERAGE) / 2.0, (1.0 + COVERAGE) / 2.0)
TAIL_ABOVE = (0.0, COVERAGE)
WIDEST_TAILS = (0.005, 0.995)
# No bound lies further above the largest value seen: that would be extrapolation, not a forecast.
MOST_ABOVE_LARGEST = float(np.exp(1.5))  # 4.5 times
# Groups whose intervals are tested apart: by activity, and by tier. Fewer tested customers than
# LEAST_TESTED tell no tail of 5 %.
SURE = "sure"
GROUPS = tuple(f"{how} {who}" for who in ("others", "rich") for how in ("unlikely", "likely", SURE))
LEAST_TESTED = 40
RICH_SHARE = 0.2  # the fifth of customers that brings most of the money


@dataclass
class TwoPart:
    """E[value] = P(buys) x E[value | buys]; median and interval from the distribution of both.

    Claim: on values that are mostly zero it ranks and levels better than one regression.
    `anchor` scales the mean so that its total is the level's (training/level.py). `payments` has
    the quantiles of what a buyer pays (value_distribution.py). `tails` are the levels at which the
    90 % interval of each group ends, measured on the newest matured cut-off by an equal model that
    had not seen it. `rich`: the expected value from which on a customer counts as such.
    Source of the interval: Chernozhukov, Wuethrich, Zhu (2021), Distributional conformal
    prediction, PNAS 118(48), with one set of levels per group (Mondrian).
    """

    purchase: Boosting
    design: Design
    amount: xgb.Booster
    payments: xgb.Booster
    largest: float
    anchor: float = 1.0
    rich: float = np.inf
    tails: dict[str, list[float]] = field(
        default_factory=lambda: {group: list(_claimed(group)) for group in GROUPS}
    )

    @classmethod
    def fit(
        cls,
        panel: pd.DataFrame,
        today: pd.DataFrame,
        as_of: datetime,
        features: Sequence[str],
        trees: Trees = STANDARD,
    ) -> TwoPart:
        """Fit on a panel of matured cut-offs for the customers of `today`; see Boosting.fit.

        trees: those of the purchase; amounts have their own.
        """
        offsets, rows = Offsets.learn(panel, today, as_of)
        purchase = Boosting.on_offsets(offsets, rows, today, features, trees)
        model = cls.on_purchase(purchase, rows, features)
        model.settle(offsets.columns(today))
        return model

    def settle(self, columns: pd.DataFrame) -> None:
        """Scale the mean to the total of the level, and find who is rich; see Boosting.settle."""
        self.purchase.settle(columns)
        self.anchor = 1.0
        chance = self.purchase.predict_on(columns)
        mean = self._mean(columns, chance, self.design.inputs(columns))
        expected = float(np.exp(columns.offset_money).sum())
        self.anchor = float(np.clip(expected / max(float(mean.sum()), 1e-9), *ANCHORS))
        self.rich = float(np.quantile(self.anchor * mean, 1.0 - RICH_SHARE))

    @classmethod
    def on_purchase(
        cls, purchase: Boosting, rows: pd.DataFrame, features: Sequence[str]
    ) -> TwoPart:
        """Fit the amounts beside a fitted purchase model, on rows with OFFSET_COLUMNS."""
        rows = thinned(counted(rows))
        design = Design.of(rows, [*features, *OFFSET_COLUMNS])
        value = rows.value.to_numpy(dtype=float)
        largest = float(np.quantile(value, CAP_QUANTILE))
        value = np.minimum(value, max(largest, 1.0))
        buys, paid = _payments(rows, value)
        trees = partial(
            boosters.fit, design.matrix(rows[buys]), columns=design.columns,
            weight=rows.weight.to_numpy()[buys], aside=kept_aside(rows.customer_id)[buys],
            min_child_weight=crowding(rows[buys]) * LEAST_LEAF_ROWS,
        )  # fmt: skip
        offset = _log_amount(rows[buys])
        return cls(
            purchase=purchase,
            design=design,
            amount=trees(paid, offset=offset, objective="reg:gamma"),
            payments=trees(
                np.log(paid), offset=_at_levels(offset), objective="reg:quantileerror",
                quantile_alpha=list(LEVELS), eta=boosters.MANY_TREES_ETA,
            ),
            largest=float(rows.value.max()),
        )  # fmt: skip

    def calibrate(self, tested: TwoPart, held_out: pd.DataFrame, today: pd.DataFrame) -> None:
        """Set weights, slope and tails by an equal model at a cut-off it had not seen.

        tested: that model; held_out: features, horizon_days and the outcomes bought and value;
        today: the customers to forecast.
        """
        columns = tested.purchase.offsets.columns(held_out)
        bought = held_out.bought.to_numpy(dtype=float)
        self.purchase.calibrate_on(tested.purchase, columns, bought)
        chance = tested.purchase.predict_on(columns)
        inputs = tested.design.inputs(columns)
        mean = tested._mean(columns, chance, inputs)
        distribution = tested._distribution(columns, chance, inputs)
        low, high = distribution.levels_of(held_out.value.to_numpy(dtype=float))
        groups = tested._groups(chance, mean)
        for group in GROUPS:
            here = groups == group
            if here.sum() >= LEAST_TESTED:
                self.tails[group] = _tails(low[here], high[here], _claimed(group))
        self.settle(self.purchase.offsets.columns(today))

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """One row per row, all for `horizon_days`, money undiscounted in currency units.

        Columns purchase_probability, expected_orders, expected_value (mean),
        expected_value_median, expected_value_low, expected_value_high (90 % interval).
        """
        return pd.DataFrame(self.forecast(Columns.of(rows)), index=rows.index)

    def forecast(
        self, rows: Columns, outlook: Outlook | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """The same as arrays, each (n,). outlook: see Offsets.columns."""
        columns = self.purchase.offsets.columns(rows, outlook)
        inputs = self.design.inputs(columns)
        is_shared = self.design == self.purchase.design
        chance = self.purchase.predict_on(columns, inputs if is_shared else None)
        mean = self._mean(columns, chance, inputs)
        distribution = self._distribution(columns, chance, inputs)
        tails = np.array([self.tails[group] for group in self._groups(chance, mean)]).reshape(-1, 2)
        low, median, high = (distribution.quantile(q) for q in (tails[:, 0], 0.5, tails[:, 1]))
        ceiling = MOST_ABOVE_LARGEST * max(self.largest, 1.0)
        return {
            "purchase_probability": chance,
            "expected_orders": _orders(columns, chance),
            "expected_value": mean,
            "expected_value_median": np.minimum(median, self.largest),
            "expected_value_low": np.minimum(low, mean),
            "expected_value_high": np.clip(high, mean, np.maximum(mean, ceiling)),
        }

    def by_horizon(self, rows: Rows, value: pd.Series) -> pd.DataFrame:
        """How a forecast value comes in over time: its mean in the first 30, 90, ... days.

        rows: features with one `horizon_days`; value: their expected value in that horizon.
        Columns expected_value_30d, ..., as far as the horizon goes. The part of the first days is
        that of their orders by Pareto/NBD, so that a longer horizon is never worth less, and the
        horizon itself is worth exactly what it was.
        """
        horizon = numbers_of(rows, "horizon_days")
        shares = self.purchase.offsets.repeat_buying.shares_within
        return pd.DataFrame(
            {
                f"expected_value_{days}d": value * np.minimum(shares(rows, days, horizon), 1.0)
                for days in HORIZONS
                if days <= horizon.max(initial=0.0)
            },
            index=value.index,
        )

    def _mean(self, columns: Rows, chance: NDArray, inputs: Inputs) -> NDArray[np.float64]:
        offset = _log_amount(columns)
        trees = boosters.predict(self.amount, inputs, offset)
        amount = np.exp(TREE_SHARE * trees + (1.0 - TREE_SHARE) * offset)
        return self.anchor * chance * np.minimum(amount, self.largest)

    def _distribution(self, columns: Rows, chance: NDArray, inputs: Inputs) -> ValueDistribution:
        offset = _at_levels(_log_amount(columns))
        logs = boosters.predict(self.payments, inputs, offset)
        return ValueDistribution.of(chance, logs)

    def _groups(self, chance: NDArray, mean: NDArray) -> NDArray[np.str_]:
        how = np.where(chance > 1.0 - TAILS[0], 2, np.where(chance > 0.5, 1, 0))
        return np.array(GROUPS)[how + np.where(mean > self.rich, 3, 0)]

    def save(self, folder: Path) -> None:
        """Write the model into a folder: JSON and .ubj files."""
        self.purchase.save(folder / "purchase")
        boosters.save(self.amount, folder / "amount.ubj")
        boosters.save(self.payments, folder / "payments.ubj")
        numbers = {name: getattr(self, name) for name in ("largest", "anchor", "rich", "tails")}
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
            payments=boosters.load(folder / "payments.ubj"),
            **{name: stored[name] for name in ("largest", "anchor", "rich", "tails")},
        )


def _payments(rows: pd.DataFrame, value: NDArray) -> tuple[NDArray[np.bool_], NDArray]:
    """Which rows teach what a buyer pays, (n,), and what those pay."""
    buys = (rows.bought.to_numpy(dtype=float) > 0) & (value > 0)
    if buys.any():
        return buys, value[buys]
    # A business that has stopped: its past alone says what a buyer would pay.
    return np.ones(len(rows), dtype=bool), np.exp(_log_amount(rows))


def _log_amount(columns: Rows) -> NDArray[np.float64]:
    """Log of the value expected of a buyer: the expected value over the chance to buy."""
    odds, money = numbers_of(columns, "offset_odds"), numbers_of(columns, "offset_money")
    return money - np.log(expit(odds))


def _at_levels(log_amount: NDArray) -> NDArray[np.float64]:
    return np.repeat(log_amount[:, None], len(LEVELS), axis=1)


def _orders(columns: Rows, chance: NDArray) -> NDArray[np.float64]:
    """Expected purchase days: the chance to buy times the orders of a buyer, at least one."""
    orders, odds = numbers_of(columns, "log_orders"), numbers_of(columns, "logit_purchase")
    of_a_buyer = np.exp(orders) / expit(odds)
    return chance * np.maximum(of_a_buyer, 1.0)


def _claimed(group: str) -> tuple[float, float]:
    return TAILS if group.startswith(SURE) else TAIL_ABOVE


def _tails(low: NDArray, high: NDArray, claimed: tuple[float, float]) -> list[float]:
    """The levels that held 90 % of the values tested; low, high: the levels of each value.

    Wider than claimed where the test asks for it, never narrower: one lucky moment is no proof.
    """
    below, above = claimed
    share = 1.0 / len(low)  # the finite-sample correction of conformal prediction
    lower = float(np.quantile(high, max(below - share, 0.0)))
    upper = float(np.quantile(low, min(above + share, 1.0)))
    least = min(below, WIDEST_TAILS[0])
    return [max(min(lower, below), least), min(max(upper, above), WIDEST_TAILS[1])]
