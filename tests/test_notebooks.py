"""The notebooks run from first to last cell, tell and do not define, and show no machine."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

from tests.real_data import PROJECT, real_data

NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))
REAL = ("cdnow", "online-retail-2")
SECONDS = 900  # of one cell; a training takes a minute or two
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
# A place outside of the project: an absolute path in a text that was printed.
PLACE = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|usr|work|Users|opt|var)/")


def code_of(notebook: nbformat.NotebookNode) -> list[str]:
    """The code of each cell without IPython's own lines."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return [re.sub(r"^%.*$", "", source, flags=re.M) for source in cells]


def printed(notebook: nbformat.NotebookNode) -> str:
    """Every text among the stored results."""
    results = [result for cell in notebook.cells for result in cell.get("outputs", [])]
    texts = [result.get("text", "") for result in results]
    shown = [value for result in results for kind, value in result.get("data", {}).items()
             if kind.startswith("text/")]  # fmt: skip
    return "\n".join([*texts, *shown])


def test_there_are_five():
    assert [path.name[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_it_runs(path, tmp_path, monkeypatch):
    for name in REAL:
        real_data(name)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(path.parent)}}
    # Over files, not over ports, which another program may take before the kernel does.
    lines = Config({"KernelManager": {"transport": "ipc", "ip": str(tmp_path / "kernel")}})
    NotebookClient(
        notebook, timeout=SECONDS, startup_timeout=SECONDS, kernel_name="python3", resources=where,
        config=lines,
    ).execute()  # fmt: skip
    pictures = [result for cell in notebook.cells for result in cell.get("outputs", [])
                if "image/png" in result.get("data", {})]  # fmt: skip
    assert pictures


def test_it_defines_nothing(path):
    notebook = nbformat.read(path, as_version=4)
    trees = [ast.parse(source) for source in code_of(notebook)]
    found = [node for tree in trees for node in ast.walk(tree) if isinstance(node, DEFINITIONS)]
    assert found == []


def test_it_can_be_read_without_running(path):
    notebook = nbformat.read(path, as_version=4)
    ran = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    assert all(cell.execution_count for cell in ran)
    assert "image/png" in str(notebook)
    assert PLACE.findall(printed(notebook)) == []
