"""Online Retail II: invoice lines become transactions, and the published figures come out."""

import logging

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from features.datasets import online_retail
from features.errors import UserError
from tests.real_data import real_data

HEADER = "Sheet,Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n"
FIRST, SECOND = "Year 2009-2010", "Year 2010-2011"


@pytest.fixture
def load_lines(tmp_path):
    """Load a file that holds the given lines and nothing else."""

    def load(*lines):
        (tmp_path / "online_retail_II.csv").write_text(HEADER + "".join(f"{x}\n" for x in lines))
        return online_retail.load(tmp_path)

    return load


def test_an_invoice_line_becomes_a_transaction(load_lines):
    given = load_lines(
        f'{FIRST},489434,79323p ,"CHERRY, ""PINK"" ",3,2009-12-01 07:45:00,0.035,00085,EIRE',
        f"{FIRST},C489435,22087,,-2,2009-12-02 08:00:00,2.95,00085,EIRE",
        f"{FIRST},489436,NA,,1,2009-12-03 09:30:00,0,13085,RSA",
    )

    assert_frame_equal(
        given["transactions"],
        pd.DataFrame(
            {
                "customer_id": ["00085", "00085", "13085"],
                "happened_at": pd.to_datetime(
                    ["2009-12-01 07:45", "2009-12-02 08:00", "2009-12-03 09:30"]
                ).astype("datetime64[us]"),
                "order_id": ["489434", "C489435", "489436"],
                "amount": [0.105, -5.9, 0.0],
                "quantity": [3, -2, 1],
                "product_id": ["79323P", "22087", "NA"],
            }
        ),
        check_exact=True,
    )


def test_a_line_of_both_sheets_is_counted_once(load_lines):
    given = load_lines(
        f"{FIRST},1,A,,1,2010-11-30 23:59:00,1,13085,EIRE",
        f"{FIRST},2,B,,1,2010-12-01 00:00:00,1,13085,EIRE",
        f"{SECOND},2,B,,1,2010-12-01 00:00:00,1,13085,EIRE",
    )

    assert given["transactions"]["order_id"].tolist() == ["1", "2"]


def test_a_line_repeated_in_one_sheet_is_kept(load_lines):
    line = f"{SECOND},2,B,,1,2011-01-01 10:00:00,1,13085,EIRE"

    assert len(load_lines(line, line)["transactions"]) == 2


def test_a_line_without_customer_is_left_out_and_the_log_says_so(load_lines, caplog):
    with caplog.at_level(logging.INFO, logger="features.datasets.online_retail"):
        given = load_lines(
            f"{FIRST},1,A,,1,2010-12-05 10:00:00,1,13085,EIRE",
            f"{SECOND},1,A,,1,2010-12-05 10:00:00,1,13085,EIRE",
            f"{SECOND},2,B,,1,2010-12-06 10:00:00,1,,EIRE",
            f"{SECOND},3,B,,1,2010-12-06 10:00:00,1,,EIRE",
        )

    assert given["transactions"]["order_id"].tolist() == ["1"]
    assert caplog.messages == [
        "Left out 1 lines of the first sheet that the second repeats.",
        "Left out 2 lines without a customer number.",
    ]


def test_a_customer_is_of_the_country_of_most_lines(load_lines):
    given = load_lines(
        f"{FIRST},1,A,,1,2010-01-02 10:00:00,1,20,Spain",
        f"{FIRST},2,A,,1,2010-01-01 10:00:00,1,20,Belgium",
        f"{FIRST},3,A,,1,2010-01-03 10:00:00,1,20,Belgium",
        f"{FIRST},4,A,,1,2010-01-04 10:00:00,1,10,Spain",
        f"{FIRST},5,A,,1,2010-01-05 10:00:00,1,10,Belgium",
    )

    assert_frame_equal(
        given["customers"],
        pd.DataFrame(
            {
                "customer_id": ["10", "20"],
                "first_seen_at": pd.to_datetime(["2010-01-04 10:00", "2010-01-01 10:00"]).astype(
                    "datetime64[us]"
                ),
                "country": ["Spain", "Belgium"],
            }
        ),
    )


