"""The command line as a user meets it: sentences for mistakes, whole outputs, exit codes."""

import gzip
import json
import sys
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

import holdfast
from training.value_methods import METHODS

SCORE_COLUMNS = {
    "customer_id", "as_of", "status", "purchase_probability", "churn_probability",
    "expected_orders", "expected_value", "expected_value_median", "expected_value_low",
    "expected_value_high", "clv_historical", "clv_future", "clv_total", "clv_if_retained",
    "type_natural", "type_competitive", "type_fault", "type_non_malicious", "type_retaliatory",
    "type_malicious", "tier", "stage", "expected_loss", "max_spend",
}  # fmt: skip
FINITE = ("purchase_probability", "expected_orders", "expected_value", "expected_value_median",
          "expected_value_low", "expected_value_high", "clv_historical", "clv_future",
          "clv_total", "clv_if_retained", "expected_loss", "max_spend")  # fmt: skip


def call(monkeypatch, capsys, *arguments: object) -> tuple[int, str, str]:
    """Run the command line in this process: exit code, output, errors."""
    monkeypatch.setattr(sys, "argv", ["holdfast", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        holdfast.main()
    captured = capsys.readouterr()
    return int(left.value.code or 0), captured.out, captured.err


def shop(customers: int = 300, days: int = 400, seed: int = 1) -> pd.DataFrame:
    """Three columns of a small shop: half of the customers come back, some regularly."""
    rng = np.random.default_rng(seed)
    start = datetime(2023, 1, 1)
    rows = []
    for number in range(customers):
        day, pace = rng.uniform(0, days * 0.6), rng.gamma(2.0, 30.0)
        while day < days:
            when = start + timedelta(days=float(day))
            rows.append((f"{number:05d}", when, round(float(rng.gamma(2.0, 20.0)), 2)))
            day += rng.gamma(1.5, pace)
            if rng.random() < 0.12:
                break
    return pd.DataFrame(rows, columns=["customer_id", "happened_at", "amount"])


@pytest.fixture
def file(tmp_path):
    """Write rows as the transactions file; returns its path."""

    def write(rows: pd.DataFrame, name: str = "orders.csv"):
        path = tmp_path / name
        rows.to_csv(path, index=False)
        return path

    return write


def test_run_writes_scores_and_a_report(file, tmp_path, monkeypatch, capsys):
    unusable = pd.DataFrame([("00007", "2023-05-05", np.inf)], columns=shop().columns)
    path, out = file(pd.concat([shop(), unusable])), tmp_path / "out"
    code, output, _ = call(
        monkeypatch, capsys, "run", "--transactions", path, "--as-of", "2023-11-30",
        "--horizon", 60, "--value-horizon", 60, "--out", out, "--json",
    )  # fmt: skip
    assert code == 0
    scores = pd.read_parquet(out / "scores.parquet")
    bought = shop()[lambda rows: rows.happened_at <= datetime(2023, 11, 30, 23, 59, 59, 999999)]
    assert set(scores.columns) >= SCORE_COLUMNS
    assert sorted(scores.customer_id) == sorted(bought.customer_id.unique())
    assert np.isfinite(scores[list(FINITE)].to_numpy(dtype=float)).all()
    assert scores.purchase_probability.between(0, 1).all()
    assert (scores.expected_value_low <= scores.expected_value).all()
    assert (scores.expected_value <= scores.expected_value_high).all()
    reasons = scores.top_factors[scores.status == "scored"]
    assert reasons.str.contains(r"\([+-]\d+ points\)").all()
    assert json.loads(output)["customers"] == len(scores)
    rejected = pd.read_csv(out / "rejected_transactions.csv", dtype=str)
    assert rejected.to_dict("records") == [
        {"customer_id": "00007", "happened_at": "2023-05-05", "amount": "inf",
         "reason": "amount is infinite"}
    ]  # fmt: skip
    assert (out / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_nothing_after_as_of_is_used(file, tmp_path, monkeypatch, capsys):
    rows = shop()
    later = rows.happened_at > datetime(2023, 11, 30, 23, 59, 59, 999999)
    changed = rows.assign(amount=rows.amount.where(~later, rows.amount * 50))
    found = []
    for name, given in (("a", rows), ("b", changed[~later])):
        path = file(given, f"{name}.csv")
        code, _, errors = call(
            monkeypatch, capsys, "run", "--transactions", path, "--as-of", "2023-11-30",
            "--horizon", 60, "--value-horizon", 60, "--out", tmp_path / name, "--quiet",
        )  # fmt: skip
        assert (code, errors) == (0, "")
        found.append(pd.read_parquet(tmp_path / name / "scores.parquet"))
    pd.testing.assert_frame_equal(*found)


def test_evaluate_tells_of_several_origins_beside_the_baseline(file, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "workspace"))
    path = file(shop())
    assert call(monkeypatch, capsys, "ingest", "--transactions", path, "--quiet")[0] == 0
    asked = ("--as-of", "2023-12-31", "--horizon", 60, "--value-horizon", 60)
    code, output, _ = call(monkeypatch, capsys, "evaluate", *asked, "--contact-cost", 3, "--json")
    assert code == 0
    told = json.loads(output)
    churn = [row for row in told["metrics"] if row["task"] == "churn"]
    assert {row["model"] for row in churn} == {"model", "baseline"}
    assert {row["origins"] for row in churn} == {4}
    assert {row["metric"] for row in told["gains"]} == {"log_loss", "brier", "mae"}
    assert all(row["low"] <= row["gain"] <= row["high"] for row in told["gains"])
    for name in ("churn_segments", "value_segments"):
        assert {"everyone", "tier", "last order:", "tenure"} <= {g["segment"] for g in told[name]}
    # Of four origins half a horizon apart, two have one whose outcome they could have known.
    assert {(row["origins"], row["contact_cost"]) for row in told["savings"]} == {(2, 3.0)}
    assert [row["method"] for row in told["value_methods"]] == [method.name for method in METHODS]
    assert {row["origins"] for row in told["value_methods"]} == {4}
    assert told["leakage_probes"].startswith("Leakage probes")


def test_ids_keep_their_zeros_and_lose_outer_blanks(file, tmp_path, monkeypatch, capsys):
    rows = shop()
    rows.loc[::2, "customer_id"] = " " + rows.customer_id[::2] + " "
    code, _, _ = call(
        monkeypatch, capsys, "run", "--transactions", file(rows), "--horizon", 60,
        "--value-horizon", 60, "--out", tmp_path / "out", "--quiet",
    )  # fmt: skip
    assert code == 0
    ids = pd.read_parquet(tmp_path / "out" / "scores.parquet").customer_id
    assert set(ids) == set(shop().customer_id)


def _first_row_only(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop_duplicates("customer_id")


BAD_FILES = {
    "missing column": (
        lambda rows: rows.drop(columns="amount"),
        "needs the column amount, but it has customer_id, happened_at. Rename a column, or say "
        "which one is meant: --column transactions.amount=COLUMN.",
    ),
    "no rows": (
        lambda rows: rows.head(0),
        "has a header but no rows. Export it again.",
    ),
    "all customers new": (
        _first_row_only,
        "all are new, and nothing tells yet who will return. Wait for repeat purchases, or bring "
        "a longer history.",
    ),
    "one customer only": (
        lambda rows: rows[rows.customer_id == rows.customer_id.mode()[0]],
        "but only 1 customers had bought by then. Bring at least 50 customers.",
    ),
    "future dates": (
        lambda rows: rows.assign(happened_at=rows.happened_at + timedelta(days=36500)),
        "happened_at is in the future), more than the 5% that may be set aside.",
    ),
    "duplicated rows": (
        lambda rows: pd.concat([rows, rows]),
        "as if the file had been pasted into itself. Remove the repeated rows.",
    ),
    "infinite amounts": (
        lambda rows: rows.assign(amount=np.inf),
        "amount is infinite), more than the 5% that may be set aside.",
    ),
    "missing amounts": (
        lambda rows: rows.assign(amount="nan"),
        "amount is missing), more than the 5% that may be set aside.",
    ),
    "times of another form": (
        lambda rows: rows.assign(happened_at=rows.happened_at.dt.strftime("%d/%m/%Y")),
        "happened_at is not a time), more than the 5% that may be set aside.",
    ),
    "history shorter than the horizon": (
        lambda rows: rows[rows.happened_at < datetime(2023, 2, 15)],
        "A horizon of 60 days was asked for, but there are only",
    ),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_ends_in_a_sentence(kind, file, tmp_path, monkeypatch, capsys):
    spoil, sentence = BAD_FILES[kind]
    code, output, errors = call(
        monkeypatch, capsys, "run", "--transactions", file(spoil(shop())), "--horizon", 60,
        "--value-horizon", 60, "--out", tmp_path / "out", "--quiet",
    )  # fmt: skip
    assert sentence in errors
    assert code == 2
    assert output == ""
    assert "Traceback" not in errors
    assert not (tmp_path / "out").exists()


BAD_BYTES = {
    "empty file": (b"", "is empty. Export it again with a header."),
    "not UTF-8": (
        "customer_id,happened_at,amount\nJosé,2024-01-01,3\n".encode("latin-1"),
        "is not UTF-8 text (byte 0xe9 cannot be read). Convert it first",
    ),
}


@pytest.mark.parametrize("kind", BAD_BYTES)
def test_bad_bytes_end_in_a_sentence(kind, tmp_path, monkeypatch, capsys):
    content, sentence = BAD_BYTES[kind]
    path = tmp_path / "orders.csv"
    path.write_bytes(content)
    code, _, errors = call(
        monkeypatch, capsys, "run", "--transactions", path, "--out", tmp_path / "out", "--quiet"
    )
    assert (code, sentence in errors) == (2, True)
    assert not (tmp_path / "out").exists()


def test_a_broken_gzip_file_ends_in_a_sentence(tmp_path, monkeypatch, capsys):
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress(b"customer_id,happened_at,amount\n")[:-9])
    code, _, errors = call(
        monkeypatch, capsys, "run", "--transactions", path, "--out", tmp_path / "out", "--quiet"
    )
    assert code == 2
    assert "is not a whole gzip file" in errors


def test_the_output_must_not_be_a_file(file, monkeypatch, capsys):
    path = file(shop())
    code, _, errors = call(
        monkeypatch, capsys, "run", "--transactions", path, "--out", path, "--quiet"
    )
    assert code == 2
    assert "is a file, and a folder was asked for. Name another." in errors


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["score", "--as-of", "yesterday"], "The moment 'yesterday' cannot be read."),
        (["score"], "has no transactions yet. Bring some in first"),
        (["ingest"], "Say what to bring in: --transactions FILE"),
        (["ingest", "--dataset", "nothing"], "The data set 'nothing' is not known; there are"),
        (["train"], "has no transactions yet. Bring some in first"),
        (["rollback"], "There is no former_champion of the model churn"),
        (["keys", "add", "a name"], "a name is 1 to 100 letters, digits, dots"),
        (["keys", "add", "till", "--role", "king"], "Use one of scorer, writer, admin."),
        (["keys", "revoke", "till"], "till was to lose its key, but"),
    ],
)
def test_a_wrong_call_ends_in_a_sentence(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path / "workspace"))
    code, _, errors = call(monkeypatch, capsys, *arguments)
    assert sentence in errors
    assert code == 2


