"""One input as it was distributed, and how far it usually moves."""

import json

import numpy as np
import pandas as pd
import pytest

from training.distribution import MOST_TEXTS, Numbers, Texts, distribution_of, from_dict
from training.input_profile import InputProfile, Usual
from training.models.baseline import Baseline

HUNDRED = pd.Series(np.arange(100.0))


def test_numbers_are_told_by_their_deciles_with_missing_as_a_class():
    found = Numbers.of(pd.concat([HUNDRED, pd.Series([np.nan] * 25)]))
    assert len(found.edges) == 9
    assert found.counts == (10,) * 10 + (25,)
    assert found.missing == 0.2


def test_many_equal_numbers_are_one_class():
    found = Numbers.of(pd.Series([0.0] * 95 + [1, 2, 3, 4, 5]))
    assert found.edges == (0.0,)
    assert found.counts == (95, 5, 0)


def test_the_same_numbers_have_not_moved():
    moved = Numbers.of(HUNDRED).moved(HUNDRED)
    assert (moved.psi, moved.missing, moved.new) == (0.0, 0.0, 0.0)
    assert moved.ks <= 0.01


def test_numbers_that_rose_by_half_their_range_have_moved_by_half():
    assert Numbers.of(HUNDRED).moved(HUNDRED + 50).ks == pytest.approx(0.5, abs=0.02)


def test_an_input_that_is_no_longer_there_is_missing_throughout():
    moved = Numbers.of(HUNDRED).moved(pd.Series([np.nan] * 10))
    assert moved.missing == 1.0
    assert moved.psi > 1.0


def test_a_text_never_seen_is_new():
    then = Texts.of(pd.Series(["web"] * 6 + ["app"] * 3 + [None]))
    moved = then.moved(pd.Series(["web"] * 6 + ["kiosk"] * 4))
    assert moved.new == 0.4
    assert (then.missing, moved.missing) == (0.1, 0.0)
    assert then.moved(pd.Series(["app", "web"])).new == 0.0


def test_of_more_texts_than_are_told_apart_none_is_new():
    then = Texts.of(pd.Series([f"p{n}" for n in range(MOST_TEXTS + 5)]))
    assert then.others == 5
    assert then.moved(pd.Series(["q"])).new == 0.0


@pytest.mark.parametrize("values", [HUNDRED, pd.Series(["a", "b", None]), pd.Series([True, False])])
def test_a_distribution_is_the_same_after_json(values):
    found = distribution_of(values)
    assert from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_what_is_usual_is_the_furthest_of_the_earlier_moments():
    today = pd.DataFrame({"age": HUNDRED, "spend": HUNDRED})
    earlier = [today.assign(age=HUNDRED - 10), today.assign(age=HUNDRED - 50)]
    found = InputProfile.of(today, earlier, ["age", "spend"], {"age": 1.0}, Baseline(-1.0, 0.0))
    assert found.usual["age"].ks == pytest.approx(0.5, abs=0.02)
    assert found.usual["spend"] == Usual(0.0, pytest.approx(0.0, abs=0.01), 0.0)
    stored = json.loads(json.dumps(found.to_dict()))
    again = InputProfile.from_dict(stored)
    assert again.inputs == found.inputs
    assert (again.customers, again.importance, again.baseline) == (
        100,
        {"age": 1.0},
        found.baseline,
    )


def test_without_earlier_moments_nothing_is_usual():
    found = InputProfile.of(pd.DataFrame({"age": HUNDRED}), [], ["age"], {})
    assert found.usual["age"] == Usual(0.0, 0.0, 0.0)
