"""Three ways to value a customer, on past moments whose future is known: ABC, RFM and CLV.

The textbook calls CLV the most accurate and the dearest, RFM the easiest and the least accurate.
Here each ranks the same customers at the same moment, and what came decides. Source: PRODUCT
item 14, the comparison of methods.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from features import exact, moment
from features.lines import is_purchase
from features.store import FeatureStore
from training import chance
from training.evaluate import Backtest
from training.value_classes import Scale

FloatArray = NDArray[np.float64]

BEST = 0.2  # the Pareto rule: a fifth of the customers brings most of the value
WINDOW = 365  # days of ABC and RFM: a whole year, so that every season is in it once


@dataclass(frozen=True)
class Method:
    """A way to value customers: what it is, what it reads, and the score by which it ranks.

    score: of a test, the customers' scores by customer_id, higher is better, of those who had
    bought by its origin. It reads nothing later.
    """

    name: str
    about: str
    needs: str
    score: Callable[[Backtest, FeatureStore], pd.Series]


def _abc(test: Backtest, store: FeatureStore) -> pd.Series:
    past = _past(test, store)
    recent = moment.recent(past, test.origin.as_of, WINDOW)
    return _by_customer(past, score=exact.total(past.amount, where=recent)).score


def _abc_all(test: Backtest, store: FeatureStore) -> pd.Series:
    past = _past(test, store)
    return _by_customer(past, score=exact.total(past.amount)).score


def _rfm(test: Backtest, store: FeatureStore) -> pd.Series:
    past = _past(test, store)
    recent, bought = moment.recent(past, test.origin.as_of, WINDOW), is_purchase(past)
    seen = _by_customer(
        past,
        days_ago=past.days_ago.min(where=bought),
        frequency=past.days_ago.nunique(where=bought & recent),
        monetary=exact.total(past.amount, where=recent),
    ).dropna(subset="days_ago")
    return _band(-seen.days_ago) + _band(seen.frequency) + _band(seen.monetary)


def _clv(test: Backtest, store: FeatureStore) -> pd.Series:
    return test.held_out.set_index("customer_id").expected_value


_LINES = "customer, time and money of each order line"
CLV, RFM = "CLV", "RFM"
METHODS: tuple[Method, ...] = (
    Method("ABC", "by net value of the last 365 days", _LINES, _abc),
    Method("ABC, all past", "by net value of all time", _LINES, _abc_all),
    Method(RFM, "by recency, frequency and money, five bands each, added", _LINES, _rfm),
    Method(CLV, "by forecast value", "every table and column there is", _clv),
)

MEASURES = ("found", "captured", "spearman")
_ENDS = ("", "_low", "_high")
COLUMNS = (
    "method", "origins", "customers", "horizon_days",
    *(f"{measure}{end}" for measure in MEASURES for end in _ENDS),
    "seconds",
    "behind_clv", "behind_low", "behind_high",
    "captured_behind", "captured_behind_low", "captured_behind_high",
    "spearman_behind", "spearman_behind_low", "spearman_behind_high",
    "ahead_rfm", "ahead_low", "ahead_high",
)  # fmt: skip


def compare(tests: Sequence[Backtest], store: FeatureStore) -> pd.DataFrame:
    """Every method on the same customers and origins: COLUMNS, one row per method of METHODS.

    found: share of the true best fifth of the horizon (by value, and of more than 0) that is in
    the method's own best fifth. captured: share of the horizon's value that the latter brought.
    spearman: rank correlation with the value, ranks taken within an origin. Customers of equal
    score share the last places alike. seconds: to value everybody at one origin, the median over
    origins; of CLV its features, its training and its forecasts (Backtest.seconds).
    behind_clv: found by CLV less found by the method, above 0 where CLV is better, and the same of
    the other measures; ahead_rfm: found by the method less found by RFM. Each with the ends of its
    95 % interval: customers drawn anew with all of their origins, the best fifths held.
    Only tests with a value are used; without one there are no rows.
    """
    able = [test for test in tests if "expected_value" in test.held_out and len(test.held_out)]
    if not able:
        return pd.DataFrame(columns=list(COLUMNS))
    ranked = {method.name: [_timed(method, test, store) for test in able] for method in METHODS}
    drawn = _drawn(able, {name: [score for score, _ in each] for name, each in ranked.items()})
    customers = pd.concat([test.held_out.customer_id for test in able]).nunique()
    facts = {"origins": len(able), "customers": customers,
             "horizon_days": able[0].origin.horizon_days}  # fmt: skip
    rows = []
    for name, of_method in drawn.items():
        # Not known where every snapshot was there already: nothing to take a median of.
        seconds = pd.Series([taken for _, taken in ranked[name]]).dropna().median()
        row = {"method": name, **facts, "seconds": seconds}
        of_clv = drawn[CLV]
        for measure, draws in of_method.items():
            row |= _with_ends(measure, measure, draws)
            behind = f"{measure}_behind" if measure != "found" else "behind"
            first = behind if measure != "found" else "behind_clv"
            row |= _with_ends(first, behind, of_clv[measure] - draws)
        row |= _with_ends("ahead_rfm", "ahead", of_method["found"] - drawn[RFM]["found"])
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _past(test: Backtest, store: FeatureStore) -> ir.Table:
    return moment.past(store.snapshots.events.transactions, test.origin.as_of)


def _by_customer(past: ir.Table, **values: ir.Value) -> pd.DataFrame:
    return past.group_by("customer_id").agg(**values).to_pandas().set_index("customer_id")


def _band(values: pd.Series) -> pd.Series:
    """1 to 5 by the quintiles of these very values; equals share a band, so some may be empty."""
    numbers = values.to_numpy(dtype=np.float64)
    return pd.Series(Scale.of(numbers).score(numbers), values.index)


def _timed(method: Method, test: Backtest, store: FeatureStore) -> tuple[FloatArray, float]:
    """The score of each row of a test, and the seconds it took to have everybody's."""
    start = time.perf_counter()
    score = method.score(test, store)
    seconds = time.perf_counter() - start
    scores = score.reindex(test.held_out.customer_id).to_numpy(dtype=np.float64)
    return scores, test.seconds if method.name == CLV else seconds


