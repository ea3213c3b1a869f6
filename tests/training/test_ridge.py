"""Logistic regression with an offset, held against scikit-learn's without one."""

import json

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from training.models.ridge import PENALTIES, Ridge

ROWS = 2000


@pytest.fixture(scope="module")
def given():
    """A matrix, what was bought, and the log odds that made it so."""
    rng = np.random.default_rng(0)
    matrix = np.column_stack([rng.exponential(5, ROWS), rng.normal(size=ROWS), np.ones(ROWS)])
    log_odds = 1.5 * (np.log1p(matrix[:, 0]) - 1.5) - matrix[:, 1]
    return matrix, (rng.random(ROWS) < expit(log_odds)).astype(float), log_odds


def fit(matrix, bought, offset=None, weight=None, aside=None):
    nothing, ones = np.zeros(len(bought)), np.ones(len(bought))
    return Ridge.fit(
        matrix,
        bought,
        nothing if offset is None else offset,
        ones if weight is None else weight,
        np.zeros(len(bought), dtype=bool) if aside is None else aside,
    )


def standardized(matrix):
    logs = np.sign(matrix) * np.log1p(np.abs(matrix))
    deviation = logs.std(axis=0)
    return np.clip((logs - logs.mean(axis=0)) / np.where(deviation > 1e-6, deviation, 1), -3, 3)


def test_without_an_offset_it_is_scikit_learns(given):
    matrix, bought, _ = given
    weight = np.full(ROWS, 100.0)  # so that the strongest penalty leaves something to compare
    rule = LogisticRegression(C=1 / PENALTIES[0], fit_intercept=False, tol=1e-10)
    rule.fit(standardized(matrix), bought, sample_weight=weight)
    found = fit(matrix, bought, weight=weight)
    np.testing.assert_allclose(found.weights, rule.coef_[0], atol=1e-5)
    assert np.abs(found.weights[:2]).min() > 0.4
    assert found.weights[2] == pytest.approx(0.0, abs=1e-9)  # a constant says nothing


def test_the_penalty_that_is_best_aside_is_taken(given):
    matrix, bought, _ = given
    aside = np.arange(ROWS) % 4 == 0
    z, kept = standardized(matrix), ~aside

    def loss_aside(penalty):
        rule = LogisticRegression(C=1 / penalty, fit_intercept=False, tol=1e-10)
        chance = rule.fit(z[kept], bought[kept]).predict_proba(z[aside])[:, 1]
        return -np.mean(np.log(np.where(bought[aside] > 0, chance, 1 - chance)))

    best = min(PENALTIES, key=loss_aside)
    rule = LogisticRegression(C=1 / best, fit_intercept=False, tol=1e-10).fit(z, bought)
    found = fit(matrix, bought, aside=aside)
    np.testing.assert_allclose(found.weights, rule.coef_[0], atol=1e-4)


def test_what_the_offset_knows_is_not_learnt_again(given):
    matrix, bought, log_odds = given
    aside = np.arange(ROWS) % 4 == 0
    alone, beside = fit(matrix, bought, aside=aside), fit(matrix, bought, log_odds, aside=aside)
    assert np.abs(alone.difference(matrix)).mean() > 0.8
    assert np.abs(beside.difference(matrix)).mean() < 0.1


def test_missing_values_stand_at_the_mean_and_an_empty_column_says_nothing(given):
    matrix, bought, _ = given
    with_empty = np.column_stack([matrix, np.full(ROWS, np.nan)])
    with_empty[::7, 1] = np.nan
    found = fit(with_empty, bought, aside=np.arange(ROWS) % 4 == 0)
    assert found.weights[3] == 0
    assert found.difference(np.full((1, 4), np.nan)).tolist() == [0.0]
    assert np.isfinite(found.difference(with_empty)).all()


def test_one_extreme_customer_does_not_lead(given):
    matrix, bought, _ = given
    found = fit(matrix, bought, aside=np.arange(ROWS) % 4 == 0)
    bound = 3.0 * np.abs(found.weights).sum()
    assert abs(found.difference(np.array([[1e12, -1e12, 1.0]]))[0]) <= bound


def test_it_is_the_same_from_json(given):
    matrix, bought, _ = given
    found = fit(matrix, bought)
    again = Ridge.from_dict(json.loads(json.dumps(found.to_dict())))
    np.testing.assert_array_equal(again.difference(matrix), found.difference(matrix))
