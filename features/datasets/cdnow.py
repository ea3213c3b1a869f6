"""CDNOW: one cohort of new customers of a CD web shop, 1997-01-01 to 1998-06-30.

Everyone whose first purchase fell in the first quarter of 1997, followed to mid-1998: the
benchmark of the models of repeat buying. Purchases only: no contacts, no covariates.

Source: Bruce Hardie and Peter Fader, brucehardie.com/datasets. Cite Fader and Hardie (2001),
"Forecasting repeat sales at CDNOW: a case study", Interfaces 31(3).
"""

from pathlib import Path

import pandas as pd

from features.datasets.source_file import find_file


def load(folder: Path) -> dict[str, pd.DataFrame]:
    """The 23,570 customers of the master file, `CDNOW_master`.

    Returns the canonical tables, every line of the file kept in its order:

    - customers, one row per customer: `first_seen_at` is the day of the first purchase.
    - transactions, one row per purchase: `amount` in US dollars (0 in 80 lines), `quantity` in
      CDs. There is no `order_id`: an order is what a customer bought in one day. Days are given
      as their midnight. Lines that repeat another exactly are part of the published totals.
    - interactions: no rows, the source has none.

    Raises UserError when the file is not in the folder.
    """
    return _tables(
        pd.read_csv(
            find_file(folder, "CDNOW_master"),
            sep=r"\s+",
            header=0,
            names=["customer_id", "day", "quantity", "amount"],
            dtype={"customer_id": str, "day": str},
        )
    )


def load_sample(folder: Path) -> dict[str, pd.DataFrame]:
    """The 1/10 sample of 2,357 customers, `CDNOW_sample`, on which most papers report.

    The tables are those of `load`, with the customer's id in the master; the second number the
    sample gives each customer (0001 .. 2357) is left out.

    Raises UserError when the file is not in the folder.
    """
    return _tables(
        pd.read_csv(
            find_file(folder, "CDNOW_sample"),
            sep=r"\s+",
            header=None,
            names=["customer_id", "sample_id", "day", "quantity", "amount"],
            dtype={"customer_id": str, "sample_id": str, "day": str},
        )
    )


def _tables(purchases: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The canonical tables from one row per purchase with its day as text, YYYYMMDD."""
    happened_at = pd.to_datetime(purchases["day"], format="%Y%m%d").astype("datetime64[us]")
    transactions = purchases.assign(happened_at=happened_at)[
        ["customer_id", "happened_at", "amount", "quantity"]
    ]
    return {
        "customers": transactions.groupby("customer_id", as_index=False).agg(
            first_seen_at=("happened_at", "min")
        ),
        "transactions": transactions,
        "interactions": transactions[["customer_id", "happened_at"]].head(0).assign(kind=""),
    }