def _drawn(
    tests: Sequence[Backtest], scores: dict[str, list[FloatArray]]
) -> dict[str, dict[str, FloatArray]]:
    """Each measure of each method: first as it is, then over customers drawn anew."""
    values = [test.held_out.value.to_numpy(dtype=np.float64) for test in tests]
    best = np.concatenate([_in_best(value) * (value > 0) for value in values])
    rank, value = np.concatenate([_centred(each) for each in values]), np.concatenate(values)
    columns = [best, value, rank**2]
    for of_each in scores.values():
        chosen = np.concatenate([_in_best(score) for score in of_each])
        place = np.concatenate([_centred(score) for score in of_each])
        columns += [chosen * best, chosen * value, place**2, place * rank]
    customer = pd.concat([test.held_out.customer_id for test in tests]).to_numpy()
    resampled = chance.resampled_sums(columns, customer)
    sums = np.vstack([[column.sum() for column in columns], resampled]).T
    return {
        name: {
            "found": chance.ratio(found, sums[0]),
            "captured": chance.ratio(captured, sums[1]),
            "spearman": chance.ratio(together, np.sqrt(squares * sums[2])),
        }
        for name, (found, captured, squares, together) in zip(
            scores, sums[3:].reshape(len(scores), 4, -1), strict=True
        )
    }


def _in_best(score: FloatArray) -> FloatArray:
    """How far each is among the best fifth, 0 to 1: who ties for the last places shares them."""
    _, which, rows = np.unique(-score, return_inverse=True, return_counts=True)
    before = np.cumsum(rows) - rows
    return np.clip((BEST * len(score) - before) / rows, 0.0, 1.0)[which]


def _centred(score: FloatArray) -> FloatArray:
    """Ranks from -1/2 to 1/2, so that those of several origins can be added."""
    return (rankdata(score) - 0.5) / len(score) - 0.5


def _with_ends(first: str, name: str, draws: FloatArray) -> dict[str, float]:
    low, high = chance.interval(draws[1:])
    return {first: float(draws[0]), f"{name}_low": low, f"{name}_high": high}
