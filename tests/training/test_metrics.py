import numpy as np
import pytest

from features.errors import UserError
from training import metrics
from training.metrics import CHURN_METRICS, HIGHER_IS_BETTER, TYPE_METRICS, VALUE_METRICS


def test_log_loss_is_the_mean_surprise():
    given = metrics.log_loss([1, 0], [0.8, 0.5])

    assert given == pytest.approx(-(np.log(0.8) + np.log(0.5)) / 2)


def test_log_loss_of_a_sure_and_wrong_forecast_is_large_but_finite():
    assert 30 < metrics.log_loss([1], [0.0]) < 40


def test_brier_is_the_mean_squared_error():
    assert metrics.brier([1, 0], [0.8, 0.5]) == pytest.approx((0.04 + 0.25) / 2)


def test_roc_auc_counts_pairs_in_the_right_order_and_ties_half():
    # Pairs (event, non-event): .9 > .5, .9 > .1, .5 = .5, .5 > .1
    assert metrics.roc_auc([1, 1, 0, 0], [0.9, 0.5, 0.5, 0.1]) == 3.5 / 4


def test_pr_auc_is_the_precision_at_each_event():
    # Falling score: event (1 of 1), non-event, event (2 of 3)
    assert metrics.pr_auc([1, 0, 1], [0.9, 0.8, 0.7]) == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize("happened", [[0, 0], [1, 1]])
def test_a_ranking_of_one_class_is_not_a_number(happened):
    assert np.isnan(metrics.roc_auc(happened, [0.1, 0.2]))
    assert np.isnan(metrics.pr_auc(happened, [0.1, 0.2]))


def test_calibration_error_is_the_gap_of_equal_bins():
    # Two bins of two rows: mean forecast .1 and .8, rate 0 and .5.
    given = metrics.expected_calibration_error([0, 0, 1, 0], [0.05, 0.15, 0.7, 0.9], bins=2)

    assert given == pytest.approx((0.1 + 0.3) / 2)


def test_calibration_keeps_equal_probabilities_in_one_bin():
    # Nine rows tie at .2, of which three happen: one gap of |.3333 - .2|, weighed by its nine rows.
    happened = [1, 1, 1, 0, 0, 0, 0, 0, 0, 1]

    given = metrics.expected_calibration_error(happened, [0.2] * 9 + [1.0])

    assert given == pytest.approx(0.9 * (1 / 3 - 0.2))


def test_lift_is_the_rate_at_the_top_over_the_rate_of_all():
    happened, risk = [1, 0, 1, 0, 0, 0, 0, 0, 0, 0], np.linspace(0.9, 0.0, 10)

    assert metrics.lift(happened, risk, share=0.1) == pytest.approx(1.0 / 0.2)
    assert metrics.lift(happened, risk, share=0.2) == pytest.approx(0.5 / 0.2)
    assert metrics.lift(happened, risk, share=0.15) == pytest.approx((1 / 1.5) / 0.2)  # half a row
    assert metrics.lift(happened, risk, share=1.0) == pytest.approx(1.0)


def test_lift_without_an_event_is_not_a_number():
    assert np.isnan(metrics.lift([0, 0], [0.1, 0.2]))


def test_total_bias_is_what_the_sum_is_off():
    assert metrics.total_bias([10, 30], [20, 10]) == pytest.approx(-0.25)


def test_mae_and_rmse():
    assert metrics.mae([0, 0], [3, -4]) == pytest.approx(3.5)
    assert metrics.rmse([0, 0], [3, -4]) == pytest.approx(np.sqrt(12.5))


def test_spearman_sees_the_order_only():
    assert metrics.spearman([1, 2, 3], [1, 10, 1000]) == pytest.approx(1.0)
    assert metrics.spearman([1, 2, 3], [2, 1, 3]) == pytest.approx(0.5)
    assert np.isnan(metrics.spearman([1, 2, 3], [7, 7, 7]))
    assert np.isnan(metrics.spearman([7, 7], [1, 2]))


def test_normalized_gini_is_the_area_against_the_best_area():
    # Cumulative shares: forecast order .25, 1, 1; best order .75, 1, 1.
    forecast_area, best_area = 2.25 / 3 - 0.5, 2.75 / 3 - 0.5

    given = metrics.normalized_gini([10, 30, 0], [3, 2, 1])

    assert given == pytest.approx(forecast_area / best_area)
    assert np.isnan(metrics.normalized_gini([0, 0], [1, 2]))


