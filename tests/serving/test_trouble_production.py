"""The service over a Redis and a Postgres that are killed, stopped, slowed, emptied and restarted.

One process for all tests, which is never started again by them: it must come back by itself. Its
workspace lies on a disk of its own with little room, where the system allows to make one.
"""

import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress

import psutil
import pytest

from serving import kept_answers
from tests.features.production import opened
from tests.missing import missing
from tests.serving.conftest import AS_OF, promote
from tests.serving.running import Running, accepted, copy, stored
from tests.waiting import until

pytestmark = pytest.mark.services

OTHERS = [f"C{k:06d}" for k in range(10, 20)]  # who are sent no events
DISK = 32 << 20  # bytes; the business takes a quarter of it
PAGE = 4096  # bytes, the least that a file takes of it
# The store's own patience is two seconds; its caller is told a little later.
AT_ONCE, PATIENCE = 2.0, 4.0  # seconds


@pytest.fixture(scope="module")
def environment(redis, postgres):
    return {
        "HOLDFAST_FEATURE_STORE": "production",
        "HOLDFAST_REDIS": redis.new_database(),
        "HOLDFAST_REGISTRY": postgres.new_database(),
    }


@pytest.fixture(scope="module")
def space(trained_workspace, tmp_path_factory):
    """A copy of the business on a small disk, unless the system forbids it."""
    disk = tmp_path_factory.mktemp("production")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", disk], check=False)
    yield copy(trained_workspace, disk / "workspace")
    if disk.is_mount():
        subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.fixture(scope="module")
def store(space, environment):
    """The same store, loaded, as another process has it."""
    store = opened(space, environment)
    store.materialize(AS_OF)
    return store


@pytest.fixture(scope="module")
def process(space, store, environment):
    running = Running(space, environment)
    running.start()
    running.post_again(["first"])
    yield running
    running.close()


def refusal(answer, status=503):
    """What a refused caller is told, who may come again at once."""
    assert answer.status_code == status, answer.text
    assert status != 503 or answer.headers["retry-after"] == "1"
    return answer.json()["error"]


def ready(process):
    return process.client.get("/readyz").status_code == 200


def seconds(call, *arguments):
    start = time.monotonic()
    call(*arguments)
    return time.monotonic() - start


# Redis


def test_without_redis_callers_are_told_at_once_and_served_when_it_is_back(process, redis):
    before = process.probabilities(OTHERS)
    with redis.down(signal.SIGKILL):
        start = time.monotonic()
        said = refusal(process.score("C000011"))
        assert time.monotonic() - start < PATIENCE
        assert said.startswith("The online store redis does not answer: ")
        assert "does not answer" in refusal(process.post("without-redis"))
        assert not ready(process)
        assert process.client.get("/livez").status_code == 200
        assert process.client.get("/version").status_code == 200
    assert ready(process)
    assert process.probabilities(OTHERS) == before
    again = process.post("without-redis").json()["transactions"]
    assert again["taken"] + again["repeated"] == 1
    assert stored(process.space)["without-redis"] == 1


@contextmanager
def frozen(redis):
    """Within the block it accepts connections and says nothing."""
    redis.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        redis.process.send_signal(signal.SIGCONT)


def test_a_redis_that_hangs_is_given_up_while_others_are_served(process, redis):
    answers, took = [], []

    def ask():
        took.append(seconds(lambda: answers.append(process.score("C000011"))))

    with frozen(redis):
        callers = [threading.Thread(target=ask) for _ in range(8)]
        for caller in callers:
            caller.start()
        for path in ("/livez", "/version"):
            assert seconds(process.client.get, path) < AT_ONCE
        for caller in callers:
            caller.join()
    assert all(refusal(one).startswith("The online store redis does not") for one in answers)
    assert len(answers) == 8
    assert min(took) < PATIENCE
    assert max(took) < 2 * PATIENCE  # who comes while a batch waits is in the next one
    until(lambda: process.score("C000011").status_code == 200)


def test_an_emptied_redis_is_not_ready_until_it_is_loaded_again(process, redis, store):
    before = process.probabilities(OTHERS)
    redis.lose_everything()
    assert not ready(process)
    assert {one["status"] for one in process.score(*OTHERS).json()["scores"]} == {"unknown"}
    store.materialize(AS_OF)
    assert ready(process)
    assert process.probabilities(OTHERS) == before


# Postgres


def test_without_the_registry_everything_goes_on(process, postgres):
    before = process.probabilities(OTHERS)
    with postgres.down(signal.SIGKILL):
        assert ready(process)
        assert process.probabilities(OTHERS) == before
        assert process.post("no-registry").json()["transactions"]["taken"] == 1
        assert process.client.post("/profile", json={"customer_id": "C000011"}).status_code == 200
    assert process.post("no-registry").json()["transactions"]["repeated"] == 1
    assert stored(process.space)["no-registry"] == 1
    assert ready(process)


