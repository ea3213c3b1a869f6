"""Real programs: a bento that is built, and MLflow on Postgres as the compose file runs it.

Marked `services` because each takes half a minute.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import yaml

from tests.ports import free_port
from tests.waiting import PATIENCE

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE = PROJECT / "serving" / "deploy" / "compose.yaml"
# What its own copy of the code imports, nothing of this checkout.
IMPORT = (
    "import serving.service, features.store, training.champion; print(serving.service.__file__)"
)

PINNED = re.compile(r"^[\w.\[\]-]+==[^\s;]+", re.M)

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def bento(tmp_path_factory):
    """The folder of a bento built from the working tree."""
    home = tmp_path_factory.mktemp("bentos")
    built = subprocess.run(
        [sys.executable, "-m", "bentoml", "build", "--output", "tag"],
        cwd=PROJECT,
        env={**os.environ, "BENTOML_HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    name, version = built.stdout.split("__tag__:")[1].split()[0].split(":")
    return home / "bentos" / name / version


def files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_bento_holds_the_three_rooms_and_nothing_of_tests_or_workspaces(bento):
    expected = {
        path.relative_to(PROJECT).as_posix()
        for room in ("features", "training", "serving")
        for path in (PROJECT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    own = {"holdfast.py", "pyproject.toml", "requirements.lock", "bentofile.yaml"}
    assert files(bento / "src") == expected | own


def test_a_bento_runs_from_its_own_code(bento):
    done = subprocess.run(
        [sys.executable, "-c", IMPORT],
        cwd=bento / "src",
        env={**os.environ, "PYTHONPATH": str(bento / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(bento / "src" / "serving" / "service.py")


def test_a_bento_pins_what_the_lock_pins_and_needs_keys(bento):
    lock = (PROJECT / "requirements.lock").read_text()
    asked = (bento / "env" / "python" / "requirements.txt").read_text()
    assert PINNED.findall(lock)
    assert set(PINNED.findall(asked)) == set(PINNED.findall(lock))
    recipe = (bento / "env" / "docker" / "Dockerfile").read_text()
    assert "FROM python:3.11-slim" in recipe
    for setting in ("HOLDFAST_API_KEYS_FILE=/workspace/keys.json", "OMP_NUM_THREADS=1"):
        assert f"ARG {setting}\nENV {setting.split('=')[0]}=$" in recipe, setting


def test_mlflow_runs_on_postgres_as_the_compose_file_says(postgres, tmp_path):
    service = yaml.safe_load(COMPOSE.read_text())["services"]["mlflow"]
    port = free_port()
    here = {"--host=0.0.0.0": "--host=127.0.0.1", "--port=5000": f"--port={port}"}
    words = [here.get(word, word) for word in service["command"]]
    own = {name: value for name, value in service["environment"].items() if "${" not in value}
    uri = f"postgresql+psycopg://{postgres.new_database()}"
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            env={**os.environ, **own, "MLFLOW_BACKEND_STORE_URI": uri},
            stdout=log,
            stderr=log,
        )
    try:
        wait_until_healthy(server, f"http://127.0.0.1:{port}", tmp_path / "log")
        runs = f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/get-by-name?experiment_name=Default"
        for host, code in {"mlflow:5000": 200, "evil.example": 403}.items():
            answer = httpx.get(runs, headers={"host": host}, timeout=PATIENCE)
            assert answer.status_code == code, host
    finally:
        server.terminate()
        server.wait(PATIENCE)


def wait_until_healthy(server, url, log, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()
        try:
            if httpx.get(f"{url}/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.5)
    raise TimeoutError(log.read_text())
