"""The HTTP service: what it accepts, what it answers, and how it says no."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import bentoml
import httpx
import pytest

from features.errors import UserError
from features.workspace import Workspace
from serving import following, run_service, standing
from serving import service as module
from serving.loaded import Loaded
from serving.schemas import MOST_CUSTOMERS
from tests.serving.conftest import AS_OF, point, promote
from tests.serving.running import Running, copy
from tests.waiting import until

ROW = {"purchase_days_total": 3, "recency": 10, "age": 200, "spend_total": 99.5}


def score(service, *customer_ids, **headers):
    return service.post("/score", json={"customer_ids": list(customer_ids)}, headers=headers)


def score_features(service, *rows):
    return service.post("/score_features", json={"rows": list(rows)})


def complaint(answer):
    """The one thing a refused request was told: where, and what."""
    assert answer.status_code == 400, answer.text
    (detail,) = answer.json()["detail"]
    return detail["loc"], detail["msg"]


def metric(service, name):
    lines = service.get("/metrics").text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def test_answers_keep_the_order_and_a_customer_asked_twice_is_answered_twice(service):
    found = score(service, "C000005", "nobody", "C000003", "C000005").json()["scores"]
    assert [one["customer_id"] for one in found] == ["C000005", "nobody", "C000003", "C000005"]
    assert found[0] == found[3]
    assert [one["status"] == "unknown" for one in found] == [False, True, False, False]


def test_an_answer_says_when_and_by_what_it_was_made(service):
    (found,) = score(service, "C000005", **{"X-Request-ID": "call-7"}).json()["scores"]
    assert found["as_of"] == "2024-12-31"
    assert found["features"]["age_hours"] == 8.0
    assert found["clv"]["horizon_days"] == 60
    assert found["model"]["churn"] == "churn@1"
    assert found["policy"] == "policy@3"
    assert found["request_id"] == "call-7"


def test_a_call_without_an_id_gets_one(service):
    first, second = (score(service, "C000005").json()["scores"][0] for _ in range(2))
    assert len(first["request_id"]) == 32
    assert first["request_id"] != second["request_id"]


def test_nobody_asked_for_is_nobody_answered(service):
    assert score(service).json() == {"scores": []}
    assert score_features(service).json() == {"scores": []}


def test_features_too_old_for_the_moment_are_not_scored(service, monkeypatch):
    monkeypatch.setenv("HOLDFAST_NOW", "2025-02-01")
    (found,) = score(service, "C000005").json()["scores"]
    assert found["status"] == "stale_features"
    assert found["features"]["age_hours"] == 32 * 24


def test_the_clock_tells_the_moment_where_none_is_set(monkeypatch):
    monkeypatch.delenv("HOLDFAST_NOW", raising=False)
    assert abs((standing.now() - datetime.now(UTC).replace(tzinfo=None)).total_seconds()) < 60


@pytest.mark.parametrize(
    ("body", "where", "what"),
    [
        ({}, ["customer_ids"], "Field required"),
        ({"customer_ids": "C1"}, ["customer_ids"], "Input should be a valid array"),
        ({"customer_ids": ["C1", 7]}, ["customer_ids", 1], "Input should be a valid string"),
        (
            {"customer_ids": [""]},
            ["customer_ids", 0],
            "String should have at least 1 character",
        ),
        ({"customer_ids": [], "ids": []}, ["ids"], "Extra inputs are not permitted"),
        (
            {"customer_ids": ["C1"] * (MOST_CUSTOMERS + 1)},
            ["customer_ids"],
            "List should have at most 1000 items after validation, not 1001",
        ),
    ],
)
def test_a_wrong_score_request_is_told_where(service, body, where, what):
    assert complaint(service.post("/score", json=body)) == (where, what)


@pytest.mark.parametrize("body", ['{"customer_ids": ["C1"', '{"customer_ids": ["\\ud800"]}', "[]"])
def test_a_body_that_is_no_json_of_ours_is_refused(service, body):
    assert service.post("/score", content=body).status_code == 400


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ({"spend_total": None}, ["spend_total"], "Input should be a valid number"),
        ({"favourite_color": 1}, ["favourite_color"], "The models know no such feature"),
        ({"gap_mean": "long"}, ["gap_mean"], "This feature is a number"),
        ({"profile_region": 5}, ["profile_region"], "This feature is a text"),
        (
            {"recency": 300},
            [],
            "Value error, purchase_days_total, recency and age do not fit together: after the "
            "first there are age - recency days for the other purchase days, a whole number of "
            "them",
        ),
        (
            {"recency": None},
            [],
            "Value error, recency and age must be numbers for a customer who has bought",
        ),
        (
            {"as_of": "yesterday"},
            ["as_of"],
            "Value error, The moment 'yesterday' cannot be read. Write it as 2025-03-31 or "
            "2025-03-31T23:59:59.",
        ),
    ],
)
def test_a_wrong_row_is_told_where(service, change, where, what):
    answer = score_features(service, ROW, {**ROW, **change})
    assert complaint(answer) == (["rows", 1, *where], what)


def test_a_row_without_the_needed_features_is_told_which(service):
    answer = score_features(service, {"recency": 10})
    assert [detail["loc"] for detail in answer.json()["detail"]] == [
        ["rows", 0, "purchase_days_total"],
        ["rows", 0, "age"],
        ["rows", 0, "spend_total"],
    ]


def test_values_that_only_the_models_can_refuse_are_the_callers_mistake_too(service):
    where, what = complaint(score_features(service, {**ROW, "gap_log_sum": 1000.0}))
    assert where == ["rows"]
    assert "a sum of log gaps that no gaps in days between its purchases can have" in what


@pytest.mark.parametrize("value", [float("inf"), 1e300])
def test_a_number_beyond_all_measure_is_refused(service, value):
    body = json.dumps({"rows": [{**ROW, "gap_mean": value}]})
    assert service.post("/score_features", content=body).status_code == 400


def test_four_numbers_are_enough_for_a_score(service):
    found = score_features(service, ROW, {**ROW, "purchase_days_total": 8, "recency": 1})
    risky, safe = found.json()["scores"]
    assert (risky["status"], risky["customer_id"], risky["as_of"]) == (
        "scored",
        None,
        "2025-01-01T07:59:59.999999",
    )
    assert risky["churn"]["probability"] > safe["churn"]["probability"]
    assert "orders_90d" in risky["features"]["missing"]


def test_given_features_of_another_moment_are_scored(service):
    (found,) = score_features(service, {**ROW, "as_of": "2024-06-30", "customer_id": "me"}).json()[
        "scores"
    ]
    assert (found["customer_id"], found["as_of"], found["status"]) == ("me", "2024-06-30", "scored")


def test_a_row_without_a_purchase_is_a_prospect(service):
    row = {"purchase_days_total": 0, "recency": None, "age": None, "spend_total": 0}
    assert score_features(service, row).json()["scores"][0]["status"] == "prospect"


def test_a_body_too_large_is_refused_announced_or_not(service):
    large = b" " * (module.MOST_BODY_BYTES + 1)
    announced = service.post("/score", content=large)
    streamed = service.post("/score", content=iter([large[:1000], large[1000:]]))
    for answer in (announced, streamed):
        assert answer.status_code == 413
        assert answer.json()["error"].startswith("The request body is larger than the 12,000,000")


def test_what_fails_unforeseen_is_logged_without_the_customer(service, monkeypatch, caplog):
    def broken(customer_ids):
        raise KeyError(customer_ids[0])

    store = bentoml.get_current_service()._loaded.store
    monkeypatch.setattr(store, "newest", broken)
    answer = score(service, "C000005")
    assert answer.status_code == 500
    assert "C000005" not in answer.text
    assert "a request failed with KeyError at" in caplog.text
    assert "C000005" not in caplog.text


def test_a_pickle_is_not_opened(service):
    pickled = {"content-type": "application/vnd.bentoml+pickle"}
    answer = service.post("/score", content=b"x", headers=pickled)
    assert answer.status_code == 415
    assert answer.json()["error"].startswith("The body was not sent as JSON, and nothing else")


def test_version_names_models_definitions_policy_and_catalog(service):
    found = service.get("/version").json()
    assert found["models"] == {name: f"{name}@1" for name in ("churn", "churn_type", "clv", "tier")}
    assert found["definitions"]["churn"] == {
        "definition": "churn-60d@1",
        "about": "Makes no purchase in the 60 days after the cut-off, having made one in the 120 "
        "days before it.",
    }
    assert (found["policy"], len(found["catalog"])) == ("policy@3", 12)


def test_the_openapi_page_describes_the_answer(service):
    schemas = service.get("/docs.json").json()["components"]["schemas"]
    assert "future_if_retained" in schemas["Value"]["properties"]


def test_scores_are_counted_by_status_and_failures_by_route(service):
    names = ['holdfast_scores_total{status="unknown"}',
             'holdfast_request_failures_total{code="400",route="/score"}']  # fmt: skip
    before = [metric(service, name) for name in names]
    score(service, "nobody", "noone")
    service.post("/score", json={})
    assert [metric(service, name) for name in names] == [before[0] + 2, before[1] + 1]


def test_ready_is_who_has_models_and_a_store_that_answers(service):
    assert service.get("/livez").status_code == 200
    assert service.get("/readyz").status_code == 200


def test_a_store_that_fails_makes_the_service_unready_but_not_dead(service, monkeypatch):
    def broken(customer_ids):
        raise ConnectionError("no route to the store")

    store = bentoml.get_current_service()._loaded.store
    monkeypatch.setattr(store, "latest", broken)
    assert service.get("/readyz").status_code == 503
    assert service.get("/livez").status_code == 200


def test_a_store_without_the_models_features_is_not_ready(service, monkeypatch):
    store = bentoml.get_current_service()._loaded.store
    latest = store.latest(["C000005"])
    fewer = type(latest)(latest.values.drop(columns="recency"), latest.as_of, latest.status)
    monkeypatch.setattr(store, "latest", lambda customer_ids: fewer)
    assert service.get("/readyz").status_code == 503


def test_a_store_that_was_never_loaded_is_not_ready(service, monkeypatch):
    following = bentoml.get_current_service()._following
    before = following.loaded
    monkeypatch.setattr(following, "loaded", Loaded(before.models, before.store))
    monkeypatch.setattr(before.store, "newest_online", lambda: None)
    assert service.get("/readyz").status_code == 503


def test_calls_at_the_same_moment_get_their_own_answers(service):
    async def ask_at_once():
        transport = httpx.ASGITransport(app=service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            bodies = [{"customer_ids": [f"C{k:06d}", f"X{k}"]} for k in range(1, 9)]
            return await asyncio.gather(*(client.post("/score", json=body) for body in bodies))

    answers = service.portal.call(ask_at_once)
    for k, answer in enumerate(answers, start=1):
        found = answer.json()["scores"]
        assert [one["customer_id"] for one in found] == [f"C{k:06d}", f"X{k}"]
        assert len({one["request_id"] for one in found}) == 1


def test_a_new_champion_is_taken_over_and_a_broken_one_is_not(service, promotable, monkeypatch):
    def version():
        return service.get("/version").json()

    instance = bentoml.get_current_service()
    monkeypatch.setattr(following, "SECONDS_BETWEEN_LOOKS", 0.05)
    service.portal.call(instance.stop_following)
    service.portal.call(instance.start_following)
    promote(promotable, "2")
    until(lambda: version()["models"]["churn"] == "churn@2")
    refusals = metric(service, 'holdfast_model_swaps_total{result="refused"}')
    point(promotable, {"churn": "999"})
    until(lambda: version()["refused"])
    time.sleep(0.5)  # ten looks more
    assert version()["models"]["churn"] == "churn@2"
    assert score(service, "C000005").json()["scores"][0]["model"]["churn"] == "churn@2"
    assert "cannot be loaded" in version()["refused"]
    promote(promotable, "1")
    until(lambda: version()["models"]["churn"] == "churn@1")
    assert version()["refused"] is None
    assert metric(service, 'holdfast_model_swaps_total{result="refused"}') == refusals + 1


def test_a_champion_of_other_trees_is_found_out_on_its_examples(service, promotable):
    instance = bentoml.get_current_service()
    before = instance._loaded
    promote(promotable, "3")
    models = promotable.models / "churn" / "3"
    (models / "with_offset.ubj").write_bytes((models / "with_level.ubj").read_bytes())
    service.portal.call(instance._following.look)
    assert instance._loaded is before
    refused = service.get("/version").json()["refused"]
    assert "no longer say what they said when they were stored (churn" in refused
    promote(promotable, "1")
    service.portal.call(instance._following.look)
    assert service.get("/version").json()["refused"] is None


def test_the_service_needs_no_mlflow_and_says_nothing_of_old_names():
    code = "import sys, serving.service, features.store; print('mlflow' in sys.modules)"
    command = [sys.executable, "-W", "default", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    assert "__get_pydantic_core_schema__" not in done.stderr


def test_it_listens_on_this_machine_only_unless_told(tmp_path):
    assert run_service.serve.__defaults__[0] == "127.0.0.1"
    assert "--host 0.0.0.0 --port 80" in " ".join(run_service.command("0.0.0.0", 80))


def test_it_starts_in_an_environment_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "/of/another/process")
    found = run_service.environment(Workspace(tmp_path), 3001, AS_OF)
    assert found["HOLDFAST_HOME"] == str(tmp_path)
    assert found["HOLDFAST_NOW"] == "2024-12-31T23:59:59.999999"
    assert found["BENTOML_HOME"] == str(tmp_path / "bentoml" / "3001")
    assert found["BENTOML_DO_NOT_TRACK"] == "True"
    assert "PROMETHEUS_MULTIPROC_DIR" not in found


def test_a_workspace_without_a_champion_is_not_served(tmp_path):
    with pytest.raises(UserError, match="has no champion yet"):
        run_service.serve(Workspace(tmp_path))


def test_a_host_by_name_is_refused(trained_workspace):
    with pytest.raises(UserError, match="is no IP address"):
        run_service.serve(trained_workspace, host="localhost")


def test_it_runs_as_its_own_process(trained_workspace, tmp_path):
    running = Running(copy(trained_workspace, tmp_path / "workspace"))
    try:
        running.start()
        (found,) = running.score("C000005").json()["scores"]
        assert (found["customer_id"], found["features"]["age_hours"]) == ("C000005", 1.0)
        assert metric(running.client, "holdfast_scores_total") == 1.0
        assert running.stop() in (0, -signal.SIGTERM)
    finally:
        running.close()
