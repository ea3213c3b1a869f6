"""From scores and held-out outcomes to the small tables the report shows.

Nothing here draws or words anything: customers go in, tables of a few rows come out, so a report on
a hundred thousand customers is as light as one on a hundred.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BANDS = ("low", "medium", "high")
TIERS = ("mvc", "mgc", "maintain", "below_zero")
STAGES = ("acquisition", "growth", "maturity", "decline", "termination")
CAUSES = ("natural", "competitive", "fault", "non_malicious", "retaliatory", "malicious")

TOP_SHARE = 0.20  # the Pareto rule: a fifth of the customers is what a business can look after
MOST_OF_VALUE = 0.80  # the other half of the same rule
HIGH_RISK = 0.50  # only when the scores carry no band: more likely to leave than to stay
INTERVAL_Z = 1.645  # half-width, in standard deviations, of the 90 % interval the scores carry
REALISED_Z = 1.96  # 95 % interval on a measured share
HISTOGRAM_BINS = 20  # steps of five percentage points
CURVE_POINTS = 101  # one point a percent
UNEXPLAINED = 0.005  # a share that causes leave over; below half a percent it is rounding


def tidy(table: pd.DataFrame, numbers: Sequence[str], texts: Sequence[str]) -> pd.DataFrame:
    """The named columns only: numbers as float64, texts as str or None; absent ones all missing.

    Infinite numbers become missing: a sum over customers must not be lost to one of them.
    """
    columns: dict[str, object] = {}
    for name in numbers:
        given = pd.to_numeric(table.get(name, pd.Series(np.nan, table.index)), errors="coerce")
        values = given.to_numpy(dtype="float64", na_value=np.nan)
        columns[name] = np.where(np.isfinite(values), values, np.nan)
    for name in texts:
        given = table.get(name, pd.Series(None, table.index, dtype=object))
        gone = given.isna().to_numpy()
        columns[name] = [None if no else str(text) for text, no in zip(given, gone, strict=True)]
    return pd.DataFrame(columns)


@dataclass(frozen=True)
class Headline:
    """The figures of the first screen; counts of customers, shares 0-1, money in currency units."""

    customers: int
    active: int
    high_risk: int
    high_risk_from: float
    money_at_risk: float
    money_at_high_risk: float
    expected_value: float
    expected_low: float
    expected_high: float
    top_share: float
    customers_for_most: float


def headline(scores: pd.DataFrame) -> Headline:
    """The first screen's figures from all scores; nan where there is nothing to measure."""
    risk, high = scores["churn_probability"], is_high_risk(scores)
    low_end, high_end = total_interval(scores)
    curve = gain_curve(scores["expected_value"], scores["expected_value"].clip(lower=0))
    return Headline(
        customers=len(scores),
        active=int(risk.notna().sum()),
        high_risk=int(high.sum()),
        high_risk_from=float(risk[high].min()),
        money_at_risk=float(scores["expected_loss"].sum()),
        money_at_high_risk=float(scores.loc[high, "expected_loss"].sum()),
        expected_value=float(scores["expected_value"].sum()),
        expected_low=low_end,
        expected_high=high_end,
        top_share=found_at(curve, TOP_SHARE),
        customers_for_most=_share_needed(curve, MOST_OF_VALUE),
    )


def is_high_risk(scores: pd.DataFrame) -> pd.Series:
    """Whether each active customer is in the band `high`, or above one half if there are no bands.

    Returns booleans, (n,); False for a customer who is not active.
    """
    active = scores["churn_probability"].notna()
    if scores["churn_band"].isna().all():
        return active & (scores["churn_probability"] >= HIGH_RISK)
    return active & (scores["churn_band"] == "high")


def total_interval(scores: pd.DataFrame) -> tuple[float, float]:
    """A 90 % interval for the sum of expected values, if customers vary independently.

    The distances from the mean to the two ends add in quadrature, each side by itself because
    values are skewed. Customers moving together (a season, a crisis) are not in it.
    Returns (nan, nan) when any customer lacks an interval.
    """
    mean, low, high = (scores[f"expected_value{end}"] for end in ("", "_low", "_high"))
    if len(scores) == 0 or pd.concat([mean, low, high]).isna().any():
        return math.nan, math.nan
    below, above = (mean - low).clip(lower=0), (high - mean).clip(lower=0)
    total = float(mean.sum())
    return total - math.hypot(*below), total + math.hypot(*above)


def gain_curve(score: pd.Series, amount: pd.Series) -> pd.DataFrame:
    """Share of `amount` found among the first customers by falling `score`.

    Customers with the same score share the step between them, so their order in the table does not
    matter. Returns columns `share` (0-1, one row a percent) and `found` (0-1; nan when the amounts
    do not add to more than zero).
    """
    share = np.linspace(0, 1, CURVE_POINTS)
    kept = pd.DataFrame({"score": score, "amount": amount}).dropna()
    total = kept["amount"].sum()
    if not total > 0:
        return pd.DataFrame({"share": share, "found": math.nan})
    steps = kept.groupby("score")["amount"].agg(["size", "sum"]).sort_index(ascending=False)
    seen = np.concatenate([[0.0], steps["size"].cumsum() / len(kept)])
    found = np.concatenate([[0.0], steps["sum"].cumsum() / total])
    return pd.DataFrame({"share": share, "found": np.interp(share, seen, found)})


def found_at(curve: pd.DataFrame, share: float) -> float:
    """What a gain curve has found after the first `share` of the customers, 0-1."""
    return float(np.interp(share, curve["share"], curve["found"]))


