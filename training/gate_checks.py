"""How each check of the gate is measured, on the evidence that was gathered.

The tested model is of the same recipe as the challenger, trained as of the tested moment: the
challenger itself has learnt from those days. It lacks the calibration that the challenger gets from
that very test, so the comparisons err against the challenger.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training import chance, probes
from training import examples as stored_examples
from training.evaluate import Backtest
from training.evidence import Evidence, Rival, Totals
from training.metrics import log_losses

FloatArray = NDArray[np.float64]
# The figure, None when it could not be measured; its lowest and highest limit; a sentence.
Measured = tuple[float | None, float | None, float | None, str]

# A challenger must surely keep this share of what the champion gains over the baseline. A fresher
# equal model should replace an ageing one, so it need not win. Source of a margin that is a share
# of the effect over the placebo: FDA (2016), Non-Inferiority Clinical Trials, section IV.
KEPT = 0.5
# Seasons move the level of a group by a fifth (README, the losses): beyond a quarter, and beyond
# chance, the model is wrong about the group and not about the season.
MOST_LEVEL = 1.25
# Beyond what chance explains, risks wrong by five points on average change who is contacted.
MOST_CALIBRATION_ERROR = 0.05
# Of 90 % intervals: below, one in five is wrong, twice what is claimed. Too wide is no danger, but
# with nearly everybody inside it says nothing. The season that was never seen gave .77 (README).
COVERAGE = (0.80, 0.995)
# Up to the first limit speed and size are never a reason; beyond it a challenger may cost so many
# times what the champion does. A worker answers within 15 ms and has some hundred MB.
LEAST_MILLISECONDS, MOST_SLOWER = 100.0, 3.0
LEAST_MEGABYTES, MOST_LARGER = 50.0, 3.0
# From one month to the next a whole business does not gain or lose half of its future.
MOST_JUMP = 1.5
# What must be known of everybody; causes and tiers may be unavailable.
ALWAYS_KNOWN = ("churn", "expected_value", "expected_value_low", "expected_value_high")


def churn_baseline(evidence: Evidence) -> Measured:
    """Log-loss of active customers less the baseline's: the upper end of its interval."""
    losses = _churn_losses(evidence.churn_test)
    if isinstance(losses, str):
        return _unknown(losses)
    return _beyond(losses["model"], losses["baseline"], losses["who"], "log-loss", "the baseline")


def value_baseline(evidence: Evidence) -> Measured:
    """Absolute error of value less the baseline's: the upper end of its interval."""
    losses = _value_losses(evidence.value_test)
    if isinstance(losses, str):
        return _unknown(losses)
    what = "absolute error of value"
    return _beyond(losses["model"], losses["baseline"], losses["who"], what, "the baseline")


def churn_champion(evidence: Evidence) -> Measured:
    """Log-loss less that of a champion at the same moment, against half of its gain."""
    test, rival = evidence.churn_test, evidence.churn_rival
    losses = rival if isinstance(rival, str) else _churn_losses(test)
    if isinstance(losses, str) or isinstance(rival, str) or test is None:
        return _unknown(str(losses))
    active = test.held_out.is_active.to_numpy(dtype=bool)
    theirs = log_losses(losses["bought"], rival.forecast[active])
    return _kept(losses, theirs, rival, "log-loss")


def value_champion(evidence: Evidence) -> Measured:
    """Absolute error of value less that of a champion, against half of its gain."""
    rival = evidence.value_rival
    losses = rival if isinstance(rival, str) else _value_losses(evidence.value_test)
    if isinstance(losses, str) or isinstance(rival, str):
        return _unknown(str(losses))
    theirs = np.abs(losses["value"] - rival.forecast)
    return _kept(losses, theirs, rival, "absolute error of value")


def level(evidence: Evidence) -> Measured:
    """How far the level of the group furthest off is wrong beyond chance, as a factor."""
    table = evidence.churn_groups
    known = table.dropna(subset="level") if len(table) else table
    if not len(known):
        return _unknown("no group has enough customers who left and stayed")
    # How far the nearer end of the interval is from 1, as a factor; 1 within chance.
    gaps = np.maximum(np.maximum(known.level_low, 1.0 / known.level_high), 1.0)
    worst: Any = known.iloc[int(np.argmax(gaps))]
    return float(gaps.max()), None, MOST_LEVEL, (
        f"in the group furthest off ({_group(worst)}) {worst.level:.2f} times as many leavers were "
        f"forecast as came (95 % interval {worst.level_low:.2f} to {worst.level_high:.2f})"
    )  # fmt: skip


def calibration(evidence: Evidence) -> Measured:
    """The greatest calibration error of a group beyond what chance explains."""
    table = evidence.churn_groups
    known = table.dropna(subset="calibration_error") if len(table) else table
    if not len(known):
        return _unknown("no group has enough customers who left and stayed")
    beyond = (known.calibration_error - known.calibration_by_chance).astype(float)
    worst: Any = known.iloc[int(np.argmax(beyond))]
    return float(beyond.max()), None, MOST_CALIBRATION_ERROR, (
        f"in the group furthest off ({_group(worst)}) the calibration error is "
        f"{worst.calibration_error:.3f}; chance alone explains {worst.calibration_by_chance:.3f}"
    )  # fmt: skip


def leakage(evidence: Evidence) -> Measured:
    """1 for an alarm of the leakage probes, else 0."""
    if not evidence.leaks and evidence.probed.startswith(probes.NOT_RUN):
        return _unknown(evidence.probed)
    return float(evidence.leaks), None, 0.0, evidence.probed


