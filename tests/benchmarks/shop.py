"""A made-up shop of any size, for timings: order lines in Parquet, the same for the same size."""

from pathlib import Path

import duckdb

BEGIN, DAYS = "2022-01-01", 730
LINES_PER_CUSTOMER, LINES_PER_ORDER = 40, 3


def write_lines(path: Path, lines: int) -> None:
    """Two years of order lines of `lines / 40` customers, in no order; one in twenty is a return.

    Three lines make an order; 5,000 products, 30 categories and 4 channels.
    """
    customers = max(lines // LINES_PER_CUSTOMER, 1)
    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false; SET preserve_insertion_order = false")
    connection.execute(f"""
        COPY (
          SELECT 'C' || lpad((hash(o) % {customers})::VARCHAR, 8, '0') AS customer_id,
                 happened_at, happened_at AS known_at, 'o' || o::VARCHAR AS order_id,
                 round(if(hash(i + 5) % 20 = 0, -1, 1) * exp(3 + (hash(i * 3) % 1000) / 500), 2)
                   AS amount,
                 (1 + hash(i * 11) % 5)::DOUBLE AS quantity,
                 'p' || (hash(i * 13) % 5000)::VARCHAR AS product_id,
                 'k' || (hash(i * 17) % 30)::VARCHAR AS category,
                 'c' || (hash(o * 19) % 4)::VARCHAR AS channel,
                 if(hash(i * 23) % 4 = 0, 2.5, 0.0) AS discount,
                 round(1 + (hash(i * 29) % 700) / 100, 2) AS margin
          FROM (SELECT i, i // {LINES_PER_ORDER} AS o,
                       TIMESTAMP '{BEGIN}' + to_seconds(hash(i // {LINES_PER_ORDER} * 7 + 1)
                         % {DAYS * 86_400}) AS happened_at
                FROM range({lines}) AS numbers(i))
        ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
    """)
