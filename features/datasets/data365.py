"""365 Data Science: registrations, plan purchases and learning, 2022-01-01 to 2022-10-20.

Real students of an online learning platform, purchases and interactions of the same people. All
registered inside the span, so nobody has a history before it.

**The amounts are assigned.** The source tells which plan was bought, not what was paid for it;
`PLAN_AMOUNTS` gives each plan one. No sum of money on this set is evidence about the platform.

Source: 365 Data Science, "365 Learning Data Challenge". Its terms are not stated: check them before
any redistribution.
"""

from pathlib import Path

import pandas as pd

from features.datasets.source_file import find_file

# Assigned, in currency units; not in the data. A longer plan costs less a month, as is usual: a
# month is 29.00 alone, 26.33 in a quarter and 20.75 in a year.
PLAN_AMOUNTS = {"Monthly": 29.0, "Quarterly": 79.0, "Annual": 249.0}


def load(folder: Path) -> dict[str, pd.DataFrame]:
    """All 35,230 students, with what they bought, learned, asked and thought of it.

    - customers, one row per student: `first_seen_at` is the day of registration (one student is
      engaged the day before it), `country` the ISO code of two letters (NA is Namibia).
    - transactions, one row per purchase: `order_id` is the purchase, `product_id` the plan,
      `category` always "plan", `amount` **assigned** (see `PLAN_AMOUNTS`). A plan that has no
      assigned amount gets a missing one.
    - interactions, one row per fact about a student. The values of usage are minutes alone, so that
      they can be summed; the results of exams have a kind of their own:

      =======  ========================  =========================================================
      `kind`   `detail`                  `value`
      =======  ========================  =========================================================
      usage    lessons, quizzes, exams   none: the student did so on that day
      usage    minutes                   minutes watched on that day
      exam     none                      result of one attempt, per cent, 0 .. 100
      contact  none                      none: a question asked (`direction` in) in the question
                                         hub (`channel` hub), `case_id` the question
      survey   course                    rating of a course, 1 .. 5, best 5
      =======  ========================  =========================================================

    No row of these files is dropped. The answers to quizzes are left out: they have no date. Days
    are given as their midnight.

    Raises UserError when one of the seven files is not in the folder.
    """
    return {
        "customers": _customers(folder),
        "transactions": _transactions(folder),
        "interactions": pd.concat(
            [
                _engagement(folder),
                _minutes(folder),
                _exams(folder),
                _questions(folder),
                _ratings(folder),
            ],
            ignore_index=True,
        ),
    }


def _customers(folder: Path) -> pd.DataFrame:
    """One row per student."""
    return _read(
        folder,
        "365_student_info",
        {
            "student_id": "customer_id",
            "date_registered": "first_seen_at",
            "student_country": "country",
        },
    )


def _transactions(folder: Path) -> pd.DataFrame:
    """One row per purchase of a plan."""
    purchases = _read(
        folder,
        "365_student_purchases",
        {
            "student_id": "customer_id",
            "date_purchased": "happened_at",
            "purchase_id": "order_id",
            "purchase_type": "product_id",
        },
    )
    return purchases.assign(amount=purchases["product_id"].map(PLAN_AMOUNTS), category="plan")


def _engagement(folder: Path) -> pd.DataFrame:
    """One row per student, day and thing done that day: lessons, quizzes, exams."""
    done = ["lessons", "quizzes", "exams"]
    days = _read(
        folder,
        "365_student_engagement",
        {"student_id": "customer_id", "date_engaged": "happened_at"}
        | {f"engagement_{thing}": thing for thing in done},
    )
    flags = days.melt(["customer_id", "happened_at"], done, var_name="detail", value_name="flag")
    return flags[flags["flag"] == 1].drop(columns="flag").assign(kind="usage")


def _minutes(folder: Path) -> pd.DataFrame:
    """One row per student and day with something watched."""
    return _read(
        folder,
        "365_student_learning",
        {"student_id": "customer_id", "date_watched": "happened_at", "minutes_watched": "value"},
    ).assign(kind="usage", detail="minutes")


def _exams(folder: Path) -> pd.DataFrame:
    """One row per attempt at an exam."""
    return _read(
        folder,
        "365_student_exams",
        {"student_id": "customer_id", "date_exam_completed": "happened_at", "exam_result": "value"},
    ).assign(kind="exam")


def _questions(folder: Path) -> pd.DataFrame:
    """One row per question in the hub, the nearest thing to a support contact."""
    return _read(
        folder,
        "365_student_hub_questions",
        {
            "student_id": "customer_id",
            "date_question_asked": "happened_at",
            "hub_question_id": "case_id",
        },
    ).assign(kind="contact", channel="hub", direction="in")


def _ratings(folder: Path) -> pd.DataFrame:
    """One row per rating of a course."""
    return _read(
        folder,
        "365_course_ratings",
        {"student_id": "customer_id", "date_rated": "happened_at", "course_rating": "value"},
    ).assign(kind="survey", detail="course")


def _read(folder: Path, name: str, columns: dict[str, str]) -> pd.DataFrame:
    """The columns of one file under their canonical names: ids as text, days as midnights."""
    table = pd.read_csv(
        find_file(folder, name),
        usecols=list(columns),
        dtype={column: str for column, renamed in columns.items() if renamed.endswith("_id")},
        # Only an empty field is missing: NA is Namibia.
        keep_default_na=False,
        na_values=[""],
    )
    table = table.rename(columns=columns)[list(columns.values())]
    for column in table.columns.intersection(["happened_at", "first_seen_at"]):
        days = pd.to_datetime(table[column], format="%Y-%m-%d")
        table[column] = days.astype("datetime64[us]")
    return table
