"""Stored models are tried on made-up customers, and damaged ones are found out."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from features.errors import UserError
from training import examples
from training.model_set import ModelSet
from training.tasks import TASKS

VERSIONS = {name: f"{name}@1" for name in TASKS}


@pytest.fixture
def folders(trained, tmp_path):
    """The models of the trained business, in folders of their own."""
    trained.learned.models.save(tmp_path)
    return {name: tmp_path / name for name in TASKS}


def test_the_examples_are_kinds_of_histories_in_an_average_business():
    today = pd.DataFrame(
        {
            "purchase_days_total": [1.0, 3.0],
            "day_amount_sum": [10.0, 70.0],
            "visits": [4.0, 6.0],
            "survey": [np.nan, np.nan],
            "plan": ["gold", "gold"],
        }
    )
    rows = examples.of(today, list(today))
    assert [row["purchase_days_total"] for row in rows] == [1.0, 1.0, 5.0, 40.0, 8.0]
    assert {row["day_amount_sum"] / row["purchase_days_total"] for row in rows} == {20.0}
    assert {(row["visits"], row["survey"], row["plan"]) for row in rows} == {(5.0, None, "gold")}


def test_models_are_loaded_when_they_say_what_they_said(folders, trained):
    loaded = ModelSet.load(folders, VERSIONS)
    assert loaded.answers() == trained.learned.models.answers()
    chances = loaded.answers()["churn"]
    assert len(chances) == len(examples.HISTORIES)
    assert len(set(chances)) > 1


@pytest.mark.parametrize(("model", "file"), [("churn", "with_offset.ubj"), ("clv", "amount.ubj")])
def test_a_file_of_other_trees_is_found_out(folders, model, file):
    other = "with_level.ubj" if model == "churn" else "purchase/with_offset.ubj"
    shutil.copyfile(folders[model] / other, folders[model] / file)
    with pytest.raises(UserError, match="no longer say what they said when they were stored"):
        ModelSet.load(folders, VERSIONS)


def test_numbers_that_are_none_are_found_out(folders):
    path = folders["churn"] / "model.json"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps(stored | {"middle": float("nan")}))
    with pytest.raises(UserError, match=r"\(churn\)"):
        ModelSet.load(folders, VERSIONS)
