"""365 Data Science as a subscription: the same students, and a closure when a plan ran out.

**The ends are derived.** The source knows no cancellation; a plan is taken to end a month, a
quarter or a year after its purchase (`PLAN_MONTHS`), on the same day of the month, as renewals of
it fall. No annual plan ends within the data, so whether one is renewed is never known.
"""

from pathlib import Path

import pandas as pd

from features.datasets import data365

PLAN_MONTHS = {"Monthly": 1, "Quarterly": 3, "Annual": 12}
RAN_OUT = "ran_out"  # names no cause


def load(folder: Path) -> dict[str, pd.DataFrame]:
    """The tables of data365, whose interactions have the ends of plans as well.

    A closure stands on the day on which all plans bought so far have run out and none was bought,
    until the last day of the data. Raises UserError as data365.load does.
    """
    tables = data365.load(folder)
    happened = [tables[name]["happened_at"].max() for name in ("transactions", "interactions")]
    ended = ends(tables["transactions"], last_day=max(happened))
    both = pd.concat([tables["interactions"], ended], ignore_index=True)
    return tables | {"interactions": both}


def ends(purchases: pd.DataFrame, last_day: pd.Timestamp) -> pd.DataFrame:
    """One row per end of all plans of a student by `last_day`: a closure, with its detail.

    purchases: customer_id, happened_at and product_id, the plan; one of no known length is left
    out.
    """
    known = purchases[purchases["product_id"].isin(PLAN_MONTHS)]
    rows = known.sort_values(["customer_id", "happened_at"], kind="stable", ignore_index=True)
    months = rows["product_id"].map(PLAN_MONTHS)
    ends_at = [at + pd.DateOffset(months=n)
               for at, n in zip(rows["happened_at"], months, strict=True)]  # fmt: skip
    rows["end"] = pd.Series(ends_at, rows.index, dtype="datetime64[us]")
    of_each = rows.groupby("customer_id")
    covered, renewed = of_each["end"].cummax(), of_each["happened_at"].shift(-1)
    over = ~(renewed <= covered) & (covered <= last_day)
    return pd.DataFrame(
        {
            "customer_id": rows["customer_id"][over],
            "happened_at": covered[over].astype("datetime64[us]"),
            "kind": "closure",
            "detail": RAN_OUT,
        }
    ).reset_index(drop=True)
