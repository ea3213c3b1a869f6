"""Given files as people have them, expected tables with canonical names, or a sentence."""

import gzip
import logging

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import UserError
from features.events import CUSTOMERS, INTERACTIONS, TRANSACTIONS
from features.reading import ColumnMapping, read, read_mapping

AS_GIVEN = ColumnMapping()


@pytest.fixture
def file(tmp_path):
    """Write a file of some text or bytes and give its path."""

    def write(content, name="sales.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def rows(path, table=TRANSACTIONS, mapping=AS_GIVEN):
    return read(path, table, mapping).to_pyarrow().to_pylist()


def refusal(path, table=TRANSACTIONS, mapping=AS_GIVEN):
    with pytest.raises(UserError) as refused:
        read(path, table, mapping)
    return str(refused.value)


def test_canonical_names_are_read_as_they_are_and_everything_is_text(file):
    path = file("customer_id,happened_at,amount\n 007 ,2024-01-03,1.50\n")
    assert rows(path) == [{"customer_id": " 007 ", "happened_at": "2024-01-03", "amount": "1.50"}]


def test_known_other_names_are_guessed_and_the_guess_is_shown(file, caplog):
    path = file("Invoice-No;InvoiceDate;Customer ID;Total;Colour\n1;2024-01-03;ann;5;red\n")
    with caplog.at_level(logging.INFO, logger="features.reading"):
        assert rows(path) == [
            {"customer_id": "ann", "happened_at": "2024-01-03", "order_id": "1", "amount": "5"}
        ]
    assert caplog.messages == [
        "sales.csv: customer_id is read from the column Customer ID",
        "sales.csv: happened_at is read from the column InvoiceDate",
        "sales.csv: order_id is read from the column Invoice-No",
        "sales.csv: amount is read from the column Total",
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_of_the_header(file, delimiter):
    header = delimiter.join(["customer_id", "happened_at", "amount"])
    path = file(f"{header}\n{delimiter.join(['ann', '2024-01-03', '5'])}\n")
    assert rows(path) == [{"customer_id": "ann", "happened_at": "2024-01-03", "amount": "5"}]


def test_a_byte_order_mark_windows_line_ends_and_quotes_are_no_trouble(file):
    text = '\ufeffcustomer_id,happened_at,amount\r\n"Doe, Ann",2024-01-03,"5"\r\n'
    assert rows(file(text)) == [
        {"customer_id": "Doe, Ann", "happened_at": "2024-01-03", "amount": "5"}
    ]


def test_a_quote_far_down_in_the_file_is_a_quote(file):
    many = "ann,2024-01-03,5\n" * 30_000
    path = file(f'customer_id,happened_at,amount\n{many}"Doe, Ann",2024-01-03,5\n')
    assert rows(path)[-1]["customer_id"] == "Doe, Ann"


def test_a_nameless_index_column_is_left_out(file):
    path = file(",customer_id,happened_at,amount\n0,ann,2024-01-03,5\n")
    assert rows(path) == [{"customer_id": "ann", "happened_at": "2024-01-03", "amount": "5"}]


def test_a_gzipped_file_is_read(file):
    text = "customer_id,happened_at,amount\nann,2024-01-03,5\n"
    assert rows(file(gzip.compress(text.encode()), "sales.csv.gz")) == rows(file(text))


def test_parquet_keeps_its_types(tmp_path):
    path = tmp_path / "sales.parquet"
    pq.write_table(pa.table({"client_id": [7], "ts": ["2024-01-03"], "amount": [5]}), path)
    assert rows(path) == [{"customer_id": 7, "happened_at": "2024-01-03", "amount": 5}]


def test_further_columns_of_customers_are_profile_columns(file):
    path = file(
        "id,signup_date,Age,Plan Name,Zip,Score,Empty\n"
        "ann,2024-01-01,33,gold,01234,1.5,\n"
        "bob,2024-01-02,,iron,10115,-2,\n"
    )
    ann, bob = rows(path, CUSTOMERS)
    assert ann == {
        "customer_id": "ann", "first_seen_at": "2024-01-01",
        "age": 33.0, "plan_name": "gold", "zip": "01234", "score": 1.5, "empty": None,
    }  # fmt: skip
    assert (bob["age"], bob["zip"], bob["score"]) == (None, "10115", -2.0)


def test_a_profile_column_never_takes_the_place_of_a_mapped_one(file):
    mapping = ColumnMapping({"customers": {"customer_id": "no"}})
    path = file("no,Customer ID\n1,ann\n", "people.csv")
    assert rows(path, CUSTOMERS, mapping) == [{"customer_id": "1"}]


def test_a_missing_file(tmp_path):
    path = tmp_path / "gone.csv"
    assert refusal(path) == f"The transactions file {path} does not exist. Check the path."


def test_an_empty_file(file):
    path = file("")
    assert refusal(path) == (
        f"The transactions file {path} is empty. Export it again with a header."
    )


@pytest.mark.parametrize("header", ["customer_id,happened_at,amount", "customer_id\n"])
def test_a_header_without_rows(file, header):
    path = file(header)
    assert refusal(path) == (
        f"The transactions file {path} has a header but no rows. Export it again."
    )


def test_a_file_that_begins_with_an_empty_line(file):
    path = file("\ncustomer_id,happened_at,amount\n")
    assert refusal(path) == (
        f"The first line of {path} has no column names. Give each column one name there."
    )


def test_a_column_that_stands_twice(file):
    path = file("customer_id,happened_at,amount,amount\nann,2024-01-03,5,6\n")
    assert refusal(path) == (
        f"The first line of {path} has the column amount more than once. "
        "Give each column one name there."
    )


def test_a_missing_column(file):
    path = file("customer_id,happened_at,colour\nann,2024-01-03,red\n")
    assert refusal(path) == (
        f"The transactions file {path} needs the column amount, but it has "
        "customer_id, happened_at, colour. Rename a column, or say which one is meant: "
        "--column transactions.amount=COLUMN."
    )


def test_several_missing_columns(file):
    path = file("customer_id,colour\nann,red\n")
    assert refusal(path, INTERACTIONS) == (
        f"The interactions file {path} needs the column happened_at and kind, but it has "
        "customer_id, colour. Rename a column, or say which one is meant: "
        "--column interactions.happened_at=COLUMN."
    )


def test_a_file_that_is_not_utf8(file):
    path = file("customer_id,happened_at,amount\nMüller,2024-01-03,5\n".encode("latin1"))
    assert refusal(path) == (
        f"The file {path} is not UTF-8 text (byte 0xfc cannot be read). "
        "Convert it first, for example: iconv -f LATIN1 -t UTF-8 FILE > NEW_FILE."
    )


def test_a_gzip_file_that_was_cut_off(file):
    whole = gzip.compress(b"customer_id,happened_at,amount\n" + b"ann,2024-01-03,5\n" * 999)
    path = file(whole[: len(whole) // 2], "sales.csv.gz")
    assert refusal(path) == (
        f"The file {path} is not a whole gzip file: "
        "Compressed file ended before the end-of-stream marker was reached."
    )


def test_a_gzip_file_with_a_wrong_byte_inside(file):
    broken = bytearray(gzip.compress(b"customer_id,happened_at,amount\n" + b"ann,2024-01-03,5\n"))
    broken[10] |= 0b110  # a kind of block that does not exist
    path = file(bytes(broken), "sales.csv.gz")
    assert refusal(path) == (
        f"The file {path} is not a whole gzip file: "
        "Error -3 while decompressing data: invalid block type."
    )


def test_a_file_that_only_says_it_is_gzipped(file):
    path = file("customer_id,happened_at,amount\n", "sales.csv.gz")
    assert refusal(path) == (
        f"The file {path} is not a whole gzip file: Not a gzipped file (b'cu')."
    )


def test_a_file_that_only_says_it_is_parquet(file):
    path = file("customer_id,happened_at,amount\n", "sales.parquet")
    assert refusal(path) == (
        f"The transactions file {path} cannot be read as a table: Invalid Input Error: No magic "
        f"bytes found at end of file '{path}'. Give a CSV file with a header line, or Parquet."
    )


@pytest.mark.parametrize("line", ["ann,2024-01-03", "ann,2024-01-03,5,6"])
def test_a_line_of_another_length(file, line):
    path = file(f"customer_id,happened_at,amount\nann,2024-01-03,5\n{line}\n")
    assert refusal(path) == (
        f"The transactions file {path} cannot be read as a table: Invalid Input Error: CSV Error "
        "on Line: 3. Give a CSV file with a header line, or Parquet."
    )


def test_a_mapping_says_which_column_is_meant(file):
    path = file("who,day,paid,amount\nann,2024-01-03,5,99\n")
    mapping = read_mapping(
        file("time_format: '%Y'\ntransactions:\n  customer_id: who\n  amount: amount\n", "m.yaml"),
        ["transactions.amount=paid", "interactions.kind=what"],
    )
    assert mapping == ColumnMapping(
        {
            "transactions": {"customer_id": "who", "amount": "paid"},
            "interactions": {"kind": "what"},
        },
        time_format="%Y",
    )
    assert rows(path, mapping=mapping) == [
        {"customer_id": "ann", "amount": "5", "happened_at": "2024-01-03"}
    ]


def test_a_mapping_to_a_column_that_is_not_there(file):
    path = file("customer_id,day,amount\nann,2024-01-03,5\n")
    mapping = read_mapping(None, ["transactions.amount=Total", "transactions.channel=Shop"])
    assert refusal(path, mapping=mapping) == (
        f"The mapping asks for Total (for amount), Shop (for channel), but {path} has "
        "customer_id, day, amount. Correct the mapping."
    )


REFUSED_FLAGS = {
    "transactions.amount": "The column flag 'transactions.amount' cannot be read. "
    "Write table.name=column, for example transactions.amount=Total.",
    "amount=Total": "The column flag 'amount=Total' cannot be read. "
    "Write table.name=column, for example transactions.amount=Total.",
    "sales.amount=Total": "The mapping names a table 'sales'; the tables are customers, "
    "transactions, interactions.",
    "customers.age=Age": "The mapping names age in customers; the columns of customers are "
    "customer_id, first_seen_at, kind, is_internal.",
}


@pytest.mark.parametrize("flag", REFUSED_FLAGS)
def test_a_flag_that_names_nothing_known(flag):
    with pytest.raises(UserError) as refused:
        read_mapping(None, [flag])
    assert str(refused.value) == REFUSED_FLAGS[flag]


def test_a_mapping_file_that_does_not_exist(tmp_path):
    with pytest.raises(UserError) as refused:
        read_mapping(tmp_path / "gone.yaml", [])
    assert str(refused.value) == (
        f"The mapping file {tmp_path / 'gone.yaml'} does not exist. Check the path."
    )


@pytest.mark.parametrize("text", ["", "just words", "transactions: amount", "- a\n- b"])
def test_a_mapping_file_of_another_shape(file, text):
    path = file(text, "mapping.yaml")
    with pytest.raises(UserError) as refused:
        read_mapping(path, [])
    assert str(refused.value) == (
        f"The mapping file {path} must have one key per table with canonical names below it, "
        "for example:\ntransactions:\n  customer_id: Customer ID\n  amount: Total"
    )


def test_a_mapping_file_that_is_no_yaml(file):
    path = file("transactions: [", "mapping.yaml")
    with pytest.raises(UserError, match=r"^The mapping file .*mapping\.yaml is not valid YAML: "):
        read_mapping(path, [])
