"""Events posted to the service: checked row by row, taken once, and known to the next score."""

import pytest

MORNING = "2025-01-01T06:00:00"  # after the data's end, before the moment the service stands at


def order(event_id, customer_id, amount=50.0, **more):
    return {"event_id": event_id, "customer_id": customer_id, "happened_at": MORNING,
            "amount": amount, **more}  # fmt: skip


def post(service, **lists):
    answer = service.post("/events", json=lists)
    assert answer.status_code == 200, answer.text
    return answer.json()


def status(service, customer_id):
    (found,) = service.post("/score", json={"customer_ids": [customer_id]}).json()["scores"]
    return found["status"]


def feature(service, customer_id, name):
    found = service.post("/profile", json={"customer_id": customer_id}).json()
    return next(each["value"] for each in found["features"] if each["name"] == name)


def test_the_next_score_knows_of_an_order(service):
    assert status(service, "N-first") == "unknown"
    found = post(service, transactions=[order("e-1", "N-first")])
    assert found == {
        "transactions": {"taken": 1, "repeated": 0, "refused": []},
        "interactions": {"taken": 0, "repeated": 0, "refused": []},
        "customers": ["N-first"],
        "as_of": "2025-01-01T07:59:59.999999",
    }
    assert status(service, "N-first") == "scored"
    assert feature(service, "N-first", "spend_total") == 50.0


def test_an_event_is_taken_once_however_often_it_is_sent(service):
    sent = {"transactions": [order("e-2", "N-twice", 20.0)]}
    assert post(service, **sent)["transactions"]["taken"] == 1
    again = post(service, **sent)
    assert (again["transactions"]["taken"], again["transactions"]["repeated"]) == (0, 1)
    assert again["customers"] == ["N-twice"]
    assert feature(service, "N-twice", "spend_total") == 20.0


def test_an_id_with_other_content_is_refused_and_the_rows_beside_it_are_taken(service):
    post(service, transactions=[order("e-3", "N-other")])
    found = post(service, transactions=[order("e-4", "N-other", 7.0), order("e-3", "N-other", 9.0)])
    assert found["transactions"]["taken"] == 1
    (refused,) = found["transactions"]["refused"]
    assert refused == {
        "position": 1,
        "event_id": "e-3",
        "reason": "event_id was taken before with other content",
    }
    assert feature(service, "N-other", "spend_total") == 57.0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"happened_at": "yesterday"}, "happened_at is no time"),
        ({"happened_at": "2999-01-01"}, "happened_at is in the future"),
        ({"customer_id": "  "}, "customer_id is missing"),
    ],
)
def test_a_row_that_no_file_could_bring_is_refused_with_its_reason(service, change, reason):
    found = post(service, transactions=[order("e-5", "N-bad") | change])
    (refused,) = found["transactions"]["refused"]
    assert refused["reason"].startswith(reason.split(" ")[0])
    assert (found["customers"], found["as_of"]) == ([], None)


def test_a_complaint_is_seen_at_once(service):
    post(service, transactions=[order("e-6", "N-loud")])
    assert feature(service, "N-loud", "open_complaints") == 0.0
    complaint = {"event_id": "i-1", "customer_id": "N-loud", "happened_at": MORNING,
                 "kind": "complaint", "case_id": "case-1"}  # fmt: skip
    assert post(service, interactions=[complaint])["interactions"]["taken"] == 1
    assert feature(service, "N-loud", "open_complaints") == 1.0


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"transactions": [{"event_id": "e"}]}, ["transactions", 0, "customer_id"]),
        ({"transactions": [order("", "N1")]}, ["transactions", 0, "event_id"]),
        ({"transactions": [order("e", "N1", "much")]}, ["transactions", 0, "amount"]),
        ({"interactions": [order("e", "N1")]}, ["interactions", 0, "kind"]),
        ({"purchases": []}, ["purchases"]),
    ],
)
def test_a_wrong_request_is_told_where(service, body, where):
    answer = service.post("/events", json=body)
    assert answer.status_code == 400
    assert where in [detail["loc"] for detail in answer.json()["detail"]]


def test_nothing_posted_changes_nothing(service):
    found = post(service)
    assert (found["customers"], found["as_of"]) == ([], None)