def test_there_are_no_interactions_but_their_columns(load_lines):
    interactions = load_lines(f"{FIRST},1,A,,1,2010-01-02 10:00:00,1,20,Spain")["interactions"]

    assert interactions.empty
    assert list(interactions.columns) == ["customer_id", "happened_at", "kind"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError) as error:
        online_retail.load(tmp_path)

    assert str(error.value) == (
        f"The file online_retail_II was looked for in the folder {tmp_path} as .csv, .csv.gz, "
        ".txt, .txt.gz, but it is not there. Put the file into that folder, or give the folder "
        "that holds it."
    )


@pytest.fixture(scope="module")
def shop():
    """The real tables, and the messages the loader logged meanwhile."""
    messages = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    logger = logging.getLogger("features.datasets.online_retail")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        return {**online_retail.load(real_data("online-retail-2")), "log": messages}
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@pytest.fixture(scope="module")
def purchases(shop):
    return shop["transactions"].query("amount > 0")


@pytest.fixture(scope="module")
def cancellations(shop):
    return shop["transactions"].query("amount < 0")


def test_published_purchases_come_out(purchases):
    assert len(purchases) == 791_044
    assert purchases["customer_id"].nunique() == 5_878
    assert purchases["order_id"].nunique() == 36_969
    assert purchases["quantity"].sum() == 10_547_798
    assert round(purchases["amount"].sum(), 3) == 17_431_533.178


def test_published_cancellations_come_out(cancellations):
    assert len(cancellations) == 18_446
    assert cancellations["customer_id"].nunique() == 2_572
    assert cancellations["order_id"].nunique() == 7_901
    assert cancellations["order_id"].str.startswith("C").all()
    assert round(cancellations["amount"].sum(), 2) == -1_087_882.14


def test_what_is_neither_is_the_published_70_lines_given_away(shop):
    assert (shop["transactions"]["amount"] == 0).sum() == 70


def test_published_customers_and_span_come_out(shop):
    times = shop["transactions"]["happened_at"]

    assert len(shop["customers"]) == shop["transactions"]["customer_id"].nunique() == 5_942
    assert shop["customers"]["customer_id"].agg(["min", "max"]).tolist() == ["12346", "18287"]
    assert times.dtype == "datetime64[us]"
    assert (f"{times.min()}", f"{times.max()}") == ("2009-12-01 07:45:00", "2011-12-09 12:50:00")


def test_published_lines_left_out_are_logged(shop):
    assert shop["log"] == [
        "Left out 22523 lines of the first sheet that the second repeats.",
        "Left out 235287 lines without a customer number.",
    ]


def test_published_habits_of_the_buyers_come_out(purchases):
    by_customer = purchases.groupby("customer_id")
    days_bought = purchases["happened_at"].dt.normalize().groupby(purchases["customer_id"])
    money = by_customer["amount"].sum().sort_values(ascending=False)

    assert (days_bought.nunique() >= 2).sum() == 4_189
    assert (by_customer["order_id"].nunique() == 1).sum() == 1_623
    assert round(money["18102"], 2) == 580_987.04 == round(money.iloc[0], 2)
    assert round(100 * money.head(59).sum() / money.sum(), 1) == 31.9


def test_published_example_label_comes_out(purchases):
    time = purchases["happened_at"]
    before = purchases[(time >= "2010-06-09") & (time < "2011-06-09")]["customer_id"].unique()
    after = purchases[(time >= "2011-06-09") & (time < "2011-12-10")]["customer_id"].unique()

    assert len(before) == 4_335
    assert round(100 * (1 - pd.Series(before).isin(after).mean()), 2) == 42.65


def test_products_differ_by_more_than_case_and_blanks(shop):
    products = pd.Series(shop["transactions"]["product_id"].unique())

    assert (products == products.str.strip().str.upper()).all()


def test_the_country_of_customers_of_two_countries_is_the_more_frequent(shop):
    country = shop["customers"].set_index("customer_id")["country"]

    assert country[["12370", "12417", "12745"]].tolist() == ["Cyprus", "Belgium", "United Kingdom"]
