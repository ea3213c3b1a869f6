"""Which engine is asked for, and what is said when it is not there."""

import os
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from features import backend, reading
from features.errors import UserError
from features.events import TRANSACTIONS
from features.reading import ColumnMapping
from features.workspace import ingest
from tests import missing
from tests.world import world

ASKING = """
import sys
{before}
from features import backend
try:
    backend.connect("spark")
except backend.UserError as error:
    sys.stdout.write(str(error))
"""


def said(before="", **environment):
    """What a new process is told that asks for Spark."""
    done = subprocess.run(
        [sys.executable, "-c", ASKING.format(before=before)],
        env=os.environ | environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_an_unknown_engine_is_refused_with_the_known_ones(monkeypatch):
    monkeypatch.setenv("HOLDFAST_ENGINE", "abacus")
    with pytest.raises(UserError, match=r"'abacus' was asked for.* duckdb and spark\."):
        backend.connect()


def test_without_pyspark_it_is_said_what_to_install():
    assert said(before="sys.modules['pyspark'] = None") == (
        "The engine spark was asked for, but pyspark is not installed. Install Spark with "
        "pip install 'holdfast[production]', and a Java runtime (version 17 or 21) for it."
    )


@pytest.mark.spark
def test_without_java_it_is_said_what_to_install(tmp_path):
    missing.spark()
    assert said(JAVA_HOME=str(tmp_path)) == (
        "The engine spark was asked for, but its Java could not be started. Install a Java runtime "
        "(version 17 or 21) and let JAVA_HOME or PATH lead to it, or set HOLDFAST_ENGINE=duckdb."
    )


def test_raw_files_are_read_and_checked_by_the_embedded_engine(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("HOLDFAST_ENGINE", "spark")
    monkeypatch.setattr(backend, "_spark", lambda: pytest.fail("Spark was started."))
    (tmp_path / "orders.csv").write_text("customer_id,date,amount\nann,2024-01-03,10\n")
    raw = reading.read(tmp_path / "orders.csv", TRANSACTIONS, ColumnMapping())
    pq.write_table(raw.to_pyarrow(), tmp_path / "orders.parquet")
    for name in ("orders.csv", "orders.parquet"):
        raw = reading.read(tmp_path / name, TRANSACTIONS, ColumnMapping())
        (report,) = ingest(workspace, {"transactions": raw})
        assert report.good == 1
    customers = world(customers=["ann  2024-01-01", "bob  2024-01-01"]).events.customers
    for _ in range(2):
        (report,) = ingest(workspace, {"customers": customers})
        assert report.good == 2
