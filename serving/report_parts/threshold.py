"""From which risk on a contact pays: caught, false alarms, cost and profit at every threshold.

The browser works from a hundred steps of risk, never from customers; `profits` is the same sum.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from serving.report_parts import plots, tables
from serving.report_parts.blocks import (
    Card,
    Cell,
    Column,
    Control,
    Figure,
    Interactive,
    Note,
    Section,
    Table,
    count,
    money,
    percent,
)
from serving.report_parts.view import View
from training import profit
from training.retention import SAVE_RATE, Assumptions

STEPS = 100  # a point of risk apart, as people state them
PRINTED = tuple(range(10, 100, 10))  # the thresholds of the table, in percent
RESULTS = ("contacted", "caught", "false_alarms", "cost", "saved", "profit")


def threshold(view: View) -> Section:
    """What contacting everybody from some risk on would cost and bring."""
    words, scores = view.words, view.scores
    title, steps = words["threshold.title"], steps_of_risk(scores)
    if not steps["loss"].sum() > 0:
        return Section("threshold", title, "", (Note(words["threshold.none"]),))
    cost, rate = contact_cost(scores), save_rate(scores)
    found = profits(steps, cost, rate)
    best = best_threshold(found)
    drawn = Figure(
        plots.threshold(found, best, words),
        _finding(view, found, best, own_rule(scores, cost, rate)),
        words["threshold.reading"].format(cost=money(cost).text, rate=percent(rate).text),
    )
    explorer = Interactive(
        script="threshold",
        data={
            **{name: steps[name].tolist() for name in ("contacted", "caught", "loss")},
            "nobody": words["threshold.nobody"],
        },
        controls=_controls(view, best if best is not None else STEPS // 2, cost, rate),
        results=_results(view, found, best),
        note=words["threshold.note"],
        still=(drawn, _table(view, found, best)),
    )
    blocks = (explorer, Note(words["threshold.sensitivity"]), _sensitivity(view, cost, rate))
    return Section("threshold", title, words["threshold.lead"], blocks)


def own_rule(scores: pd.DataFrame, cost: float, rate: float) -> float:
    """Profit when each customer is contacted from his own threshold on."""
    return profit.own_thresholds(*_at_stake(scores), Assumptions(cost, rate)).profit


def _at_stake(scores: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Risk and value if retained, whose product is the money at risk; null without a risk."""
    risk = scores["churn_probability"]
    return risk, scores["expected_loss"].fillna(0.0) / risk.where(risk > 0)


def _sensitivity(view: View, cost: float, rate: float) -> Table:
    """What becomes of the best choice if a contact keeps more or fewer than assumed."""
    found = profit.sensitivity(*_at_stake(view.scores), Assumptions(cost, rate))
    return tables.table(
        view,
        "sensitivity",
        {
            "save_rate": [percent(share) for share in found["save_rate"]],
            "threshold": [percent(risk) for risk in found["threshold"]],
            "threshold_profit": [money(amount) for amount in found["threshold_profit"]],
            "contacted": [count(float(many)) for many in found["contacted"]],
            "profit": [money(amount) for amount in found["profit"]],
            "profit_as_assumed": [money(amount) for amount in found["profit_as_assumed"]],
        },
    )


def steps_of_risk(scores: pd.DataFrame) -> pd.DataFrame:
    """Active customers per percentage point of risk, (STEPS + 1,), the last those with risk 1.

    Returns columns `contacted` (customers), `caught` (of whom so many are expected to leave) and
    `loss` (money at risk, currency units).
    """
    active = scores[scores["churn_probability"].notna()]
    risk = active["churn_probability"].clip(0, 1)
    step = np.floor(risk * STEPS + 1e-9).astype(int)  # 0.29 * 100 is a little below 29
    table = pd.DataFrame(
        {
            "contacted": (risk >= 0).astype(float),
            "caught": risk,
            "loss": active["expected_loss"].fillna(0.0),
        }
    )
    return table.groupby(step).sum().reindex(range(STEPS + 1), fill_value=0.0)


