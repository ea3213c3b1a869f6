"""Which features the last trainings made no use of: by hand, and of a model that was saved."""

import json

import pandas as pd
import pytest

from features.errors import UserError
from training.idle_features import NEGLIGIBLE, idle, importance, of_trainings
from training.models.explanation import REPEAT_BUYING


def register(space, model, version, names):
    folder = space.models / "churn" / str(version)
    folder.mkdir(parents=True)
    model.save(folder)
    meta = {"features": list(names), "horizon_days": 90}
    (folder / "task.json").write_text(json.dumps(meta))


def test_a_feature_is_idle_when_no_training_used_it():
    little = NEGLIGIBLE / 2
    shares = pd.DataFrame(
        {"churn@3": [0.5, little, 0.0, 0.0, 0.0], "churn@2": [0.5, 0.1, little, 0.0, 0.0]},
        index=["spend", "once", "hardly", "never", REPEAT_BUYING],
    )
    assert idle(shares) == ["never", "hardly"]


def test_the_shares_of_all_features_sum_to_one_and_name_what_the_model_looks_at(two_part, shop):
    shares = importance(two_part.purchase, shop.today)
    assert shares.sum() == pytest.approx(1.0)
    assert (shares >= 0).all()
    assert shares.count_complaint_90d > NEGLIGIBLE


def test_the_newest_models_are_looked_at_by_their_number(two_part, shop, workspace):
    names = [name for name in importance(two_part.purchase, shop.today).index if name in shop.today]
    for version in (2, 10, 9):
        register(workspace, two_part.purchase, version, names)
    found = of_trainings(workspace, shop.today, trainings=2)
    assert found.versions == ["churn@10", "churn@9"]
    assert found.shares["churn@10"].tolist() == found.shares["churn@9"].tolist()
    assert "count_complaint_90d" not in found.idle


def test_too_few_trainings_and_features_that_are_gone_are_refused(two_part, shop, workspace):
    register(workspace, two_part.purchase, 1, ["mood"])
    with pytest.raises(UserError, match="has 1 registered"):
        of_trainings(workspace, shop.today)
    with pytest.raises(UserError, match="churn@1 needs mood"):
        of_trainings(workspace, shop.today, trainings=1)
