"""What a forecaster may know of a question, and what is found out afterwards."""

from datetime import datetime, timedelta

import pandas as pd
import pytest

from features import workspace
from tests.benchmarks.models import students
from tests.benchmarks.models.questions import QUESTIONS, Question

AS_OF = datetime(2022, 3, 31, 23, 59, 59)
STUDENTS = [question for question in QUESTIONS if question.name.startswith("365-datascience")]


def lines():
    return rows(
        ("ann", "2022-03-01", 5.0),
        ("ann", "2022-04-01", 3.0),  # the first day of the horizon
        ("ann", "2022-04-01", 4.0),  # the same day
        ("bob", "2022-03-31 23:59:59", 2.0),  # the moment itself is past
        ("bob", "2022-05-01", 9.0),  # after the horizon
    )


def others():
    did = rows(("ann", "2022-03-02", 1.0), ("bob", "2022-03-03", 2.0), ("bob", "2022-04-02", 3.0))
    learned = pd.to_datetime(["2022-03-02", "2022-04-01", "2022-04-02"])  # of the second, too late
    did = did.rename(columns={"amount": "value"}).assign(kind="usage", known_at=learned)
    came = pd.to_datetime(["2022-03-01", "2022-04-05", None])
    customers = pd.DataFrame({"customer_id": ["ann", "cat", "bob"], "first_seen_at": came})
    return {"customers": customers, "interactions": did}


def rows(*given):
    frame = pd.DataFrame(given, columns=["customer_id", "happened_at", "amount"])
    return frame.assign(happened_at=pd.to_datetime(frame.happened_at, format="ISO8601"))


QUESTION = Question("small", lines, AS_OF, 30, others)


def test_the_past_of_every_table_is_what_had_happened_and_was_known(tmp_path):
    past = QUESTION.past(tmp_path)
    events = workspace.open_events(past.space)

    assert past.lines.amount.tolist() == [5.0, 2.0]
    assert sorted(events.transactions.amount.to_pandas()) == [2.0, 5.0]
    assert events.interactions.value.to_pandas().tolist() == [1.0]
    assert sorted(events.customers.customer_id.to_pandas()) == ["ann", "bob"]


def test_a_question_without_other_tables_has_transactions_alone(tmp_path):
    past = Question("plain", lines, AS_OF, 30).past(tmp_path)

    assert not workspace.event_files(past.space, "interactions")
    assert not workspace.event_files(past.space, "customers")


def test_the_outcome_is_of_the_days_after_the_moment():
    found = QUESTION.outcome(pd.Series(["bob", "ann"]))

    assert found.bought.tolist() == [0.0, 1.0]
    assert found.orders.tolist() == [0.0, 1.0]
    assert found.value.tolist() == [0.0, 7.0]


def test_a_plan_bought_again_is_no_change():
    plans = pd.DataFrame(
        [
            ("ann", "2022-01-01", "1", "Monthly"),
            ("ann", "2022-02-01", "2", "Monthly"),
            ("ann", "2022-03-01", "3", "Annual"),
            ("bob", "2022-02-05", "4", "Monthly"),
        ],
        columns=["customer_id", "happened_at", "order_id", "product_id"],
    )

    changes = students.plan_changes(plans)

    assert changes[["customer_id", "happened_at", "detail"]].values.tolist() == [
        ["ann", "2022-01-01", "Monthly"],
        ["ann", "2022-03-01", "Annual"],
        ["bob", "2022-02-05", "Monthly"],
    ]
    assert set(changes.kind) == {"plan_change"}


@pytest.mark.parametrize("question", STUDENTS, ids=lambda question: question.name)
def test_the_outcome_of_students_is_wholly_on_record(question):
    tables = [question.lines(), question.others()["interactions"]]
    last = max(table.happened_at.max() for table in tables)

    assert (question.as_of + timedelta(days=question.days)).date() == last.date()


def test_lines_of_students_are_plans_and_days_with_minutes():
    renewal, lapse = (question.lines() for question in STUDENTS)

    assert len(renewal) == 3_041
    assert len(lapse) == 64_535 - 3  # three days have 0 minutes
    assert not lapse.duplicated(["customer_id", "happened_at"]).any()
    assert round(lapse.amount.sum(), 1) == 1_842_176.9
    assert (pd.concat([renewal, lapse]).amount > 0).all()