def _share_needed(curve: pd.DataFrame, found: float) -> float:
    """The smallest share of customers that finds at least `found`; nan for an empty curve."""
    if curve["found"].isna().any():
        return math.nan
    return float(np.interp(found, curve["found"], curve["share"]))


def risk_histogram(scores: pd.DataFrame) -> pd.DataFrame:
    """Active customers per step of churn probability (rows, by left edge) and band (columns)."""
    active = scores[scores["churn_probability"].notna()]
    band = active["churn_band"].fillna("none")
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
    names = [*BANDS, *sorted(set(band) - set(BANDS))]
    counts = {
        name: np.histogram(active.loc[band == name, "churn_probability"].clip(0, 1), edges)[0]
        for name in names
        if (band == name).any()
    }
    return pd.DataFrame(counts, index=pd.Index(edges[:-1], name="from"))


def by_group(scores: pd.DataFrame, column: str, order: Sequence[str]) -> pd.DataFrame:
    """Size, value and risk per group of `column`: the known groups in their order, then others.

    Returns one row per group that occurs (`none` = the customer has none): `customers`,
    `customer_share`, `value`, `value_share`, `risk` (mean over the active), `loss`, `loss_share`.
    """
    grouped = scores.assign(group=scores[column].fillna("none")).groupby("group")
    table = grouped.agg(
        customers=("group", "size"),
        value=("expected_value", "sum"),
        risk=("churn_probability", "mean"),
        loss=("expected_loss", "sum"),
    )
    for part, share in (("customers", "customer"), ("value", "value"), ("loss", "loss")):
        total = table[part].sum()
        table[f"{share}_share"] = table[part] / total if total > 0 else math.nan
    known = [name for name in order if name in table.index]
    return table.loc[[*known, *(name for name in table.index if name not in order)]]


def causes(scores: pd.DataFrame) -> pd.DataFrame:
    """Expected leavers per cause and their share of all expected leavers; nan = not available.

    Returns one row per cause, and `unattributed` when the causes do not add up to the risk.
    """
    active = scores[scores["churn_probability"].notna()]
    total = float(active["churn_probability"].sum())
    leavers = pd.Series({cause: active[f"type_{cause}"].sum(min_count=1) for cause in CAUSES})
    rest = total - leavers.sum()
    if leavers.notna().any() and rest > UNEXPLAINED * total:
        leavers["unattributed"] = rest
    return pd.DataFrame({"leavers": leavers, "share": leavers / total if total else math.nan})


def value_classes(values: pd.Series) -> pd.DataFrame:
    """Customers and value per class of expected value, on a 1-2-5 ladder over the usual range.

    Returns columns `low`, `high` (currency; -inf and inf at the ends), `customer_share`,
    `value_share` (of the positive values); no rows without values.
    """
    values = values.dropna()
    cuts = np.array([-math.inf, 0.0, *_ladder(values[values > 0]), math.inf])
    place = np.searchsorted(cuts, values, side="left") - 1
    size = len(cuts) - 1
    count = np.bincount(place, minlength=size)
    money = np.bincount(place, weights=values.clip(lower=0), minlength=size)
    table = pd.DataFrame(
        {
            "low": cuts[:-1],
            "high": cuts[1:],
            "customer_share": count / max(len(values), 1),
            "value_share": money / money.sum() if money.sum() > 0 else math.nan,
        }
    )
    return table[(count > 0) | (table["low"] >= 0)] if len(values) else table.iloc[:0]


def _ladder(positive: pd.Series) -> list[float]:
    """Cuts 1, 2, 5, 10, 20, ... within the range where most of the positive values lie."""
    if positive.empty:
        return []
    low, high = np.quantile(positive, [0.05, 0.99])
    low = max(low, high / 1000)  # three decades, or ten classes: more cannot be read
    powers = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    ladder = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    return [cut for cut in ladder if low <= cut <= high] or [ladder[0]]


def tenths(values: pd.Series) -> NDArray[np.int64]:
    """The tenth, 0 (lowest) to 9, in which each value ranks; equal values share a tenth.

    Raises nothing for few or equal values: there are then fewer than ten groups.
    """
    place = values.rank(method="average").to_numpy() * 10 / max(len(values), 1)
    return (np.ceil(place).clip(1, 10) - 1).astype(np.int64)


def reliability(predicted: pd.Series, happened: pd.Series) -> pd.DataFrame:
    """Predicted against realised share in up to ten groups of equal size by prediction.

    Returns columns `predicted`, `realised`, `customers`, and `low`, `high`: the 95 % interval of
    the realised share. Source: Wilson (1927), JASA 22(158).
    """
    kept = pd.DataFrame({"predicted": predicted, "realised": happened}).dropna()
    groups = kept.groupby(tenths(kept["predicted"]))
    table = groups.mean().assign(customers=groups.size()).reset_index(drop=True)
    p, n, z = table["realised"], table["customers"], REALISED_Z
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return table.assign(low=middle - half, high=middle + half)


def value_by_tenth(held_out: pd.DataFrame) -> pd.DataFrame:
    """What was forecast and what came, in up to ten groups by forecast.

    Returns columns `tenth` (1 = lowest forecast), `customers`, and the means `expected`, `actual`
    and `baseline` in currency units.
    """
    kept = pd.DataFrame(
        {
            "expected": held_out["expected_value"],
            "actual": held_out["value"],
            "baseline": held_out["baseline_value"],
        }
    )
    groups = kept.groupby(tenths(kept["expected"]))
    table = groups.mean().assign(customers=groups.size()).reset_index(drop=True)
    return table.assign(tenth=range(1, len(table) + 1))
