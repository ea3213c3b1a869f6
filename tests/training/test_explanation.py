"""The parts of a risk: they sum to it, and lead to what made the shop's customers leave."""

import numpy as np
import pytest

from training.models.explanation import REPEAT_BUYING, Explanation, Factor, Word, sentence

WORDS = {
    "count_complaint_90d": Word("service", "Complaints in the last 90 days, a count."),
    "recency": Word("rhythm", "Days since the last purchase; null if never bought."),
}


@pytest.fixture(scope="module")
def explanation(two_part, shop):
    return Explanation.of(two_part.purchase, shop.today)


def test_the_parts_of_each_customer_sum_to_the_risk(explanation, two_part, shop):
    risk = 1.0 - two_part.purchase.predict(shop.today)
    told = explanation.base + explanation.effects.sum(axis=1)
    assert told.to_numpy() == pytest.approx(risk, abs=1e-3)  # the risk itself has bounds


def test_a_customer_alone_has_the_parts_he_has_among_others(explanation, two_part, shop):
    alone = Explanation.of(two_part.purchase, shop.today.iloc[[7]])
    found, among = alone.effects.iloc[0], explanation.effects.iloc[7]
    assert found.to_numpy() == pytest.approx(among.to_numpy(), abs=1e-6)
    assert alone.base == pytest.approx(explanation.base, abs=1e-6)


def test_a_complaint_raises_the_risk_of_those_who_made_one_and_of_no_others(explanation, shop):
    effect = explanation.effects.count_complaint_90d
    complained = shop.today.count_complaint_90d > 0
    assert (effect[complained] > 0).all()
    assert effect[complained].mean() > 5 * effect[~complained].abs().mean()


def test_each_customer_is_given_the_strongest_families_with_their_leading_feature(
    explanation, shop
):
    words = words_of(explanation)
    factors = explanation.factors(words, most=2)
    assert {len(few) for few in factors} == {2}
    complained = np.flatnonzero(shop.today.count_complaint_90d > 0)
    loud = [few for at, few in enumerate(factors) if at in complained]
    named = [factor for few in loud for factor in few if factor.family == "service"]
    assert len(named) > 0.5 * len(loud)
    first = named[0]
    assert (first.feature, first.value, first.actionable) == ("count_complaint_90d", 1.0, True)
    assert all(abs(few[0].effect) >= abs(few[1].effect) for few in factors)


def test_the_families_of_all_customers_are_listed_by_their_strength(explanation):
    words = words_of(explanation)
    strength = explanation.by_family(words)
    assert set(strength.index) == {*(word.family for word in words.values()), REPEAT_BUYING}
    assert strength.is_monotonic_decreasing
    assert (strength >= 0).all()


@pytest.mark.parametrize(
    ("value", "effect", "said"),
    [
        (58.0, 0.114, "Days since the last purchase: 58 (+11 points)"),
        (None, -0.05, "Days since the last purchase: not known (-5 points)"),
        ("web", 0.0, "Days since the last purchase: web (+0 points)"),
    ],
)
def test_a_factor_is_said_in_the_words_of_its_feature(value, effect, said):
    about = WORDS["recency"].about
    assert sentence(Factor("rhythm", "recency", about, value, effect, False)) == said


def words_of(explanation):
    """Every explained feature's words: those of WORDS, and a family of all the others."""
    names = [name for name in explanation.effects if name != REPEAT_BUYING]
    return {name: WORDS.get(name, Word("others", f"{name}.")) for name in names}
