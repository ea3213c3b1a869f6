"""Answers kept for replay: each content once, none waited for, none of an erased customer."""

import json
import sqlite3
import threading
import time
from datetime import datetime, timedelta

import numpy as np
import pytest

from features.columns import Columns, Places
from features.errors import UserError
from serving import erasure, keeping, kept_answers, receipts
from serving.answer import Call, answer
from serving.keeping import Handed, Keeping, packed, unpack
from serving.kept_answers import FIGURES, Day
from serving.policy import POLICY
from tests.serving import stub_models
from tests.waiting import PATIENCE, until

NOW = datetime(2025, 7, 1, 8)


def handed(*changes, now=NOW, request_id="r1", began=None):
    """The answers of a call about C0, C1 and so on."""
    rows = Columns.of(stub_models.rows(*(changes or ({},))))
    rows = rows.with_columns({
        "request_id": np.full(len(rows), request_id, dtype=object),
        "explain": np.zeros(len(rows), dtype=bool),
        "tier_previous": np.full(len(rows), "mgc", dtype=object),
    })  # fmt: skip
    models, call = stub_models.models(), Call(POLICY, now)
    return Handed(rows, answer(rows, models, call), models, call, began or time.time())


@pytest.fixture
def dropped():
    return []


@pytest.fixture
def keeping_in(workspace, dropped):
    """Keeps some calls as a service that is then stopped; more than one if need be."""

    def keep(*calls):
        one = Keeping(workspace, dropped.append)
        one.open()
        for call in calls:
            one.hand(call)
        one.close()

    return keep


def table(workspace, name, day="2025-07-01"):
    database = sqlite3.connect(workspace.root / "served" / f"{day}.sqlite")
    found = database.execute(f"SELECT * FROM {name}").fetchall()
    database.close()
    return found


def test_an_answer_is_kept_with_its_figures(keeping_in, workspace, dropped):
    given = handed({})
    keeping_in(given)
    (kept,) = kept_answers.of_customer(workspace, "C0")
    told = dict(zip(FIGURES, kept.figures, strict=True))
    assert (kept.request_id, kept_answers.moment_of(kept)) == ("r1", NOW)
    assert told["status"] == "scored"
    assert told["churn_probability"] == given.answers[0]["churn"]["probability"]
    assert told["tier"] == given.answers[0]["tier"]["code"]
    assert json.loads(kept.setting)["policy"]["label"] == POLICY.label
    assert dropped == []


def test_the_kept_row_gives_the_same_answer_again(keeping_in, workspace):
    given = handed({"survey_mean": None, "spend_total": 1 / 3, "profile_plan": None})
    keeping_in(given)
    (kept,) = kept_answers.of_customer(workspace, "C0")
    rows = keeping.asked(kept, json.loads(kept.setting))
    (again,) = answer(rows, given.models, Call(POLICY, kept_answers.moment_of(kept)))
    assert again == given.answers[0]
    assert kept_answers.told(again) == (kept.figures, kept.digest)


def test_a_row_keeps_its_bits():
    numbers = np.array([[0.1, -0.0, np.nan, np.inf, 5e-324]])
    moment = np.array(["2025-06-30T23:59:59.999999"], dtype="datetime64[us]")
    texts = {"plan": np.array(["gold, \"very\" 金"], dtype=object),
             "none": np.array([None], dtype=object)}  # fmt: skip
    rows = Columns(numbers, Places("abcde"), {**texts, "as_of": moment})
    found = unpack(next(packed(rows, ["none", "plan"])), list("abcde"), ["none", "plan"])
    assert found.numbers.tobytes() == numbers.tobytes()
    assert found["plan"].tolist() == texts["plan"].tolist()
    assert found["none"].tolist() == [None]
    assert found["as_of"] == moment


def test_what_is_the_same_is_stored_once(keeping_in, workspace):
    keeping_in(handed({}), handed({}, request_id="r2"))
    keeping_in(handed({"recency": 11.0}, request_id="r3"))
    assert len(table(workspace, "answers")) == 3
    assert len(table(workspace, "contents")) == 2
    assert len(table(workspace, "settings")) == 1
    assert {one.request_id for one in kept_answers.of_customer(workspace, "C0")} == {
        "r1", "r2", "r3",
    }  # fmt: skip


def test_two_customers_with_equal_features_have_a_content_each(keeping_in, workspace):
    keeping_in(handed({}, {}))
    assert {row[1] for row in table(workspace, "contents")} == {"C0", "C1"}


def test_who_is_not_known_is_not_kept(workspace, keeping_in):
    given = handed({})
    given.answers[0]["status"] = "unknown"
    keeping_in(given)
    assert kept_answers.of_customer(workspace, "C0") == []


def test_what_cannot_wait_any_more_is_dropped_and_counted(workspace, dropped, monkeypatch):
    monkeypatch.setattr(keeping, "MOST_WAITING", 3)
    monkeypatch.setattr(keeping, "_SECONDS", 60.0)
    one = Keeping(workspace, dropped.append)
    one.open()
    for k in range(5):
        one.hand(handed({}, request_id=f"r{k}"))
    assert dropped == [1, 1]
    one.close()
    assert len(table(workspace, "answers")) == 3


