import json

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from features.errors import UserError
from tests.training.cdnow_weeks import sample_weeks
from training.models.order_value import GammaGamma, ShrunkOrderValue


def sums(*customers):
    """Orders, total, log sum and squared log sum of customers given by their order values."""
    logs = [np.log(values) for values in customers]
    return (
        [len(values) for values in customers],
        [np.sum(values) for values in customers],
        [np.sum(log) for log in logs],
        [np.sum(log**2) for log in logs],
    )


def test_the_fit_to_cdnow_is_the_published_one():
    weeks = sample_weeks()

    fitted = GammaGamma().fit(weeks.history.frequency, weeks.repeat_value)

    assert [fitted.p, fitted.q, fitted.gamma] == pytest.approx([6.25, 3.74, 15.44], abs=6e-3)


def test_gamma_gamma_weighs_own_mean_and_population_mean():
    model = GammaGamma(p=6.0, q=4.0, gamma=15.0)

    given = model.expected_order_value(orders=[0, 1, 3], mean_value=[0.0, 60.0, 60.0])

    population = 6.0 * 15.0 / 3.0  # p gamma / (q - 1)
    assert given[0] == population == 30.0
    assert given[1] == pytest.approx((3 * 30 + 6 * 60) / (3 + 6))
    assert given[2] == pytest.approx((3 * 30 + 18 * 60) / (3 + 18))


def test_gamma_gamma_recovers_a_known_truth():
    rng = np.random.default_rng(3)
    orders = rng.integers(1, 8, 20_000)
    scale = rng.gamma(4.0, 1 / 15.0, len(orders))
    mean_value = rng.gamma(6.0 * orders, 1 / (scale * orders))

    fitted = GammaGamma().fit(orders, mean_value)

    assert [fitted.p, fitted.q, fitted.gamma] == pytest.approx([6.0, 4.0, 15.0], rel=0.05)
    truth = GammaGamma(6.0, 4.0, 15.0)
    assert fitted.log_likelihood(orders, mean_value) >= truth.log_likelihood(orders, mean_value)


def test_gamma_gamma_leaves_out_worthless_orders_and_keeps_its_mean_finite():
    fitted = GammaGamma().fit([1, 2, 3, 0, 4], [10.0, 5000.0, 0.1, 0.0, 0.0])

    assert fitted.q > 1.0
    assert np.all(np.isfinite(fitted.expected_order_value([0, 4, 2], [0.0, 0.0, -5.0])))


def test_a_net_return_counts_as_nothing_not_as_less():
    model = GammaGamma(p=6.0, q=4.0, gamma=15.0)
    shrunk = ShrunkOrderValue(prior=30.0, m=2.0)

    assert model.expected_order_value([2], [-50.0]) == model.expected_order_value([2], [0.0])
    assert shrunk.expected_order_value([2], [-50.0]) == shrunk.expected_order_value([2], [0.0])


def test_the_shrunk_value_is_the_formula():
    model = ShrunkOrderValue(prior=30.0, m=2.0)

    given = model.expected_order_value(orders=[0, 2, 8], total=[0.0, 100.0, 400.0])

    assert list(given) == [30.0, (100 + 60) / 4, (400 + 60) / 10]


def test_a_one_time_buyer_is_worth_the_mean_of_customers_not_of_loyal_ones():
    # Ten small one-time buyers and one loyal customer with large orders.
    fitted = ShrunkOrderValue().fit(*sums(*[[10.0]] * 10, [100.0, 90.0, 110.0]))

    assert fitted.prior < 25.0
    assert fitted.expected_order_value([3], [300.0])[0] > 90.0


def test_the_prior_weighs_as_many_orders_as_within_over_between():
    # Two customers, two orders each; logs 0, 2 and 4, 6: within 2, between (16 - 2) / 2 = 7.
    given = sums(np.exp([0.0, 2.0]), np.exp([4.0, 6.0]))

    assert ShrunkOrderValue().fit(*given).m == pytest.approx(2 / 7)


def test_the_weight_of_a_known_truth_is_recovered():
    rng = np.random.default_rng(4)
    customers = [
        np.exp(rng.normal(rng.normal(3.0, 0.5), 1.0, size=1 + rng.poisson(3))) for _ in range(4000)
    ]

    assert ShrunkOrderValue().fit(*sums(*customers)).m == pytest.approx(1.0 / 0.25, rel=0.1)


@pytest.mark.parametrize(
    ("customers", "why"),
    [
        ([[10.0], [20.0], [30.0]], "nobody has two orders to compare"),
        ([[10.0, 20.0]], "nobody to compare with"),
        ([[10.0, 20.0], [20.0, 10.0], [10.0, 20.0]], "customers do not differ"),
    ],
)
def test_where_customers_cannot_be_told_apart_the_prior_weighs_the_most(customers, why):
    assert ShrunkOrderValue().fit(*sums(*customers)).m == 20.0, why


def test_customers_who_always_pay_the_same_are_believed():
    fitted = ShrunkOrderValue().fit(*sums([10.0, 10.0], [20.0, 20.0], [40.0, 40.0]))

    given = fitted.expected_order_value([2, 0], [20.0, 0.0])

    assert given == pytest.approx([10.0, 70 / 3], rel=1e-5)


def test_customers_without_orders_do_not_move_the_fit():
    orders, total, logs, squares = sums([10.0, 20.0], [100.0, 150.0])
    fitted = ShrunkOrderValue().fit(orders, total, logs, squares)

    padded = [[*column, 0.0] for column in (orders, total, logs, squares)]

    assert ShrunkOrderValue().fit(*padded) == fitted


@pytest.mark.parametrize(
    "model",
    [GammaGamma(6.0, 4.0, 15.0), ShrunkOrderValue(30.0, 2.0)],
    ids=["gamma_gamma", "shrunk"],
)
def test_a_model_comes_back_from_json_as_it_was(model):
    assert type(model).from_dict(json.loads(json.dumps(model.to_dict()))) == model


@pytest.mark.parametrize("kind", [GammaGamma, ShrunkOrderValue])
def test_a_model_without_parameters_says_so(kind):
    with pytest.raises(NotFittedError, match=f"This {kind.__name__} has no parameters yet"):
        kind().expected_order_value([1], [10.0])


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(UserError, match="none of them has an order worth more than 0"):
        GammaGamma().fit([0, 1], [0.0, 0.0])
    with pytest.raises(UserError, match="but none of them has an order"):
        ShrunkOrderValue().fit([0], [0.0], [0.0], [0.0])


@pytest.mark.parametrize(
    ("orders", "values", "match"),
    [
        ([1, 2], [10.0], r"shape \(2,\) came with values of shape \(1,\)"),
        ([1], [np.nan], "missing or infinite"),
        ([-1], [10.0], "An order count is negative"),
    ],
)
def test_impossible_orders_are_refused(orders, values, match):
    with pytest.raises(UserError, match=match):
        ShrunkOrderValue(30.0, 2.0).expected_order_value(orders, values)
