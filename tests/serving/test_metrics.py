"""What is counted of each request, and the limits to a body, around an app of a few routes."""

from types import SimpleNamespace

import anyio
import httpx
import prometheus_client
import pytest
from prometheus_client import values
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from serving import rate_limit
from serving.access import Access
from serving.keys import Keys, make
from serving.metrics import Metrics
from serving.middleware import BodyLimit

MOST_BYTES = 10


class Service:
    """An app behind all that stands before the real one, with the requests it was asked."""

    def __init__(self, file, rate=0.0, seconds=0.05):
        self.registry, self.version, self.bodies = prometheus_client.CollectorRegistry(), 1, []
        routes = [
            Route("/score", self.echo, methods=["POST"]),
            Route("/profile", self.broken, methods=["POST"]),
            Route("/customers/{customer_id}", self.echo, methods=["DELETE"]),
            Route("/readyz", self.echo, methods=["GET"]),
        ]
        limited = BodyLimit(Starlette(routes=routes), MOST_BYTES, seconds)
        access = Access(limited, Keys(file), rate)
        self.app = Metrics(access, lambda: f"churn@{self.version}", self.registry)

    async def echo(self, request):
        self.bodies.append(await request.body())
        status = int(request.headers.get("answer", "200"))
        return JSONResponse({}, status_code=status)

    async def broken(self, request):
        raise RuntimeError("a fault of ours")

    def ask(self, method, path, key="", **more):
        async def once():
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                headers = {"X-API-Key": key, **more.pop("headers", {})}
                return await client.request(method, path, headers=headers, **more)

        return anyio.run(once)

    def receive(self, messages, path="/score", key=""):
        """Answer a request whose body comes in messages; after them nothing comes any more."""
        pending, sent = list(messages), []

        async def receive():
            if pending:
                return pending.pop(0)
            return await anyio.sleep_forever()

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": path, "query_string": b"",
                 "headers": [(b"x-api-key", key.encode())]}  # fmt: skip
        anyio.run(self.app, scope, receive, send)
        return sent

    def counted(self, name):
        """The samples of one metric that are not 0, by their labels' values in the names' order."""
        return {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == name and sample.value
        }


@pytest.fixture(autouse=True)
def in_memory(monkeypatch):
    """Values of this test alone, not those of the process that BentoML adds up."""
    monkeypatch.setattr(values, "ValueClass", values.MutexValue)


@pytest.fixture
def keys(tmp_path):
    return {role: make(tmp_path / "keys.json", role, role) for role in ("scorer", "admin")}


@pytest.fixture
def service(tmp_path, keys):
    return Service(tmp_path / "keys.json")


def chunk(body, more=True):
    return {"type": "http.request", "body": body, "more_body": more}


def test_every_refusal_is_counted_by_its_code_and_route(tmp_path, keys, monkeypatch):
    # No token comes back while the requests are asked, however long that takes.
    monkeypatch.setattr(rate_limit, "time", SimpleNamespace(monotonic=lambda: 0.0))
    service, key = Service(tmp_path / "keys.json", rate=3), keys["scorer"]
    service.ask("POST", "/score")  # 401
    service.ask("DELETE", "/customers/C1", key)  # 403
    service.ask("POST", "/score", key, content=b" " * 11)  # 413
    service.receive([chunk(b"a")], key=key)  # 408
    service.ask("POST", "/score", key, headers={"answer": "400"})
    service.ask("POST", "/profile", key)  # 500
    service.ask("GET", "/score", key)  # 405; the sixth of the six that may come at once
    service.ask("POST", "/score", key)  # 429
    service.ask("POST", "/nonsense/1", keys["admin"])  # 404
    assert service.counted("holdfast_request_failures_total") == {
        ("401", "/score"): 1,
        ("403", "/customers/{customer_id}"): 1,
        ("413", "/score"): 1,
        ("408", "/score"): 1,
        ("400", "/score"): 1,
        ("500", "/profile"): 1,
        ("405", "/score"): 1,
        ("429", "/score"): 1,
        ("404", "other"): 1,
    }


def test_requests_are_counted_by_code_model_and_route(service, keys):
    for version in (1, 1, 2):
        service.version = version
        service.ask("POST", "/score", keys["scorer"])
    service.ask("DELETE", "/customers/C1", keys["admin"])
    service.ask("POST", "/score")
    assert service.counted("holdfast_requests_total") == {
        ("200", "churn@1", "/score"): 2,
        ("200", "churn@2", "/score"): 1,
        ("200", "churn@2", "/customers/{customer_id}"): 1,
        ("401", "churn@2", "/score"): 1,
    }
    assert service.counted("holdfast_request_failures_total") == {("401", "/score"): 1}


def test_durations_are_counted_by_route(service, keys):
    for _ in range(3):
        service.ask("POST", "/score", keys["scorer"])
    assert service.counted("holdfast_request_duration_seconds_count") == {("/score",): 3}
    (seconds,) = service.counted("holdfast_request_duration_seconds_sum").values()
    assert 0.0 < seconds < 60.0


def test_probes_are_not_counted(service):
    assert service.ask("GET", "/readyz").status_code == 200
    assert service.counted("holdfast_requests_total") == {}


def test_paths_without_a_route_are_one_label(service, keys):
    for path in ("/a", "/b", "/c"):
        service.ask("GET", path, keys["admin"])
    assert service.counted("holdfast_requests_total") == {("404", "churn@1", "other"): 3}


def test_a_body_in_parts_arrives_whole(service, keys):
    sent = service.receive([chunk(b"abc"), chunk(b"def", more=False)], key=keys["scorer"])
    assert sent[0]["status"] == 200
    assert service.bodies == [b"abcdef"]


def test_a_body_that_is_not_complete_in_time_is_refused(service, keys):
    start, body = service.receive([chunk(b"abc")], key=keys["scorer"])
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert body["body"] == (
        b'{"error":"The request body was not complete within 0.05 seconds. '
        b'Ask for fewer customers at a time, or over a faster line."}'
    )
    assert service.bodies == []


def test_a_client_that_leaves_in_the_middle_is_not_answered_and_nothing_is_done(service, keys):
    sent = service.receive([chunk(b"abc"), {"type": "http.disconnect"}], key=keys["scorer"])
    assert (sent, service.bodies) == ([], [])
    assert service.counted("holdfast_requests_total") == {("499", "churn@1", "/score"): 1}


def test_a_body_too_large_is_refused_and_the_connection_closed(service, keys):
    start, _ = service.receive([chunk(b"abcdef"), chunk(b"ghijklm")], key=keys["scorer"])
    assert start["status"] == 413
    assert (b"connection", b"close") in start["headers"]
    assert service.bodies == []
