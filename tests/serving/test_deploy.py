"""The recipes of a deployment, read: what they name exists, fits the code, and is closed to others.

Docker itself is not asked: that the images can be built is not proved here.
"""

import re
import string
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import features  # noqa: F401 - sets the switches that are compared
import holdfast
from features.workspace import Workspace
from serving import run_service
from serving.routes import OPEN

PROJECT = Path(__file__).resolve().parents[2]
DEPLOY = PROJECT / "serving" / "deploy"
SERVICES = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
VOLUMES = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["volumes"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
IGNORED = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()


def stage(name):
    """The instructions of one stage of the Dockerfile: (word, rest)."""
    (text,) = (
        part for part in re.split(r"^FROM ", DOCKERFILE, flags=re.M) if f"AS {name}\n" in part
    )
    lines = [line for line in text.splitlines()[1:] if line and not line.startswith("#")]
    return [tuple(line.split(None, 1)) for line in lines]


def told(name, word):
    return [rest for first, rest in stage(name) if first == word]


def environment_of(name):
    return dict(pair.split("=", 1) for rest in told(name, "ENV") for pair in rest.split())


def test_the_image_starts_from_a_pinned_slim_python_of_ours():
    assert re.search(r"^FROM python:3\.11\.\d+-slim-\w+ AS base$", DOCKERFILE, re.M)
    assert re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.M)[1:] == [
        ("base", "jobs"),
        ("base", "service"),  # last, so that it is what `docker build` makes
    ]


def test_packages_come_from_the_lock_with_their_hashes_and_nothing_else():
    installs = [rest for rest in told("base", "RUN") if "pip install" in rest]
    assert "--require-hashes" in installs[0]
    assert "-r requirements.lock" in installs[0]
    assert all("--no-deps" in one for one in installs)


def test_what_is_copied_exists_and_is_given_to_the_builder():
    sources = [word for rest in told("base", "COPY") for word in rest.split()[:-1]]
    assert {"features", "training", "serving", "holdfast.py", "requirements.lock"} <= set(sources)
    for source in sources:
        assert (PROJECT / source).exists(), source
    assert IGNORED[1] == "*"
    assert {line[1:] for line in IGNORED if line.startswith("!")} == set(sources)


@pytest.mark.parametrize("name", ["base", "jobs"])
def test_the_image_does_not_run_as_root(name):
    assert told(name, "USER")[-1] == "holdfast"
    assert "USER" not in [word for word, _ in stage("service")]