def test_capture_is_the_share_of_the_value_at_the_top():
    actual, forecast = [50, 0, 30, 20, 0], [5, 4, 3, 2, 1]

    assert metrics.capture(actual, forecast, share=0.2) == pytest.approx(0.5)
    assert metrics.capture(actual, forecast, share=0.6) == pytest.approx(0.8)
    assert np.isnan(metrics.capture([0, 0], [1, 2]))


def test_decile_error_is_the_mean_relative_gap():
    # Ten rows are ten deciles; one forecast is half too high, one is double.
    actual = np.arange(1.0, 11.0)
    forecast = actual * np.array([1, 1, 1, 1, 1, 1, 1, 1, 1.5, 2.0])

    assert metrics.decile_error(actual, forecast) == pytest.approx((0.5 + 1.0) / 10)


def test_a_decile_in_which_nothing_was_bought_is_wholly_wrong_or_wholly_right():
    actual = np.array([0.0, 0, 0, 0, 0, 10, 10, 10, 10, 10])

    assert metrics.decile_error(actual, np.array([0.0] * 5 + [10.0] * 5)) == 0.0
    # Two groups of ties: the five forecasts of 5 meet nothing, those of 10 are right.
    assert metrics.decile_error(actual, np.array([5.0] * 5 + [10.0] * 5)) == pytest.approx(0.5)


def test_coverage_counts_both_ends():
    assert metrics.coverage([1, 2, 3, 4], low=[1, 0, 4, 4], high=[2, 2, 5, 4]) == 0.75


def test_an_interval_that_ends_before_it_begins_is_refused():
    with pytest.raises(UserError, match="1 of them end below their beginning"):
        metrics.coverage([1, 2], low=[0, 3], high=[2, 1])


def test_log_loss_gain_is_measured_against_the_mix_of_types():
    labels = [0, 0, 0, 1]
    prior = np.tile([0.75, 0.25], (4, 1))
    better = np.array([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])

    assert metrics.log_loss_gain(labels, prior) == pytest.approx(0.0)
    loss = -(3 * np.log(0.9) + np.log(0.6)) / 4
    prior_loss = -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    assert metrics.log_loss_gain(labels, better) == pytest.approx(1 - loss / prior_loss)
    assert np.isnan(metrics.log_loss_gain([1, 1], prior[:2]))


def test_type_metrics_are_those_of_each_type_against_the_rest():
    labels, p = [0, 1, 1], np.array([[0.6, 0.4, 0.0], [0.3, 0.7, 0.0], [0.7, 0.2, 0.1]])

    first, second = metrics.roc_auc([1, 0, 0], p[:, 0]), metrics.roc_auc([0, 1, 1], p[:, 1])
    assert metrics.type_roc_auc(labels, p) == pytest.approx((first + second) / 2)  # none of type 2
    assert metrics.type_brier(labels, p) == pytest.approx(
        (0.16 + 0.09 + 0.49 + 0.16 + 0.09 + 0.64 + 0.01) / 3
    )
    assert metrics.type_log_loss(labels, p) == pytest.approx(-np.log(0.6 * 0.7 * 0.2) / 3)
    rates = [[1, 0, 0], [0, 1, 1], [0, 0, 0]]
    gaps = [metrics.expected_calibration_error(y, q) for y, q in zip(rates, p.T, strict=True)]
    assert metrics.type_calibration_error(labels, p) == pytest.approx(np.mean(gaps))
    assert np.isnan(metrics.type_roc_auc([1, 1], p[:2]))


def test_the_losses_of_rows_have_the_log_loss_as_mean_and_an_end():
    y, p = [1, 0, 1], [0.8, 0.5, 0.9]
    assert metrics.log_losses(y, p).mean() == pytest.approx(metrics.log_loss(y, p))
    assert metrics.log_losses([1], [0.0])[0] == pytest.approx(-np.log(metrics.LEAST_CHANCE))


def test_equal_scores_stay_in_one_bin_and_empty_bins_are_left_out():
    assert metrics.equal_bins([0.1, 0.2, 0.3, 0.4], bins=2).tolist() == [0, 0, 1, 1]
    assert metrics.equal_bins([0.1, 0.3, 0.3, 0.3], bins=4).tolist() == [0, 1, 1, 1]


def goodness(name, value):
    """Larger is better; a bias is as bad below 0 as above."""
    return value if name in HIGHER_IS_BETTER else -abs(value)


RNG = np.random.default_rng(11)
HAPPENED = (RNG.random(400) < 0.3).astype(float)
SPENT = np.where(RNG.random(400) < 0.4, RNG.gamma(0.7, 80, 400), 0.0)
TYPES = RNG.integers(0, 4, 400)


