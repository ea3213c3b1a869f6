"""What is kept of the tests, for one test or two."""

from datetime import datetime

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from training.evaluate import Backtest
from training.proof import COLUMNS, RISK_COLUMNS, VALUE_COLUMNS, Proof
from training.split import CutOff

METRICS = pd.DataFrame({"task": ["churn"], "model": ["model"], "metric": ["brier"], "value": [0.1]})
NOTHING = pd.DataFrame(columns=["task", "model", "metric", "value"])


def backtest(*without, horizon_days=90):
    held_out = pd.DataFrame({"customer_id": ["ann", "bob"], "more": 1.0, "bought": [1.0, 0.0]})
    held_out["as_of"] = pd.Timestamp(2024, 3, 31)
    held_out["is_active"] = True
    held_out["value"] = [20.0, 0.0]
    for place, name in enumerate((*RISK_COLUMNS, *VALUE_COLUMNS)):
        held_out[name] = 0.1 * place
    origin = CutOff(datetime(2024, 3, 31), horizon_days)
    rows = held_out.drop(columns=list(without))
    return Backtest(origin, panel=None, held_out=rows, model=None)


def test_one_test_of_both_is_kept_once():
    test = backtest()
    proof = Proof.of(test, test, METRICS)
    assert proof.note == (
        "Tested (risk and value) on customers as of 2024-03-31, whose following 90 days are known "
        "by now and were not used."
    )
    assert tuple(proof.held_out.columns) == COLUMNS
    assert len(proof.held_out) == 2
    assert proof.held_out.notna().all(axis=None)


def test_two_tests_fill_their_own_columns():
    churn = backtest(*VALUE_COLUMNS)
    proof = Proof.of(churn, backtest(horizon_days=365), METRICS)
    risk, value = proof.held_out.iloc[:2], proof.held_out.iloc[2:]
    assert risk[list(RISK_COLUMNS)].notna().all(axis=None)
    assert risk[list(VALUE_COLUMNS)].isna().all(axis=None)
    assert value[list(RISK_COLUMNS)].isna().all(axis=None)
    assert value[list(VALUE_COLUMNS)].notna().all(axis=None)
    assert proof.held_out.is_active.tolist() == [True, True, False, False]
    assert "Tested (risk)" in proof.note
    assert "Tested (value) on customers as of 2024-03-31, whose following 365 days" in proof.note


def test_a_value_test_alone():
    proof = Proof.of(None, backtest(), METRICS)
    assert len(proof.held_out) == 2
    assert not proof.held_out.is_active.any()


@pytest.mark.parametrize("test", [backtest(), None], ids=["tested", "not tested"])
def test_saved_and_loaded_it_is_the_same(test, tmp_path):
    proof = Proof.of(test, test, METRICS if test else NOTHING)
    proof.save(tmp_path)
    again = Proof.load(tmp_path)
    assert again.note == proof.note
    if test is None:
        assert again.note == "The history is too short for a test at an earlier moment."
        assert again.held_out is None
        assert again.metrics.empty
    else:
        assert_frame_equal(again.held_out, proof.held_out)
        assert_frame_equal(again.metrics, proof.metrics)


def test_the_ways_to_value_customers_are_kept_beside_it(tmp_path):
    test, methods = backtest(), pd.DataFrame({"method": ["ABC", "CLV"], "found": [0.5, 0.6]})
    Proof.of(test, test, METRICS, methods).save(tmp_path)
    assert_frame_equal(Proof.load(tmp_path).methods, methods)
    Proof.of(test, test, METRICS).save(tmp_path)  # a training that compared nothing
    assert Proof.load(tmp_path).methods is None


def test_where_nothing_was_kept_the_note_says_so(tmp_path):
    proof = Proof.load(tmp_path)
    assert (proof.held_out, proof.note) == (None, "No test of these models was kept.")


def test_a_training_keeps_its_proof(trained):
    again = Proof.load(trained.space.models / "proof")
    assert again.note.startswith("Tested (risk and value) on customers as of 2024-11-01")
    assert len(again.held_out) == len(trained.learned.value_test.held_out)
    assert {"churn", "clv"} <= set(again.metrics.task)
