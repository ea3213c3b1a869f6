"""The verbs of the models' life as a caller meets them: what they are given, say, and end with."""

import json
import sys
from datetime import datetime

import pytest

import holdfast
from features.workspace import Workspace
from serving.policy import POLICY
from training import comparison, registry, retrain, unfinished
from training.gate import Finding, Verdict
from training.outcome import Outcome
from training.request import Request
from training.retrain import Order

GOOD = Finding("no_leak", "No alarm.", False, "nothing was found", 0.0, None, 0.0)
BAD = Finding("bytes", "They are small.", True, "the files have 900.0 MB", 9e8, None, 5e7)
UNKNOWN = Finding("value_today", "As before.", False, "not compared, because there is no champion")
VERSIONS = {"churn": "2", "churn_type": "2", "clv": "2", "tier": "2"}


def outcome(*findings):
    verdict = Verdict(findings)
    return Outcome("r1", "2025-03-31", VERSIONS, verdict.passed, verdict,
                   ("trained as of 2025-03-31, before 2025-02-28",), {"gate": 3.0})  # fmt: skip


@pytest.fixture
def call(tmp_path, monkeypatch, capsys):
    """Run the command line over a workspace of its own: exit code, output, errors."""
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "workspace"))

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["holdfast", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            holdfast.main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def retrained(monkeypatch):
    """What a retraining was asked, and what it is to answer."""
    asked = {}

    def way(space, order, labels, progress, *, force):
        asked.update(order=order, labels=labels, force=force)
        return asked["answer"]

    monkeypatch.setattr(retrain, "retrain", way)
    return asked


def test_how_the_treated_are_learnt_is_part_of_the_request_and_of_the_key(call, retrained):
    retrained["answer"] = outcome(GOOD)
    for way in ("as_they_are", "by_control"):
        code, _, _ = call("retrain", "--as-of", "2025-03-31", "--treated", way)
        order = retrained["order"]
        assert (code, order.request.treated, order.facts()["treated"]) == (0, way, way)
    code, _, said = call("retrain", "--treated", "perhaps")
    assert code == 2
    assert "by_control" in said


def test_a_promotion_ends_with_0_and_a_page(call, retrained):
    retrained["answer"] = outcome(GOOD, UNKNOWN)
    code, said, _ = call("retrain", "--as-of", "2025-03-31", "--origins", 2, "--force")
    assert code == 0
    end_of_day = datetime(2025, 3, 31, 23, 59, 59, 999999)
    assert retrained["order"] == Order(Request(end_of_day, 90, 365), 2, 0.0)
    assert (retrained["labels"], retrained["force"]) == ({"policy": POLICY.label}, True)
    assert said == (
        "Promoted: churn@2, churn_type@2, clv@2, tier@2.\n"
        "\n"
        "What changed:\n"
        "- trained as of 2025-03-31, before 2025-02-28\n"
        "\n"
        "Gate:\n"
        "  no_leak                     passed                0  at most 0\n"
        "  value_today                 not compared             not compared, because there is no "
        "champion\n"
        "\n"
        "Run r1; gate 3 s\n"
    )


def test_a_refusal_ends_with_1_and_its_reasons(call, retrained):
    retrained["answer"] = outcome(GOOD, BAD)
    code, said, _ = call("retrain", "--as-of", "2025-03-31")
    assert code == 1
    assert said.startswith("Refused by the gate: churn@2, churn_type@2, clv@2, tier@2.")
    assert "bytes                       REFUSED           9e+08  at most 5e+07" in said
    assert "Why not:\n- bytes: the files have 900.0 MB\n" in said
    code, said, _ = call("retrain", "--as-of", "2025-03-31", "--json")
    told = json.loads(said)
    assert (code, told["promoted"]) == (1, False)
    assert told["refusals"] == ["bytes: the files have 900.0 MB"]


def test_a_second_one_at_once_ends_with_2_and_a_sentence(call, tmp_path):
    space = Workspace(tmp_path / "workspace")
    with unfinished.alone(space):
        code, said, errors = call("retrain", "--as-of", "2025-03-31")
    assert (code, said) == (2, "")
    assert "is being retrained by another run" in errors


def test_without_events_there_is_a_sentence_and_2(call):
    code, _, errors = call("retrain")
    assert code == 2
    assert "has no transactions yet. Bring some in first" in errors


def test_versions_that_are_not_registered_are_not_compared(call):
    code, _, errors = call("compare", "3", "5")
    assert code == 2
    assert "There is no version 3 of the model churn in this workspace." in errors


def test_two_versions_are_compared_side_by_side(call, monkeypatch):
    def side(space, version):
        metrics = {"churn/model/log_loss": 0.6 if version == "3" else 0.5}
        return comparison.Side(version, {}, (), {}, metrics, {})

    monkeypatch.setattr(registry, "side", side)
    code, said, _ = call("compare", "3", "5")
    assert code == 0
    assert said.startswith("Version 5 is better on churn/model/log_loss.\n")
    told = json.loads(call("compare", "3", "5", "--json")[1])
    assert told["better"] == {"churn/model/log_loss": "5"}
