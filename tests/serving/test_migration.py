"""How customers moved, counted by hand and on a business."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from features.workspace import Workspace
from serving import batch, migration
from serving.migration import GONE, NEW, RESCORED, STATES, STORED
from serving.policy import POLICY
from tests.serving.conftest import AS_OF
from training import champion

EARLIER = AS_OF - timedelta(days=60)  # the churn horizon of the business


@pytest.fixture(scope="module")
def business(trained_workspace, tmp_path_factory):
    """A copy of the business, its models, and its scores of now, nowhere stored."""
    space = Workspace(tmp_path_factory.mktemp("moves") / "workspace")
    space.root.mkdir()
    for name in ("events", "features", "models"):
        (space.root / name).symlink_to(trained_workspace.root / name)
    models = champion.load(space)
    return space, models, batch.score_everyone(space, models, POLICY, AS_OF)


def test_who_stayed_who_moved_who_came_and_who_went():
    then = pd.Series({"ann": "mvc", "bob": "mvc", "cem": "maintain", "dee": "mgc"})
    now = pd.Series({"ann": "mvc", "bob": "maintain", "cem": "mvc", "eve": "mgc"})
    table = migration._table(then, now, STATES["tier"], {"share": 1.0})
    assert list(table.index) == ["mvc", "mgc", "maintain", "below_zero", NEW]
    assert list(table.columns) == ["mvc", "mgc", "maintain", "below_zero", GONE]
    assert table.loc["mvc"].tolist() == [1, 0, 1, 0, 0]
    assert table.loc["mgc"].tolist() == [0, 0, 0, 0, 1]
    assert table.loc["maintain"].tolist() == [1, 0, 0, 0, 0]
    assert table.loc[NEW].tolist() == [0, 1, 0, 0, 0]
    assert table.to_numpy().sum() == 5
    assert table.attrs == {"share": 1.0}


def test_who_has_no_state_is_neither_new_nor_gone():
    then = pd.Series({"ann": None, "bob": "mvc"}, dtype=object)
    now = pd.Series({"ann": "mvc", "bob": None}, dtype=object)
    assert migration._table(then, now, STATES["tier"], {}).to_numpy().sum() == 0


def test_everybody_of_now_stands_in_each_table(business):
    space, models, scores = business
    found = migration.moves(space, models, POLICY, AS_OF, scores)
    assert {"tier", "stage"} <= set(found)
    for kind, table in found.items():
        assert set(scores[kind]) <= set(STATES[kind]), kind
        now = scores[kind].value_counts().reindex(STATES[kind], fill_value=0)
        assert table[list(STATES[kind])].sum().tolist() == now.tolist()
        assert table.attrs == {"before": EARLIER, "source": RESCORED, "share": 1.0}
    # Customers come in the two months, and all who had bought by then are still there.
    assert found["stage"].loc[NEW].sum() > 0
    assert found["stage"][GONE].sum() == 0


def test_then_is_what_the_models_of_today_say_of_that_day(business):
    space, models, scores = business
    then = batch.score_everyone(space, models, POLICY, EARLIER).set_index("customer_id")
    now = scores.set_index("customer_id")
    found = migration.moves(space, models, POLICY, AS_OF, scores)
    both = then.join(now, rsuffix="_now", how="inner")
    stayed = (both.stage == both.stage_now).sum()
    assert np.trace(found["stage"].to_numpy()[:-1, :-1]) == stayed
    assert_frame_equal(found["stage"], migration.moves(space, models, POLICY, AS_OF)["stage"])


@pytest.mark.parametrize(("days_ago", "source"), [(70, STORED), (20, RESCORED), (100, RESCORED)])
def test_tiers_of_then_are_those_that_were_stored(days_ago, source, business, tmp_path):
    space = Workspace(tmp_path / "workspace")
    space.root.mkdir()
    for name in ("events", "features", "models"):
        (space.root / name).symlink_to(business[0].root / name)
    _, models, scores = business
    moment = AS_OF - timedelta(days=days_ago)
    stored = scores.assign(as_of=moment, tier="below_zero")
    batch.write(stored, batch.score_path(space, moment))
    found = migration.moves(space, models, POLICY, AS_OF, scores)
    assert found["tier"].attrs["source"] == source
    if source == STORED:
        assert found["tier"].loc["below_zero"].sum() == len(scores)
        assert found["tier"].attrs["before"] == moment
    assert found["stage"].attrs == {"before": EARLIER, "source": RESCORED, "share": 1.0}


def test_of_many_customers_the_same_are_drawn_at_both_moments(business, monkeypatch):
    space, models, scores = business
    monkeypatch.setattr("training.sampling.MOST_CUSTOMERS", 100)
    table = migration.moves(space, models, POLICY, AS_OF, scores)["stage"]
    drawn = table.drop(columns=GONE).to_numpy().sum()
    assert 50 < drawn < 150
    assert table.attrs["share"] == drawn / len(scores)
    assert table[GONE].sum() == 0  # nobody is gone because he was not drawn


def test_before_the_first_purchase_nobody_moved(business):
    space, models, scores = business
    early = pd.Timestamp("2024-01-20").to_pydatetime()
    assert migration.moves(space, models, POLICY, early, scores) == {}
