"""The `rhythm` family of one snapshot beside hand-written DuckDB SQL for the same columns."""

import tempfile
from datetime import datetime
from pathlib import Path

import duckdb
import ibis
import numpy as np
import pandas as pd

from features import workspace
from features.family import WINDOWS
from features.rhythm import TREND_WINDOWS, rhythm
from features.workspace import Workspace
from tests.benchmarks.timing import alternate

CUSTOMERS, LINES = 50_000, 1_000_000
AS_OF = datetime(2024, 12, 31)


def table() -> str:
    """The benchmark's result in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        space = Workspace(Path(folder))
        workspace.ingest(space, {"transactions": ibis.memtable(_lines())})
        file = workspace.event_files(space, "transactions")[0]
        events = workspace.open_events(space)
        ours_at, rival_at = Path(folder) / "ours.parquet", Path(folder) / "rival.parquet"
        query = _sql(file, rival_at)
        ours, rival = alternate(
            lambda: rhythm.compute(events, AS_OF).to_parquet(ours_at),
            lambda: duckdb.connect().execute(query),
        )
        _must_agree(ours_at, rival_at)
    return (
        f"| one snapshot of `rhythm`, {LINES:,} lines, {CUSTOMERS:,} customers | seconds |\n"
        f"|---|---|\n| Holdfast | {ours:.2f} |\n| DuckDB SQL by hand | {rival:.2f} |\n"
        f"| ratio | {ours / rival:.2f} |"
    )


def _lines() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    seconds = rng.integers(0, 700 * 86_400, LINES)
    return pd.DataFrame(
        {
            "customer_id": [f"C{n:06d}" for n in rng.integers(0, CUSTOMERS, LINES)],
            "happened_at": pd.Timestamp("2023-01-31") + pd.to_timedelta(seconds, unit="s"),
            "amount": rng.gamma(2.0, 20.0, LINES).round(2),
        }
    )


def _sql(file: Path, out: Path) -> str:
    """What an engineer would write for the columns of `rhythm`."""

    def last(days: int) -> str:
        return f"happened_at > $as_of - INTERVAL {days} DAY"

    def earlier(days: int) -> str:
        return f"happened_at > $as_of - INTERVAL {2 * days} DAY AND NOT ({last(days)})"

    def season(days: int) -> str:
        begin = "$as_of - INTERVAL 365 DAY"
        return f"happened_at > {begin} AND happened_at <= {begin} + INTERVAL {days} DAY"

    columns = [f"count(*) FILTER ({last(d)}) AS purchase_days_recent_{d}d" for d in WINDOWS]
    columns += [
        f"ln((count(*) FILTER ({last(d)}) + 1.0) / (count(*) FILTER ({earlier(d)}) + 1.0))"
        f" AS purchase_trend_{d}d"
        for d in TREND_WINDOWS
    ]
    columns += [f"count(*) FILTER ({season(d)}) AS purchase_days_season_{d}d" for d in (90, 180)]
    select = ",\n".join(columns)
    return f"""
    COPY (
      WITH days AS (
        SELECT customer_id, date_diff('day', happened_at::DATE, $as_of::DATE) AS days_ago,
               sum(amount) AS amount, min(happened_at) AS happened_at
        FROM '{file}' WHERE happened_at <= $as_of AND known_at <= $as_of AND amount > 0
        GROUP BY ALL),
      gaps AS (
        SELECT *, lag(days_ago) OVER (PARTITION BY customer_id ORDER BY days_ago DESC) - days_ago
               AS gap_days FROM days)
      SELECT customer_id, min(days_ago) AS recency, max(days_ago) AS age,
        count(*) AS purchase_days_total, {select},
        avg(gap_days) AS gap_mean, stddev_samp(gap_days) AS gap_std, max(gap_days) AS gap_max,
        coalesce(sum(ln(gap_days)), 0) AS gap_log_sum,
        stddev_samp(gap_days) / avg(gap_days) AS gap_variation,
        min(days_ago) / avg(gap_days) AS silence_ratio,
        min(days_ago) / nullif(max(days_ago), 0) AS silence_share,
        sum(amount) AS day_amount_sum, avg(amount) AS day_amount_mean,
        stddev_samp(amount) AS day_amount_std, sum(ln(amount)) AS day_amount_log_sum,
        sum(ln(amount) ** 2) AS day_amount_log_square_sum, max(amount) AS day_amount_max,
        arg_max(amount, days_ago) AS day_amount_first, arg_min(amount, days_ago) AS day_amount_last,
        avg((isodow(happened_at) >= 6)::INT) AS weekend_share
      FROM gaps GROUP BY customer_id
    ) TO '{out}' (FORMAT parquet)
    """.replace("$as_of", f"TIMESTAMP '{AS_OF}'")


def _must_agree(ours: Path, rival: Path) -> None:
    """A time of something else is no rival: both must have written the same numbers."""
    tables = [pd.read_parquet(path).set_index("customer_id").sort_index() for path in (ours, rival)]
    pd.testing.assert_frame_equal(
        tables[0].astype(float), tables[1][tables[0].columns].astype(float), rtol=1e-9
    )
