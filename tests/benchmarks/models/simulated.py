"""Holdfast on simulated businesses, beside the oracle that knows their law and the truth itself.

Each business is cut at serving.demo.AS_OF; Holdfast learns from what was known by then and
forecasts the next HORIZON_DAYS days. The scores are of all businesses together: of churn on active
customers, of value on everyone who had bought, of the causes on those who left for one of them. A
customer who buys nothing in the horizon but has not left either has no cause.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from features.datasets.simulated import simulate
from tests.benchmarks.models import business, by_cause, ratios
from tests.benchmarks.models.oracle import Oracle
from tests.benchmarks.models.questions import Past
from training import train
from training.metrics import type_log_loss
from training.models.baseline import Baseline
from training.models.churn_type import told
from training.models.repeat_buying import RepeatBuying
from training.tasks import CHURN_TYPES

SEEDS = range(1, 4)  # the businesses that are forecast
CHOOSE, LEARN = range(101, 103), range(103, 127)  # what the oracle stops by, and has seen
CAUSES = list(CHURN_TYPES)
ORACLE, HALF = "oracle", "oracle of half"


@dataclass(frozen=True)
class Answered:
    """One business: what happened, everybody's forecasts of it, and shares of the causes.

    rows: see business.examples, with churned and is_active. forecasts: name -> churn_probability,
    expected_value and, but of the truth, expected_value_median. shares: name -> one column a cause.
    """

    rows: pd.DataFrame
    forecasts: dict[str, pd.DataFrame]
    shares: dict[str, pd.DataFrame]


def table() -> str:
    """Forecasts, what half of the oracle's customers cost, and the causes, in Markdown."""
    (learn, names), (choose, _) = (business.others(s, business.CUSTOMERS) for s in (LEARN, CHOOSE))
    half = learn[learn.seed < np.mean(LEARN)]
    oracles = {ORACLE: Oracle.fit(learn, choose, names), HALF: Oracle.fit(half, choose, names)}
    return markdown([answered(seed, oracles) for seed in SEEDS])


def answered(seed: int, oracles: dict[str, Oracle]) -> Answered:
    """Everybody's answers about one business; what happened is looked up at the end."""
    world = simulate(business.CUSTOMERS, seed)
    with tempfile.TemporaryDirectory() as folder:
        past = business.past(world, Path(folder) / "workspace")
        learned = train.learn(past.store, past.request)
        _ = past.panel
    rows, _ = business.examples(world)
    return answers(past, learned, rows, oracles)


def answers(
    past: Past, learned: train.Learned, rows: pd.DataFrame, oracles: dict[str, Oracle]
) -> Answered:
    """Forecasts of the customers of `rows`, of whom all but the truth see the features alone."""
    today = past.today.set_index("customer_id", drop=False).loc[rows.customer_id]
    models, by_oracle = (
        learned.models,
        {name: each.predict(today) for name, each in oracles.items()},
    )
    known = past.panel[business.is_active(past.panel)]
    alike = pd.DataFrame([models.churn_type.shares] * len(rows)).reindex(columns=CAUSES)
    forecasts = {
        "Holdfast": models.clv.predict(today),
        **by_oracle,
        "truth": rows[["purchase_probability", "expected_value"]],
        "Pareto/NBD": _pareto_nbd(past.today, today),
        "recency rule": Baseline.fit(past.panel).predict(today),
        "all alike": pd.DataFrame({
            "purchase_probability": known.bought.mean(), "expected_value": past.panel.value.mean(),
            "expected_value_median": past.panel.value.median(),
        }, index=rows.index),
    }  # fmt: skip
    shares = {"Holdfast": models.churn_type.predict(today), "all alike": alike,
              **{name: each[CAUSES] for name, each in by_oracle.items()}}  # fmt: skip
    return Answered(
        rows.assign(churned=1.0 - rows.bought.astype(float), is_active=business.is_active(rows),
                    told=told(today).notna().to_numpy()),
        {name: _as_answer(each) for name, each in forecasts.items()},
        {name: each[CAUSES].reset_index(drop=True) for name, each in shares.items()},
    )  # fmt: skip


def _pareto_nbd(everyone: pd.DataFrame, today: pd.DataFrame) -> pd.DataFrame:
    """Pareto/NBD alone, with the shrunk value of an order; its mean stands for its median too."""
    fitted = RepeatBuying.fit(everyone)
    alone = RepeatBuying(fitted.pareto, fitted.pareto, fitted.order_value).forecast(today)
    value = np.exp(alone.log_value)
    return pd.DataFrame({"purchase_probability": expit(alone.logit_purchase),
                         "expected_value": value, "expected_value_median": value})  # fmt: skip


