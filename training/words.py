"""What the tests by group and in money found, as text that is read at a terminal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from training.savings import OWN
from training.segments import LEAST_CUSTOMERS, LEAST_EVENTS
from training.value_methods import CLV, METHODS, RFM


def of_metrics(metrics: pd.DataFrame) -> str:
    """A training's test as a table: one row per task and metric, one column per model."""
    if metrics.empty:
        return "Not tested: the history is too short for a test at an earlier moment."
    wide = metrics.pivot_table(
        index=["task", "metric"], columns="model", values="value", sort=False
    )
    return wide.to_string(float_format=lambda value: f"{value:.4g}", na_rep="")


def of_segments(churn: pd.DataFrame, value: pd.DataFrame) -> str:
    """Both tables as text; groups with nobody in them are left out."""
    parts = []
    if len(churn):
        parts.append("Churn by group of active customers, all moments tested together "
                     "(level: leavers forecast / seen):\n" + _text(_churn_text(churn)))  # fmt: skip
    if len(value):
        parts.append("Value by group, all moments tested together (level: money forecast / seen):\n"
                     + _text(_value_text(value)))  # fmt: skip
    if not parts:
        return ""
    return "\n\n".join([
        *parts,
        "In brackets: 95 % intervals, customers drawn anew; another season may differ by more.\n"
        "worst: the level at the moment furthest off. error: of calibration, and what a right "
        "forecast would show by chance.\nuneven: the level is within chance, single risks are not. "
        f"too few: under {LEAST_CUSTOMERS} customers or {LEAST_EVENTS} outcomes of a kind.\n"
        "Of twenty verdicts on a right forecast, one is wrong by chance.",
    ])  # fmt: skip


def _churn_text(table: pd.DataFrame) -> pd.DataFrame:
    some = table[table.customers > 0]
    return _level_text(some).assign(**{
        "error (by chance)": _ranges(some, "calibration_error", None, "calibration_by_chance", 3),
        "log-loss": [_number(loss, 3) for loss in some.log_loss],
        "gain over baseline": _ranges(some, "gain", "gain_low", "gain_high", 3),
    })  # fmt: skip


def _value_text(table: pd.DataFrame) -> pd.DataFrame:
    some = table[table.customers > 0]
    inside = _ranges(some, "coverage_90", "coverage_low", "coverage_high", 3)
    found = _level_text(some).assign(**{"inside 90 % interval": inside})
    return found.assign(**{"its width": some.interval_verdict})


def _level_text(some: pd.DataFrame) -> pd.DataFrame:
    """Who they are and how right their level was: what both tables begin with."""
    return pd.DataFrame({
        "group": _names(some),
        "customers": [f"{count:,}" for count in some.customers],
        "level": _ranges(some, "level", "level_low", "level_high", 2),
        "worst": [_number(level, 2) for level in some.worst_level],
        "verdict": some.verdict,
    })  # fmt: skip


def _names(table: pd.DataFrame) -> list[str]:
    return [f"{row.segment} {row.group}".strip() for row in table.itertuples()]


def _ranges(table: pd.DataFrame, value: str, low: str | None, high: str, places: int) -> list[str]:
    """0.98 (0.95 to 1.01), or 0.031 (0.020) where there is no lower end; or nothing."""
    found = []
    for row in table.to_dict("records"):
        start = "" if low is None else f"{_number(row[low], places)} to "
        text = f"{_number(row[value], places)} ({start}{_number(row[high], places)})"
        found.append("" if np.isnan(row[value]) else text)
    return found


def _number(value: float, places: int) -> str:
    rounded = round(value, places) + 0.0  # no -0.0
    return "" if np.isnan(value) else f"{rounded:,.{places}f}"


def _text(table: pd.DataFrame) -> str:
    """The first column set to the left, the others to the right."""
    first = table.columns[0]
    width = max(len(name) for name in table[first])
    return table.assign(**{first: table[first].str.ljust(width)}).to_string(index=False)


