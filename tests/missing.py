"""What a test needs and does not find: in CI, where all must be, it fails; elsewhere it skips."""

import importlib.util
import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest


def missing(sentence: str) -> NoReturn:
    """Fail the test in CI (CI=true) and skip it elsewhere, with what is missing and what to do."""
    if os.environ.get("CI") == "true":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


def program(name: str, package: str, *folders: Path) -> str:
    """Where a program of the system lies, looked for in some folders and on the PATH."""
    places = [str(folder) for folder in folders]
    found = shutil.which(name, path=os.pathsep.join([*places, os.environ.get("PATH", "")]))
    if found is None:
        missing(
            f"The test needs the program {name}, which this machine lacks. "
            f"Install it to run the test: apt-get install {package}."
        )
    return found


def spark() -> None:
    """Pyspark, and a Java runtime for it."""
    if importlib.util.find_spec("pyspark") is None:
        missing(
            "The test needs pyspark. Install it to run the test: pip install -e '.[production]'."
        )
    program("java", "default-jre-headless", Path(os.environ.get("JAVA_HOME", "")) / "bin")