def coverage(evidence: Evidence) -> Measured:
    """The share of values inside their 90 % interval."""
    table = evidence.value_groups
    known = table[table.segment == "everyone"].dropna(subset="coverage_90") if len(table) else table
    if not len(known):
        return _unknown("there is no test of value with enough buyers")
    inside = float(known.coverage_90.iloc[0])
    return inside, *COVERAGE, f"{inside:.1%} of the values came inside their 90 % interval"


def examples(evidence: Evidence) -> Measured:
    """How many answers on the stored examples are no numbers or change with storing."""
    answers, reloaded = evidence.answers, evidence.reloaded
    if isinstance(reloaded, str):
        return float(len(answers)), None, 0.0, reloaded
    wrong = set(stored_examples.differences(answers, reloaded))
    wrong |= {name for name in ALWAYS_KNOWN if not np.isfinite(_floats(answers[name])).all()}
    told = f": {', '.join(sorted(wrong))}" if wrong else ""
    return float(len(wrong)), None, 0.0, (
        f"of {len(answers)} answers on the stored examples {len(wrong)} are no numbers, or others "
        f"once the models were stored and read{told}"
    )  # fmt: skip


def latency(evidence: Evidence) -> Measured:
    """Milliseconds to answer the stored examples."""
    theirs = evidence.champion_milliseconds
    most = max(LEAST_MILLISECONDS, MOST_SLOWER * (theirs or 0.0))
    beside = "" if theirs is None else f", the champion in {theirs:.1f}"
    said = f"the stored examples are answered in {evidence.milliseconds:.1f} ms{beside}"
    return evidence.milliseconds, None, most, said


def size(evidence: Evidence) -> Measured:
    """Bytes of the model files."""
    theirs = evidence.champion_size
    most = 1e6 * LEAST_MEGABYTES
    most = most if theirs is None else max(most, MOST_LARGER * theirs)
    beside = "" if theirs is None else f", the champion {theirs / 1e6:.1f}"
    return float(evidence.size), None, most, f"the files have {evidence.size / 1e6:.1f} MB{beside}"


def leavers_today(evidence: Evidence) -> Measured:
    """Leavers expected of today's customers, over what the champion expects."""
    found = evidence.totals
    if isinstance(found, str):
        return _unknown(found)
    return _jump(found.leavers, found.champion_leavers, "leavers", found)


def value_today(evidence: Evidence) -> Measured:
    """Money expected of today's customers, over what the champion expects."""
    found = evidence.totals
    if isinstance(found, str):
        return _unknown(found)
    return _jump(found.value, found.champion_value, "money", found)


def _churn_losses(test: Backtest | None) -> dict[str, Any] | str:
    """Log-loss of each active customer under model and baseline, who they are and what they did."""
    if test is None:
        return "there is no test at an earlier moment: the history is too short"
    active = test.held_out[test.held_out.is_active]
    if active.empty:
        return "nobody was active at the tested moment"
    bought = active.bought.to_numpy(dtype=float)
    model, rule = (active[name].to_numpy(dtype=float)
                   for name in ("purchase_probability", "baseline_probability"))  # fmt: skip
    return {"model": log_losses(bought, model), "baseline": log_losses(bought, rule),
            "bought": bought, "who": active.customer_id.to_numpy()}  # fmt: skip


def _value_losses(test: Backtest | None) -> dict[str, Any] | str:
    """The same of the absolute error of value, of all customers."""
    if test is None:
        return "there is no test at an earlier moment: the history is too short"
    rows = test.held_out
    names = ("value", "expected_value_median", "baseline_value")
    value, model, rule = (rows[name].to_numpy(dtype=float) for name in names)
    return {"model": np.abs(value - model), "baseline": np.abs(value - rule),
            "value": value, "who": rows.customer_id.to_numpy()}  # fmt: skip


def _beyond(ours: FloatArray, theirs: FloatArray, who: NDArray, what: str, whose: str) -> Measured:
    gap, low, high = chance.paired_bootstrap(ours, theirs, who)
    return high, None, 0.0, (
        f"{what} {ours.mean():.4g}, of {whose} {theirs.mean():.4g}; the difference {gap:.3g} is "
        f"from {low:.3g} to {high:.3g} (95 %, {len(who):,} customers)"
    )  # fmt: skip


def _kept(losses: Mapping[str, Any], theirs: FloatArray, rival: Rival, what: str) -> Measured:
    margin = max((1.0 - KEPT) * float(losses["baseline"].mean() - theirs.mean()), 0.0)
    name = f"{rival.version} of {rival.trained_as_of:%Y-%m-%d}"
    figure, low, _, said = _beyond(losses["model"], theirs, losses["who"], what, name)
    return figure, low, margin, said


def _jump(ours: float, theirs: float, what: str, found: Totals) -> Measured:
    if theirs <= 0.0:
        return _unknown(f"{found.champion} expects no {what}")
    return ours / theirs, 1.0 / MOST_JUMP, MOST_JUMP, (
        f"{ours:,.0f} {what} are expected of today's customers, by {found.champion} {theirs:,.0f}"
    )  # fmt: skip


def _unknown(why: str) -> Measured:
    return None, None, None, f"not compared, because {why}"


def _group(row: Any) -> str:
    return f"{row.segment} {row.group}".strip()


def _floats(values: list[float | None]) -> FloatArray:
    return np.array(values, dtype=float)
