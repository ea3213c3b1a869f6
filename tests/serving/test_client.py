"""The client against a real server that answers as it is told, late, wrongly, or not at all."""

import json
import threading
import time
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from features.errors import UserError
from serving import client as module
from serving.client import Client, Refused, Unreachable
from serving.schemas import MOST_CUSTOMERS

HANG_UP, SILENCE = "hang up", "silence"


class Server(ThreadingHTTPServer):
    """Does what its script says, one entry a request, and after it answers by the route."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.asked, self.over = [], [], threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def bodies(self):
        return [body for _, _, body in self.asked]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        content = self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.loads(content) if content else None
        self.server.asked.append((f"{self.command} {self.path}", dict(self.headers), body))
        told = self.server.script.pop(0) if self.server.script else (200, by_route(self.path, body))
        if told == SILENCE:
            self.server.over.wait(30)
        if told in (SILENCE, HANG_UP):
            self.close_connection = True
            return
        status, said, *headers = told
        said = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_DELETE = answer

    def log_message(self, *_):
        pass


def by_route(path, body):
    if path == "/score":
        return {"scores": [{"customer_id": one} for one in body["customer_ids"]]}
    if path == "/score_features":
        return {"scores": [{"customer_id": row["customer_id"]} for row in body["rows"]]}
    if path == "/events":
        kinds = ("transactions", "interactions")
        whose = [event["customer_id"] for kind in kinds for event in body[kind]]
        counts = {kind: {"taken": len(body[kind]), "repeated": 0, "refused": []} for kind in kinds}
        return {**counts, "customers": list(dict.fromkeys(whose)), "as_of": "2026-11-01"}
    return {"path": path, "body": body}


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.over.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def pauses(monkeypatch):
    """The seconds that were waited, without waiting."""
    waited = []
    monkeypatch.setattr(module.time, "sleep", waited.append)
    return waited


@pytest.fixture
def client(server, pauses):
    with Client(server.url, key="secret", timeout=30.0) as connected:
        yield connected


def test_scores_come_back_in_the_order_asked(client, server):
    assert client.score(["b", "a", "b"]) == [{"customer_id": one} for one in ("b", "a", "b")]
    ((asked, headers, body),) = server.asked
    assert (asked, headers["authorization"]) == ("POST /score", "Bearer secret")
    assert body == {"customer_ids": ["b", "a", "b"], "explain": False}


def test_a_list_above_the_limit_is_asked_in_parts(client, server):
    everyone = [f"C{k}" for k in range(2500)]
    found = client.score(everyone, explain=False, overrides={"C7": {"x": 1}, "C2400": {"x": 2}})
    assert [one["customer_id"] for one in found] == everyone
    assert [len(body["customer_ids"]) for body in server.bodies()] == [1000, 1000, 500]
    assert [body.get("overrides") for body in server.bodies()] == [
        {"C7": {"x": 1}},
        None,
        {"C2400": {"x": 2}},
    ]
    assert not any(body["explain"] for body in server.bodies())


def test_an_override_of_nobody_asked_for_is_left_to_the_service_to_refuse(client, server):
    client.score(["a"], overrides={"b": {"x": 1}})
    assert server.bodies()[0]["overrides"] == {"b": {"x": 1}}


def test_the_limit_is_the_services():
    assert module.MOST_A_CALL == MOST_CUSTOMERS


def test_rows_are_asked_in_parts_too(client, server):
    rows = [{"customer_id": f"C{k}", "age": k} for k in range(1001)]
    assert [one["customer_id"] for one in client.score_features(rows)] == [
        f"C{k}" for k in range(1001)
    ]
    assert [len(body["rows"]) for body in server.bodies()] == [1000, 1]
    assert server.bodies()[1] == {"rows": [{"customer_id": "C1000", "age": 1000}], "explain": True}


def test_nobody_asked_for_is_no_request(client, server):
    assert (client.score([]), client.score_features([]), server.asked) == ([], [], [])
    assert client.post_events()["customers"] == []


def test_a_profile_an_erasure_and_the_version(client, server):
    assert client.profile("C1") == {"path": "/profile", "body": {"customer_id": "C1"}}
    assert client.erase("a/b ü")["path"] == "/customers/a%2Fb%20%C3%BC"
    assert client.version() == {"path": "/version", "body": None}
    assert [asked for asked, _, _ in server.asked] == [
        "POST /profile",
        "DELETE /customers/a%2Fb%20%C3%BC",
        "GET /version",
    ]


def test_ready_is_yes_or_no_and_asked_once(client, server, pauses):
    server.script = [(200, {}), (503, {}), HANG_UP]
    assert [client.ready() for _ in range(3)] == [True, False, False]
    assert (len(server.asked), pauses) == (3, [])


@pytest.mark.parametrize("failure", [HANG_UP, (429, {}), (502, b"<html>"), (503, {}), (504, {})])
def test_what_fails_for_a_while_is_asked_again(client, server, pauses, failure):
    server.script = [failure, failure]
    assert client.score(["a"]) == [{"customer_id": "a"}]
    assert server.bodies() == [{"customer_ids": ["a"], "explain": False}] * 3
    assert len(pauses) == 2


def test_an_answer_that_does_not_come_in_time_is_asked_for_again(server, pauses):
    server.script = [SILENCE]
    with Client(server.url, timeout=2.0) as client:  # in which a busy machine answers the second
        assert client.score(["a"]) == [{"customer_id": "a"}]
    assert (len(server.asked), len(pauses)) == (2, 1)


def test_pauses_double_with_some_chance_in_them(client, server, pauses):
    for _ in range(20):
        server.script = [(503, {})] * 4
        client.version()
    for place, base in enumerate((0.2, 0.4, 0.8, 1.6)):
        these = pauses[place::4]
        assert 0.5 * base <= min(these) < max(these) <= 1.5 * base


def test_a_pause_is_as_long_as_the_service_says(client, server, pauses):
    server.script = [(429, {}, ("Retry-After", "7"))]
    client.version()
    assert pauses == [7.0]


def test_a_pause_may_be_told_as_a_moment(client, server, pauses):
    before = time.time()
    later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(before + 30))
    server.script = [(503, {}, ("Retry-After", later))]
    client.version()
    assert 29.0 - (time.time() - before) < pauses[0] <= 30.0  # a moment told has whole seconds


def test_who_would_have_to_wait_too_long_is_told_at_once(client, server, pauses):
    server.script = [(429, {"error": "Come back tomorrow."}, ("Retry-After", "86400"))]
    with pytest.raises(Refused, match=r"^429: Come back tomorrow\.$"):
        client.version()
    assert pauses == []


def test_who_stays_too_fast_is_refused_in_the_end(client, server):
    server.script = [(429, {"error": "Too fast."})] * 5
    with pytest.raises(Refused) as refused:
        client.version()
    assert (refused.value.status, len(server.asked)) == (429, 5)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 413, 500])
def test_a_refusal_is_not_asked_again(client, server, status):
    server.script = [(status, {"error": "No, because of this."})]
    with pytest.raises(Refused) as refused:
        client.score(["a"])
    assert (refused.value.status, refused.value.sentence) == (status, "No, because of this.")
    assert len(server.asked) == 1


def test_a_refusal_says_where_the_mistake_is(client, server):
    detail = [{"loc": ["rows", 1, "recency"], "msg": "Field required"}, {"loc": [], "msg": "more"}]
    server.script = [(400, {"error": "2 validation errors", "detail": detail})]
    with pytest.raises(Refused) as refused:
        client.score_features([{"customer_id": "a"}])
    assert refused.value.field == ("rows", 1, "recency")
    assert str(refused.value) == "400 at rows.1.recency: Field required"


@pytest.mark.parametrize("content", [b"<html>no</html>", [], {}])
def test_a_refusal_of_another_form_is_one_all_the_same(client, server, content):
    server.script = [(404, content)]
    with pytest.raises(Refused, match=r"^404: no reason was given$"):
        client.version()


def test_something_else_that_answers_there_is_no_service(client, server):
    server.script = [(200, b"<html>hello</html>")]
    with pytest.raises(Unreachable, match="answered 200 without JSON"):
        client.version()


def test_a_service_that_is_not_there_is_unreachable(server, pauses):
    server.script = [HANG_UP] * 3
    with (
        Client(server.url, retries=2) as client,
        pytest.raises(Unreachable, match=r"did not answer GET /version in 3 tries"),
    ):
        client.version()
    assert len(server.asked) == 3


def test_nothing_listens_there(pauses):
    with (
        Client("http://127.0.0.1:1", retries=1) as client,
        pytest.raises(Unreachable, match="ConnectError"),
    ):
        client.score(["a"])
    assert len(pauses) == 1


@pytest.mark.parametrize("url", ["127.0.0.1:3000", "ftp://x", ""])
def test_an_address_without_its_beginning_is_refused(url):
    with pytest.raises(UserError, match="is no web address"):
        Client(url)


def test_events_get_an_id_once_and_keep_it_through_retries(client, server):
    server.script = [HANG_UP, (503, {})]
    given = [{"customer_id": "a", "amount": 5.0}, {"customer_id": "b", "event_id": "mine"}]
    found = client.post_events(given, [{"customer_id": "a", "kind": "visit"}])
    first, second, third = server.bodies()
    assert first == second == third
    assert first["transactions"][1] == {"customer_id": "b", "event_id": "mine"}
    ids = [event["event_id"] for kind in ("transactions", "interactions") for event in first[kind]]
    assert len(set(ids)) == 3
    assert "event_id" not in given[0]
    assert found == {
        "transactions": {"taken": 2, "repeated": 0, "refused": []},
        "interactions": {"taken": 1, "repeated": 0, "refused": []},
        "customers": ["a", "b"],
        "as_of": "2026-11-01",
    }


def test_many_events_go_in_parts_and_are_answered_as_one(client, server):
    def answer(taken, position):
        refused = [{"position": position, "event_id": "x", "reason": "no amount"}]
        none = {"taken": 0, "repeated": 0, "refused": []}
        return {
            "transactions": {"taken": taken, "repeated": 1, "refused": refused},
            "interactions": none,
            "customers": ["a", f"c{position}"],
            "as_of": f"2026-11-0{position}",
        }

    server.script = [(200, answer(998, 1)), (200, answer(3, 2))]
    events = [{"customer_id": "a"}] * 1005
    found = client.post_events(events, [{"customer_id": "a"}])
    assert [(len(b["transactions"]), len(b["interactions"])) for b in server.bodies()] == [
        (1000, 0),
        (5, 1),
    ]
    assert found["transactions"]["taken"] == 1001
    assert found["transactions"]["repeated"] == 2
    assert [one["position"] for one in found["transactions"]["refused"]] == [1, 1002]
    assert (found["customers"], found["as_of"]) == (["a", "c1", "c2"], "2026-11-02")


def test_moments_are_sent_as_the_service_reads_them(client, server):
    client.post_events([{"customer_id": "a", "happened_at": datetime(2026, 11, 1, 8, 30)}])
    assert server.bodies()[0]["transactions"][0]["happened_at"] == "2026-11-01T08:30:00"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_lacks_is_refused_here(client, server, value):
    with pytest.raises(UserError, match="Send None for what is not known"):
        client.score_features([{"customer_id": "a", "age": value}])
    assert server.asked == []