def of_savings(table: pd.DataFrame) -> str:
    """The rules of contact side by side, below what is assumed; nothing for an empty table."""
    if table.empty:
        return ""
    first = table.iloc[0]
    shown = pd.DataFrame({
        "rule": table.rule,
        "contacted": [f"{share:.0%}" for share in table.treated],
        "savings": _ranges(100.0 * table[["savings", "low", "high"]], "savings", "low", "high", 1),
        "own threshold keeps more, per 1,000": _ranges(
            1000.0 * table[["behind", "behind_low", "behind_high"]],
            "behind", "behind_low", "behind_high", 0,
        ),
    })  # fmt: skip
    shown.loc[table.rule == OWN, shown.columns[-1]] = ""
    return (
        f"Money: whom to contact among {first.customers:,} active customers at {first.origins} "
        "earlier moments.\n"
        f"Assumed, not measured: a contact costs {first.contact_cost:,.2f} and keeps "
        f"{100 * first.save_rate:g} % of those who would leave (--contact-cost,\n--save-rate); a "
        "leaver would have brought what customers of like forecast brought who stayed.\n"
        + _text(shown)
        + ("\nNobody left, so nothing could be saved." if table.savings.isna().all() else "")
        + "\nsavings: % of the cost of the better of contacting nobody or everybody. "
        "own threshold: contact when risk x\nvalue if retained x save_rate exceeds the cost of a "
        "contact (max_spend). In brackets: 95 % intervals."
    )


def of_methods(table: pd.DataFrame) -> str:
    """The ways to value customers side by side, and what that says; nothing for an empty table."""
    if table.empty:
        return ""
    first = table.iloc[0]
    about = {method.name: method for method in METHODS}
    points = 100.0 * table.select_dtypes("number")
    shown = pd.DataFrame({
        "way": [f"{name}: {about[name].about}" for name in table.method],
        "best 20 % found": _ranges(points, "found", "found_low", "found_high", 1),
        "of all value": _ranges(points, "captured", "captured_low", "captured_high", 1),
        "rank correlation": _ranges(table, "spearman", "spearman_low", "spearman_high", 3),
        "seconds": [_number(seconds, 2) for seconds in table.seconds],
    })  # fmt: skip
    return "\n".join([
        f"Ways to value a customer: {first.customers:,} customers, moments: {first.origins}, the "
        f"best 20 % by the value of the {first.horizon_days} days after.",
        _text(shown),
        "found: % of the true best 20 % among those a way ranks best. of all value: % that these "
        "brought.\nseconds: to value everybody at one moment, from the events on. In brackets: "
        "95 % intervals.",
        *(f"{name} reads: {method.needs}." for name, method in about.items()),
        "The textbook calls CLV the most accurate and dearest, RFM the easiest and least accurate. "
        "Found here:",
        *_verdicts(table),
    ])  # fmt: skip


def _verdicts(table: pd.DataFrame) -> list[str]:
    """Each other way beside CLV, then each beside RFM, and the cost."""
    lines = [
        _verdict(CLV, row["method"], row["behind_clv"], row["behind_low"], row["behind_high"])
        for row in table.to_dict("records")
        if row["method"] != CLV
    ]
    lines += [
        _verdict(row["method"], RFM, row["ahead_rfm"], row["ahead_low"], row["ahead_high"])
        for row in table.to_dict("records")
        if row["method"] not in (CLV, RFM)
    ]
    seconds = table.set_index("method").seconds
    others = seconds.drop(CLV).max()
    if np.isnan(seconds[CLV]):
        lines.append("- The time of CLV is not known: its features were there already.")
    else:
        lines.append(f"- CLV takes {seconds[CLV] / others:,.0f} times as long as the others do.")
    return lines


def _verdict(first: str, second: str, gain: float, low: float, high: float) -> str:
    """Whether one way finds more than another, in a sentence; gain and its ends are shares."""
    if np.isnan(gain):
        return f"- {first} beside {second}: nobody brought anything, so nothing can be said."
    found = f"{100 * gain:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"
    if low <= 0.0 <= high:
        return f"- {first} is no better and no worse than {second} beyond chance: {found}."
    return f"- {first} finds {'more' if gain > 0 else 'fewer'} of them than {second}: {found}."
