"""The sections on tiers: what sets each apart, and who moves between them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from serving.report_parts import flow, grid, numbers, tables
from serving.report_parts.blocks import (
    MISSING,
    Block,
    Cell,
    Figure,
    Note,
    Section,
    Table,
    count,
    money,
    percent,
)
from serving.report_parts.view import View

# What a manager can picture; what a tier is cut by (its future value) would only repeat the cut.
READINGS = {
    "value_now": money,
    "churn_probability": percent,
    "rfm_recency": tables.plain,
    "rfm_frequency": tables.plain,
    "rfm_monetary": tables.plain,
    "lifetime_days": None,
    "remaining_days": None,
}
LARGE, MEDIUM, SMALL = 0.71, 0.64, 0.56  # Vargha and Delaney (2000), section 4
QUADRANTS = {"high_high": (True, True), "high_low": (True, False),
             "low_high": (False, True), "low_low": (False, False)}  # fmt: skip


def tier_profile(view: View) -> Section:
    """How customers of one tier differ from all others, and value now against value to come."""
    if not tables.known(view, "tier"):
        return tables.nothing(view, "tier_profile")
    blocks: list[Block] = [_profile(view), Note(view.words["tier_profile.reading"])]
    if tables.known(view, "value_quadrant"):
        blocks.append(_now_and_later(view))
    return tables.section(view, "tier_profile", blocks)


def ahead_of_rest(values: pd.Series, group: pd.Series) -> pd.Series:
    """How often a customer of a group has more than one outside it, 0-1 by group; ties count half.

    0.5 is no difference. Robust to a few huge customers. nan where the group or the rest has no
    value. Source: the measure A of Vargha and Delaney (2000), J. Educ. Behav. Stat. 25(2).
    """
    kept = pd.DataFrame({"rank": values.rank(), "group": group}).dropna()
    kept["rank"] = kept["rank"].rank()
    found = kept.groupby("group")["rank"].agg(["mean", "size"])
    rest = (len(kept) - found["size"]).replace(0, np.nan)
    ahead = (found["mean"] - (found["size"] + 1) / 2) / rest
    return ahead.reindex(sorted(group.dropna().unique()))


def _profile(view: View) -> Table:
    scores = view.scores
    found = numbers.by_group(scores, "tier", numbers.TIERS)
    tier = scores["tier"].fillna("none")
    columns: dict[str, list[Cell]] = {
        "tier": tables.names(view, "tier", found.index),
        "customers": [
            Cell(count(n).text, float(n), small=percent(share).text)
            for n, share in zip(found["customers"], found["customer_share"], strict=True)
        ],
        "value_share": [percent(share) for share in found["value_share"]],
    }
    for name, write in READINGS.items():
        ahead = ahead_of_rest(scores[name], tier)
        typical = scores[name].groupby(tier).median()
        columns[name] = [
            _reading(view, tables.days(view, typical[code]) if write is None
                     else write(float(typical[code])), float(ahead[code]))
            for code in found.index
        ]  # fmt: skip
    return tables.table(view, "tier_profile", columns)


def _reading(view: View, typical: Cell, ahead: float) -> Cell:
    """The median, and in small how it stands to the rest."""
    if typical.text == MISSING or not math.isfinite(ahead):
        return typical
    distance = max(ahead, 1 - ahead)
    size = "large" if distance >= LARGE else "medium" if distance >= MEDIUM else "small"
    form = "same" if distance < SMALL else f"{'more' if ahead > 0.5 else 'less'}_{size}"
    return Cell(
        typical.text,
        typical.value,
        small=view.words[f"tier_profile.{form}"],
        heat=min(2 * abs(ahead - 0.5), 1.0),
    )


def _now_and_later(view: View) -> Figure:
    words = view.words
    found = numbers.by_group(view.scores, "value_quadrant", tuple(QUADRANTS))
    fields = {
        (later, now): grid.Quadrant(
            view.word("value_quadrant", code), *tables.field(view, found, code)
        )
        for code, (now, later) in QUADRANTS.items()
    }
    hopeful = found["customers"].get("low_high", 0)
    across, up = (
        (words[f"value_quadrant.{axis}_low"], words[f"value_quadrant.{axis}_high"])
        for axis in ("later", "now")
    )
    columns = {
        "quadrant": tables.names(view, "value_quadrant", found.index),
        "customers": [count(n) for n in found["customers"]],
        "value": [money(amount) for amount in found["value"]],
        "loss": [money(amount) for amount in found["loss"]],
    }
    return Figure(
        grid.two_by_two(fields, across, up),
        words["value_quadrant.finding"].format(n=count(hopeful).text),
        words["value_quadrant.reading"],
        tables.table(view, "value_quadrants", columns, group="tier_profile"),
    )


def migration(view: View) -> Section:
    """Who moved between tiers over the last horizon, and who is expected to over the next."""
    before = _moved(view)
    ahead = expected_moves(view.scores)
    if before is None and ahead is None:
        return tables.nothing(view, "migration")
    steps = [_outside(step) for step in (before, ahead) if step is not None]
    classes = [code for code in _order(steps) if any(_size(step, code) for step in steps)]
    steps = [step.reindex(index=classes, columns=classes, fill_value=0.0) for step in steps]
    heads = ("before", "now", "next") if len(steps) == 2 else (
        ("before", "now") if before is not None else ("now", "next")
    )  # fmt: skip
    drawn = Figure(
        flow.flow(
            steps,
            lambda code, at: _name(view, code, at),
            [view.words[f"migration.{head}"] for head in heads],
            view.words["migration.hint"],
        ),
        _finding(view, before),
        view.words["migration.reading"],
    )
    blocks: list[Block] = [drawn]
    if before is not None:
        blocks.append(tables.moves(view, "tier", before, numbers.TIERS))
    else:
        blocks.append(Note(view.words["migration.no_past"]))
    if ahead is None:
        blocks.append(Note(view.words["migration.no_future"]))
    return tables.section(view, "migration", blocks)


def _moved(view: View) -> pd.DataFrame | None:
    """Customers by tier one horizon ago and now: as given, or as the scores remember it."""
    given = view.extras.moves.get("tier")
    if given is None:
        both = view.scores[["tier_previous", "tier"]].dropna()
        given = pd.crosstab(both["tier_previous"], both["tier"])
        order = _order([given])
        given = given.reindex(index=order, columns=order, fill_value=0)
    return given.astype(float) if given.to_numpy().sum() > 0 else None


def _outside(step: pd.DataFrame) -> pd.DataFrame:
    """The same with one class for who was no customer yet and who is none any more."""
    inside = dict.fromkeys(tables.OUTSIDE, flow.OUTSIDE)
    return step.rename(index=inside, columns=inside)


def _name(view: View, code: str, moment: int) -> str:
    if code == flow.OUTSIDE:
        code = tables.OUTSIDE[min(moment, 1)]
    return tables.state(view, "tier", code)


def expected_moves(scores: pd.DataFrame) -> pd.DataFrame | None:
    """Customers by tier now and, expected, after the next horizon; None where nothing is known.

    Sums of the probabilities `tier_next_*`, so not whole numbers. Rows and columns alike.
    """
    chances = scores[[f"tier_next_{tier}" for tier in numbers.TIERS]]
    rows = chances.notna().any(axis=1) & scores["tier"].notna()
    if not rows.any():
        return None
    summed = chances[rows].fillna(0).groupby(scores.loc[rows, "tier"]).sum()
    summed.columns = list(numbers.TIERS)
    order = _order([summed])
    return summed.reindex(index=order, columns=order, fill_value=0.0)


def _order(steps: list[pd.DataFrame]) -> list[str]:
    """The known tiers from best to worst, then any others, who is outside last."""
    seen = dict.fromkeys(str(code) for step in steps for code in (*step.index, *step.columns))
    others = [code for code in seen if code not in (*numbers.TIERS, flow.OUTSIDE)]
    return [*numbers.TIERS, *others, *([flow.OUTSIDE] if flow.OUTSIDE in seen else [])]


def _size(step: pd.DataFrame, code: str) -> float:
    into = step[code].sum() if code in step.columns else 0.0
    return float(into + (step.loc[code].sum() if code in step.index else 0.0))


def _finding(view: View, before: pd.DataFrame | None) -> str:
    if before is None:
        return ""
    inside = [code for code in before.index if code not in tables.OUTSIDE]
    best = next((code for code in inside if before.loc[code].sum() > 0), None)
    if best is None or best not in before.columns:
        return ""
    stayed, all_of = before.loc[best, best], before.loc[best].sum()
    return view.words["migration.finding"].format(
        tier=view.word("tier", best),
        kept=percent(stayed / all_of).text,
        left=count(all_of - stayed).text,
        joined=count(before[best].sum() - stayed).text,
    )
