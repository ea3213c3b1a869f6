"""The columns of `purchases` in Polars, one lazy query per snapshot on its streaming engine."""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from features.family import WINDOWS
from features.purchases import TREND_WINDOWS

BOUGHT, RETURNED = pl.col("amount") > 0, pl.col("amount") < 0


def write(files: list[Path], out: Path, as_of: datetime) -> None:
    """One row per customer with every column, by customer_id, as Parquet."""
    past = (pl.col("happened_at") <= as_of) & (pl.col("known_at") <= as_of)
    lines = pl.scan_parquet(files).filter(past).with_columns(
        order_key=pl.coalesce("order_id", pl.col("happened_at").dt.date().cast(pl.String))
    )  # fmt: skip
    table = lines.group_by("customer_id").agg(*_money(as_of), *_counts(as_of))
    table.sort("customer_id").sink_parquet(out, compression="zstd", engine="streaming")


def _counts(as_of: datetime) -> list[pl.Expr]:
    def distinct(column: str, where: pl.Expr) -> pl.Expr:
        return pl.col(column).filter(where).drop_nulls().n_unique()

    columns = {"orders": "order_key", "products": "product_id", "categories": "category"}
    counts = [
        distinct(column, BOUGHT & _last(as_of, days)).alias(f"{name}_{days}d")
        for name, column in columns.items()
        for days in WINDOWS
    ]
    totals = {"orders": "order_key", "products": "product_id", "channels": "channel"}
    return [*counts, *[distinct(c, BOUGHT).alias(f"{name}_total") for name, c in totals.items()]]


def _money(as_of: datetime) -> list[pl.Expr]:
    amount = pl.col("amount")
    bought, returned = amount.filter(BOUGHT).sum(), -amount.filter(RETURNED).sum()
    discount = pl.col("discount").filter(BOUGHT).sum()
    last_return = pl.col("happened_at").filter(RETURNED).max().dt.date()
    return [
        amount.sum().alias("spend_total"),
        *[amount.filter(_last(as_of, d)).sum().alias(f"spend_{d}d") for d in WINDOWS],
        *[
            (
                (amount.filter(BOUGHT & _last(as_of, d)).sum() + 1)
                / (amount.filter(BOUGHT & _before(as_of, d)).sum() + 1)
            )
            .log()
            .alias(f"spend_trend_{d}d")
            for d in TREND_WINDOWS
        ],
        amount.filter(BOUGHT).mean().alias("line_amount_mean"),
        amount.filter(BOUGHT).max().alias("line_amount_max"),
        pl.col("margin").sum().alias("margin_total"),
        (discount / (bought + discount)).alias("discount_share"),
        returned.alias("return_amount_total"),
        *[
            (-amount.filter(RETURNED & _last(as_of, d)).sum()).alias(f"return_amount_{d}d")
            for d in WINDOWS
        ],
        pl.when(bought > 0).then(returned / bought).alias("return_share"),
        (pl.lit(as_of.date()) - last_return).dt.total_days().alias("days_since_return"),
        pl.col("quantity").filter(BOUGHT).mean().alias("quantity_mean"),
    ]


def _last(as_of: datetime, days: int) -> pl.Expr:
    return pl.col("happened_at") > as_of - timedelta(days=days)


def _before(as_of: datetime, days: int) -> pl.Expr:
    return (pl.col("happened_at") > as_of - timedelta(days=2 * days)) & ~_last(as_of, days)