@contextmanager
def hanging(postgres):
    """Within the block it neither answers nor refuses, as behind a line that is cut."""
    server = psutil.Process(postgres.process.pid)
    server.suspend()  # first, so that it starts no other
    processes = server.children()
    try:
        for one in processes:
            with suppress(psutil.NoSuchProcess):  # some live for a moment only
                one.suspend()
        yield
    finally:
        for one in [*processes, server]:
            with suppress(psutil.NoSuchProcess):
                one.resume()


def test_a_registry_that_hangs_holds_up_nobody(process, postgres):
    before = process.probabilities(OTHERS)
    with hanging(postgres):
        assert seconds(ready, process) < PATIENCE
        assert ready(process)
        assert process.probabilities(OTHERS) == before
        assert process.post("hanging-registry").json()["transactions"]["taken"] == 1
    assert ready(process)


def model(process):
    return process.client.get("/version").json()["models"]["churn"]


def test_a_champion_promoted_without_the_registry_waits_for_it(process, postgres):
    before = process.probabilities(OTHERS)
    with postgres.down():
        promote(process.space, "2")
        until(lambda: process.client.get("/version").json()["refused"])
        said = process.client.get("/version").json()["refused"]
        assert said.startswith("The registry of the feature store does not answer: ")
        assert model(process) == "churn@1"
        assert process.probabilities(OTHERS) == before
    until(lambda: model(process) == "churn@2")
    assert process.probabilities(OTHERS) == before


# A full disk


def wait_until_all_is_kept(process):
    """Wait until every answer so far is kept: until then room is taken, and given back."""
    body, last = {"customer_ids": ["C000011"]}, {"x-request-id": "last"}
    assert process.client.post("/score", json=body, headers=last).status_code == 200
    until(lambda: "last" in {
        one.request_id for one in kept_answers.of_customer(process.space, "C000011")
    })  # fmt: skip


@contextmanager
def filled(disk):
    """Within the block a call leaves so many bytes of a disk free, whoever else writes there."""
    file = disk / "fill"

    def fill(free):
        with file.open("ab", buffering=0) as rest:
            with suppress(OSError):  # the disk is full
                while rest.write(b"0" * PAGE):
                    pass
            rest.truncate(max(0, rest.tell() - free))

    try:
        yield fill
    finally:
        file.unlink()


def test_events_on_a_full_disk_are_told_so_and_taken_once_as_room_grows(process, space):
    disk = space.root.parent
    if not disk.is_mount():
        missing(
            "The test needs a small disk, which only root may mount. Run it as root to have it."
        )
    ids = [f"full-{k}" for k in range(20)]
    told, worker = [], process.worker
    wait_until_all_is_kept(process)
    with filled(disk) as fill:
        for free in range(0, 100_000, PAGE):  # a page more at every try
            fill(free)
            answer = process.post(*ids)
            told.append(answer.status_code)
            if answer.status_code == 200:
                break
            assert "disk" in refusal(answer, answer.status_code)
            assert not list(space.events.rglob(".staging-*"))
            assert process.score("C000011").status_code == 200
            for path in ("/score", "/profile", "/score_features", "/events"):  # are counted anew
                assert process.client.post(path, json={"nothing": 1}).status_code == 400
    assert process.worker == worker
    assert (told[0], told[-1]) == (507, 200)
    assert set(told) <= {507, 503, 200}
    assert answer.json()["transactions"] == {"taken": 20, "repeated": 0, "refused": []}
    assert process.post(*ids).json()["transactions"]["repeated"] == 20
    assert Counter(stored(space)[name] for name in ids) == {1: 20}


# The worker


def test_a_killed_worker_comes_back_by_itself_and_no_accepted_event_is_lost(process):
    before, worker = process.probabilities(OTHERS), process.worker
    with process.posting() as told, process.asking(OTHERS) as answers:
        until(lambda: len(accepted(told)) >= 5 and answers)
        worker.kill()
        enough = len(answers) + 3  # two callers may still be reading what it said last
        until(lambda: len(answers) >= enough)
    assert process.worker.pid != worker.pid
    assert set(told.values()) <= {200, 503, None}
    assert all(answer == before for answer in answers)
    names = list(told)
    assert {stored(process.space)[name] for name in accepted(told)} == {1}
    process.post_again(names)
    assert Counter(stored(process.space)[name] for name in names) == {1: len(names)}


# A body that never ends


def test_a_body_that_is_not_complete_in_time_is_told_so(process):
    with socket.create_connection(("127.0.0.1", process.port), timeout=30.0) as slow:
        start = time.monotonic()
        slow.sendall(b"POST /events HTTP/1.1\r\nHost: here\r\nContent-Length: 100\r\n\r\n{")
        answer = slow.recv(10_000)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert 9.0 < time.monotonic() - start < 15.0
    assert process.score("C000011").status_code == 200
