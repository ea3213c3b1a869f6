"""What a treatment changes in the simulated business, beside the traits that nobody sees."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from features.datasets.simulated import simulate
from features.datasets.simulator.causes import CAUSE_NAMES

AS_OF = datetime(2025, 3, 31, 23, 59, 59, 999999)


@pytest.fixture(scope="module")
def world():
    return simulate(customers=1000)


def test_a_response_fits_the_truth_and_the_traits_behind_it(world):
    response, truth = world.response(AS_OF, 90), world.truth(AS_OF, 90)
    assert response["customer_id"].tolist() == truth["customer_id"].tolist()
    assert np.allclose(response["value_untreated"], truth["expected_value"])
    incidence = truth[[f"cause_{cause}" for cause in CAUSE_NAMES]].sum(axis=1)
    alive = response["is_alive"].to_numpy()
    assert np.allclose(response["leaves_untreated"][alive], incidence[alive])

    persuadability = pd.Series(
        np.concatenate([block.people.persuadability for block in world.blocks]),
        np.concatenate([block.ids for block in world.blocks]),
    )[response["customer_id"]].to_numpy()
    kept = (response["leaves_untreated"] - response["leaves_treated"]).to_numpy()
    gain = (response["value_treated"] - response["value_untreated"]).to_numpy()
    won, cold, put_off = persuadability > 0, persuadability == 0, persuadability < 0
    assert (kept[won] >= 0.0).all()
    assert (kept[put_off] <= 0.0).all()
    assert (kept[won & alive] > 0.0).any()
    assert (kept[cold] == 0.0).all()
    assert (gain[cold] == 0.0).all()
    assert (kept[~alive] == 0.0).all()
    assert (response["leaves_untreated"][~alive] == 1.0).all()
    assert (kept < response["leaves_untreated"].to_numpy() + 1e-12).all()


def test_a_longer_time_only_adds_to_who_leaves(world):
    short, long = world.response(AS_OF, 30), world.response(AS_OF, 90)
    for arm in ("leaves_untreated", "leaves_treated"):
        assert (long[arm] >= short[arm] - 1e-12).all()
