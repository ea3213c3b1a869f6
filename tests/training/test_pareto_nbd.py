import numpy as np
import pytest
from scipy.special import gammaln, hyp2f1
from scipy.stats import chi2

from tests.training.cdnow_weeks import HOLDOUT_DAYS, log_likelihood_in_weeks, sample_weeks
from tests.training.simulated_customers import simulate
from training import metrics
from training.models.pareto_nbd import ParetoNBD
from training.models.purchase_history import PurchaseHistory


@pytest.fixture(scope="module")
def cdnow_model():
    return ParetoNBD().fit(sample_weeks().history)


def test_the_fit_to_cdnow_is_the_published_one(cdnow_model):
    fitted = [cdnow_model.r, cdnow_model.alpha / 7, cdnow_model.s, cdnow_model.beta / 7]

    assert fitted == pytest.approx([0.553, 10.578, 0.606, 11.669], abs=6e-4)
    history = sample_weeks().history
    assert log_likelihood_in_weeks(cdnow_model, history) == pytest.approx(-9595.0, abs=0.05)


def test_the_forecast_of_cdnows_holdout_is_as_good_as_measured_elsewhere(cdnow_model):
    weeks = sample_weeks()
    actual, forecast = weeks.holdout_orders, cdnow_model.expected_orders(weeks.history, 273)

    assert metrics.mae(actual, forecast) == pytest.approx(0.755, abs=6e-4)
    assert metrics.rmse(actual, forecast) == pytest.approx(1.603, abs=6e-4)
    assert metrics.total_bias(actual, forecast) == pytest.approx(-0.115, abs=6e-4)
    assert metrics.spearman(actual, forecast) == pytest.approx(0.460, abs=6e-4)
    assert metrics.normalized_gini(actual, forecast) == pytest.approx(0.673, abs=6e-4)
    share = forecast / forecast.max()  # the published AUC ranks by expected orders
    assert metrics.roc_auc(actual > 0, share) == pytest.approx(0.7787, abs=1e-4)


def test_the_chance_of_an_order_in_cdnows_holdout_beats_the_base_rate(cdnow_model):
    weeks = sample_weeks()
    bought = weeks.holdout_orders > 0

    chance = cdnow_model.probability_of_order(weeks.history, HOLDOUT_DAYS)

    assert metrics.roc_auc(bought, chance) > 0.77
    assert metrics.brier(bought, chance) < 0.80 * bought.mean() * (1 - bought.mean())


def test_a_published_customer():
    # Customer 1516 of CDNOW in the walkthrough of the R package BTYD, in weeks.
    model = ParetoNBD(r=0.5534, alpha=10.578, s=0.6062, beta=11.669)
    customer = PurchaseHistory([26], [30.86], [31])

    assert model.expected_orders(customer, 52) == pytest.approx(25.46, abs=0.005)
    assert model.probability_alive(customer) == pytest.approx(0.9979, abs=5e-5)


def test_a_customer_of_today_is_expected_to_buy_like_the_average_newcomer():
    model = ParetoNBD(r=0.5534, alpha=10.578, s=0.6062, beta=11.669)

    newcomer = PurchaseHistory([0], [0], [0])

    assert model.expected_orders(newcomer, 52) == pytest.approx(1.473, abs=1e-3)
    assert model.probability_alive(newcomer) == 1.0


@pytest.mark.parametrize(("alpha", "beta"), [(10.6, 11.7), (11.7, 10.6), (7.0, 7.0)])
def test_the_likelihood_is_the_papers_with_its_2f1(alpha, beta):
    r, s, x, t_x, T = 0.55, 0.61, 3.0, 14.0, 30.0

    given = ParetoNBD(r, alpha, s, beta).log_likelihood(PurchaseHistory([x], [t_x], [T]))

    def a_part(t):
        if alpha >= beta:
            shape, gap, base = s + 1, alpha - beta, alpha + t
        else:
            shape, gap, base = r + x, beta - alpha, beta + t
        return hyp2f1(r + s + x, shape, r + s + x + 1, gap / base) / base ** (r + s + x)

    papers = (
        gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        + np.log(
            (alpha + T) ** -(r + x) * (beta + T) ** -s
            + s / (r + s + x) * (a_part(t_x) - a_part(T))
        )
    )  # fmt: skip
    assert given == pytest.approx(papers, abs=1e-10)


def test_expected_orders_pass_through_s_of_one_without_a_hole():
    customers = PurchaseHistory([0, 4], [0, 50], [10, 60])

    below, at, above = (
        ParetoNBD(0.6, 40, s, 60).expected_orders(customers, 365) for s in (0.999, 1.0, 1.001)
    )

    assert at == pytest.approx((below + above) / 2, rel=1e-5)


def test_the_fit_recovers_a_known_truth():
    truth = ParetoNBD(r=0.8, alpha=30, s=0.7, beta=80)
    history, _ = simulate(truth, customers=8_000, horizon_days=1, seed=5)

    fitted = ParetoNBD().fit(history)

    assert [fitted.r, fitted.alpha] == pytest.approx([0.8, 30], rel=0.12)
    assert fitted.s / fitted.beta == pytest.approx(0.7 / 80, rel=0.25)
    gain = fitted.log_likelihood(history) - truth.log_likelihood(history)
    assert 0 <= 2 * gain < chi2.ppf(0.999, df=4)  # the truth is as likely as it should be
