"""What the models are given now, against training: alarms that must ring and that must not."""

import numpy as np
import pandas as pd
import pytest

from serving.monitoring import inputs
from training.input_profile import RISK, VALUE, InputProfile

N = 1_000
FAMILIES = {"recency": "rhythm", "spend": "value", "age": "tenure", "calls": "contact",
            "waits": "contact"}  # fmt: skip
IMPORTANCE = {"recency": 0.6, "spend": 0.25, "age": 0.1, "calls": 0.04, "waits": 0.01}


def customers(seed=0, **changes):
    """A thousand customers; changes: name -> function of the column."""
    draw = np.random.default_rng(seed)
    rows = pd.DataFrame({name: draw.gamma(2.0, 10.0, N) for name in FAMILIES})
    rows[RISK], rows[VALUE] = draw.uniform(size=N), draw.gamma(2.0, 100.0, N)
    return rows.assign(**{name: change(rows[name]) for name, change in changes.items()})


def profile(earlier=()):
    return InputProfile.of(customers(), earlier, [*FAMILIES, RISK, VALUE], IMPORTANCE)


def compared(rows, earlier=()):
    return inputs.compared(profile(earlier), rows, FAMILIES)


def one(readings):
    (reading,) = readings
    return reading


def half(values):
    return values.where(np.arange(N) % 2 == 0)


def test_other_customers_of_the_same_kind_ring_nothing():
    table = compared(customers(seed=1))
    every = [*inputs.drift(table), *inputs.missing(table), *inputs.scores(table)]
    assert [reading.subject for reading in every if reading.rings] == []
    assert len(every) == 1 + 4 + 2


def test_a_feature_the_model_looks_at_rings_when_it_moves_and_is_named():
    found = one(inputs.drift(compared(customers(1, spend=lambda x: 2 * x))))
    assert (found.figure, found.rings) == (0.25, True)
    assert (found.facts["names"], found.facts["families"]) == ("spend", "value")
    assert found.advice == "retrain"


def test_a_feature_the_model_hardly_looks_at_rings_not():
    found = one(inputs.drift(compared(customers(1, calls=lambda x: 2 * x))))
    assert (found.figure, found.facts["features"], found.rings) == (0.04, 1, False)


def test_what_always_moves_rings_only_beyond_twice_that():
    younger = [customers(2, age=lambda x: x - 20)]
    older = compared(customers(1, age=lambda x: x + 20), younger)
    much_older = compared(customers(1, age=lambda x: x + 200), younger)
    assert one(inputs.drift(older)).figure == 0.0
    assert one(inputs.drift(much_older)).figure == pytest.approx(0.1)
    assert one(inputs.drift(compared(customers(1, age=lambda x: x + 20)))).figure > 0.0


def test_a_family_that_went_missing_rings_and_one_of_two_features_is_half():
    both = compared(customers(1, calls=half, waits=half))
    (found,) = [reading for reading in inputs.missing(both) if reading.rings]
    assert (found.subject, found.figure) == ("contact", 1.0)
    assert (found.facts["missing"], found.facts["then"]) == (0.5, 0.0)
    alone = compared(customers(1, calls=half))
    assert [reading for reading in inputs.missing(alone) if reading.rings] == []


def test_a_feature_that_is_gone_counts_as_missing():
    table = compared(customers(1).drop(columns="recency"))
    assert [r.subject for r in inputs.missing(table) if r.rings] == ["rhythm"]


def test_scores_ring_when_their_distribution_moves():
    table = compared(customers(1, **{RISK: lambda p: p**2}))
    assert [r.subject for r in inputs.scores(table) if r.rings] == [RISK]


def test_of_few_customers_chance_is_allowed_for():
    few = customers(1)[:60]
    table = compared(few)
    assert (table.psi_limit > 0.4).all()
    assert not one(inputs.drift(table)).rings
