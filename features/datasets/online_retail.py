"""Online Retail II: every invoice line of a UK gift-ware web shop, 2009-12-01 to 2011-12-09.

Many of its customers are wholesalers. Cancellations are lines of their own; they do not name the
invoice they cancel.

Source: UCI Machine Learning Repository, data set 502, DOI 10.24432/C5CG6D, licence CC BY 4.0, with
the two sheets of the workbook in one file and the sheet named in a column of its own.
"""

import logging
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import csv

from features.datasets.source_file import find_file

logger = logging.getLogger(__name__)

# Codes and numbers of customers are text, whatever they look like.
COLUMN_TYPES = {
    "Sheet": pa.string(),
    "Invoice": pa.string(),
    "StockCode": pa.string(),
    "Quantity": pa.int64(),
    "InvoiceDate": pa.timestamp("us"),
    "Price": pa.float64(),
    "Customer ID": pa.string(),
    "Country": pa.string(),
}

FIRST_SHEET = "Year 2009-2010"
# From this day on the first sheet holds the same lines as the second, which begins here.
SECOND_SHEET_STARTS = pd.Timestamp("2010-12-01")

# A price has up to three decimals and a quantity none, so this rounding loses nothing: it only
# takes off what the binary multiplication added.
DECIMALS_OF_A_PRICE = 3


def load(folder: Path) -> dict[str, pd.DataFrame]:
    """Every line of a known customer from `online_retail_II`, in the order of the file.

    Two kinds of lines are left out, and the log says how many: those of the first sheet that stand
    in the second as well, and those without a customer number. Lines that repeat another exactly
    are kept, for they may be two picks of the same article. Times are UK local time in the source,
    by all appearances; they are taken for UTC, so summer hours are one hour late.

    - customers, one row per customer: `first_seen_at` is the time of the first line, `country` the
      country of most of the customer's lines (of equals, the one that stands first).
    - transactions, one row per invoice line: `amount` in pounds sterling, quantity times price,
      negative on a cancellation (its `order_id` begins with C) and 0 on the 70 lines given away;
      `product_id` in capitals without blanks at the ends, since codes were typed both ways.
      Carriage (POST, DOT, C2), manual lines (M), discounts (D) and fees are lines like the others.
    - interactions: no rows, the source has none.

    Raises UserError when the file is not in the folder.
    """
    lines = _of_known_customers(_without_overlap(_read(find_file(folder, "online_retail_II"))))
    transactions = pd.DataFrame(
        {
            "customer_id": lines["Customer ID"],
            "happened_at": lines["InvoiceDate"],
            "order_id": lines["Invoice"],
            "amount": (lines["Quantity"] * lines["Price"]).round(DECIMALS_OF_A_PRICE),
            "quantity": lines["Quantity"],
            "product_id": lines["StockCode"].str.strip().str.upper(),
        }
    ).reset_index(drop=True)
    return {
        "customers": _customers(lines),
        "transactions": transactions,
        "interactions": transactions[["customer_id", "happened_at"]].head(0).assign(kind=""),
    }


def _read(path: Path) -> pd.DataFrame:
    """One row per line of the file, an empty field being a missing value and nothing else."""
    options = csv.ConvertOptions(
        column_types=COLUMN_TYPES,
        include_columns=list(COLUMN_TYPES),
        strings_can_be_null=True,
        null_values=[""],
    )
    return csv.read_csv(path, convert_options=options).to_pandas()


def _without_overlap(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines, each bought once: those that both sheets hold are kept from the second only."""
    repeated = (lines["Sheet"] == FIRST_SHEET) & (lines["InvoiceDate"] >= SECOND_SHEET_STARTS)
    logger.info("Left out %s lines of the first sheet that the second repeats.", repeated.sum())
    return lines[~repeated]


def _of_known_customers(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines that can be given to a customer."""
    unknown = lines["Customer ID"].isna()
    logger.info("Left out %s lines without a customer number.", unknown.sum())
    return lines[~unknown]


def _customers(lines: pd.DataFrame) -> pd.DataFrame:
    """One row per customer: the first line's time and the country of most lines."""
    first_seen_at = lines.groupby("Customer ID")["InvoiceDate"].min()
    lines_in = lines.groupby(["Customer ID", "Country"], sort=False).size()
    country = (
        lines_in.sort_values(ascending=False, kind="stable")
        .reset_index("Country")["Country"]
        .groupby(level="Customer ID")
        .first()
    )
    customers = pd.DataFrame({"first_seen_at": first_seen_at, "country": country})
    return customers.rename_axis("customer_id").reset_index()
