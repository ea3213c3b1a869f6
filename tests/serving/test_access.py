"""Who is let through, who is refused with which sentence, and how many may ask at once."""

import contextlib
import logging

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from features.errors import UserError
from serving import rate_limit
from serving.access import Access
from serving.keys import Keys, make
from serving.rate_limit import RateLimit, rate_from_environment
from serving.routes import ROLE_OF

ROUTES = {
    "scorer": [("POST", "/score"), ("POST", "/score_features"), ("POST", "/profile")],
    "writer": [("POST", "/events")],
    "admin": [("DELETE", "/customers/C1"), ("DELETE", "/customers/a/b"), ("GET", "/schema.json")],
}
OPEN = ["/", "/livez", "/readyz", "/healthz", "/metrics", "/version", "/docs.json"]


@pytest.fixture
def keys(tmp_path):
    """A key for each role, by the role's name."""
    return {role: make(tmp_path / "keys.json", f"the-{role}", role) for role in ROUTES}


@pytest.fixture
def ask(tmp_path, keys):
    """Ask one request of an app that says ok to everything, behind the keys."""
    return asker(Access(everything_ok(), Keys(tmp_path / "keys.json"), rate=0))


def everything_ok():
    async def ok(request):
        return PlainTextResponse("ok")

    every = ["GET", "POST", "DELETE"]
    return Starlette(routes=[Route("/{path:path}", ok, methods=every)])


