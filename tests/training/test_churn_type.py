"""Why customers leave: the rules by example, and the model on leavers whose cause is known."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from tests.training import known_truth
from training.models import churn_type
from training.models.churn_type import (
    TOLD_SHARE,
    ChurnType,
    causes,
    evidence,
    knows_payments,
    told,
)
from training.tasks import CHURN_TYPES, PASSIVE_TYPES

ACTIVE_CAUSES = ("natural", "competitive", "fault")
FEATURES = [*known_truth.leavers(1).columns.drop(
    ["customer_id", "bought", "weight", "cause", "closure_reason"])]  # fmt: skip


def leaver(*signs, reason=None):
    """The cause of one leaver who shows some signs."""
    rows = known_truth.leavers(1, shown=0.0)
    rows[list(signs)] = 1.0
    return causes(rows, pd.Series([reason], dtype=object))[0]


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ((), "fault"),  # the residual of voluntary churn
        (("count_complaint_90d",), "fault"),
        (("count_price_check_90d",), "competitive"),
        (("count_competitor_mention_90d", "count_complaint_90d"), "competitive"),
        (("count_life_event_90d", "count_price_check_90d"), "natural"),
        (("payments_failed_unrecovered", "count_life_event_90d"), "non_malicious"),
        (("open_complaints", "count_complaint_90d"), "fault"),
        (("complaints_at_refusal", "count_chargeback_90d"), "retaliatory"),
        (("complaints_at_refusal", "payments_failed_unrecovered"), "retaliatory"),
        # Complained only after he had refused: the order is asked.
        (("open_complaints", "count_complaint_90d", "count_chargeback_90d"), "fault"),
        (("open_complaints", "payments_failed_unrecovered"), "non_malicious"),
        (("complaints_at_refusal",), "fault"),  # it was paid in the end
        (("count_chargeback_90d",), "fault"),  # without a complaint it is no retaliation
        (("count_fraud_flag_365d", "complaints_at_refusal", "count_chargeback_90d"), "malicious"),
        (("fraud_chargebacks_365d", "count_chargeback_90d"), "malicious"),
    ],
)  # fmt: skip
def test_the_first_sign_in_the_order_of_precedence_names_the_cause(signs, expected):
    assert leaver(*signs) == expected


@pytest.mark.parametrize(
    ("answer", "expected"), [(0.4, "retaliatory"), (0.41, "non_malicious"), (None, "non_malicious")]
)
def test_who_rated_us_two_of_five_before_he_refused_retaliates(answer, expected):
    rows = known_truth.leavers(1, shown=0.0).assign(survey_lowest_at_refusal=answer)
    rows["payments_failed_unrecovered"] = 1.0
    assert causes(rows, pd.Series([None], dtype=object))[0] == expected


@pytest.mark.parametrize(
    ("paid", "due", "expected"),
    [
        (0.0, 1.0, "malicious"),
        (0.0, 0.0, "non_malicious"),  # nothing has been due long enough
        (1.0, 2.0, "non_malicious"),
        (None, 0.0, "non_malicious"),
    ],
)
def test_who_never_paid_what_fell_due_is_malicious(paid, due, expected):
    rows = known_truth.leavers(1, shown=0.0).assign(ever_paid=paid, payments_fell_due=due)
    rows["payments_failed_unrecovered"] = 1.0
    assert causes(rows, pd.Series([None], dtype=object))[0] == expected


def test_a_forgotten_payment_is_none_that_was_refused_or_a_fraud():
    rows = known_truth.leavers(3, shown=0.0).assign(payments_failed_unrecovered=1.0)
    rows["complaints_at_refusal"], rows["count_fraud_flag_365d"] = [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]
    assert evidence(rows).non_malicious.tolist() == [True, False, False]


def test_a_given_reason_beats_the_rules_if_it_is_one_of_the_six():
    assert leaver("count_fraud_flag_365d", reason="natural") == "natural"
    assert leaver("count_fraud_flag_365d", reason="moved house") == "malicious"


def closed(**days):
    """One customer, last seen buying 20 days ago, with the days since the closures he has told."""
    columns = {f"days_since_closure_{cause}": np.nan for cause in CHURN_TYPES}
    given = {f"days_since_closure_{cause}": float(ago) for cause, ago in days.items()}
    return pd.DataFrame([{"recency": 20.0} | columns | given])


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ({}, None),
        ({"fault": 5}, "fault"),
        ({"fault": 20}, "fault"),
        ({"fault": 21}, None),  # has bought again since
        ({"fault": 9, "natural": 3}, "natural"),  # the newest
        ({"fault": 3, "natural": 3}, "natural"),  # of one day, the first of the six
    ],
)
def test_a_reason_is_told_by_the_newest_closure_since_the_last_purchase(days, expected):
    assert told(closed(**days))[0] == expected


def test_without_closures_no_reason_is_told():
    assert told(pd.DataFrame({"recency": [1.0, 2.0]})).isna().all()


def test_without_interactions_nobody_shows_a_sign():
    shown = evidence(pd.DataFrame({"recency": [1.0, 2.0]}))
    assert list(shown.columns) == list(CHURN_TYPES)
    assert not shown.any(axis=None)


def test_payments_are_known_from_the_first_payment_event():
    rows = known_truth.leavers(3, causes=ACTIVE_CAUSES)
    assert not knows_payments(rows)
    assert knows_payments(rows.assign(count_payment_due_365d=[0.0, 1.0, 0.0]))
    assert not knows_payments(pd.DataFrame({"recency": [1.0]}))


@pytest.fixture(scope="module")
def by_trees():
    return ChurnType.fit(known_truth.leavers(800, seed=1), FEATURES)


def loss(shares, truth):
    return float(-np.mean([np.log(row[cause]) for row, cause in zip(
        shares.to_dict("records"), truth, strict=True)]))  # fmt: skip


def test_shares_sum_to_one(by_trees):
    shares = by_trees.predict(known_truth.leavers(200, seed=2))
    assert list(shares.columns) == list(CHURN_TYPES)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert (shares > 0).all(axis=None)


def test_on_other_leavers_it_beats_the_shares_of_the_whole_business(by_trees):
    others = known_truth.leavers(400, seed=2)
    assert by_trees.source == "model"
    prior = pd.DataFrame([by_trees.shares] * len(others))
    assert loss(by_trees.predict(others), others.cause) < 0.7 * loss(prior, others.cause)


def test_when_the_signs_say_nothing_it_is_hardly_worse_than_the_shares():
    given = known_truth.leavers(800, seed=1, shown=0.0)
    others = known_truth.leavers(400, seed=2, shown=0.0)
    model = ChurnType.fit(given, FEATURES)
    prior = pd.DataFrame([model.shares] * len(others))
    assert loss(model.predict(others), others.cause) < 1.03 * loss(prior, others.cause)


def told_before(rows):
    """The same leavers, who told their causes before the cut-off instead of after it."""
    days = {f"days_since_closure_{c}": np.where(rows.cause == c, 0.0, np.nan) for c in CHURN_TYPES}
    return rows.assign(closure_reason=None, **days)


def test_who_has_told_the_reason_has_it_and_needs_no_forecast(by_trees):
    shares = by_trees.predict(told_before(known_truth.leavers(50, seed=2, shown=0.0)))
    assert shares.max(axis=1).to_numpy() == pytest.approx(TOLD_SHARE)
    assert (shares.idxmax(axis=1) == known_truth.leavers(50, seed=2, shown=0.0).cause).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)


def test_who_told_before_teaches_about_those_who_leave_in_silence(by_trees):
    before = told_before(known_truth.leavers(800, seed=1))
    model = ChurnType.fit(before, [*FEATURES, *before.filter(like="days_since_closure").columns])
    others = known_truth.leavers(400, seed=2)
    assert model.shares == by_trees.shares
    assert not any("closure" in column for column in model.design.columns)
    assert_frame_equal(model.predict(others), by_trees.predict(others))


@pytest.mark.parametrize(("labels", "source"), [(99, "rules"), (100, "model")])
def test_too_few_reasons_mean_rules_only(labels, source):
    assert churn_type.LEAST_LABELS == 100
    rows = known_truth.leavers(150, seed=3)
    rows.loc[labels:, "closure_reason"] = None
    model = ChurnType.fit(rows, FEATURES)
    assert (model.source, model.booster is None) == (source, source == "rules")


def test_the_rules_raise_the_cause_that_shows():
    model = ChurnType.fit(known_truth.leavers(300, seed=3, reasons=False), FEATURES)
    assert model.source == "rules"
    silent, shown = known_truth.leavers(2, shown=0.0), known_truth.leavers(2, shown=0.0)
    shown["count_life_event_90d"] = [0.0, 1.0]
    assert model.predict(silent).iloc[1].to_dict() == pytest.approx(model.shares)
    raised = model.predict(shown).iloc[1]
    assert raised.natural > 1.5 * model.shares["natural"]
    assert all(raised[cause] < share for cause, share in model.shares.items() if cause != "natural")


@pytest.mark.parametrize("reasons", [True, False], ids=["model", "rules"])
def test_without_payments_the_passive_causes_are_null_and_the_others_sum_to_one(reasons):
    rows = known_truth.leavers(300, seed=4, causes=ACTIVE_CAUSES, reasons=reasons)
    shares = ChurnType.fit(rows, FEATURES).predict(rows)
    assert shares[list(PASSIVE_TYPES)].isna().all(axis=None)
    np.testing.assert_allclose(shares[list(ACTIVE_CAUSES)].sum(axis=1), 1.0)


def test_without_a_leaver_all_causes_are_as_likely():
    rows = known_truth.leavers(50, causes=ACTIVE_CAUSES).assign(bought=1.0)
    assert ChurnType.fit(rows, FEATURES).shares == pytest.approx(
        dict.fromkeys(ACTIVE_CAUSES, 1 / 3)
    )


def test_only_leavers_teach():
    rows = known_truth.leavers(300, seed=4)
    stayers = rows.assign(bought=1.0, closure_reason="malicious", customer_id="S")
    both = pd.concat([rows, stayers], ignore_index=True)
    assert ChurnType.fit(both, FEATURES).shares == ChurnType.fit(rows, FEATURES).shares


@pytest.mark.parametrize("reasons", [True, False], ids=["model", "rules"])
def test_saved_and_loaded_it_is_the_same(reasons, tmp_path):
    rows = known_truth.leavers(200, seed=5, reasons=reasons)
    model = ChurnType.fit(rows, FEATURES)
    model.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == (
        {".json", ".ubj"} if reasons else {".json"}
    )
    again = ChurnType.load(tmp_path)
    assert (again.source, again.shares) == (model.source, model.shares)
    assert_frame_equal(again.predict(rows), model.predict(rows), check_exact=True)
