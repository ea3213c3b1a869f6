"""Given forecasts of two contenders, the table that says who won what, and whether by chance."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks.models import comparison
from tests.benchmarks.models.comparison import OURS, Answers
from tests.benchmarks.models.questions import Question

CUSTOMERS = 400


@pytest.fixture(scope="module")
def answers():
    """We know who buys but not how much; the peer says the same of everybody."""
    rng = np.random.default_rng(0)
    chance = rng.choice([0.1, 0.9], CUSTOMERS)
    bought = (rng.random(CUSTOMERS) < chance) * 1.0
    outcome = pd.DataFrame({"bought": bought, "orders": 2 * bought, "value": 10 * bought})
    ours = forecast(chance, value=12.0 * chance)
    peer = forecast(np.full(CUSTOMERS, bought.mean()), value=np.full(CUSTOMERS, 10 * bought.mean()))
    question = Question("two kinds", lambda: pd.DataFrame(), datetime(2024, 1, 1), 30)
    return Answers(
        question, outcome, {OURS: ours, "all alike": peer}, {OURS: 2.0, "all alike": 1.0}
    )


def forecast(chance, value):
    return pd.DataFrame({
        "purchase_probability": chance, "expected_orders": 2 * chance, "expected_value": value,
        "expected_value_median": value, "expected_value_low": 0.0, "expected_value_high": 11.0,
    })  # fmt: skip


def test_a_gain_is_above_zero_whichever_way_a_metric_is_better(answers):
    found = comparison.table(answers)
    assert found.gain["AUC"] > 0
    assert found.gain["log-loss"] > 0
    assert found.low["log-loss"] > 0
    assert found.gain["value: absolute bias"] < 0
    assert (found.low <= found.high).all()


def test_the_table_shows_wins_and_losses_alike(answers):
    text = comparison.markdown(answers)
    assert "| two kinds | Holdfast | all alike |" in text
    bias = next(line for line in text.splitlines() if line.startswith("| value: absolute bias"))
    assert bias.count("**") == 2  # the peer's alone
    assert "| seconds | 2 | 1 |" in text
    assert "| inside our 90 % interval | 1.000 |" in text