def _as_answer(forecast: pd.DataFrame) -> pd.DataFrame:
    names = ["expected_value", "expected_value_median"]
    found = forecast[[name for name in names if name in forecast]].reset_index(drop=True)
    return found.assign(churn_probability=1.0 - forecast.purchase_probability.to_numpy())


def together(parts: list[Answered]) -> Answered:
    """Several businesses as one."""

    def joined(tables: list[dict[str, pd.DataFrame]]) -> dict[str, pd.DataFrame]:
        return {name: pd.concat([each[name] for each in tables], ignore_index=True)
                for name in tables[0]}  # fmt: skip

    return Answered(
        pd.concat([part.rows for part in parts], ignore_index=True),
        joined([part.forecasts for part in parts]),
        joined([part.shares for part in parts]),
    )


def markdown(parts: list[Answered]) -> str:
    """All tables, one under the other."""
    whole = together(parts)
    return "\n\n".join([
        ratios.markdown(churn(whole), f"churn, {int(whole.rows.is_active.sum()):,} active"),
        ratios.markdown(value(whole), f"value, {len(whole.rows):,} customers"),
        _by_business(parts),
        by_cause.markdown(*_shares(whole)),
        by_cause.markdown(*_incidences(whole)),
        _by_state(whole),
    ])  # fmt: skip


def churn(answers: Answered) -> pd.DataFrame:
    """The metrics of churn on the active customers."""
    active = answers.rows.is_active.to_numpy()
    given = {name: each[active] for name, each in answers.forecasts.items()}
    return ratios.table(ratios.OF_CHURN, answers.rows[active], given)


def value(answers: Answered) -> pd.DataFrame:
    """The metrics of value on everybody."""
    return ratios.table(ratios.OF_VALUE, answers.rows, answers.forecasts)


def _by_business(parts: list[Answered]) -> str:
    """The ratios of each business, whose customers share what Holdfast learnt."""
    lines = ["| Holdfast / oracle, one business each | log-loss | MAE of the median | "
             "RMSE of the mean |", "|---|---|---|---|"]  # fmt: skip
    for seed, part in zip(SEEDS, parts, strict=True):
        of_value = value(part).ratio
        cells = (churn(part).ratio["log-loss"], of_value["value: MAE of the median"],
                 of_value["value: RMSE of the mean"])  # fmt: skip
        lines.append(f"| seed {seed} | {' | '.join(f'{cell:.3f}' for cell in cells)} |")
    return "\n".join(lines)


def _shares(answers: Answered) -> tuple[pd.DataFrame, str]:
    """Each cause against the rest, on those who left for one."""
    left = _left(answers)
    mine, alike = (answers.shares[name][left] for name in ("Holdfast", "all alike"))
    happened = by_cause.one_hot(answers.rows.cause[left])
    what = f"share of the cause, {int(left.sum()):,} who left for one"
    return by_cause.table(happened, mine, alike), what


def _incidences(answers: Answered) -> tuple[pd.DataFrame, str]:
    """P(churn by cause) of all active customers."""
    active = answers.rows.is_active.to_numpy()
    happened = by_cause.one_hot(answers.rows.cause.where(_left(answers)))[active]
    mine, alike = (
        answers.shares[name].mul(answers.forecasts[name].churn_probability, axis=0)[active]
        for name in ("Holdfast", "all alike")
    )
    what = f"P(churn by cause), {int(active.sum()):,} active"
    return by_cause.table(happened, mine, alike), what


def _left(answers: Answered) -> np.ndarray:
    return (answers.rows.is_active & business.has_cause(answers.rows)).to_numpy()


def _by_state(answers: Answered) -> str:
    """Log-loss of the cause by what was known and what was over at the cut."""
    left, rows = _left(answers), answers.rows
    groups = {
        "all": left,
        "had told why": left & rows.told,
        "had left in silence": left & ~rows.told & ~rows.is_alive,
        "left later": left & ~rows.told & rows.is_alive,
    }
    names = list(answers.shares)
    lines = [f"| log-loss of the cause | customers | {' | '.join(names)} |",
             "|" + "---|" * (len(names) + 2)]  # fmt: skip
    for group, chosen in groups.items():
        position = rows.cause[chosen].map(CAUSES.index).to_numpy()
        scores = [type_log_loss(position, answers.shares[name][chosen]) for name in names]
        cells = " | ".join(f"{score:.3f}" for score in scores)
        lines.append(f"| {group} | {int(chosen.sum()):,} | {cells} |")
    return "\n".join(lines)
