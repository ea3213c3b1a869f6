"""365 Data Science as questions: plans bought, days of learning, and what is known beside them.

Two kinds of lines about the same students, each with the other tables that a feature store would
hold beside them.
"""

from __future__ import annotations

from functools import cache

import pandas as pd

from features.datasets import data365
from tests.real_data import real_data


def plans_bought() -> pd.DataFrame:
    """One row per plan bought: all columns of a transaction; the amount is assigned by plan."""
    return _tables()["transactions"]


def days_watched() -> pd.DataFrame:
    """One row per student and day with something watched; the amount is minutes of that day.

    Days of quizzes or exams alone, about one in a hundred, have no minutes and are no lines.
    """
    did = _tables()["interactions"]
    watched = did[(did.detail == "minutes") & (did.value > 0)]
    lines = watched[["customer_id", "happened_at", "value"]].rename(columns={"value": "amount"})
    return lines.reset_index(drop=True)


def beside_plans() -> dict[str, pd.DataFrame]:
    """What is known beside plans: who the students are, and all that they do."""
    return {name: _tables()[name] for name in ("customers", "interactions")}


def beside_days() -> dict[str, pd.DataFrame]:
    """What is known beside days of learning: the same, and the plans that students change to."""
    others = beside_plans()
    did = pd.concat([others["interactions"], plan_changes(plans_bought())], ignore_index=True)
    return others | {"interactions": did}


def plan_changes(plans: pd.DataFrame) -> pd.DataFrame:
    """One interaction per plan bought that is not the student's plan before; the first is one."""
    bought = plans.sort_values(["customer_id", "happened_at", "order_id"])
    before = bought.groupby("customer_id").product_id.shift()
    changes = bought.loc[bought.product_id != before, ["customer_id", "happened_at", "product_id"]]
    return changes.rename(columns={"product_id": "detail"}).assign(kind="plan_change")


@cache
def _tables() -> dict[str, pd.DataFrame]:
    return data365.load(real_data("365-datascience"))
