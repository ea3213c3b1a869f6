"""The four questions, in words and numbers."""

from dataclasses import replace

import pytest

from training.tasks import CHURN, CHURN_TYPES, OUTCOMES, PASSIVE_TYPES, TASKS, TIERS


def test_there_are_four_questions_and_each_has_an_outcome():
    assert list(TASKS) == ["churn", "churn_type", "clv", "tier"]
    assert {task.target for task in TASKS.values()} <= {outcome.name for outcome in OUTCOMES}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "churn",
            "Makes no purchase in the 30 days after the cut-off, having made one in the 60 days "
            "before it.",
        ),
        (
            "churn_type",
            "Of those who churn within 30 days: which of the six causes, by the reason given at "
            "closure, else by the rules over the signs before.",
        ),
        ("clv", "Money net of returns in the 30 days after the cut-off."),
        (
            "tier",
            "The class, by forecast value, that the customer will be in 30 days from now.",
        ),
    ],
)
def test_the_sentence_has_its_numbers(name, sentence):
    assert replace(TASKS[name], horizon_days=30).sentence() == sentence


def test_the_definition_names_horizon_and_version():
    assert CHURN.definition == "churn-90d@1"
    assert replace(CHURN, horizon_days=30, version=2).definition == "churn-30d@2"


def test_active_is_a_purchase_within_two_horizons():
    assert CHURN.active_days == 180


def test_codes_are_those_of_the_answers():
    assert set(PASSIVE_TYPES) < set(CHURN_TYPES)
    assert len(CHURN_TYPES) == 6
    assert TIERS == ("mvc", "mgc", "maintain", "below_zero")
