"""ABC and RFM: the two ways to class customers by what they have brought already (PRODUCT 14).

Cuts are measured once, on a reference snapshot, and stored with the models, so that one customer is
classed like all. What is measured is money of the last WINDOW_DAYS days: the margin where the
business gives margins, else the spending. A margin rate, the same for all, would change no class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Rows, numbers_of

WINDOW_DAYS = 365  # a year: every season counts once, whenever the snapshot is taken
A_SHARE, B_SHARE = 0.80, 0.95  # of all value: before whom less than this lies, best first
BANDS = 5
MARGIN, SPEND = "margin_365d", "spend_365d"
FREQUENCY = "purchase_days_recent_365d"
# A business gives margins when most of those who bought within the window have one.
MOST = 0.5

# The eight classes, by whether recency, frequency and money are above their means.
RFM_CLASSES: Mapping[tuple[bool, bool, bool], str] = {
    (True, True, True): "important_value",
    (True, False, True): "important_develop",
    (False, True, True): "important_keep",
    (False, False, True): "important_retain",
    (True, True, False): "general_value",
    (True, False, False): "general_develop",
    (False, True, False): "general_keep",
    (False, False, False): "general_retain",
}
RFM_LABELS: Mapping[str, str] = {
    "important_value": "重要价值",
    "important_develop": "重要发展",
    "important_keep": "重要保持",
    "important_retain": "重要挽留",
    "general_value": "一般价值",
    "general_develop": "一般发展",
    "general_keep": "一般保持",
    "general_retain": "一般挽留",
}
# By whether the value of now, and that of the time to come, is high.
QUADRANTS: Mapping[tuple[bool, bool], str] = {
    (True, True): "high_high",
    (True, False): "high_low",
    (False, True): "low_high",
    (False, False): "low_low",
}


@dataclass(frozen=True)
class Scale:
    """One of the three scores: a number placed in up to five bands, 1 the worst.

    edges: the largest number of each band but the last. mean: the mean score of the reference.
    """

    edges: tuple[float, ...]
    mean: float

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Scale:
        """Measure on a population: quantiles that occur in it, so ties share a score.

        With fewer than five distinct numbers, or many customers at one, there are fewer bands.
        """
        known = values[~np.isnan(values)]
        if not len(known):
            return cls((), 1.0)
        shares = np.arange(1, BANDS) / BANDS
        edges = np.unique(np.quantile(known, shares, method="inverted_cdf"))
        scale = cls(tuple(edges[edges < known.max()].tolist()), 0.0)
        return cls(scale.edges, float(scale.score(known).mean()))

    def score(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The band of each number, (n,): 1 to at most 5; null for null."""
        bands = 1.0 + np.searchsorted(self.edges, values, side="left")
        return np.where(np.isnan(values), np.nan, bands)


