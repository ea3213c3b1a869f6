"""What the service answered, made again from what it kept."""

import time
from datetime import timedelta

import bentoml
import pytest

from features.errors import UserError
from serving import kept_answers, replay
from tests.serving.conftest import AS_OF, promote
from tests.waiting import PATIENCE

HIM, HER = "C000011", "C000012"


def ask(service, request_id, *customers, **more):
    body = {"customer_ids": list(customers), **more}
    answered = service.post("/score", json=body, headers={"x-request-id": request_id})
    assert answered.status_code == 200
    return answered.json()["scores"]


def kept(space, customer_id, request_id):
    """What is kept of an answer, once it is written."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for one in kept_answers.of_customer(space, customer_id):
            if one.request_id == request_id:
                return one
        time.sleep(0.1)
    return None


def test_an_answer_is_made_again_to_the_last_bit(service, served_workspace):
    (said,) = ask(service, "replay-1", HIM, explain=True)
    assert kept(served_workspace, HIM, "replay-1")
    found = replay.served(served_workspace, HIM, "replay-1")
    assert found.is_equal, found.in_words()
    assert found.remarks == ()
    one = kept(served_workspace, HIM, "replay-1")
    assert (
        dict(zip(kept_answers.FIGURES, one.figures, strict=True))["expected_value"]
        == (said["expected_value"])
    )
    assert said["factors"]  # which are in the digest


def test_it_is_the_same_after_new_events_and_other_models(service, promotable):
    ask(service, "replay-2", HER)
    assert kept(promotable, HER, "replay-2")
    happened = (AS_OF + timedelta(hours=1)).isoformat()
    event = {"customer_id": HER, "amount": 777.0, "happened_at": happened, "event_id": "replay-e"}
    assert service.post("/events", json={"transactions": [event]}).status_code == 200
    promote(promotable, "2")
    service.portal.call(bentoml.get_current_service()._following.look)
    ask(service, "replay-3", HER)
    later = kept(promotable, HER, "replay-3")
    assert later.content != kept(promotable, HER, "replay-2").content
    for request_id, version in (("replay-2", "1"), ("replay-3", "2")):
        found = replay.served(promotable, HER, request_id)
        assert found.is_equal, found.in_words()
        assert f'"churn": "{version}"' in kept(promotable, HER, request_id).setting
    assert replay.served(promotable, HER).about.endswith("(request replay-3)") or (
        kept(promotable, HER, "replay-3").served_at == kept(promotable, HER, "replay-2").served_at
    )


def test_what_was_tampered_with_is_told(service, served_workspace):
    ask(service, "replay-4", HIM)
    one = kept(served_workspace, HIM, "replay-4")
    figures = list(one.figures)
    figures[list(kept_answers.FIGURES).index("expected_value")] *= 1 + 4e-16
    found = replay._of_answers(served_workspace, [one._replace(figures=tuple(figures))])
    assert dict(found.counts) == {"expected_value": 1}
    found = replay._of_answers(served_workspace, [one._replace(digest=b"0" * 16)])
    assert dict(found.counts) == {"the rest of the answer": 1}


def test_questions_what_if_are_made_again_as_well(service, served_workspace):
    (said,) = ask(service, "replay-5", HIM, overrides={HIM: {"recency": 1.0}})
    assert kept(served_workspace, HIM, "replay-5")
    assert said["what_if"] == ["recency"]
    found = replay.served(served_workspace, HIM, "replay-5")
    assert found.is_equal, found.in_words()


def test_the_score_of_a_profile_is_made_again(service, served_workspace):
    headers = {"x-request-id": "replay-12"}
    told = service.post("/profile", json={"customer_id": HIM}, headers=headers).json()
    assert kept(served_workspace, HIM, "replay-12")
    found = replay.served(served_workspace, HIM, "replay-12")
    assert found.is_equal, found.in_words()
    assert told["score"]["request_id"] == "replay-12"


def give(service, request_id, *rows, **more):
    body = {"rows": list(rows), **more}
    headers = {"x-request-id": request_id}
    answered = service.post("/score_features", json=body, headers=headers)
    assert answered.status_code == 200, answered.text
    return answered.json()["scores"]


BUYER = {"purchase_days_total": 5, "recency": 30, "age": 300, "spend_total": 120.5}
TWICE = BUYER | {"recency": 200, "as_of": "2020-01-31", "profile_region": "north"}


def test_answers_on_given_features_are_made_again(service, served_workspace):
    rows = (BUYER | {"customer_id": "given"}, TWICE | {"customer_id": "given"})
    said = give(service, "replay-10", *rows, explain=False)
    assert kept(served_workspace, "given", "replay-10")
    assert [one["factors"] for one in said] == [[], []]
    found = replay.served(served_workspace, "given", "replay-10")
    assert found.is_equal, found.in_words()
    assert found.customers == 2  # rows, though both are of one customer
    give(service, "replay-11", BUYER, TWICE)
    assert kept(served_workspace, "", "replay-11")
    found = replay.served(served_workspace, "", "replay-11")
    assert found.is_equal, found.in_words()
    assert "a row without a customer" in found.about


def test_who_is_not_known_has_no_answer_to_make_again(service, served_workspace):
    ask(service, "replay-6", "nobody", HIM)
    assert kept(served_workspace, HIM, "replay-6")
    assert kept_answers.of_customer(served_workspace, "nobody") == []
    with pytest.raises(UserError, match="in the request replay-6 was kept"):
        replay.served(served_workspace, "nobody", "replay-6")


def test_an_erasure_reaches_the_answers_and_the_receipt_says_so(service, served_workspace):
    ask(service, "replay-7", "C000013")
    assert kept(served_workspace, "C000013", "replay-7")
    receipt = service.delete("/customers/C000013").json()
    assert receipt["served_answers"] == 1
    ask(service, "replay-8", "C000013")
    ask(service, "replay-9", HIM)
    assert kept(served_workspace, HIM, "replay-9")
    assert kept_answers.of_customer(served_workspace, "C000013") == []
