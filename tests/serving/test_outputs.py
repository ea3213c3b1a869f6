"""Scores in a file or a table of a database: all of them, once, or what was there before."""

import pandas as pd
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sql

from features.errors import UserError
from serving import outputs
from tests.serving import made_scores
from tests.serving.made_scores import APRIL, MARCH


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def url(request, tmp_path):
    """A database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/shop.db"
    name = request.getfixturevalue("postgres").new_database()
    return f"postgresql+psycopg://{name}"


@pytest.fixture
def scores(tmp_path):
    bob = {"churn_band": None, "churn_probability": None, "status": "not_active"}
    return made_scores.write(tmp_path / "scores.parquet", ann={}, bob=bob)


def stored(url, table=outputs.TABLE):
    """What is in a table, by moment and customer."""
    engine = sql.create_engine(url)
    with engine.connect() as connection:
        rows = pd.read_sql(sql.text(f"SELECT * FROM {table}"), connection, parse_dates=["as_of"])
    engine.dispose()
    rows["as_of"] = rows.as_of.astype("datetime64[us]")
    return rows.sort_values(["as_of", "customer_id"], ignore_index=True)


def who(url):
    rows = stored(url)
    return list(zip(rows.as_of.dt.month, rows.customer_id, rows.expected_value, strict=True))


def test_a_table_has_the_rows_and_the_types_of_the_file(url, scores):
    outputs.write(scores, url)
    found, expected = stored(url), pd.read_parquet(scores)
    found["retain_advised"] = found.retain_advised.astype(bool)  # SQLite stores 0 and 1
    pd.testing.assert_frame_equal(
        found[expected.columns], expected, check_exact=True, check_dtype=False
    )
    engine = sql.create_engine(url)
    kinds = {c["name"]: c["type"] for c in sql.inspect(engine).get_columns(outputs.TABLE)}
    engine.dispose()
    assert isinstance(kinds["as_of"], sql.DateTime)
    assert isinstance(kinds["expected_value"], sql.Float)
    assert isinstance(kinds["customer_id"], sql.Text)
    assert isinstance(kinds["retain_advised"], sql.Boolean)


def test_the_same_moment_is_replaced_and_others_stay(url, tmp_path, scores):
    outputs.write(scores, url)
    april = made_scores.write(tmp_path / "april.parquet", APRIL, ann={"expected_value": 7.0})
    outputs.write(april, url)
    march = made_scores.write(tmp_path / "march.parquet", MARCH, bob={"expected_value": 5.0})
    for _ in range(2):  # the same again changes nothing
        outputs.write(march, url)
        assert who(url) == [(3, "bob", 5.0), (4, "ann", 7.0)]


def test_rows_come_in_pieces_and_a_piece_that_fails_leaves_what_was_there(
    url, scores, tmp_path, monkeypatch
):
    monkeypatch.setattr(outputs, "_ROWS", 2)
    outputs.write(scores, url)
    before = who(url)
    # The fifth is refused by the database, after two pieces that it took.
    five = made_scores.write(tmp_path / "five.parquet", a={}, b={}, c={}, d={}, e={})
    twice = pq.ParquetFile(five).read()
    pq.write_table(twice.take([0, 1, 2, 3, 0]), five)
    with pytest.raises(UserError, match=r"table holdfast_scores of .* Nothing was changed"):
        outputs.write(five, url)
    assert who(url) == before

    pq.write_table(twice, five)
    outputs.write(five, url)
    assert [name for _, name, _ in who(url)] == ["a", "b", "c", "d", "e"]


def test_a_reader_sees_the_former_rows_until_all_new_ones_are_there(
    url, scores, tmp_path, monkeypatch
):
    outputs.write(scores, url)
    before, seen = who(url), []
    new = made_scores.write(tmp_path / "new.parquet", zoe={})
    commit = sql.Connection._commit_impl

    def watched(connection):
        seen.append(who(url))
        commit(connection)

    monkeypatch.setattr(sql.Connection, "_commit_impl", watched)
    outputs.write(new, url)
    assert before in seen
    assert seen[-1] == before
    assert [name for _, name, _ in who(url)] == ["zoe"]


def test_a_table_of_others_is_refused_and_another_name_may_be_given(url, scores):
    engine = sql.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sql.text("CREATE TABLE holdfast_scores (customer_id TEXT, as_of TEXT)"))
    engine.dispose()
    with pytest.raises(
        UserError, match=r"lacks the columns status, .*purchase_probability, .* name"
    ):
        outputs.write(scores, url)
    assert stored(url).empty
    outputs.write(scores, url, "churn")
    assert len(stored(url, "churn")) == 2


def test_files_have_the_rows_of_the_scores(scores, tmp_path):
    expected = pd.read_parquet(scores)
    outputs.write(scores, f"{tmp_path}/out/copy.parquet")
    outputs.write(scores, f"{tmp_path}/out/copy.csv")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out/copy.parquet"), expected)
    text = pd.read_csv(tmp_path / "out/copy.csv", parse_dates=["as_of"])
    text["as_of"] = text.as_of.astype("datetime64[us]")
    pd.testing.assert_frame_equal(text, expected, check_exact=True, check_dtype=False)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "copy.csv",
        "copy.parquet",
    ]


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("scores.xlsx", "written to scores.xlsx: it is neither a .parquet or .csv file nor the"),
        ("nosuch://host/shop", "database nosuch://...: its driver is not installed"),
        (
            "postgresql://ann:x@host:topsecret/shop",
            "database postgresql://...: it is no SQLAlchemy",
        ),
        ("sqlite:////no/such/folder/shop.db", "shop.db: unable to open database file. Nothing was"),
        (
            "postgresql+psycopg://ann:topsecret@127.0.0.1:1/shop",
            r"postgresql\+psycopg://ann:\*\*\*@127.0.0.1:1/shop: connection failed",
        ),
    ],
)
def test_a_target_that_cannot_be_is_refused_in_a_sentence_without_its_password(
    target, sentence, scores
):
    with pytest.raises(UserError, match=sentence) as refused:
        outputs.write(scores, target)
    assert "secret" not in str(refused.value)
