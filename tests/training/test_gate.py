"""The gate: each check lets a good challenger pass, and refuses one that is wrong in its way."""

import json
from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from training import gate, gate_checks
from training.evaluate import Backtest
from training.evidence import Evidence, Rival, Totals
from training.gate import GATE, Finding, Verdict
from training.split import CutOff

ORIGIN = CutOff(datetime(2024, 6, 30), 90)
COUNT = 1000


def customers(seed: int = 0) -> pd.DataFrame:
    """Customers of one moment with right risks and values; the baseline says the same of all."""
    rng = np.random.default_rng(seed)
    chance = rng.uniform(0.05, 0.95, COUNT)
    bought = (rng.random(COUNT) < chance).astype(float)
    value = bought * rng.uniform(50, 150, COUNT)
    return pd.DataFrame({
        "customer_id": [f"C{number}" for number in range(COUNT)],
        "recency": np.tile([20.0, 60.0, 120.0], COUNT)[:COUNT],
        "age": 400.0,
        "horizon_days": 90,
        "purchase_days_total": np.tile([1.0, 2.0, 5.0, 9.0], COUNT)[:COUNT],
        "is_active": True,
        "bought": bought,
        "purchase_probability": chance,
        "baseline_probability": 0.5,
        "value": value,
        "expected_value": 100 * chance,
        "expected_value_median": np.where(chance > 0.5, 100.0, 0.0),
        "expected_value_low": 0.0,
        "expected_value_high": 140.0,
        "baseline_value": 50.0,
    })  # fmt: skip


def test_of(rows: pd.DataFrame) -> Backtest:
    return Backtest(ORIGIN, panel=rows.head(0), held_out=rows, model=None)


test_of.__test__ = False


@pytest.fixture
def good() -> Evidence:
    """A challenger with nothing wrong, beside a champion that is a little worse everywhere."""
    rows = customers()
    softer = 0.5 + 0.8 * (rows.purchase_probability - 0.5)
    trained = datetime(2024, 3, 31)
    answers = {name: [0.5, 1.0] for name in gate_checks.ALWAYS_KNOWN} | {"type_fault": [None, 0.2]}
    return Evidence(
        churn_test=test_of(rows),
        value_test=test_of(rows),
        churn_rival=Rival("churn@1", trained, softer.to_numpy()),
        value_rival=Rival("clv@1", trained, (0.9 * rows.expected_value_median).to_numpy()),
        probed="Leakage probes passed.",
        leaks=False,
        answers=answers,
        reloaded=answers,
        milliseconds=4.0,
        champion_milliseconds=3.5,
        size=2_000_000,
        champion_size=1_900_000,
        totals=Totals("churn@1", 900.0, 1000.0, 52_000.0, 50_000.0),
    )


def changed(evidence: Evidence, **columns) -> dict:
    """Both tests with other columns."""
    test = test_of(evidence.churn_test.held_out.assign(**columns))
    return {"churn_test": test, "value_test": test}


def rows_of(evidence: Evidence) -> pd.DataFrame:
    return evidence.churn_test.held_out


def inverse(evidence: Evidence) -> dict:
    return changed(evidence, purchase_probability=1.0 - rows_of(evidence).purchase_probability)


def value_of_nobody(evidence: Evidence) -> dict:
    return changed(evidence, expected_value_median=150.0 - rows_of(evidence).expected_value_median)


def dull(evidence: Evidence) -> dict:
    # Nearly what the baseline says: far less than half of the champion's gain.
    return changed(
        evidence,
        purchase_probability=0.5 + 0.05 * (rows_of(evidence).purchase_probability - 0.5),
    )


def dull_value(evidence: Evidence) -> dict:
    rows = rows_of(evidence)
    return changed(
        evidence, expected_value_median=50.0 + 0.05 * (rows.expected_value_median - 50.0)
    )


def one_group_too_low(evidence: Evidence) -> dict:
    rows = rows_of(evidence)
    risk = 1.0 - rows.purchase_probability
    risk = risk.where(rows.purchase_days_total != 1, 0.6 * risk)
    return changed(evidence, purchase_probability=1.0 - risk)


def too_sure(evidence: Evidence) -> dict:
    # The level is right, single risks are not.
    log_odds = np.log(1.0 / (1.0 / rows_of(evidence).purchase_probability - 1.0))
    return changed(evidence, purchase_probability=1.0 / (1.0 + np.exp(-3.0 * log_odds)))


# What is made wrong -> the check that must refuse it, and what it must say.
WRONG = {
    "beats_baseline_churn": (inverse, "of the baseline 0.6931"),
    "beats_baseline_value": (value_of_nobody, "absolute error of value"),
    "keeps_champion_churn": (dull, "of churn@1 of 2024-03-31"),
    "keeps_champion_value": (dull_value, "of clv@1 of 2024-03-31"),
    "level_by_group": (one_group_too_low, "in the group furthest off (order days: 1) 0.6"),
    "calibration_by_group": (too_sure, "the calibration error is 0.1"),
    "no_leak": (lambda _: {"leaks": True, "probed": "visits knows the future"},
                "visits knows the future"),
    "interval_coverage": (lambda e: changed(e, expected_value_high=100.0),
                          "of the values came inside their 90 % interval"),
    "examples_alike": (lambda e: {"reloaded": e.answers | {"type_fault": [None, 0.3]}},
                       "of 5 answers on the stored examples 1 are no numbers, or others once the "
                       "models were stored and read: type_fault"),
    "milliseconds": (lambda _: {"milliseconds": 300.0}, "300.0 ms, the champion in 3.5"),
    "bytes": (lambda _: {"size": 200_000_000}, "the files have 200.0 MB, the champion 1.9"),
    "leavers_today": (lambda e: {"totals": replace(e.totals, leavers=500.0)},
                      "500 leavers are expected of today's customers, by churn@1 1,000"),
    "value_today": (lambda e: {"totals": replace(e.totals, value=80_000.0)},
                    "80,000 money are expected of today's customers, by churn@1 50,000"),
}  # fmt: skip


