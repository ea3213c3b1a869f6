"""The pieces of the simulated benchmark: the scores by hand, the oracle on a law of one line."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from features.datasets.simulated import simulate
from serving.demo import AS_OF
from tests.benchmarks.models import business, by_cause, ratios
from tests.benchmarks.models.oracle import Oracle
from training.tasks import CHURN_TYPES


def test_nothing_known_later_is_in_the_past():
    known = business._known(simulate(200, seed=1).interactions)
    dated = known.dropna(subset="happened_at")
    assert 0 < len(dated) <= len(known)
    assert dated.happened_at.max() <= AS_OF
    assert known.known_at.dropna().max() <= AS_OF


def law(customers, seed):
    """Customers who buy by one trait that is seen and one, of the same weight, that is hidden.

    Of those seen to buy more often all leave for the first cause, of the others for any.
    """
    rng = np.random.default_rng(seed)
    seen, hidden = rng.normal(size=(2, customers))
    chance = expit(seen + hidden)
    bought = rng.random(customers) < chance
    cause = np.where(seen > 0, CHURN_TYPES[0], rng.choice(CHURN_TYPES, customers))
    return pd.DataFrame(
        {
            "seen": seen,
            "recency": rng.integers(1, 80, customers) * 1.0,
            "age": 90.0,
            "purchase_days_total": rng.integers(2, 5, customers) * 1.0,
            "gap_log_sum": 0.0,
            "day_amount_sum": 10.0,
            "day_amount_log_sum": np.log(10.0),
            "day_amount_log_square_sum": np.log(10.0) ** 2,
            "horizon_days": 90.0,
            "purchase_probability": chance,
            "expected_value": 10.0 * chance,
            "bought": bought * 1.0,
            "value": 10.0 * bought,
            "cause": cause,
        }
    )


def test_the_oracle_is_what_is_to_be_expected_over_the_hidden_trait():
    oracle = Oracle.fit(law(4000, 1), law(2000, 2), ["seen"])
    traits = np.array([-1.0, 0.0, 1.0])
    asked = law(600, 3).assign(seen=np.repeat(traits, 200))
    found = oracle.predict(asked).groupby(asked.seen).mean()
    hidden = np.linspace(-4, 4, 81)
    weights = np.exp(-(hidden**2) / 2)
    expected = expit(traits[:, None] + hidden) @ weights / weights.sum()
    assert found.purchase_probability.to_numpy() == pytest.approx(expected, abs=0.04)
    assert found.expected_value.to_numpy() == pytest.approx(10.0 * expected, abs=0.4)
    assert found.expected_value_median[-1.0] < 2.0 < 6.0 < found.expected_value_median[1.0]
    assert found[CHURN_TYPES[0]][1.0] > 0.8 > 0.4 > found[CHURN_TYPES[0]][-1.0]
    assert found[list(CHURN_TYPES)].sum(axis=1).to_numpy() == pytest.approx(1.0)


@pytest.fixture(scope="module")
def causes():
    """Chances of each cause that differ between customers, and causes drawn from them."""
    rng = np.random.default_rng(0)
    shares = pd.DataFrame(rng.dirichlet(np.full(6, 0.5), 2000), columns=list(CHURN_TYPES))
    drawn = (rng.random(2000)[:, None] > shares.to_numpy().cumsum(axis=1)[:, :-1]).sum(axis=1)
    return shares, by_cause.one_hot(pd.Series(np.array(CHURN_TYPES)[drawn]))


def test_the_true_chances_are_calibrated_and_better_than_the_prior(causes):
    shares, happened = causes
    prior = pd.DataFrame([happened.mean()] * len(shares))
    found = by_cause.table(happened, shares, prior)
    assert list(found.index) == list(CHURN_TYPES)
    assert (found.low > 0).all()
    assert (found.calibration_error <= 1.2 * found.chance_error).all()
    assert found.forecast.to_numpy() == pytest.approx(found.actual.to_numpy(), abs=0.02)


def test_too_sure_chances_are_not_calibrated(causes):
    shares, happened = causes
    too_sure = shares**3 / (shares**3).sum(axis=1).to_numpy()[:, None]
    found = by_cause.table(happened, too_sure, shares)
    assert (found.calibration_error > found.chance_error).all()
    assert (found.gain < 0).all()
    assert "**" not in by_cause.markdown(found, "too sure")


def test_who_has_no_cause_has_none_of_the_six():
    assert by_cause.one_hot(pd.Series([None, "fault"])).sum(axis=1).tolist() == [0.0, 1.0]


def test_a_ratio_is_that_of_the_first_to_the_second_with_its_interval():
    rng = np.random.default_rng(0)
    value = rng.gamma(2.0, 10.0, 500)
    near, far = (pd.DataFrame({"expected_value": value + rng.normal(0, s, 500)}) for s in (1, 2))
    measure = (ratios.OF_VALUE[1],)
    found = ratios.table(measure, pd.DataFrame({"value": value}), {"a": near, "b": far})
    row = found.iloc[0]
    assert row.ratio == pytest.approx(row.a / row.b)
    assert row.low < row.ratio < row.high < 0.6
    same = ratios.table(measure, pd.DataFrame({"value": value}), {"a": far, "b": far})
    assert same.loc[measure[0].name, ["ratio", "low", "high"]].tolist() == [1.0, 1.0, 1.0]


def test_a_forecast_without_an_answer_has_a_dash():
    value = pd.DataFrame({"value": [1.0, 2.0, 4.0, 9.0]})
    mean = pd.DataFrame({"expected_value": value.value + 1.0})
    median = mean.assign(expected_value_median=value.value + 1.0)
    found = ratios.table(ratios.OF_VALUE[:1], value, {"a": median, "b": median, "truth": mean})
    assert "| 1 | 1 | - | 1.000 |" in ratios.markdown(found, "value")