def test_a_disk_that_fails_costs_the_answers_of_a_second_and_no_more(
    workspace, dropped, monkeypatch
):
    monkeypatch.setattr(keeping, "_SECONDS", 0.05)
    write, failures = Day.write, [sqlite3.OperationalError("database or disk is full")]

    def writes(self, *given):
        if failures:
            raise failures.pop()
        write(self, *given)

    monkeypatch.setattr(Day, "write", writes)
    one = Keeping(workspace, dropped.append)
    one.open()
    one.hand(handed({}, {}))
    until(lambda: dropped and not failures)
    one.hand(handed({}, request_id="r2"))
    one.close()
    assert dropped == [2]
    assert [kept.request_id for kept in kept_answers.of_customer(workspace, "C0")] == ["r2"]


def test_what_cannot_be_packed_is_counted_and_the_rest_is_kept(workspace, dropped, monkeypatch):
    one, tell = Keeping(workspace, dropped.append), kept_answers.told
    one.open()

    def told(answer):
        if answer["request_id"] == "r1":
            raise ValueError("unmarshallable object")
        return tell(answer)

    monkeypatch.setattr(kept_answers, "told", told)
    one.hand(handed({}))
    one.hand(handed({}, request_id="r2"))
    one.pack()
    one.close()
    assert dropped == [1]
    assert [kept.request_id for kept in kept_answers.of_customer(workspace, "C0")] == ["r2"]


def test_no_days_keep_nothing(workspace, keeping_in, monkeypatch):
    monkeypatch.setenv("HOLDFAST_KEEP_SERVED_DAYS", "0")
    keeping_in(handed({}))
    assert not (workspace.root / "served").exists()


def test_days_that_are_none_are_refused(monkeypatch):
    monkeypatch.setenv("HOLDFAST_KEEP_SERVED_DAYS", "a year")
    with pytest.raises(UserError, match="a whole number"):
        kept_answers.days_kept()


def test_days_that_are_too_long_ago_go(workspace, keeping_in, monkeypatch):
    monkeypatch.setenv("HOLDFAST_KEEP_SERVED_DAYS", "2")
    for days in range(4):
        keeping_in(handed({}, now=NOW + timedelta(days=days)))
    names = sorted(path.name for path in (workspace.root / "served").glob("*.sqlite"))
    assert names == ["2025-07-02.sqlite", "2025-07-03.sqlite", "2025-07-04.sqlite"]


def test_an_erased_customer_leaves_no_trace_in_the_files(workspace, keeping_in):
    keeping_in(handed({}, {}), handed({}, {}, now=NOW + timedelta(days=1)))
    assert kept_answers.erase(workspace, "C0") == 2
    assert kept_answers.of_customer(workspace, "C0") == []
    assert len(kept_answers.of_customer(workspace, "C1")) == 2
    for path in (workspace.root / "served").iterdir():
        assert b"C0" not in path.read_bytes()
    assert kept_answers.erase(workspace, "C0") == 0


def test_a_day_that_has_just_begun_has_no_answers_yet(workspace, keeping_in):
    file = workspace.root / "served" / "2025-07-01.sqlite"
    file.parent.mkdir(parents=True)
    file.touch()  # as the first writer makes it, who makes its tables next
    assert kept_answers.of_customer(workspace, "C0") == []
    file.write_bytes(b"")
    assert kept_answers.erase(workspace, "C0") == 0
    keeping_in(handed({}))
    assert len(kept_answers.of_customer(workspace, "C0")) == 1


def test_an_answer_that_was_on_its_way_during_an_erasure_is_not_written(workspace, keeping_in):
    began = time.time()
    receipt = workspace.root / "erasures" / "receipt.json"
    receipt.parent.mkdir(parents=True)
    name = erasure._digest(receipts.key(workspace), "C0")
    receipt.write_text(json.dumps({"customer": name}))
    keeping_in(handed({}, {}, began=began))
    assert kept_answers.of_customer(workspace, "C0") == []
    assert len(kept_answers.of_customer(workspace, "C1")) == 1
    # Who is a customer again later is kept again.
    keeping_in(handed({}, began=time.time() + 1.0))
    assert len(kept_answers.of_customer(workspace, "C0")) == 1


def test_to_hand_over_takes_microseconds_whatever_the_writing_takes(
    workspace, dropped, monkeypatch
):
    given, one = handed(*({} for _ in range(100))), Keeping(workspace, dropped.append)
    is_writing, may_end, ended = threading.Event(), threading.Event(), []

    def write(*_):
        is_writing.set()
        ended.append(may_end.wait(PATIENCE))

    monkeypatch.setattr(Day, "write", write)
    one.open()
    one.hand(given)
    assert is_writing.wait(PATIENCE)
    took = [seconds_of(lambda: one.hand(given)) for _ in range(40)]
    may_end.set()
    one.close()
    assert ended[0], "it was waited for"
    # Of a hundred customers; a score of one takes three times as long.
    assert np.median([passed for passed, _ in took]) < 0.001
    assert np.mean([worked for _, worked in took]) < 0.001


def seconds_of(call):
    """What a call takes by the clock, others of this machine included, and in work of its own."""
    passed, worked = time.perf_counter(), time.thread_time()
    call()
    return time.perf_counter() - passed, time.thread_time() - worked
