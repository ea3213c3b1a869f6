"""The house rules that a machine can hold, read from the source and not from its behavior."""

import ast
import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

PROJECT = Path(__file__).resolve().parents[1]
ROOMS = ("features", "training", "serving")
SOURCES = sorted(path for room in ROOMS for path in (PROJECT / room).rglob("*.py"))
TESTS = sorted((PROJECT / "tests").rglob("*.py"))
MOST_LINES = 400

# Each room may use those before it, never the other way.
MAY_IMPORT = {
    "features": {"features"},
    "training": {"features", "training"},
    "serving": {"features", "training", "serving"},
}
DOORS = {
    "feast": "features/store.py",
    "mlflow": "training/registry.py",
    "optuna": "training/search.py",
    "bentoml": "serving/service.py",
    "duckdb": "features/backend.py",
    "pyspark": "features/spark.py",
}
# Where machines keep what is theirs: homes, mounts, scratch space.
MACHINE_PATH = re.compile(r"(?<![\w./{}])/(?:home|root|Users|mnt|work|tmp|opt|var)/\w")


def name(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)} imports relatively; write the whole name."
            found.add(str(node.module).split(".")[0])
    return found


def calls(path: Path) -> set[str]:
    """The plain names that a file calls, such as print."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_the_rooms_import_one_way(path):
    room = path.relative_to(PROJECT).parts[0]
    assert imported(path) & set(ROOMS) <= MAY_IMPORT[room]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nobody_imports_the_command_line_or_the_tests(path):
    assert imported(path) & {"holdfast", "tests", "notebooks"} == set()


@pytest.mark.parametrize("vendor", DOORS)
def test_each_vendor_has_one_door(vendor):
    inside = [name(path) for path in SOURCES if vendor in imported(path)]
    assert set(inside) <= {DOORS[vendor]}
    assert vendor not in imported(PROJECT / "holdfast.py")


@pytest.mark.parametrize("path", [*SOURCES, *TESTS, PROJECT / "holdfast.py"], ids=name)
def test_no_file_is_longer_than_one_idea(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_the_rooms_log_and_never_print(path):
    assert "print" not in calls(path)


def test_no_file_knows_the_machine_it_was_written_on():
    texts = [*SOURCES, *TESTS, *(PROJECT / ".ci").iterdir()]
    texts += [path for end in ("py", "md", "yaml", "toml") for path in PROJECT.glob(f"*.{end}")]
    texts += [path for room in ROOMS for path in (PROJECT / room).rglob("*.[yj]*")]
    knowing = {
        name(path): found.group()
        for path in texts
        if (found := MACHINE_PATH.search(path.read_text(encoding="utf-8")))
    }
    assert knowing == {}


def project() -> dict:
    return yaml.safe_load((PROJECT / "mlproject.yaml").read_text(encoding="utf-8"))


def test_mlflow_finds_the_project_under_its_own_name():
    """It looks for a file called MLproject; a checkout without symbolic links would break it."""
    assert yaml.safe_load((PROJECT / "MLproject").read_text(encoding="utf-8")) == project()


def test_the_entry_points_agree_with_the_command_line():
    import holdfast

    verbs = typer.main.get_command(holdfast.app).commands
    for entry, definition in project()["entry_points"].items():
        python, script, verb, *words = shlex.split(definition["command"])
        assert (python, script) == ("python", "holdfast.py"), entry
        assert verb in verbs, f"{entry} calls {verb}, which is no verb"
        options = {opt: option for option in verbs[verb].params for opt in option.opts}
        given = dict(zip(words[::2], words[1::2], strict=True))
        assert set(given) <= set(options), f"{entry} gives options that {verb} does not have"
        parameters = definition.get("parameters", {})
        used = {value[1:-1]: options[opt] for opt, value in given.items() if value[0] == "{"}
        assert set(used) == set(parameters), f"{entry} declares other parameters than it uses"
        for parameter, declared in parameters.items():
            ours = default_of(used[parameter])
            assert str(declared.get("default", "")) == ours, f"{entry}: default of {parameter}"


def default_of(option: typer.core.TyperOption) -> str:
    """The default of an option as a shell would write it; empty stands for none."""
    default = getattr(option.default, "value", option.default)  # an Enum has its text as value
    return "" if default is None else str(default)
