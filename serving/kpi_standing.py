"""What the scores tell of where customers stand: how long, how it changed, and whom it suits both.

Earlier scores are those of the batches of days before; without any, nothing is said of a change.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from features import backend, moment
from features.direction import is_control
from features.following import SECONDS_OF_HOUR
from features.workspace import Workspace
from serving import batch
from serving.campaign_effect import LEAST, Z
from serving.kpi_contacts import SATISFIED, best_answer
from serving.kpi_events import Estimate, Facts, Figure, Figures, Known, finite, ratio
from serving.migration import NEAR

STATES = ("tier", "ladder", "abc", "value_now")
BEST = "A"
# Scores are made daily to monthly; of an older moment they say nothing of speed.
LATEST = timedelta(days=31)
WRITTEN = "made_of.json"  # beside the scores: what they were made of, and when


def standing(known: Known) -> Figures:
    """Coverage by need, time in a class and on a rung, win-win, golden customers, data behind."""
    facts = known.facts
    if facts is None:
        return {}
    scores = facts.scores
    return {
        "need_coverage": _need_coverage(scores),
        "tier_age": _held(facts, "tier"),
        "rung_age": _held(facts, "ladder"),
        "win_win": _win_win(known, facts),
        "hours_to_scores": _hours_to_scores(known, facts),
        **_golden(known, facts),
        **_sources(facts),
    }


def earlier_states(space: Workspace, as_of: datetime) -> ir.Table | None:
    """The states of the customers in the batches of days before: customer_id, days_ago, STATES.

    A state that some score file lacks is null there; None without an earlier batch.
    """
    paths = sorted(space.scores.glob("as_of=*/scores.parquet"))
    if not paths:
        return None
    rows = backend.read_parquet(paths)
    ago = moment.days_before(rows.as_of.cast("timestamp(6)"), as_of)
    states = [name for name in STATES if name in rows.columns]
    earlier = rows.select("customer_id", *states, days_ago=ago)
    earlier = earlier.filter(earlier.days_ago > 0)
    return earlier if earlier.count().execute() else None


def written_at(space: Workspace, as_of: datetime) -> datetime | None:
    """When the scores of a moment were written, UTC; None where it was not kept."""
    try:
        path = batch.score_path(space, as_of).with_name(WRITTEN)
        told = json.loads(path.read_text(encoding="utf-8"))
        return moment.parse_moment(told["written_at"])
    except (FileNotFoundError, KeyError, json.JSONDecodeError):
        return None


def _has(rows: pd.DataFrame, name: str) -> bool:
    return name in rows and bool(rows[name].notna().any())


def _need_coverage(scores: pd.DataFrame) -> float | None:
    """Share of the active customers of whom it is told whether their needs are alike."""
    if not _has(scores, "marketing_mode"):
        return None
    active = scores.status != "not_active"
    return ratio(float((active & scores.marketing_mode.notna()).sum()), float(active.sum()))


def _held(facts: Facts, state: str) -> float | None:
    """Median days for which the customers are known to have been in the state of now, at least."""
    if facts.earlier is None or state not in facts.earlier.columns or not _has(facts.scores, state):
        return None
    now = facts.scores.loc[facts.scores[state].notna(), ["customer_id", state]]
    both = facts.earlier.select("customer_id", "days_ago", then=facts.earlier[state]).join(
        ibis.memtable(now.rename(columns={state: "now"})), "customer_id"
    )
    is_other = both.then.isnull() | (both.then != both.now)
    changed = both.days_ago.min(where=is_other).over(group_by=both.customer_id)
    told = both.mutate(changed=changed)
    same = told.changed.isnull() | (told.days_ago < told.changed)
    each = told.group_by("customer_id").agg(age=told.days_ago.max(where=same).fill_null(0))
    return finite(backend.connect().to_pyarrow(each).to_pandas().age.median())


def _win_win(known: Known, facts: Facts) -> float | None:
    """Of the scored who answered a survey in the year, the share satisfied and of future value."""
    best = best_answer(known)
    if best is None:
        return None
    asked = known.contacts.filter(known.contacts.kind == "survey", known.in_year(known.contacts))
    last = asked.group_by("customer_id").agg(value=asked.value.argmax(asked.happened_at))
    answers = backend.connect().to_pyarrow(last).to_pandas()
    both = answers.merge(facts.scores[["customer_id", "clv_future"]], on="customer_id")
    both = both.dropna()
    won = (both.value >= SATISFIED * best) & (both.clv_future > 0)
    return ratio(float(won.sum()), float(len(both)))


def _hours_to_scores(known: Known, facts: Facts) -> float | None:
    """Hours from the newest row of the data until the scores were written.

    None for a moment that was scored LATEST later or more: it was looked back at.
    """
    if facts.written_at is None:
        return None
    newest = [known.lines.known_at.max(), known.contacts.known_at.max()]
    times = [t for t in (each.execute() for each in newest) if not pd.isna(t)]
    if not times:
        return None
    taken = facts.written_at - max(times)
    return taken.total_seconds() / SECONDS_OF_HOUR if taken < LATEST else None


def _golden(known: Known, facts: Facts) -> dict[str, Figure]:
    """Change since the batch a churn horizon ago: the share of A customers, the profit from them.

    Of the treated against those kept apart where campaigns reached LEAST of each between the two;
    else of all, which says nothing of what caused it.
    """
    both = _then_and_now(known, facts)
    if both is None or both.empty:
        return {}
    share = both.abc_now.eq(BEST).astype(float) - both.abc_then.eq(BEST).astype(float)
    profit = both.value_now.where(both.abc_now.eq(BEST), 0.0) - both.value_then.where(
        both.abc_then.eq(BEST), 0.0
    )
    treated = _treated(known, int(both.days_ago.iloc[0])).reindex(both.customer_id).to_numpy()
    if min((treated == 1).sum(), (treated == 0).sum()) < LEAST:
        plain = finite(share.mean()), finite(profit.mean())
        return {"golden_change": plain[0], "golden_profit_change": plain[1]}
    return {
        "golden_change": _difference(share.to_numpy(), treated),
        "golden_profit_change": _difference(profit.to_numpy(), treated),
    }


def _then_and_now(known: Known, facts: Facts) -> pd.DataFrame | None:
    """The customers of both batches: abc_then, abc_now, value_then, value_now, days_ago."""
    earlier = facts.earlier
    needed = {"abc", "value_now"}
    if earlier is None or not needed <= set(earlier.columns) or not needed <= set(facts.scores):
        return None
    days = earlier.select("days_ago").distinct().execute().days_ago
    away = (days - known.churn.horizon_days).abs()
    if away.min() > NEAR * known.churn.horizon_days:
        return None
    ago = int(days.iloc[away.argmin()])
    rows = backend.connect().to_pyarrow(earlier.filter(earlier.days_ago == ago)).to_pandas()
    then = rows.rename(columns={"abc": "abc_then", "value_now": "value_then"})
    now = facts.scores[["customer_id", "abc", "value_now"]].rename(columns={"abc": "abc_now"})
    both = then[["customer_id", "days_ago", "abc_then", "value_then"]].merge(now, on="customer_id")
    return both.dropna()


def _treated(known: Known, ago: int) -> pd.Series:
    """Whether campaigns of the last days reached a customer (1) or kept him apart (0), by id."""
    sent = known.contacts.filter(known.contacts.kind == "campaign", known.contacts.days_ago < ago)
    each = sent.group_by("customer_id").agg(reached=(~is_control(sent)).any())
    found = backend.connect().to_pyarrow(each).to_pandas().set_index("customer_id").reached
    return found.astype(float)


def _difference(change: np.ndarray, treated: np.ndarray) -> Estimate:
    """Mean of the treated less that of the others, with its 95 % interval."""
    some = [change[treated == group] for group in (1, 0)]
    value = float(some[0].mean() - some[1].mean())
    error = float(np.sqrt(sum(each.var(ddof=1) / len(each) for each in some)))
    return Estimate(value, value - Z * error, value + Z * error)


def _sources(facts: Facts) -> Figures:
    """What is told of where rows come from: the oldest source, rows with one, rows with a basis."""
    rows = facts.freshness
    if rows is None:
        return {}
    every = float(rows.rows[rows.by == "table"].sum())
    source, basis = (rows[rows.by == name] for name in ("source", "lawful_basis"))
    return {
        "oldest_source_hours": finite(source.hours.max()) if len(source) else None,
        "sourced_share": ratio(float(source.rows.sum()) or None, every),
        "lawful_basis_share": ratio(float(basis.rows.sum()) or None, every),
    }
