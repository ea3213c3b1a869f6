import numpy as np
import pytest
from scipy.special import hyp2f1
from scipy.stats import chi2

from features.errors import UserError
from tests.training.cdnow_weeks import HOLDOUT_DAYS, log_likelihood_in_weeks, sample_weeks
from tests.training.simulated_customers import simulate
from training import metrics
from training.models.bg_nbd import BetaGeometricNBD, ModifiedBetaGeometricNBD
from training.models.purchase_history import PurchaseHistory


@pytest.fixture(scope="module")
def cdnow_model():
    return BetaGeometricNBD().fit(sample_weeks().history)


def test_the_fit_to_cdnow_is_the_published_one(cdnow_model):
    fitted = [cdnow_model.r, cdnow_model.alpha / 7, cdnow_model.a, cdnow_model.b]

    assert fitted == pytest.approx([0.243, 4.414, 0.793, 2.426], abs=6e-4)
    history = sample_weeks().history
    assert log_likelihood_in_weeks(cdnow_model, history) == pytest.approx(-9582.4, abs=0.05)


def test_the_forecast_of_cdnows_holdout_is_as_good_as_measured_elsewhere(cdnow_model):
    weeks = sample_weeks()
    actual = weeks.holdout_orders
    forecast = cdnow_model.expected_orders(weeks.history, HOLDOUT_DAYS)

    assert metrics.mae(actual, forecast) == pytest.approx(0.786, abs=6e-4)
    assert metrics.rmse(actual, forecast) == pytest.approx(1.608, abs=6e-4)
    assert metrics.total_bias(actual, forecast) == pytest.approx(-0.121, abs=6e-4)
    assert metrics.normalized_gini(actual, forecast) == pytest.approx(0.663, abs=6e-4)


def test_cdnow_is_bought_at_random_so_the_search_for_regularity_stays_at_one():
    # r, alpha, a, b as BTYDplus fits the MBG/NBD to the same weeks.
    fitted = ModifiedBetaGeometricNBD().fit(sample_weeks().history)

    assert fitted.k == 1
    params = [fitted.r, fitted.alpha / 7, fitted.a, fitted.b]
    assert params == pytest.approx([0.525, 6.183, 0.891, 1.614], abs=6e-4)


def test_regularity_and_parameters_of_a_known_truth_are_recovered():
    truth = ModifiedBetaGeometricNBD(r=0.85, alpha=12, a=0.79, b=2.42, k=3)
    history, _ = simulate(truth, customers=6_000, horizon_days=1, seed=2)

    fitted = ModifiedBetaGeometricNBD().fit(history)

    assert fitted.k == 3
    assert [fitted.r, fitted.alpha] == pytest.approx([0.85, 12], rel=0.12)
    assert fitted.a / (fitted.a + fitted.b) == pytest.approx(0.79 / (0.79 + 2.42), rel=0.15)
    gain = fitted.log_likelihood(history) - truth.log_likelihood(history)
    assert 0 <= 2 * gain < chi2.ppf(0.999, df=4)  # the truth is as likely as it should be


def test_a_given_regularity_is_kept():
    truth = ModifiedBetaGeometricNBD(r=0.85, alpha=12, a=0.79, b=2.42, k=3)
    history, _ = simulate(truth, customers=500, horizon_days=1)

    assert ModifiedBetaGeometricNBD(regularity=2).fit(history).k == 2


def test_a_published_customer():
    # Fader, Hardie, Lee (2005): two repeats by week 30.43, 1.226 more in the next 39 weeks.
    model = BetaGeometricNBD(r=0.243, alpha=4.414, a=0.793, b=2.426)

    orders = model.expected_orders(PurchaseHistory([2], [30.43], [38.86]), 39)

    assert orders == pytest.approx(1.226, abs=5e-4)


@pytest.mark.parametrize("kind", [BetaGeometricNBD, ModifiedBetaGeometricNBD])
def test_expected_orders_are_equation_10_with_its_2f1(kind):
    r, alpha, a, b, t = 0.243, 4.414, 0.793, 2.426, 39.0
    x, t_x, T = np.array([0.0, 2.0, 9.0]), np.array([0.0, 30.0, 20.0]), np.array([38.0, 39.0, 25.0])

    given = kind(r, alpha, a, b).expected_orders(PurchaseHistory(x, t_x, T), t)

    left = a / (b + x - 1) * ((alpha + T) / (alpha + t_x)) ** (r + x) * (x > 0)
    if kind is ModifiedBetaGeometricNBD:  # one more chance to leave, after the first purchase
        left = a / (b + x) * ((alpha + T) / (alpha + t_x)) ** (r + x)
        b += 1
    tail = hyp2f1(r + x, b + x, a + b + x - 1, t / (alpha + T + t))
    stay = ((alpha + T) / (alpha + T + t)) ** (r + x)
    assert given == pytest.approx((a + b + x - 1) / (a - 1) * (1 - stay * tail) / (1 + left))


def test_expected_orders_pass_through_a_of_one_without_a_hole():
    customers = PurchaseHistory([0, 4], [0, 50], [10, 60])

    below, at, above = (
        ModifiedBetaGeometricNBD(0.5, 40, a, 2).expected_orders(customers, 365)
        for a in (0.999, 1.0, 1.001)
    )

    assert at == pytest.approx((below + above) / 2, rel=1e-5)


def test_a_one_time_buyer_may_have_left_in_the_modified_model_only():
    once, long_ago = PurchaseHistory([0], [0], [0]), PurchaseHistory([0], [0], [3000])
    params = {"r": 0.5, "alpha": 40.0, "a": 0.9, "b": 1.6}
    plain, modified = BetaGeometricNBD(**params), ModifiedBetaGeometricNBD(**params)

    assert plain.probability_alive(long_ago) == 1.0
    assert modified.probability_alive(once) == pytest.approx(1.6 / (0.9 + 1.6))
    assert modified.probability_alive(long_ago) < 0.2


def test_a_regular_customer_who_is_late_is_sooner_given_up():
    params = {"r": 0.85, "alpha": 12.0, "a": 0.8, "b": 2.4}
    weekly_then_silent = PurchaseHistory([10], [70], [110], [10 * np.log(7)])

    random, regular = (ModifiedBetaGeometricNBD(**params, k=k) for k in (1, 4))

    assert regular.probability_alive(weekly_then_silent) < 0.01
    assert random.probability_alive(weekly_then_silent) > 0.1


def test_regularity_cannot_be_found_without_gaps():
    with pytest.raises(UserError) as refusal:
        ModifiedBetaGeometricNBD().fit(PurchaseHistory([2], [10], [20]))

    assert str(refusal.value) == (
        "The MBG/CNBD-k was asked to find the regularity k, but the histories have no log_gaps to "
        "see it in. Give log_gaps, or set regularity=1 for the MBG/NBD."
    )


def test_the_likelihood_of_a_regular_model_needs_gaps_but_its_forecast_does_not():
    model = ModifiedBetaGeometricNBD(r=0.85, alpha=12, a=0.8, b=2.4, k=2)
    customer = PurchaseHistory([2], [10], [20])

    with pytest.raises(
        UserError, match="regularity k = 2 was asked for, but the histories have no"
    ):
        model.log_likelihood(customer)
    assert model.expected_orders(customer, 30) > 0
