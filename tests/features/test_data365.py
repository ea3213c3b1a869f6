"""365 Data Science: seven files become three tables, and the published figures come out."""

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from features.datasets import data365
from features.errors import UserError
from tests.real_data import real_data

FILES = {
    "365_student_info": "student_id,student_country,date_registered\n007,NA,2022-01-01\n",
    "365_student_purchases": (
        "purchase_id,student_id,purchase_type,date_purchased\n"
        "01,007,Annual,2022-01-02\n"
        "02,007,Monthly,2022-01-03\n"
        "03,007,Quarterly,2022-01-04\n"
    ),
    "365_student_engagement": (
        "engagement_id,student_id,engagement_quizzes,engagement_exams,engagement_lessons,"
        "date_engaged\n"
        "1,007,1,0,1,2022-01-02\n"
        "2,007,0,1,0,2022-01-03\n"
    ),
    "365_student_learning": (
        "student_id,course_id,minutes_watched,date_watched\n007,23,0.3,2022-01-02\n"
    ),
    "365_student_exams": (
        "exam_attempt_id,student_id,exam_id,exam_result,exam_completion_time,date_exam_completed\n"
        "5,007,475,83,5.17,2022-01-03\n"
    ),
    "365_student_hub_questions": (
        "hub_question_id,student_id,date_question_asked\n07619,007,2022-01-04\n"
    ),
    "365_course_ratings": "course_id,student_id,course_rating,date_rated\n14,007,5,2022-07-06\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / f"{name}.csv").write_text(content)
    return tmp_path


def days(*texts):
    return pd.to_datetime(list(texts)).astype("datetime64[us]")


def test_a_student_becomes_a_customer_and_na_is_namibia(folder):
    assert_frame_equal(
        data365.load(folder)["customers"],
        pd.DataFrame(
            {"customer_id": ["007"], "first_seen_at": days("2022-01-01"), "country": ["NA"]}
        ),
    )


def test_a_purchase_becomes_a_transaction_with_the_amount_assigned_to_its_plan(folder):
    assert_frame_equal(
        data365.load(folder)["transactions"],
        pd.DataFrame(
            {
                "customer_id": ["007"] * 3,
                "happened_at": days("2022-01-02", "2022-01-03", "2022-01-04"),
                "order_id": ["01", "02", "03"],
                "product_id": ["Annual", "Monthly", "Quarterly"],
                "amount": [249.0, 29.0, 79.0],
                "category": ["plan"] * 3,
            }
        ),
    )


def test_what_a_student_does_becomes_interactions(folder):
    columns = ["happened_at", "kind", "detail", "value", "channel", "direction", "case_id"]
    expected = pd.DataFrame(
        [
            ("2022-01-02", "usage", "lessons", None, None, None, None),
            ("2022-01-02", "usage", "quizzes", None, None, None, None),
            ("2022-01-03", "usage", "exams", None, None, None, None),
            ("2022-01-02", "usage", "minutes", 0.3, None, None, None),
            ("2022-01-03", "exam", None, 83.0, None, None, None),
            ("2022-01-04", "contact", None, None, "hub", "in", "07619"),
            ("2022-07-06", "survey", "course", 5.0, None, None, None),
        ],
        columns=columns,
    )
    expected["happened_at"] = days(*expected["happened_at"])

    interactions = data365.load(folder)["interactions"]

    assert interactions["customer_id"].tolist() == ["007"] * 7
    # A missing text may be None or NaN: both are null.
    assert_frame_equal(interactions[columns].fillna("-"), expected.fillna("-"), check_dtype=False)


@pytest.mark.parametrize("missing", FILES)
def test_a_missing_file_is_named(folder, missing):
    (folder / f"{missing}.csv").unlink()

    with pytest.raises(UserError) as error:
        data365.load(folder)

    assert str(error.value) == (
        f"The file {missing} was looked for in the folder {folder} as .csv, .csv.gz, .txt, "
        ".txt.gz, but it is not there. Put the file into that folder, or give the folder that "
        "holds it."
    )


@pytest.fixture(scope="module")
def tables():
    return data365.load(real_data("365-datascience"))


@pytest.fixture(scope="module")
def purchases(tables):
    return tables["transactions"]


@pytest.fixture(scope="module")
def students(tables):
    return tables["customers"]


@pytest.fixture(scope="module")
def did(tables):
    """Interactions by kind and detail, such as `usage lessons`; a detail that is none is empty."""
    interactions = tables["interactions"]
    what = interactions["kind"] + " " + interactions["detail"].fillna("")
    return dict(list(interactions.groupby(what.str.strip())))


def students_in(*frames):
    return set(pd.concat(frames)["customer_id"])


@pytest.mark.parametrize(
    ("what", "rows", "of_students"),
    [
        ("usage lessons", 64_501, None),
        ("usage quizzes", 23_225, None),
        ("usage exams", 14_298, None),
        ("usage minutes", 64_535, 18_167),
        ("exam", 34_030, 3_909),
        ("contact", 827, 289),
        ("survey course", 2_500, 1_287),
    ],
)
def test_published_interactions_come_out(did, what, rows, of_students):
    assert len(did[what]) == rows
    assert of_students is None or len(students_in(did[what])) == of_students


def engaged_days(did):
    """One row per student and day of the engagement file."""
    days_of = [did["usage lessons"], did["usage quizzes"], did["usage exams"]]
    return pd.concat(days_of).drop_duplicates(["customer_id", "happened_at"])


def test_published_engagement_comes_out(did):
    assert len(engaged_days(did)) == 65_371
    assert len(students_in(engaged_days(did))) == 18_344


def test_published_minutes_come_out(did):
    minutes = did["usage minutes"]["value"]

    assert round(minutes.sum(), 1) == 1_842_176.9
    beyond_a_day = minutes[minutes > 24 * 60]
    assert beyond_a_day.agg(["count", "min", "max"]).tolist() == [3, 1_481.6, 1_710.6]
    assert (minutes == 0).sum() == 3


def test_values_keep_their_published_bounds(did):
    assert did["exam"]["value"].agg(["min", "max"]).tolist() == [0, 100]
    assert did["survey course"]["value"].agg(["min", "max"]).tolist() == [1, 5]
    assert did["survey course"]["happened_at"].min() == pd.Timestamp("2022-06-16")


def test_published_students_come_out(students):
    registered = students["first_seen_at"]

    assert len(students) == students["customer_id"].nunique() == 35_230
    assert students["country"].nunique() == 181
    assert (students["country"] == "NA").sum() == 13
    assert registered.agg(["min", "max"]).tolist() == list(days("2022-01-01", "2022-10-20"))
    assert registered.dt.month.value_counts()[[6, 8]].tolist() == [4_152, 5_523]


def test_published_purchases_come_out(purchases):
    plans = purchases["product_id"].value_counts()

    assert len(purchases) == purchases["order_id"].nunique() == 3_041
    assert plans.to_dict() == {"Annual": 1_547, "Monthly": 1_444, "Quarterly": 50}
    assert purchases["amount"].sum() == 1_547 * 249 + 1_444 * 29 + 50 * 79


def test_published_buyers_come_out(purchases, did):
    buyers = students_in(purchases)

    assert len(buyers) == 2_135
    assert round(100 * len(buyers & students_in(did["usage minutes"])) / len(buyers), 1) == 94.9
    assert len(buyers & students_in(engaged_days(did))) == 2_028


def test_published_numbers_of_purchases_come_out(purchases):
    of_student = purchases["customer_id"].value_counts()
    monthly = purchases[purchases["product_id"] == "Monthly"]["customer_id"].value_counts()
    annual = purchases[purchases["product_id"] == "Annual"]["customer_id"].unique()

    assert of_student.value_counts().sort_index().to_dict() == {
        1: 1_773, 2: 159, 3: 75, 4: 43, 5: 34, 6: 10, 7: 17, 8: 16, 9: 4, 10: 4,
    }  # fmt: skip
    assert (len(monthly), (monthly >= 2).sum(), monthly.max()) == (611, 322, 10)
    assert (of_student[annual] > 1).sum() == 53


def test_published_changes_of_plan_come_out(purchases):
    plans = purchases.groupby("customer_id")["product_id"].nunique()
    plans_of_day = purchases.groupby(["customer_id", "happened_at"])["product_id"].agg(set)

    assert (plans > 1).sum() == 57
    assert (plans_of_day == {"Monthly", "Annual"}).sum() == 3


def test_published_first_purchases_on_the_day_of_registration_come_out(purchases, students):
    first = purchases.groupby("customer_id")["happened_at"].min()
    registered = students.set_index("customer_id")["first_seen_at"]

    assert (first == registered[first.index]).sum() == 1_019


def test_published_defects_are_left_as_they_are(did, students):
    keys = ["customer_id", "happened_at"]
    watched = did["usage minutes"].merge(did["usage lessons"][keys], "left", keys, indicator=True)
    engaged = engaged_days(did).merge(students, on="customer_id")
    early = engaged[engaged["happened_at"] < engaged["first_seen_at"]]

    assert (watched["_merge"] == "left_only").sum() == 34
    assert early["customer_id"].tolist() == ["259088"]


def test_published_renewals_come_out(purchases):
    """Renewed: a next purchase within 30 days of the plan's end; decidable: that limit is seen."""
    of_time = purchases.sort_values(["customer_id", "happened_at"])
    plan_days = of_time["product_id"].map({"Monthly": 30, "Quarterly": 90, "Annual": 365})
    limit = of_time["happened_at"] + pd.to_timedelta(plan_days + 30, unit="D")
    next_purchase = of_time.groupby("customer_id")["happened_at"].shift(-1)
    decidable = of_time[limit <= "2022-10-20"]
    lapsed = decidable[~(next_purchase <= limit)[decidable.index]]

    assert decidable["product_id"].value_counts().to_dict() == {"Monthly": 1_083, "Quarterly": 24}
    assert decidable["customer_id"].nunique() == 508
    assert lapsed["product_id"].value_counts().to_dict() == {"Monthly": 339, "Quarterly": 11}