@pytest.mark.parametrize("name", CHURN_METRICS)
def test_no_forecast_beats_the_perfect_one_in_a_churn_metric(name):
    metric = CHURN_METRICS[name]
    perfect = goodness(name, metric(HAPPENED, HAPPENED))

    for noise in (0.2, 0.5, 1.0):
        forecast = (1 - noise) * HAPPENED + noise * RNG.random(400)
        assert goodness(name, metric(HAPPENED, forecast)) <= perfect
    assert goodness(name, metric(HAPPENED, 1 - HAPPENED)) < perfect


@pytest.mark.parametrize("name", VALUE_METRICS)
def test_no_forecast_beats_the_perfect_one_in_a_value_metric(name):
    metric = VALUE_METRICS[name]
    perfect = goodness(name, metric(SPENT, SPENT))

    for noise in (0.2, 0.5, 1.0):
        forecast = SPENT * RNG.lognormal(sigma=noise, size=400) + noise * RNG.random(400)
        assert goodness(name, metric(SPENT, forecast)) <= perfect
    assert goodness(name, metric(SPENT, 2 * SPENT.max() - 2 * SPENT)) < perfect


@pytest.mark.parametrize("name", TYPE_METRICS)
def test_no_forecast_beats_the_perfect_one_in_a_type_metric(name):
    metric = TYPE_METRICS[name]
    truth = np.eye(4)[TYPES]
    perfect = goodness(name, metric(TYPES, truth))

    for noise in (0.2, 0.5, 1.0):
        forecast = (1 - noise) * truth + noise * RNG.dirichlet(np.ones(4), 400)
        assert goodness(name, metric(TYPES, forecast)) <= perfect
    assert goodness(name, metric(TYPES, np.eye(4)[(TYPES + 1) % 4])) < perfect


@pytest.mark.parametrize("name", [*CHURN_METRICS, *VALUE_METRICS])
def test_no_metric_depends_on_the_order_of_the_rows(name):
    metric = (CHURN_METRICS | VALUE_METRICS)[name]
    coarse = np.round(0.5 * HAPPENED + 0.5 * RNG.random(400), 1)  # many ties
    order = RNG.permutation(400)

    assert metric(HAPPENED, coarse) == pytest.approx(metric(HAPPENED[order], coarse[order]))


@pytest.mark.parametrize("name", [*CHURN_METRICS, *VALUE_METRICS])
@pytest.mark.parametrize(
    ("actual", "forecast", "match"),
    [
        ([], [], r"shape \(0,\).*at least one of both"),
        ([1, 0], [0.5], r"actuals of shape \(2,\) and forecasts of shape \(1,\)"),
        ([1, 0], [0.5, np.nan], "2 rows, but 1 of them have a missing or infinite value"),
    ],
)
def test_rows_that_cannot_be_scored_are_refused(name, actual, forecast, match):
    with pytest.raises(UserError, match=match):
        (CHURN_METRICS | VALUE_METRICS)[name](actual, forecast)


@pytest.mark.parametrize("name", CHURN_METRICS)
@pytest.mark.parametrize(("happened", "p"), [([2, 0], [0.5, 0.5]), ([1, 0], [1.1, 0.5])])
def test_what_is_no_probability_is_refused(name, happened, p):
    with pytest.raises(UserError, match="Give what happened first, the probability of it second"):
        CHURN_METRICS[name](happened, p)


@pytest.mark.parametrize("name", TYPE_METRICS)
@pytest.mark.parametrize(
    ("labels", "p", "match"),
    [
        ([], np.empty((0, 2)), "Give one label 0, 1, ... for each row"),
        ([0, 2], [[0.5, 0.5], [0.5, 0.5]], "Give one label 0, 1, ... for each row"),
        ([0, 1], [[0.5, 0.5], [0.5, 0.6]], "do not sum to 1 in every row"),
        ([0, 1], [[0.5, 0.5], [-0.1, 1.1]], "missing, negative"),
        ([0, 1], [[0.5, 0.5], [np.nan, 1.0]], "missing, negative"),
    ],
)
def test_types_that_cannot_be_scored_are_refused(name, labels, p, match):
    with pytest.raises(UserError, match=match):
        TYPE_METRICS[name](labels, p)


def test_a_share_of_nothing_is_refused():
    with pytest.raises(UserError) as refusal:
        metrics.lift([1, 0], [0.5, 0.2], share=0.0)

    assert str(refusal.value) == (
        "The top 0.0 of the rows was asked for. Give a share above 0, up to 1."
    )
