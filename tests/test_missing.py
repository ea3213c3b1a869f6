"""A service or a program that a test needs and does not find."""

import pytest

from tests.missing import program

SENTENCE = (
    "The test needs the program no-such-server, which this machine lacks. "
    "Install it to run the test: apt-get install some-package."
)


def test_in_ci_the_test_fails(monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception) as failed:
        program("no-such-server", "some-package")
    assert str(failed.value) == SENTENCE


def test_elsewhere_the_test_is_skipped(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception) as skipped:
        program("no-such-server", "some-package")
    assert str(skipped.value) == SENTENCE


def test_a_program_off_the_path_is_found_in_its_folder(tmp_path):
    server = tmp_path / "some-server"
    server.write_text("#!/bin/sh\n")
    server.chmod(0o755)
    assert program("some-server", "some-package", tmp_path) == str(server)
