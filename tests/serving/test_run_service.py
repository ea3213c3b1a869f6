"""What `holdfast serve` refuses before it becomes the service, in one sentence each."""

import errno
import os
import socket
from datetime import timedelta

import pytest

from features.errors import UserError
from features.workspace import Workspace
from serving import run_service
from tests.serving.conftest import AS_OF
from tests.serving.running import free_port


@pytest.fixture
def space(tmp_path):
    """A workspace that says which models are its champion; nothing here loads them."""
    space = Workspace(tmp_path)
    space.models.mkdir()
    (space.models / "champion.json").write_text("{}")
    return space


@pytest.fixture
def become(monkeypatch):
    """Starts the service, but for becoming it; gives what it would have become."""
    became = []
    monkeypatch.delenv("HOLDFAST_NOW", raising=False)  # other tests' service may stand at one
    monkeypatch.setattr(os, "execve", lambda *given: became.append(given))

    def start(*given, **more):
        run_service.serve(*given, **more)
        return became.pop()

    return start


def test_a_port_that_is_taken_is_told(space, become):
    host = "127.0.0.1"
    with socket.socket() as other:
        other.bind((host, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UserError) as refused:
            become(space, host, port)
    assert str(refused.value) == (
        f"The service was to listen on port {port} of {host}, but something listens there "
        "already. Choose another --port, or end the other."
    )
    assert become(space, host, port)[1] == run_service.command(host, port)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (errno.EACCES, "but only an administrator may. Choose a --port from 1024 on."),
        (errno.EADDRNOTAVAIL, "but this machine has no such address. Choose another --host."),
        (errno.ENETDOWN, "but Network is down. Choose another --host or --port."),
    ],
)
def test_a_port_that_cannot_be_had_is_told(space, become, monkeypatch, code, sentence):
    def bind(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(socket.socket, "bind", bind)
    with pytest.raises(UserError, match=sentence):
        become(space, port=80)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("HOLDFAST_RATE_LIMIT", "abc", "HOLDFAST_RATE_LIMIT is 'abc', which is no number"),
        ("HOLDFAST_KEEP_SERVED_DAYS", "long", "HOLDFAST_KEEP_SERVED_DAYS is 'long', and days"),
        ("HOLDFAST_NOW", "yesterday", "The moment 'yesterday' cannot be read"),
        ("HOLDFAST_API_KEYS", "nonsense", "Entry 1 of HOLDFAST_API_KEYS"),
        ("HOLDFAST_API_KEYS_FILE", "/not/there", "HOLDFAST_API_KEYS_FILE names /not/there"),
        ("HOLDFAST_FEATURE_STORE", "/not/there", "configuration /not/there does not exist"),
    ],
)
def test_a_setting_that_cannot_be_read_is_told_before_the_start(
    space, become, monkeypatch, name, value, sentence
):
    monkeypatch.setenv(name, value)
    now = None if name == "HOLDFAST_NOW" else AS_OF
    with pytest.raises(UserError, match=sentence):
        become(space, port=free_port(), now=now)


@pytest.mark.parametrize("by_variable", [False, True])
def test_a_moment_before_that_of_the_online_store_is_refused(
    trained_workspace, become, monkeypatch, by_variable
):
    early = AS_OF - timedelta(days=30)
    if by_variable:
        monkeypatch.setenv("HOLDFAST_NOW", early.isoformat())
    with pytest.raises(UserError) as refused:
        become(trained_workspace, port=free_port(), now=None if by_variable else early)
    assert str(refused.value) == (
        "The service was to stand at 2024-12-01 23:59, and the online store knows what had "
        "happened by 2024-12-31 23:59. Leave --as-of out, or give it that moment or a later one; "
        "for scores of an earlier one: holdfast score --as-of 2024-12-01."
    )


@pytest.mark.parametrize("now", [None, AS_OF, AS_OF + timedelta(hours=1)])
def test_the_clock_and_any_other_moment_are_stood_at(trained_workspace, become, now):
    _, _, environment = become(trained_workspace, port=free_port(), now=now)
    assert environment.get("HOLDFAST_NOW") == (now.isoformat() if now else None)
