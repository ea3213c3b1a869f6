"""Sources against their own past: silence, volume, prices, names never seen, and their mix.

These look at the events themselves and need no models, so they tell of a change within days;
features, which look back for months, tell of it later.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from serving.monitoring import usual
from serving.monitoring.flows import PROFILE, WEEK, Flows, silences, weekly
from serving.monitoring.reading import LOOK, RETRAIN, Reading

YEAR = 365
# A source is silent for too long at twice its longest silence of a year. Of n events by chance
# alone the longest gap is ln(n) mean ones, and one of twice that comes once in n years.
TIMES_LONGEST, LEAST_SILENT = 2.0, 2.0  # days: a weekend
LEAST_EVENTS = 30  # of a year; of fewer, the longest silence says little
LEAST_DAYS = 84  # of history
# Rows of a week below which its volume is chance; then four standard deviations of a count.
LEAST_ROWS, STANDARD_DEVIATIONS = 20.0, 4.0
VOLUME_FLOOR = float(np.log(1.25))  # a quarter more or fewer
PRICE_FLOOR = float(np.log(1.05))  # 5 %: less is no shock
LEAST_LINES = 10  # of a week, for a mean of their logs
PRICE_WINDOWS = (1, 2, 4)  # weeks: a large change at once, a smaller one within a month
NEW_WEEKS, NEW_SHARE, NEW_ROWS = 4, 0.01, 3  # of the rows of the newest weeks
MIX_WEEKS, MIX_BEFORE, MIX_FLOOR = 4, 26, 0.10  # weeks; share of rows that changed its name
PROFILE_ROWS = 30  # customers who came in MIX_WEEKS; of fewer a mix is chance


def silence(flows: Flows, as_of: datetime) -> Iterator[Reading]:
    """Days since the last event of each source, against its longest silence of a year."""
    if flows.days < LEAST_DAYS:
        return
    for source, rows in flows.counts.groupby("source", sort=True):
        seen = silences(rows, min(flows.days, YEAR))
        days = float(seen[0])
        # The spell of now is no measure of itself.
        past = seen[int(min(days, len(seen))) :]
        past = past[np.isfinite(past)]
        if rows.rows[rows.ago < YEAR].sum() < LEAST_EVENTS or not len(past):
            continue
        limit = max(LEAST_SILENT, TIMES_LONGEST * float(past.max()))
        since = as_of - timedelta(days=days)
        facts = {"source": source, "since": f"{since:%Y-%m-%d}", "days": days,
                 "longest": float(past.max())}  # fmt: skip
        yield Reading(str(source), days, limit, "silent", facts, LOOK)


def volume(flows: Flows) -> Iterator[Reading]:
    """Rows of the newest week of each source, against the weeks before."""
    for source, rows in flows.counts.groupby("source", sort=True):
        series = weekly(rows, "rows", flows.weeks)
        if len(series) <= usual.BEFORE:
            return
        expected = float(series[1 : 1 + usual.BEFORE].mean())
        if expected < LEAST_ROWS:
            continue
        floor = max(VOLUME_FLOOR, STANDARD_DEVIATIONS / np.sqrt(expected))
        found = usual.departure(np.log(series + 0.5), floor)
        if found is None:
            continue
        change = float(np.expm1(found.by))
        facts = {"source": source, "change": change, "rows": float(series[0]),
                 "expected": expected}  # fmt: skip
        cause = "more_rows" if change > 0 else "fewer_rows"
        yield Reading(str(source), abs(found.by), found.limit, cause, facts, LOOK)


def prices(flows: Flows) -> Iterator[Reading]:
    """Mean log price of a piece, within customers and categories, against the weeks before.

    The prices of a category are taken less its own mean, and those of a customer less his, so that
    another mix of what is bought, or of who buys, is no change of prices.
    """
    if flows.prices.empty:
        return
    apart = _less_own_mean(flows.prices)
    series = _mean_by_week(apart, flows.weeks)
    for window in PRICE_WINDOWS:
        found = usual.departure(series, PRICE_FLOOR, window)
        if found is None:
            continue
        along = _moved_along(apart, flows.weeks, window, found.by)
        facts = {"change": float(np.expm1(found.by)), "weeks": window, "categories": along[0],
                 "of": along[1]}  # fmt: skip
        cause = "prices_everywhere" if along[0] * 2 > along[1] else "prices_somewhere"
        yield Reading(f"amounts:{window}w", abs(found.by), found.limit, cause, facts, RETRAIN)


def names(flows: Flows) -> Iterator[Reading]:
    """The share of a value that no row had before, among the newest rows of its column."""
    if flows.days < LEAST_DAYS:
        return
    for column, rows in flows.named.groupby("column", sort=True):
        newest = rows.ago < NEW_WEEKS * WEEK
        every, old = int(rows.rows[newest].sum()), set(rows.value[~newest])
        yield Reading(str(column), 0.0, NEW_SHARE, "new_name", {}, RETRAIN)
        for value, of_value in rows[newest & ~rows.value.isin(old)].groupby("value", sort=True):
            count = int(of_value.rows.sum())
            facts = {"column": column, "value": value, "share": count / every,
                     "days": int(of_value.ago.max()) + 1}  # fmt: skip
            cause = "new_segment" if str(column).startswith(PROFILE) else "new_name"
            share = count / every if count >= NEW_ROWS else 0.0
            yield Reading(f"{column}={value}", share, NEW_SHARE, cause, facts, RETRAIN)


def mix(flows: Flows) -> Iterator[Reading]:
    """The share of the newest rows of a column whose value changed, against the half year before.

    Total variation distance, 0 to 1.
    """
    for column, rows in flows.named.groupby("column", sort=True):
        table = np.column_stack([
            weekly(of_value, "rows", flows.weeks) for _, of_value in rows.groupby("value")
        ])  # fmt: skip
        if len(table) <= MIX_WEEKS + MIX_BEFORE or table[:MIX_WEEKS].sum() < PROFILE_ROWS:
            continue
        distance, shift = _distances(table)
        found = usual.judged(distance, MIX_FLOOR)
        if found is None:
            continue
        values = [str(value) for value, _ in rows.groupby("value")]
        most = int(np.abs(shift).argmax())
        facts = {"column": column, "value": values[most], "change": float(shift[most])}
        yield Reading(str(column), found.by, found.limit, "mix", facts, RETRAIN)


def _less_own_mean(prices: pd.DataFrame) -> pd.DataFrame:
    by = prices.groupby("category")[["log_sum", "lines"]].transform("sum")
    return prices.assign(apart=prices.log_sum - prices.lines * by.log_sum / by.lines)


def _mean_by_week(prices: pd.DataFrame, weeks: int) -> NDArray[np.float64]:
    lines = weekly(prices, "lines", weeks)
    sums = weekly(prices, "apart", weeks)
    return np.divide(sums, lines, out=np.full(weeks, np.nan), where=lines >= LEAST_LINES)


def _moved_along(prices: pd.DataFrame, weeks: int, window: int, by: float) -> tuple[int, int]:
    """How many categories moved at least half as far the same way, and of how many."""
    moved = []
    for _, rows in prices.groupby("category"):
        sums, lines = weekly(rows, "apart", weeks), weekly(rows, "lines", weeks)
        newest = slice(0, window), slice(window, window + usual.BEFORE)
        if all(lines[part].sum() > 0 for part in newest):
            now, before = (sums[part].sum() / lines[part].sum() for part in newest)
            moved.append((now - before) / by if by else 0.0)
    return sum(share >= 0.5 for share in moved), len(moved)


def _distances(table: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance of each MIX_WEEKS from the MIX_BEFORE before, newest first; the newest by value."""
    summed = np.vstack([np.zeros(table.shape[1]), table.cumsum(axis=0)])
    count = len(table) - MIX_WEEKS - MIX_BEFORE + 1
    now = summed[MIX_WEEKS : MIX_WEEKS + count] - summed[:count]
    end = MIX_WEEKS + MIX_BEFORE
    before = summed[end : end + count] - summed[MIX_WEEKS : MIX_WEEKS + count]
    shift = _shares(now) - _shares(before)
    return np.abs(shift).sum(axis=1) / 2.0, shift[0]


def _shares(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
