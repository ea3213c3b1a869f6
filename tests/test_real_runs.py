"""`holdfast run` on two real data sets, as plain three-column files, at the levels it must hold."""

import sys
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import holdfast
from features.datasets import DATASETS
from tests.real_data import real_data

RUNS = {
    # data set: folder, as of, days, least AUC of "no purchase in these days" over all customers
    "online_retail": ("online-retail-2", datetime(2011, 6, 11, 23, 59, 59), 180, 4976, 0.78),
    "cdnow": ("cdnow", datetime(1997, 9, 30, 23, 59, 59), 273, 23_500, 0.75),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_real_run_is_finite_and_ranks(name, tmp_path, monkeypatch):
    folder, as_of, days, customers, least = RUNS[name]
    lines = DATASETS[name].load(real_data(folder))["transactions"]
    bought = lines.loc[lines.amount > 0, ["customer_id", "happened_at", "amount"]]
    bought.to_csv(tmp_path / "orders.csv", index=False)
    arguments = [
        "--as-of",
        as_of.isoformat(),
        "--horizon",
        days,
        "--value-horizon",
        days,
        "--quiet",
    ]
    paths = ["--transactions", tmp_path / "orders.csv", "--out", tmp_path / "out"]
    monkeypatch.setattr(sys, "argv", ["holdfast", "run", *map(str, [*paths, *arguments])])
    with pytest.raises(SystemExit) as left:
        holdfast.main()
    assert not left.value.code
    scores = pd.read_parquet(tmp_path / "out" / "scores.parquet")
    after = bought.happened_at.between(as_of, as_of + timedelta(days=days), inclusive="right")
    stayed = scores.customer_id.isin(bought.customer_id[after])
    money = scores.filter(regex="^(expected|clv|max_spend)").drop(columns="expected_loss")
    assert len(scores) == customers
    assert np.isfinite(money.to_numpy(dtype=float)).all()
    assert roc_auc_score(stayed, scores.purchase_probability) >= least
