"""The columns of `purchases` in SQL by hand: as one writes it, and as fast as we know how.

Both are DuckDB's own SQL, one query per snapshot, and must give what Holdfast gives.
"""

from datetime import datetime
from pathlib import Path

from features.family import WINDOWS
from features.purchases import TREND_WINDOWS


def plain(files: list[Path], out: Path, as_of: datetime) -> str:
    """One aggregate per column over the lines, distinct things counted as distinct."""
    columns = [
        *_money(),
        f"{_distinct('order_key', 'bought')} AS orders_total",
        *[f"{_distinct('order_key', f'bought AND {_last(d)}')} AS orders_{d}d" for d in WINDOWS],
        f"{_distinct('product_id', 'bought')} AS products_total",
        *[f"{_distinct('product_id', f'bought AND {_last(d)}')} AS products_{d}d" for d in WINDOWS],
        *[f"{_distinct('category', f'bought AND {_last(d)}')} AS categories_{d}d" for d in WINDOWS],
        f"{_distinct('channel', 'bought')} AS channels_total",
    ]
    query = f"SELECT customer_id, {_list(columns)} FROM lines GROUP BY customer_id"
    return _copy(f"WITH lines AS ({_lines(files)}) {query}", out, as_of)


def grouped(files: list[Path], out: Path, as_of: datetime) -> str:
    """Distinct things grouped once by their last time, then counted per window."""
    things = {"orders": "order_key", "products": "product_id", "categories": "category",
              "channels": "channel"}  # fmt: skip
    tables = [
        f"lines AS ({_lines(files)})",
        f"money AS (SELECT customer_id, {_list(_money())} FROM lines GROUP BY customer_id)",
    ]
    names: list[str] = []
    for name, column in things.items():
        total = [] if name == "categories" else [f"count(*) AS {name}_total"]
        windows = [] if name == "channels" else WINDOWS
        counts = [f"count(*) FILTER ({_last(d)}) AS {name}_{d}d" for d in windows]
        names += [f"{name}_total"] * len(total) + [f"{name}_{d}d" for d in windows]
        tables.append(f"""{name} AS (
          SELECT customer_id, {_list([*total, *counts])} FROM (
            SELECT customer_id, {column}, max(happened_at) AS happened_at FROM lines
            WHERE bought AND {column} IS NOT NULL GROUP BY customer_id, {column})
          GROUP BY customer_id)""")
    joins = " ".join(f"LEFT JOIN {name} USING (customer_id)" for name in things)
    found = [f"coalesce({name}, 0) AS {name}" for name in names]
    query = f"WITH {_list(tables)} SELECT money.*, {_list(found)} FROM money {joins}"
    return _copy(query, out, as_of)


def _money() -> list[str]:
    returned = "amount < 0"
    return [
        "sum(amount) AS spend_total",
        *[f"coalesce(sum(amount) FILTER ({_last(d)}), 0) AS spend_{d}d" for d in WINDOWS],
        *[
            f"ln((coalesce(sum(amount) FILTER (bought AND {_last(d)}), 0) + 1)"
            f" / (coalesce(sum(amount) FILTER (bought AND {_before(d)}), 0) + 1))"
            f" AS spend_trend_{d}d"
            for d in TREND_WINDOWS
        ],
        "avg(amount) FILTER (bought) AS line_amount_mean",
        "max(amount) FILTER (bought) AS line_amount_max",
        "sum(margin) AS margin_total",
        "sum(discount) FILTER (bought) / (sum(amount) FILTER (bought)"
        " + sum(discount) FILTER (bought)) AS discount_share",
        f"coalesce(-sum(amount) FILTER ({returned}), 0) AS return_amount_total",
        *[
            f"coalesce(-sum(amount) FILTER ({returned} AND {_last(d)}), 0) AS return_amount_{d}d"
            for d in WINDOWS
        ],
        f"coalesce(-sum(amount) FILTER ({returned}), 0) / sum(amount) FILTER (bought)"
        " AS return_share",
        f"date_diff('day', max(happened_at) FILTER ({returned})::DATE, $as_of::DATE)"
        " AS days_since_return",
        "avg(quantity) FILTER (bought) AS quantity_mean",
    ]


def _lines(files: list[Path]) -> str:
    names = ", ".join(f"'{file}'" for file in files)
    return (
        "SELECT *, amount > 0 AS bought, coalesce(order_id, happened_at::DATE::VARCHAR)"
        f" AS order_key FROM read_parquet([{names}])"
        " WHERE happened_at <= $as_of AND known_at <= $as_of"
    )


def _copy(query: str, out: Path, as_of: datetime) -> str:
    ordered = f"COPY ({query} ORDER BY customer_id) TO '{out}' (FORMAT parquet, COMPRESSION zstd)"
    return ordered.replace("$as_of", f"TIMESTAMP '{as_of}'")


def _distinct(column: str, where: str) -> str:
    return f"count(DISTINCT {column}) FILTER ({where})"


def _last(days: int) -> str:
    return f"happened_at > $as_of - INTERVAL {days} DAY"


def _before(days: int) -> str:
    return f"happened_at > $as_of - INTERVAL {2 * days} DAY AND NOT ({_last(days)})"


def _list(parts: list[str]) -> str:
    return ",\n".join(parts)
