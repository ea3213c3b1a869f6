"""The reasons of a churn probability: for those who have one, in the order of the rows."""

from features.columns import Columns
from serving import reasons
from serving.policy import POLICY
from serving.score import score_columns
from tests.serving import stub_models


def test_only_who_can_leave_has_reasons():
    rows = stub_models.rows({"recency": 10.0}, {"recency": 400.0}, {"recency": 20.0})
    models = stub_models.models()
    found = reasons.factors(score_columns(Columns.of(rows), models, POLICY), models)
    assert [len(few) for few in found] == [2, 0, 2]
    assert found[0] == stub_models.FACTORS


def test_many_are_explained_a_part_at_a_time_and_stay_in_order(monkeypatch):
    monkeypatch.setattr(reasons, "_CHUNK", 2)
    models = stub_models.models()
    models.explain = lambda forecast, most: [[who] for who in forecast.columns["customer_id"]]
    scored = score_columns(Columns.of(stub_models.rows(*[{}] * 5)), models, POLICY)
    found = reasons.factors(scored, models)
    assert found == [["C0"], ["C1"], ["C2"], ["C3"], ["C4"]]


def test_reasons_in_words_name_the_feature_and_its_effect():
    assert reasons.in_words(stub_models.FACTORS) == (
        "Complaints not yet closed: 1 (+12 points); Chance by the rhythm alone: 0.7 (-5 points)"
    )
    assert reasons.in_words([]) is None
