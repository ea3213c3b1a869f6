"""The recipes of a schedule, read: every command they run is one of ours, with options it has."""

import configparser
import re
import shlex
from pathlib import Path

import pytest
import typer
import yaml

import holdfast

FOLDER = Path(__file__).resolve().parents[2] / "serving" / "deploy" / "schedule"
COMMAND = re.compile(r"\.venv/bin/holdfast ([^>&\n]*)")
VERBS = typer.main.get_command(holdfast.app).commands


def commands(path):
    """What a file runs, outside of comments."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    return [shlex.split(re.sub(r"\$\{\{.*?\}\}", "", text)) for text in
            COMMAND.findall("\n".join(lines))]  # fmt: skip


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_every_command_is_a_verb_with_options_it_has(path):
    for verb, *words in commands(path):
        options = {option for parameter in VERBS[verb].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options


def test_each_way_retrains_once_a_month_on_the_same_day():
    cron = (FOLDER / "holdfast.cron").read_text()
    flow = yaml.safe_load((FOLDER / "workflow.yaml").read_text())
    timer = configparser.ConfigParser()
    timer.read(FOLDER / "holdfast-retrain.timer")
    assert re.search(r"^0 2 2 \* \* .* retrain ", cron, re.M)
    assert flow[True]["schedule"] == [{"cron": "0 2 2 * *"}]  # YAML reads `on` as true
    assert timer["Timer"]["OnCalendar"] == "*-*-02 02:00:00 UTC"
    for name in ("holdfast.cron", "holdfast-retrain.service", "workflow.yaml"):
        assert "retrain" in [verb for verb, *_ in commands(FOLDER / name)], name


def test_scoring_does_not_wait_for_a_promotion():
    jobs = yaml.safe_load((FOLDER / "workflow.yaml").read_text())["jobs"]
    assert jobs["retrain"]["needs"] == "data"
    assert "!cancelled()" in jobs["score"]["if"]
    assert "needs.retrain.result" not in jobs["score"]["if"]
