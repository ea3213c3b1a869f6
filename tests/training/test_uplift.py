"""Learners of an effect that is known, and what may be used of what they say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from training import campaigns
from training.qini import Estimate
from training.uplift import Proof, Uplift

FEATURES = ("moved_by", "loyal", "noise")
N = 6_000


def rows(effect=0.3, seed=0, by_lot=True):
    """Customers of whom half gain by a treatment; the loyal buy more, treated or not."""
    rng = np.random.default_rng(seed)
    moved, loyal, noise = rng.random((3, N))
    chance = 0.5 if by_lot else 0.2 + 0.6 * (loyal > 0.5)
    treated = (rng.random(N) < chance).astype(float)
    gain = np.where(moved > 0.5, effect, 0.0)
    bought = (rng.random(N) < 0.2 + 0.4 * loyal + gain * treated).astype(float)
    return pd.DataFrame(
        {
            "customer_id": [f"C{k // 2}" for k in range(N)],  # each in both campaigns
            "campaign": np.where(np.arange(N) % 2 == 0, "spring", "autumn"),
            "horizon_days": 90, "moved_by": moved, "loyal": loyal, "noise": noise,
            "bought": bought, "treated": treated,
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def learned():
    return Uplift.fit(rows(), FEATURES)


def test_both_learners_find_whom_a_contact_moves(learned):
    asked = rows(seed=1)
    moved = asked.moved_by > 0.5
    for found in (learned.effect(asked), learned.effect_of_groups(asked)):
        assert found[moved].mean() == pytest.approx(0.3, abs=0.08)
        assert found[~moved].mean() == pytest.approx(0.0, abs=0.08)


def test_the_proof_has_the_effect_and_the_save_rate_and_allows_individuals(learned):
    proof = learned.proof
    assert proof.effect.low < 0.15 < proof.effect.high
    # Of the spared 0.6 do not buy, of the treated 0.45: a quarter is kept.
    assert proof.save_rate.low < 0.25 < proof.save_rate.high
    assert proof.qini.low > 0.0
    assert (proof.campaigns, proof.treated + proof.control, proof.imbalanced) == (2, N, 0)
    assert proof.basis == "individual"


def test_where_all_gain_alike_only_the_average_may_be_used():
    same = rows(effect=0.0)
    rng = np.random.default_rng(5)
    same["bought"] = np.maximum(same.bought, same.treated * (rng.random(N) < 0.15))
    assert Uplift.fit(same, ("noise",)).proof.basis == "average"


def test_without_an_effect_nobody_is_told_apart():
    proof = Uplift.fit(rows(effect=0.0), FEATURES).proof
    assert proof.qini.low <= 0.0
    assert abs(proof.effect.value) < 0.04  # three standard errors of such groups
    assert proof.basis != "individual"


def test_groups_that_were_not_drawn_by_lot_are_corrected_and_warned_of(caplog):
    proof = Uplift.fit(rows(effect=0.0, by_lot=False), FEATURES).proof
    assert proof.imbalanced == 1
    assert "differ in 1 features, most in loyal" in caplog.text
    raw = rows(effect=0.0, by_lot=False).groupby("treated").bought.mean()
    assert raw[1.0] - raw[0.0] > 0.08  # what comparing the groups alone would say
    assert proof.effect.has_zero


@pytest.mark.parametrize(
    ("changes", "basis"),
    [
        ({}, "individual"),
        ({"qini": Estimate(0.01, -0.01, 0.03)}, "average"),
        ({"qini": Estimate(-0.02, -0.03, -0.01)}, "average"),
        ({"qini": Estimate(0.01, -0.01, 0.03), "effect": Estimate(0.1, -0.1, 0.3)}, "assumed"),
        ({"qini": Estimate(0.01, -0.01, 0.03), "save_rate": Estimate(0.1, -0.1, 0.3)}, "assumed"),
        ({"qini": Estimate(np.nan, np.nan, np.nan)}, "average"),
    ],
)
def test_only_what_is_beyond_chance_is_used(changes, basis):
    sure = Estimate(0.02, 0.01, 0.03)
    proof = replace(Proof(sure, sure, sure, sure, 500, 500, 2, 0), **changes)
    assert proof.basis == basis
    assert "Qini" in proof.sentence()


def test_what_was_saved_says_the_same(learned, tmp_path):
    learned.save(tmp_path / "uplift")
    again = Uplift.load(tmp_path / "uplift")
    asked = rows(seed=2)
    assert (again.effect(asked) == learned.effect(asked)).all()
    assert again.proof == learned.proof
    assert again.horizon_days == 90


def test_balance_is_in_standard_deviations_within_campaigns():
    given = pd.DataFrame(
        {"campaign": ["a", "a", "a", "a"], "treated": [1.0, 1.0, 0.0, 0.0],
         "x": [1.0, 3.0, 0.0, 2.0], "same": 1.0}
    )  # fmt: skip
    found = campaigns.balance(given, ["x", "same"])
    assert found.x == pytest.approx(1.0 / np.sqrt(2.0))  # means 2 and 1, variances 2 and 2
    assert found.same == 0.0