def test_a_key_is_shown_once_and_ends_when_it_is_revoked(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOLDFAST_HOME", str(tmp_path))
    code, key, _ = call(monkeypatch, capsys, "keys", "add", "till", "--role", "writer")
    assert code == 0
    assert key.startswith("holdfast_")
    kept = json.loads((tmp_path / "keys.json").read_text())
    assert kept["till"]["role"] == "writer"
    assert key.strip() not in (tmp_path / "keys.json").read_text()
    assert call(monkeypatch, capsys, "keys", "revoke", "till")[0] == 0
    assert json.loads((tmp_path / "keys.json").read_text()) == {}


def test_an_unknown_option_is_refused(monkeypatch, capsys):
    code, _, _ = call(monkeypatch, capsys, "run", "--nonsense")
    assert code == 2


def test_simulate_writes_the_tables_and_the_truth(tmp_path, monkeypatch, capsys):
    code, output, _ = call(
        monkeypatch, capsys, "simulate", "--out", tmp_path, "--customers", 200, "--json", "--quiet"
    )
    assert code == 0
    assert set(json.loads(output)) == {"customers", "transactions", "interactions", "truth"}
    truth = pd.read_parquet(tmp_path / "truth.parquet")
    np.testing.assert_allclose(truth.churn_probability, 1.0 - truth.purchase_probability)