def asker(app, address="10.0.0.1"):
    def ask(method, path, headers=None):
        async def once():
            transport = httpx.ASGITransport(app=app, client=(address, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, headers=headers)

        return anyio.run(once)

    return ask


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize("role", ROUTES)
def test_a_role_may_ask_its_own_routes_and_the_admin_every_one(ask, keys, role):
    for allowed, routes in ROUTES.items():
        for method, path in routes:
            expected = 200 if role in (allowed, "admin") else 403
            assert ask(method, path, bearer(keys[role])).status_code == expected, path


@pytest.mark.parametrize("path", OPEN)
def test_probes_and_the_description_need_no_key(ask, path):
    assert ask("GET", path).text == "ok"


@pytest.mark.parametrize(
    "path",
    ["/score", "/customers/C1", "/score/", "http://test//score", "/livez/", "/static_content/x"],
)
def test_everything_else_needs_one(ask, path):
    assert ask("POST", path).status_code == 401


def test_a_key_may_come_in_either_header(ask, keys):
    for headers in (
        bearer(keys["scorer"]),
        {"Authorization": f"bearer  {keys['scorer']} "},
        {"X-API-Key": keys["scorer"]},
        {"X-API-Key": keys["scorer"], "Authorization": "Basic bmFtZTp3b3Jk"},
    ):
        assert ask("POST", "/score", headers).status_code == 200, headers


def test_without_a_key_it_is_said_how_to_send_one(ask):
    answer = ask("POST", "/score")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json() == {
        "error": "This route needs an API key, and none was sent. "
        "Send yours as Authorization: Bearer KEY or as X-API-Key: KEY."
    }


@pytest.mark.parametrize("key", ["wrong", "k\xe9y", "x" * 5000])
def test_an_unknown_key_is_refused_and_not_shown(ask, key):
    answer = ask("POST", "/score", {"X-API-Key": key.encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json() == {
        "error": "This route was sent a key that nobody holds. "
        "Send a valid one as Authorization: Bearer KEY or as X-API-Key: KEY."
    }


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        (
            "/customers/C1",
            "/customers/{customer_id} needs the role admin, and the key of the-scorer has the role "
            "scorer. Use a key with the role admin.",
        ),
        (
            "/events",
            "/events needs the role writer, and the key of the-scorer has the role scorer. "
            "Use a key with the role writer.",
        ),
        (
            "/nonsense",
            "This route needs the role admin, and the key of the-scorer has the role scorer. "
            "Use a key with the role admin.",
        ),
    ],
)
def test_another_role_is_told_which_is_needed(ask, keys, path, sentence):
    answer = ask("POST", path, bearer(keys["scorer"]))
    assert (answer.status_code, answer.json()) == (403, {"error": sentence})


def test_without_keys_everything_is_open(tmp_path):
    ask = asker(Access(everything_ok(), Keys(tmp_path / "keys.json"), rate=0))
    assert ask("DELETE", "/customers/C1").text == "ok"


def test_nothing_of_a_request_is_logged(ask, keys, caplog):
    with caplog.at_level(logging.DEBUG, logger="serving"):
        ask("POST", "/score", bearer(keys["writer"]))
        ask("POST", "/score", bearer("wrong"))
    assert [record for record in caplog.records if record.name.startswith("serving")] == []


def test_a_websocket_is_closed(tmp_path):
    sent = []

    async def send(message):
        sent.append(message)

    app = Access(everything_ok(), Keys(tmp_path / "keys.json"), rate=0)
    anyio.run(app, {"type": "websocket", "path": "/livez", "headers": []}, None, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_keys_and_rate_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    monkeypatch.setenv("HOLDFAST_API_KEYS", f"crm:scorer:{'k' * 32}")
    monkeypatch.setenv("HOLDFAST_RATE_LIMIT", "0.5")
    ask = asker(Access(everything_ok()))
    assert ask("POST", "/score").status_code == 401
    found = [ask("POST", "/score", bearer("k" * 32)).status_code for _ in range(2)]
    assert found == [200, 429]


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands until it is set."""
    moment = [1000.0]
    monkeypatch.setattr(rate_limit.time, "monotonic", lambda: moment[0])
    return moment


def test_who_asks_too_fast_waits_as_long_as_he_is_told(tmp_path, keys, clock):
    ask = asker(Access(everything_ok(), Keys(tmp_path / "keys.json"), rate=0.5))
    assert ask("POST", "/score", bearer(keys["scorer"])).status_code == 200
    answer = ask("POST", "/score", bearer(keys["scorer"]))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert answer.json() == {
        "error": "More than 0.5 requests a second came from the same asker. "
        "Wait as long as Retry-After says, or ask for more customers in one request."
    }
    clock[0] += 2.0
    assert ask("POST", "/score", bearer(keys["scorer"])).status_code == 200


def test_each_holder_has_a_rate_of_his_own_and_probes_have_none(tmp_path, keys, clock):
    ask = asker(Access(everything_ok(), Keys(tmp_path / "keys.json"), rate=0.5))
    codes = [ask("POST", "/events", bearer(keys[who])).status_code for who in ("writer", "admin")]
    assert codes == [200, 200]
    assert ask("POST", "/events", bearer(keys["admin"])).status_code == 429
    assert {ask("GET", "/readyz").status_code for _ in range(5)} == {200}


def test_without_keys_each_address_has_a_rate_of_its_own(tmp_path, clock):
    app = Access(everything_ok(), Keys(tmp_path / "keys.json"), rate=0.5)
    codes = [
        asker(app, address)("POST", "/score").status_code
        for address in ("10.0.0.1", "10.0.0.2", "10.0.0.1")
    ]
    assert codes == [200, 200, 429]


def test_a_pause_fills_the_bucket_up_to_the_burst_and_no_further(clock):
    limit = RateLimit(10.0)
    for pause in (0.0, 1000.0):
        clock[0] += pause
        assert [limit.wait("crm") for _ in range(20)] == [0.0] * 20
        assert limit.wait("crm") == pytest.approx(0.1)
    clock[0] += 0.25
    assert [limit.wait("crm") == 0.0 for _ in range(3)] == [True, True, False]


def test_only_so_many_askers_are_remembered_the_silent_forgotten_first(clock):
    limit = RateLimit(0.5, most_askers=2)
    for asker_ in ("ann", "bob", "ann", "eve"):  # ann has asked again, so bob is forgotten
        limit.wait(asker_)
    assert len(limit._buckets) == 2
    assert limit.wait("ann") > 0.0
    assert limit.wait("bob") == 0.0


def test_a_rate_is_a_number_from_0(monkeypatch):
    monkeypatch.delenv("HOLDFAST_RATE_LIMIT", raising=False)
    assert rate_from_environment() == 200.0
    for text, rate in {"": 200.0, "0": 0.0, "2.5": 2.5}.items():
        monkeypatch.setenv("HOLDFAST_RATE_LIMIT", text)
        assert rate_from_environment() == rate
    for text in ("many", "-1", "nan", "inf"):
        monkeypatch.setenv("HOLDFAST_RATE_LIMIT", text)
        with pytest.raises(UserError) as refused:
            rate_from_environment()
        assert str(refused.value) == (
            f"HOLDFAST_RATE_LIMIT is {text!r}, which is no number of requests a second. "
            "Set it to a number such as 100, or to 0 for no limit."
        )


def test_a_start_with_a_malformed_environment_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    monkeypatch.setenv("HOLDFAST_API_KEYS", "nonsense")
    with pytest.raises(UserError, match="Entry 1 of HOLDFAST_API_KEYS"):
        Access(everything_ok())


def test_the_start_and_end_of_the_service_pass(tmp_path):
    seen = []

    @contextlib.asynccontextmanager
    async def lifespan(app):
        seen.append("start")
        yield
        seen.append("end")

    pending = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]

    async def receive():
        return pending.pop(0)

    async def send(message):
        pass

    app = Access(Starlette(lifespan=lifespan), Keys(tmp_path / "keys.json"), rate=0)
    anyio.run(app, {"type": "lifespan"}, receive, send)
    assert seen == ["start", "end"]


def test_every_question_to_the_service_has_a_role():
    from serving.service import Holdfast  # takes seconds; only this test needs it

    asked = {api.route for api in Holdfast.apis.values()}
    assert {"/score", "/score_features"} <= asked <= set(ROLE_OF)
