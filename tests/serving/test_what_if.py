"""Other values for some features of a customer: nothing else changes, and nothing is stored."""

import pytest

ONE = "C000005"


def ask(service, overrides=None, customer_ids=(ONE,)):
    body = {"customer_ids": list(customer_ids)} | ({"overrides": overrides} if overrides else {})
    return service.post("/score", json=body)


def scores(service, overrides=None, customer_ids=(ONE,)):
    answer = ask(service, overrides, customer_ids)
    assert answer.status_code == 200, answer.text
    return answer.json()["scores"]


def test_a_complaint_that_is_settled_is_another_chance(service):
    (now,) = scores(service)
    (quiet,) = scores(service, {ONE: {"count_complaint_90d": 0, "open_complaints": 0}})
    (loud,) = scores(service, {ONE: {"count_complaint_90d": 3, "open_complaints": 2}})
    assert loud["what_if"] == ["count_complaint_90d", "open_complaints"]
    assert "a complaint" in loud["churn"]["evidence"]
    assert "a complaint" not in quiet["churn"]["evidence"]
    (after,) = scores(service)
    assert {**after, "request_id": ""} == {**now, "request_id": ""}
    assert now["what_if"] == []


def test_only_the_customer_it_is_for_is_changed(service):
    before = scores(service, None, [ONE, "C000007"])
    first, other = scores(service, {ONE: {"spend_total": 1e6}}, [ONE, "C000007"])
    assert first["clv"]["historical"] == 1e6
    assert {**other, "request_id": ""} == {**before[1], "request_id": ""}


def test_a_value_may_be_taken_away(service):
    (found,) = scores(service, {ONE: {"survey_mean": None, "profile_region": None}})
    assert {"survey_mean", "profile_region"} <= set(found["what_if"])


@pytest.mark.parametrize(
    ("overrides", "where", "what"),
    [
        ({ONE: {"favourite_color": 1}}, ["overrides", ONE, "favourite_color"], "no such feature"),
        ({ONE: {"recency": "long"}}, ["overrides", ONE, "recency"], "is a number"),
        ({ONE: {"profile_region": 5}}, ["overrides", ONE, "profile_region"], "is a text"),
        ({ONE: {"purchase_days_total": 2.5}}, ["overrides"], "no whole number"),
        ({"C000007": {"recency": 5}}, [], "not in customer_ids"),
    ],
)
def test_what_cannot_be_is_told_where(service, overrides, where, what):
    answer = ask(service, overrides)
    assert answer.status_code == 400
    (detail,) = answer.json()["detail"]
    assert detail["loc"] == where
    assert what in detail["msg"]