def test_the_image_has_the_environment_that_the_service_is_started_in(tmp_path):
    ours = run_service.environment(Workspace(tmp_path), 3000, None)
    image = environment_of("base") | environment_of("service")
    switches = {"DO_NOT_TRACK", "MLFLOW_DISABLE_TELEMETRY", "BENTOML_DO_NOT_TRACK"}
    switches |= {"OMP_WAIT_POLICY", "OMP_NUM_THREADS", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"}
    assert {name: image[name] for name in switches} == {name: ours[name] for name in switches}
    assert told("base", "VOLUME") == [image["HOLDFAST_HOME"]]
    assert image["HOLDFAST_API_KEYS_FILE"] == image["HOLDFAST_HOME"] + "/keys.json"


def test_the_image_serves_by_our_own_command(monkeypatch):
    """`holdfast serve` replaces itself by what run_service.command makes."""
    served = []
    monkeypatch.setattr(run_service, "serve", lambda *given: served.append(given[1:3]))
    (command,) = (yaml.safe_load(rest) for rest in told("service", "CMD"))
    assert command[0] == "holdfast"
    assert CliRunner().invoke(holdfast.app, command[1:]).exit_code == 0
    assert served == [("0.0.0.0", 3000)]
    assert told("service", "EXPOSE") == ["3000"]


def test_the_image_is_healthy_when_the_service_is_ready():
    (check,) = told("service", "HEALTHCHECK")
    assert "127.0.0.1:3000/readyz" in check
    assert check.split("CMD ")[1] == yaml_as_json(SERVICES["service"]["healthcheck"]["test"][1:])


def yaml_as_json(words):
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned(name):
    image = SERVICES[name]["image"]
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+(\.\d+)?(-\w+)?", image), image


@pytest.mark.parametrize("name", SERVICES)
def test_every_port_is_published_on_this_machine_only(name):
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1", port), port


@pytest.mark.parametrize("name", SERVICES)
def test_who_waits_waits_for_health(name):
    for other, how in SERVICES[name].get("depends_on", {}).items():
        assert how == {"condition": "service_healthy"}
        assert "healthcheck" in SERVICES[other]


@pytest.mark.parametrize("name", SERVICES)
def test_every_mount_exists(name):
    for mount in SERVICES[name].get("volumes", []):
        source = mount.split(":")[0]
        if source.startswith("."):
            assert (DEPLOY / source).is_file(), source
            assert mount.endswith(":ro")
        else:
            assert source in VOLUMES


def test_every_volume_is_used():
    mounted = {m.split(":")[0] for one in SERVICES.values() for m in one.get("volumes", [])}
    assert set(VOLUMES) <= mounted


@pytest.mark.parametrize("name", ["service", "jobs", "mlflow"])
def test_our_images_are_built_from_the_recipe_without_privileges(name):
    one = SERVICES[name]
    assert (DEPLOY / one["build"]["context"] / one["build"]["dockerfile"]).resolve().is_file()
    assert stage(one["build"]["target"])
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", ["service", "jobs"])
def test_the_production_store_finds_every_variable_it_needs(name):
    text = (PROJECT / "features" / "feature_store.production.yaml").read_text()
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    needed = set(string.Template(code).get_identifiers())
    given = SERVICES[name]["environment"]
    assert needed == {"HOLDFAST_REDIS", "HOLDFAST_REGISTRY"}
    assert needed <= set(given)
    assert given["HOLDFAST_FEATURE_STORE"] == "production"
    assert given["HOLDFAST_REDIS"].startswith("redis:6379,password=")
    assert given["HOLDFAST_REGISTRY"].endswith("@postgres:5432/feast")


def test_the_databases_that_are_named_are_made():
    made = set(re.findall(r"CREATE DATABASE (\w+);", (DEPLOY / "databases.sql").read_text()))
    registry = SERVICES["service"]["environment"]["HOLDFAST_REGISTRY"]
    runs = SERVICES["mlflow"]["environment"]["MLFLOW_BACKEND_STORE_URI"]
    used = {address.rsplit("/", 1)[1] for address in (registry, runs)}
    assert made == used


def test_passwords_come_from_the_environment_and_must_be_set():
    text = (DEPLOY / "compose.yaml").read_text()
    read = re.findall(r"\$\{(HOLDFAST_\w+_PASSWORD)([^}]*)\}", text)
    assert {name for name, _ in read} == {"HOLDFAST_POSTGRES_PASSWORD", "HOLDFAST_REDIS_PASSWORD"}
    assert {rest for _, rest in read} == {":?set it in .env"}
    for one in SERVICES.values():
        for name, value in one.get("environment", {}).items():
            if re.search("PASSWORD|AUTH", name):
                assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", value), name


def test_the_service_gets_its_keys_and_the_jobs_find_mlflow():
    assert SERVICES["service"]["environment"]["HOLDFAST_API_KEYS"] == "${HOLDFAST_API_KEYS:-}"
    assert SERVICES["jobs"]["environment"]["MLFLOW_TRACKING_URI"] == "http://mlflow:5000"
    assert "--allowed-hosts=mlflow:5000" in " ".join(SERVICES["mlflow"]["command"])


def test_jobs_and_service_share_the_workspace():
    assert SERVICES["service"]["volumes"] == SERVICES["jobs"]["volumes"] == ["workspace:/workspace"]
    assert environment_of("base")["HOLDFAST_HOME"] == "/workspace"


def test_redis_keeps_what_it_is_told():
    command = " ".join(SERVICES["redis"]["command"])
    assert "--appendonly yes" in command
    assert '--requirepass "$$REDISCLI_AUTH"' in command
    assert "noeviction" in command


def test_prometheus_asks_the_service_where_no_key_is_needed():
    settings = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    assert set(settings) <= {"global", "scrape_configs"}
    (job,) = settings["scrape_configs"]
    assert job["metrics_path"] in OPEN
    (target,) = job["static_configs"][0]["targets"]
    host, port = target.split(":")
    assert SERVICES[host]["ports"] == [f"127.0.0.1:{port}:{port}"]
    seconds = [int(settings["global"][name][:-1]) for name in ("scrape_timeout", "scrape_interval")]
    assert seconds == sorted(seconds)
