"""A test that is too good to be true stops the training, and says what to look at."""

from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from features.catalog import FAMILIES
from features.errors import UserError
from training import probes
from training.metrics import roc_auc
from training.split import CutOff

FEATURES = ("recency", "visits")
HORIZON = 90


def customers(moment, seed, count=2000):
    """Customers who come back the less the longer they are silent; visits say nothing."""
    rng = np.random.default_rng(seed)
    recency = rng.uniform(0, 2 * HORIZON - 1, count)
    chance = 1.0 / (1.0 + np.exp((recency - 60) / 30))
    return pd.DataFrame(
        {
            "customer_id": [f"{seed}-{i}" for i in range(count)],
            "as_of": moment,
            "horizon_days": HORIZON,
            "recency": recency,
            "visits": rng.poisson(3, count).astype(float),
            "bought": (rng.random(count) < chance).astype(float),
            "purchase_probability": chance,
            "is_active": True,
        }
    )


@pytest.fixture
def test():
    """An honest test: a panel of one moment, and customers of a later one."""
    return SimpleNamespace(
        origin=CutOff(datetime(2024, 6, 30), HORIZON),
        panel=customers(datetime(2024, 3, 31), 1),
        held_out=customers(datetime(2024, 6, 30), 2),
    )


def test_an_honest_test_goes_on_and_says_what_was_looked_at(test):
    for rows in (test.panel, test.held_out):
        rows["name"] = "text is not looked at"
    said = probes.check(test, (*FEATURES, "name"))
    assert said.startswith("Leakage probes passed: none of 2 features alone, nor the model (AUC 0.")
    assert "tells 2,000 active customers apart with an AUC above 0.95; a learner has 0." in said
    assert said.endswith("on a later moment (at most 0.15 apart).")


def test_a_past_of_one_outcome_has_no_gap_to_tell(test):
    test.panel["bought"] = 1.0
    said = probes.check(test, FEATURES)
    assert said.startswith("Leakage probes passed")
    assert "a learner" not in said


def test_a_feature_that_knows_the_future_stops_the_run_by_its_name(test):
    test.held_out["closed_at_days"] = np.where(test.held_out.bought > 0, np.nan, 3.0)
    with pytest.raises(UserError, match=r"closed_at_days alone tells .* knows the future"):
        probes.check(test, (*FEATURES, "closed_at_days"))


def test_a_model_that_is_nearly_perfect_stops_the_run(test):
    test.held_out["purchase_probability"] = np.clip(test.held_out.bought, 0.01, 0.99)
    with pytest.raises(UserError, match=r"AUC is 1\.000, which no honest forecast"):
        probes.check(test, FEATURES)


def test_a_past_that_was_written_afterwards_stops_the_run(test):
    # In the past, visits of those who stayed were added later; at the later moment nothing was yet.
    test.panel["visits"] += 3 * test.panel.bought
    with pytest.raises(UserError, match="written there afterwards"):
        probes.check(test, FEATURES)


def of_a_year(rows):
    """Most have paid for a year, and buy nothing in it; others pay by the month, nearly all."""
    by_month = np.arange(len(rows)) % 5 == 0
    stays = by_month & (np.random.default_rng(3).random(len(rows)) < 0.8)
    chance = np.where(by_month, 0.8, 0.01)
    return rows.assign(
        day_amount_last=np.where(by_month, 29.0, 249.0),
        bought=stays.astype(float),
        purchase_probability=chance,
    )


@pytest.fixture
def subscribers(test):
    """An honest test of a business whose plans alone tell nearly who will buy."""
    test.panel, test.held_out = of_a_year(test.panel), of_a_year(test.held_out)
    return test


def test_a_plan_that_tells_nearly_who_buys_accuses_nothing(subscribers):
    held = subscribers.held_out
    assert probes.MOST_AUC < roc_auc(held.bought, held.purchase_probability) < probes.LEAK_AUC
    probes.check(subscribers, (*FEATURES, "day_amount_last"))


def test_among_subscribers_too_a_feature_that_knows_the_future_stops_the_run(subscribers):
    held = subscribers.held_out
    subscribers.held_out["closed_at_days"] = np.where(held.bought > 0, np.nan, 3.0)
    with pytest.raises(UserError, match=r"closed_at_days alone tells .* knows the future"):
        probes.check(subscribers, (*FEATURES, "day_amount_last", "closed_at_days"))


def test_a_purchase_that_knows_the_future_stops_the_run(test):
    for rows in (test.panel, test.held_out):
        rows["day_amount_last"] = rows.bought  # set to 0 afterwards of who left
    with pytest.raises(UserError, match=r"day_amount_last alone tells .* knows the future"):
        probes.check(test, (*FEATURES, "day_amount_last"))


def test_purchases_are_features():
    names = {feature.name for family in FAMILIES for feature in family.features}
    assert names.issuperset(probes.PURCHASES)


def test_too_few_customers_accuse_nobody(test):
    test.held_out = test.held_out.head(150)
    test.held_out["purchase_probability"] = np.clip(test.held_out.bought, 0.01, 0.99)
    stayed = int(test.held_out.bought.sum())
    assert probes.check(test, FEATURES) == (
        "Leakage probes were not run: they need 100 customers who left and as many who stayed, and "
        f"of 150 active ones {stayed} stayed."
    )
