"""Scores by another churn definition: who is asked about, and what the money stands on."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit, logit

from serving.answer import Call, answer
from serving.policy import POLICY
from serving.score import score
from tests.serving import stub_models
from training.definitions import chosen
from training.models.boosters import Inputs
from training.models.boosting import Forecast
from training.tasks import churn_by

PLAIN = replace(POLICY, margin_rate=0.5, discount_rate=0.0, save_rate=0.2)


def models(rule, stays=0.8, buys=0.5):
    """The stub with a chance to stay by a definition, and another one to buy."""
    made = stub_models.models(stays=stays)
    made.tasks["churn"] = churn_by(rule, 90)
    made.purchase = SimpleNamespace(
        offsets=made.churn.offsets,
        forecast=lambda rows, outlook: Forecast(
            rows, Inputs(np.zeros((len(rows), 1))), logit(np.full(len(rows), buys))
        ),
        chances=expit,
    )
    return made


def test_churn_is_by_the_definition_and_the_purchase_by_its_own_model():
    given = stub_models.rows({"days_since_closure": None}, {"days_since_closure": 3.0})
    found = score(given, models(chosen("subscription")), PLAIN)
    assert found.status.tolist() == ["scored", "not_active"]  # the last purchase: 10 days ago
    assert found.purchase_probability.tolist() == pytest.approx([0.5, 0.5])
    assert found.churn_probability[0] == pytest.approx(0.2)
    assert np.isnan(found.churn_probability[1])
    # 120 expected, half of it margin, of a customer who stays with a chance of 0.8.
    assert found.clv_if_retained[0] == pytest.approx(75.0)
    assert found.expected_loss[0] == pytest.approx(15.0)


def test_who_ends_a_subscription_is_seen_and_not_guessed_from_silence():
    given = stub_models.rows({"days_since_closure": None})
    ends = score(given, models(chosen("subscription")), PLAIN).iloc[0]
    assert ends.leaving_probability == pytest.approx(0.2)
    assert ends.saveable_loss == pytest.approx(0.2 * 60.0 / 0.8)
    silent = score(given, models(chosen("interaction")), PLAIN).iloc[0]
    assert silent.churn_probability == pytest.approx(0.2)
    assert silent.leaving_probability != pytest.approx(0.2)


def test_newcomers_who_are_not_asked_about_have_too_little_history():
    given = stub_models.rows({"age": 29.0}, {"age": 30.0})
    found = score(given, models(chosen(newcomer_days=30)), PLAIN)
    assert found.status.tolist() == ["insufficient_history", "scored"]


def test_an_answer_names_the_definition():
    given = stub_models.rows({"days_since_closure": None})
    call = Call(PLAIN, stub_models.AS_OF)
    said = answer(given, models(chosen("subscription", gap_days=14)), call)[0]
    assert said["churn"]["definition"] == "churn-subscription-90d-gap14@1"
    assert said["churn"]["probability"] == pytest.approx(0.2)
    assert said["purchase_probability"] == pytest.approx(0.5)