def profits(steps: pd.DataFrame, cost: float, rate: float) -> pd.DataFrame:
    """What contacting all from each threshold (index, percent) on gives: RESULTS.

    caught are expected leavers among the contacted, false_alarms the others; saved = rate x their
    money at risk, cost = contacts x cost, profit = saved - cost. Source: PRODUCT 1 (money at risk);
    Verbraken, Verbeke, Baesens (2013), IEEE TKDE 25(5), with the value of each customer.
    """
    sums = steps[::-1].cumsum()[::-1]
    spent, saved = sums["contacted"] * cost, sums["loss"] * rate
    return pd.DataFrame(
        {
            "contacted": sums["contacted"],
            "caught": sums["caught"],
            "false_alarms": sums["contacted"] - sums["caught"],
            "cost": spent,
            "saved": saved,
            "profit": saved - spent,
        }
    )


def best_threshold(found: pd.DataFrame) -> int | None:
    """The threshold, in percent, with the highest profit; None where no contact pays."""
    best = int(found["profit"].argmax())
    return best if found["profit"].iloc[best] > 0 else None


def contact_cost(scores: pd.DataFrame) -> float:
    """A cost of a contact to begin with: a share of the median value if retained, two digits."""
    risk = scores["churn_probability"]
    by_loss = scores["expected_loss"] / risk.where(risk > 0)
    worth = scores["clv_if_retained"].where(risk.notna()).fillna(by_loss).clip(lower=0).dropna()
    cost = Assumptions().cost_for(worth)
    return float(f"{cost:.2g}")


def save_rate(scores: pd.DataFrame) -> float:
    """The share of leavers a contact saves that `max_spend` rests on; else the usual assumption."""
    at_stake = scores["expected_loss"].where(scores["expected_loss"] > 0)
    rates = (scores["max_spend"] / at_stake).dropna()
    return round(float(rates.median()), 4) if len(rates) else SAVE_RATE


def _finding(view: View, found: pd.DataFrame, best: int | None, own: float) -> str:
    if best is None:
        return view.words["threshold.finding_none"]
    return view.words["threshold.finding"].format(
        best=percent(best / STEPS).text,
        contacted=count(found["contacted"].iloc[best]).text,
        profit=money(found["profit"].iloc[best]).text,
        everybody=money(found["profit"].iloc[0]).text,
        own=money(own).text,
    )


def _controls(view: View, start: int, cost: float, rate: float) -> tuple[Control, ...]:
    words = view.words
    return (
        Control("threshold", words["threshold.from"], start, 0, STEPS, 1, slider=True),
        Control("contact_cost", words["threshold.contact_cost"], cost, 0, max(1e6, cost), 0.01),
        Control("save_rate", words["threshold.save_rate"], round(100 * rate, 2), 0, 100, 0.01),
    )


def _results(view: View, found: pd.DataFrame, best: int | None) -> tuple[Card, ...]:
    row = found.iloc[best if best is not None else STEPS // 2]
    cells = {name: _written(name, row[name]) for name in RESULTS}
    cells["best"] = _best_cell(view, best)
    return tuple(
        Card(f"threshold_{name}", view.words[f"threshold.{name}"], cell)
        for name, cell in cells.items()
    )


def _best_cell(view: View, best: int | None) -> Cell:
    return Cell(view.words["threshold.nobody"]) if best is None else percent(best / STEPS)


def _written(name: str, value: float) -> Cell:
    return (money if name in ("cost", "saved", "profit") else count)(value)


def _table(view: View, found: pd.DataFrame, best: int | None) -> Table:
    shown = sorted({*PRINTED, *([] if best is None else [best])})
    columns = (
        Column(view.words["threshold.from"], number=False),
        *(Column(view.words[f"threshold.{name}"]) for name in RESULTS),
    )
    rows = tuple(
        (
            _step_cell(view, step, best),
            *(_written(name, found[name].iloc[step]) for name in RESULTS),
        )
        for step in shown
    )
    return Table("threshold", columns, rows)


def _step_cell(view: View, step: int, best: int | None) -> Cell:
    written = percent(step / STEPS)
    return Cell(written.text, written.value, view.words["threshold.best"] if step == best else "")
