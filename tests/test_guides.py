"""Every guide, followed word for word in a copy of the project, ends where it says."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real_data import PROJECT

PAGES = ("features/EXTENDING.md", "training/EXTENDING.md")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
# What the words right before a block may say; `PATH` and `LINE` stand between backticks.
WRITE = re.compile(r"Write `(?P<path>[^`]+)`:$")
APPEND = re.compile(r"Add to the end of `(?P<path>[^`]+)`:$")
AFTER = re.compile(r"In `(?P<path>[^`]+)`, after the line `(?P<line>[^`]+)`:$")
INSTEAD = re.compile(r"In `(?P<path>[^`]+)`, in the place of the line `(?P<line>[^`]+)`:$")
SECONDS = 600  # of one command, on a machine that does other things as well


@dataclass(frozen=True)
class Step:
    """A block of a guide and the last sentence before it."""

    words: str
    language: str
    text: str


def guides() -> dict[str, list[Step]]:
    """The steps of each guide, by page and title."""
    found = {}
    for page in PAGES:
        _, *sections = re.split(r"^## ", (PROJECT / page).read_text(encoding="utf-8"), flags=re.M)
        for section in sections:
            title, _, body = section.partition("\n")
            room = page.partition("/")[0]
            found[f"{room}: {title}"] = steps_of(body)
    return found


def steps_of(body: str) -> list[Step]:
    """The blocks of a section in order."""
    steps, end = [], 0
    for block in FENCE.finditer(body):
        words = body[end : block.start()].strip().splitlines() or [""]
        steps.append(Step(words[-1], block[1], block[2]))
        end = block.end()
    return steps


def follow(step: Step, root: Path) -> None:
    """Do what a step says, in the copy at `root`."""
    if step.language == "sh":
        for command in step.text.strip().splitlines():
            run(command, root)
        return
    for pattern, change in ((WRITE, write), (APPEND, append), (AFTER, after), (INSTEAD, instead)):
        if found := pattern.search(step.words):
            path = root / found["path"]
            change(path, step.text, found.groupdict().get("line", ""))
            return
    pytest.fail(f"The guide does not say what to do with a block: {step.words!r}")


def write(path: Path, text: str, _: str) -> None:
    assert not path.exists(), f"{path.name} is there already"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def append(path: Path, text: str, _: str) -> None:
    path.write_text(f"{path.read_text(encoding='utf-8')}\n\n{text}", encoding="utf-8")


def after(path: Path, text: str, line: str) -> None:
    replace(path, line, f"{line}\n{text.rstrip()}")


def instead(path: Path, text: str, line: str) -> None:
    replace(path, line, text.rstrip())


def replace(path: Path, line: str, by: str) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    assert lines.count(line) == 1, f"{path.name} has the line {lines.count(line)} times: {line}"
    path.write_text("\n".join(by if old == line else old for old in lines), encoding="utf-8")


def run(command: str, root: Path) -> None:
    """Run a command line of a guide with this environment's programs over the copy's code."""
    name, _, arguments = command.partition(" ")
    program = Path(sys.executable).parent / Path(name).name
    environment = os.environ | {"PYTHONPATH": str(root), "HOLDFAST_HOME": str(root / "workspace")}
    ended = subprocess.run(
        f"{program} {arguments}", shell=True, cwd=root, env=environment, timeout=SECONDS,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, f"{command}\n{ended.stdout}\n{ended.stderr}"


GUIDES = guides()


def test_there_is_one_for_each_thing_that_is_added():
    assert list(GUIDES) == [
        "features: A feature", "features: A data set", "features: An engine",
        "training: A model", "training: A question",
    ]  # fmt: skip


@pytest.mark.parametrize("name", GUIDES)
def test_it_can_be_followed_word_for_word(name, tmp_path):
    ignored = shutil.ignore_patterns(".git", ".venv", "workspace", "__pycache__", ".*_cache")
    root = shutil.copytree(PROJECT, tmp_path / "holdfast", ignore=ignored)
    assert any(step.language == "sh" for step in GUIDES[name])
    for step in GUIDES[name]:
        follow(step, root)