@dataclass(frozen=True)
class ValueCuts:
    """What classes a customer by the past, measured on one reference snapshot.

    measure: the column that tells his value of now, MARGIN or SPEND. a, b: the least value of
    class A and of class B; infinite where nobody brings anything. recency (of its negative, so that
    5 is the newest), frequency, monetary: the scales of RFM.
    """

    measure: str
    a: float
    b: float
    recency: Scale
    frequency: Scale
    monetary: Scale

    @classmethod
    def of(cls, rows: pd.DataFrame) -> ValueCuts:
        """Measure on customers who have bought: recency, FREQUENCY, SPEND and MARGIN."""
        measure = MARGIN if _gives_margins(rows) else SPEND
        value = _amount(rows, measure)
        classes = abc(value, rows["customer_id"])
        a, b = (float(np.min(value[classes == name], initial=np.inf)) for name in ("A", "B"))
        return cls(
            measure, a, b,
            recency=Scale.of(-numbers_of(rows, "recency")),
            frequency=Scale.of(numbers_of(rows, FREQUENCY)),
            monetary=Scale.of(numbers_of(rows, SPEND)),
        )  # fmt: skip

    def now(self, rows: Rows, margin_rate: float) -> NDArray[np.float64]:
        """The current value: margin of the last WINDOW_DAYS days, (n,), currency units.

        Of a business that gives margins those given, else the spending times the rate; null where
        somebody bought and no margin of it is given.
        """
        amount = _amount(rows, self.measure)
        return amount if self.measure == MARGIN else amount * margin_rate

    def amount(self, rows: Rows) -> NDArray[np.float64]:
        """The money by which customers are classed, (n,): `measure`, null where it is not known."""
        return _amount(rows, self.measure)

    def abc(self, rows: Rows) -> NDArray[np.object_]:
        """A, B or C by the stored cuts, (n,); null where the current value is.

        Customers of one value are of one class, the better where the population's is split.
        """
        amount = _amount(rows, self.measure)
        is_positive = amount > 0
        found = np.full(len(amount), "C", dtype=object)
        found[is_positive & (amount >= self.b)] = "B"
        found[is_positive & (amount >= self.a)] = "A"
        found[np.isnan(amount)] = None
        return found

    def rfm(self, rows: Rows) -> dict[str, NDArray[np.float64]]:
        """The scores of recency (5 the newest), frequency and money, each (n,), 1 to 5."""
        return {
            "rfm_recency": self.recency.score(-numbers_of(rows, "recency")),
            "rfm_frequency": self.frequency.score(numbers_of(rows, FREQUENCY)),
            "rfm_monetary": self.monetary.score(numbers_of(rows, SPEND)),
        }

    def rfm_class(self, scores: Mapping[str, NDArray[np.float64]]) -> NDArray[np.object_]:
        """The class of each row by RFM_CLASSES, (n,): high is above the reference's mean score.

        Null where a score is. Scores and not money are compared with their mean: that of the money
        is drawn up by a few, and next to nobody is above it.
        """
        means = (self.recency.mean, self.frequency.mean, self.monetary.mean)
        return _by_bits(
            RFM_CLASSES,
            [score > mean for score, mean in zip(scores.values(), means, strict=True)],
            np.logical_or.reduce([np.isnan(score) for score in scores.values()]),
        )

    def quadrant(
        self, rows: Rows, forecast: NDArray[np.float64], most_valuable: float | NDArray[np.float64]
    ) -> NDArray[np.object_]:
        """Current value by future value, (n,): high_low is high now and low later; or null.

        High is among those who together bring 80 % of it, the one sense in which anybody is called
        valuable here: now from class A on, later from the forecast `most_valuable`, MVC's cut.
        """
        amount = _amount(rows, self.measure)
        is_high = (amount > 0) & (amount >= self.a)
        return _by_bits(QUADRANTS, [is_high, forecast >= most_valuable], np.isnan(amount))

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready form."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> ValueCuts:
        """The cuts that `to_dict` stored."""
        scales = {
            name: Scale(tuple(stored[name]["edges"]), float(stored[name]["mean"]))
            for name in ("recency", "frequency", "monetary")
        }
        return cls(stored["measure"], float(stored["a"]), float(stored["b"]), **scales)


def abc(value: pd.Series | NDArray, customer_id: pd.Series | NDArray) -> NDArray[np.object_]:
    """The class of each customer of a whole population, (n,): PRODUCT 14 (1).

    In the order of value, the highest first and equals by id, he is A while those before him have
    less than 80 % of all that is above 0, B while less than 95 %, else C; at or below 0 always C,
    and null is left out and stays null.
    """
    amount = np.asarray(value, dtype=np.float64)
    order = np.lexsort((np.asarray(customer_id, dtype=str), -amount))  # nulls come last
    positive = np.nan_to_num(amount, nan=0.0).clip(min=0.0)[order]
    before = np.concatenate([[0.0], np.cumsum(positive)[:-1]]) if len(order) else positive
    total = positive.sum()
    found = np.full(len(amount), "C", dtype=object)
    found[order[(before < B_SHARE * total) & (positive > 0)]] = "B"
    found[order[(before < A_SHARE * total) & (positive > 0)]] = "A"
    found[np.isnan(amount)] = None
    return found


def _gives_margins(rows: pd.DataFrame) -> bool:
    bought = numbers_of(rows, FREQUENCY) > 0
    known = ~np.isnan(numbers_of(rows, MARGIN))
    return bool(known[bought].mean() > MOST) if bought.any() else False


def _amount(rows: Rows, measure: str) -> NDArray[np.float64]:
    spend = numbers_of(rows, SPEND)
    if measure == SPEND:
        return spend
    margin = numbers_of(rows, MARGIN)
    return np.where(np.isnan(margin) & (spend == 0), 0.0, margin)


def _by_bits(
    names: Mapping[Any, str], bits: list[NDArray[np.bool_]], is_null: NDArray[np.bool_]
) -> NDArray[np.object_]:
    """The name for each row's bits, null where it is null."""
    table = np.array([None] * 2 ** len(bits) + [None], dtype=object)
    for key, name in names.items():
        table[sum(bit << at for at, bit in enumerate(key))] = name
    place = sum(bit.astype(np.intp) << at for at, bit in enumerate(bits))
    return table[np.where(is_null, len(table) - 1, place)]
