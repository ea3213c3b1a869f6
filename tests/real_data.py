"""Where the real data sets lie for tests: beside the project, never inside it."""

from pathlib import Path

from tests.missing import missing

PROJECT = Path(__file__).resolve().parents[1]


def real_data(name: str) -> Path:
    """The folder of one real data set, `../shared/data/<name>` from the project's root.

    Without it the test fails in CI, where the data must be, and is skipped elsewhere.
    """
    folder = PROJECT.parent / "shared" / "data" / name
    if not folder.is_dir():
        missing(
            f"The test needs the real data set {name}, but ../shared/data/{name} does not exist "
            "beside the project. Put the data there to run it."
        )
    return folder