def finding(name: str, evidence: Evidence) -> Finding:
    (check,) = (check for check in GATE if check.name == name)
    return check.of(evidence)


def test_a_good_challenger_passes_every_check(good):
    verdict = gate.judge(good)
    assert {f.name: f.passed for f in verdict.findings} == {check.name: True for check in GATE}
    assert verdict.passed
    assert verdict.sentence() == "Passed the gate."
    assert verdict.in_words().count("passed") == len(GATE)


@pytest.mark.parametrize("name", [check.name for check in GATE])
def test_each_check_refuses_what_is_wrong_in_its_way(name, good):
    spoil, sentence = WRONG[name]
    found = finding(name, replace(good, **spoil(good)))
    assert found.passed is False
    assert sentence in found.sentence
    verdict = Verdict((found,))
    assert not verdict.passed
    assert verdict.refusals == [f"{name}: {found.sentence}"]
    assert "REFUSED" in verdict.in_words()


@pytest.mark.parametrize("value", [None, np.nan, np.inf])
def test_an_example_without_a_number_is_refused(good, value):
    spoiled = good.answers | {"churn": [value, 0.5]}
    found = finding("examples_alike", replace(good, answers=spoiled, reloaded=spoiled))
    assert (found.figure, found.passed) == (1.0, False)
    assert found.sentence.endswith(": churn")


def test_models_that_cannot_be_read_again_are_refused(good):
    found = finding("examples_alike", replace(good, reloaded="The models cannot be loaded."))
    assert (found.figure, found.sentence) == (5.0, "The models cannot be loaded.")


def test_without_a_test_nothing_is_proven(good):
    verdict = gate.judge(replace(good, churn_test=None, value_test=None))
    assert [reason.split(":")[0] for reason in verdict.refusals] == [
        "beats_baseline_churn", "beats_baseline_value",
    ]  # fmt: skip
    assert verdict.refusals[0] == (
        "beats_baseline_churn: not compared, because there is no test at an earlier moment: the "
        "history is too short"
    )


def test_what_cannot_be_compared_is_told_and_does_not_count_as_passed(good):
    why = "every champion so far was trained after 2024-06-30"
    verdict = gate.judge(
        replace(good, churn_rival=why, value_rival=why, totals="there is no champion yet")
    )
    unknown = [f for f in verdict.findings if f.passed is None]
    assert [f.name for f in unknown] == [
        "keeps_champion_churn", "keeps_champion_value", "leavers_today", "value_today",
    ]  # fmt: skip
    assert unknown[0].sentence == f"not compared, because {why}"
    assert verdict.passed  # else a first champion could never be
    assert set(verdict.figures()) == {check.name for check in GATE} - {f.name for f in unknown}


def test_probes_that_were_not_run_are_no_proof(good):
    told = "Leakage probes were not run: there is no test."
    assert finding("no_leak", replace(good, probed=told)).passed is None


def test_an_equal_model_replaces_an_ageing_one(good):
    rows = rows_of(good)
    same = Rival("churn@1", datetime(2024, 3, 31), rows.purchase_probability.to_numpy())
    found = finding("keeps_champion_churn", replace(good, churn_rival=same))
    assert found.figure == 0.0
    assert found.high > 0.0


def test_half_of_the_champions_gain_is_the_margin():
    # Losses by hand: the baseline loses 3, the champion 1, so that 1 may be lost of its gain of 2.
    losses = {"model": np.full(60, 1.9), "baseline": np.full(60, 3.0), "who": np.arange(60)}
    rival = Rival("churn@1", datetime(2024, 3, 31), np.zeros(60))
    figure, low, high, said = gate_checks._kept(losses, np.ones(60), rival, "log-loss")
    assert (figure, low, high) == (pytest.approx(0.9), None, pytest.approx(1.0))
    assert said.startswith("log-loss 1.9, of churn@1 of 2024-03-31 1; the difference 0.9 is from ")


def test_speed_and_size_are_no_reason_below_a_limit(good):
    fast = replace(good, milliseconds=99.0, champion_milliseconds=1.0, size=49_000_000)
    assert finding("milliseconds", fast).passed
    assert finding("bytes", fast).passed
    assert finding("milliseconds", replace(fast, champion_milliseconds=None)).passed


def test_a_verdict_is_kept_as_json(good, tmp_path):
    verdict = gate.judge(replace(good, leaks=True))
    verdict.save(tmp_path, {"versions": {"churn": "churn@2"}})
    stored = json.loads((tmp_path / "gate.json").read_text())
    assert (stored["passed"], stored["versions"]) == (False, {"churn": "churn@2"})
    assert Verdict.from_dict(stored) == verdict


def test_every_check_says_what_it_asks():
    assert len({check.name for check in GATE}) == len(GATE)
    assert all(check.about.endswith(".") for check in GATE)
    assert set(WRONG) == {check.name for check in GATE}
