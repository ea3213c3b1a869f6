"""Ways to value customers, on customers whose best fifth can be told by eye."""

from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from features.store import FeatureStore
from tests.world import world
from training import value_methods, words
from training.evaluate import Backtest
from training.split import CutOff
from training.value_methods import COLUMNS, METHODS

AS_OF = datetime(2024, 3, 31)
# Ten customers: the best fifth is two. `old` brought most, but more than a year ago.
SHOP = world(
    "old    2022-06-01  900",
    "old    2022-07-01  900",
    "rich   2024-01-10  500",
    "back   2024-01-11  400",
    "back   2024-01-20  -300",  # sent back
    "often  2024-03-01  90",
    "often  2024-03-10  90",
    "often  2024-03-20  90",
    *(f"small{number}  2023-0{number}-15  10" for number in range(4, 9)),
    "late   2024-03-30  50  known_at=2024-04-02",  # not known yet
    "late   2024-03-02  20",
)
CUSTOMERS = ["old", "rich", "back", "often", *(f"small{n}" for n in range(4, 9)), "late"]
METHOD = {method.name: method for method in METHODS}


def shop_of(given):
    return SimpleNamespace(snapshots=SimpleNamespace(events=given.events))


def backtest(value, expected_value, customers=CUSTOMERS, as_of=AS_OF, seconds=7.0):
    held_out = pd.DataFrame({"customer_id": customers, "value": value})
    held_out["expected_value"] = expected_value
    return Backtest(CutOff(as_of, 90), None, held_out.astype({"value": float}), None, seconds)


@pytest.fixture
def test_at_shop():
    """Rich and often are what comes; the forecast names often and late."""
    value = [0, 200, 0, 150, 0, 0, 0, 0, 0, 50]
    return backtest(value, [1, 2, 1, 90, 0, 0, 0, 0, 0, 80])


def test_abc_is_the_net_value_of_a_year(test_at_shop):
    scores = METHOD["ABC"].score(test_at_shop, shop_of(SHOP))
    assert scores["rich"] == 500
    assert scores["back"] == 100
    assert scores["often"] == 270
    assert scores["old"] == 0
    assert scores["late"] == 20  # the second purchase was not known at the moment
    everything = METHOD["ABC, all past"].score(test_at_shop, shop_of(SHOP))
    assert everything["old"] == 1800
    assert everything["rich"] == 500


def test_rfm_adds_three_scores_of_five_bands(test_at_shop):
    scores = METHOD["RFM"].score(test_at_shop, shop_of(SHOP))
    # Recency: all ten differ, and two of them are a fifth: often and late are the newest. Of ten
    # customers nine bought on one day of the year or none, so frequency has two bands; money has
    # three, below 20, to 100 and above.
    assert scores["often"] == 5 + 2 + 3
    assert scores["late"] == 5 + 1 + 2
    assert scores["rich"] == 4 + 1 + 3
    assert scores["old"] == 1 + 1 + 1
    assert scores.idxmax() == "often"


def test_equal_numbers_share_a_band():
    bands = value_methods._band(pd.Series([0, 0, 0, 1, 1, 2, 3, 9, 9, 9.0]))
    assert bands.tolist() == [1, 1, 1, 2, 2, 3, 4, 4, 4, 4]
    assert value_methods._band(pd.Series([2.0, 2.0])).tolist() == [1, 1]


def test_each_way_is_told_by_what_came(test_at_shop):
    found = value_methods.compare([test_at_shop], shop_of(SHOP)).set_index("method")
    # The true best two are rich and often. ABC names both; of all past old and rich; CLV often.
    assert found.loc["ABC", "found"] == 1.0
    assert found.loc["ABC, all past", "found"] == 0.5
    assert found.loc["CLV", "found"] == 0.5
    assert found.loc["ABC", "captured"] == pytest.approx(350 / 400)
    assert found.loc["ABC, all past", "captured"] == pytest.approx(200 / 400)
    assert found.loc["CLV", "captured"] == pytest.approx(200 / 400)
    assert found.loc["ABC", "behind_clv"] == -0.5
    assert found.loc["ABC", "captured_behind"] == pytest.approx(-150 / 400)
    assert found.loc["CLV", ["behind_clv", "behind_low", "behind_high"]].tolist() == [0, 0, 0]
    assert found.loc["RFM", ["ahead_rfm", "ahead_low", "ahead_high"]].tolist() == [0, 0, 0]
    assert set(found.customers) == {10}
    assert set(found.horizon_days) == {90}


def test_the_rank_correlation_is_that_of_spearman(test_at_shop):
    found = value_methods.compare([test_at_shop], shop_of(SHOP)).set_index("method")
    rows = test_at_shop.held_out
    expected = rows.value.corr(rows.expected_value, method="spearman")
    assert found.loc["CLV", "spearman"] == pytest.approx(expected)


def test_who_ties_for_the_last_places_shares_them():
    # Two places for one customer of 9 and four of 5: each of the four has a quarter of the second.
    chosen = value_methods._in_best(np.array([9.0, 5, 5, 5, 5, 1, 1, 1, 1, 1]))
    assert chosen.tolist() == [1, 0.25, 0.25, 0.25, 0.25, 0, 0, 0, 0, 0]


def test_nobody_who_brought_nothing_is_among_the_best(test_at_shop):
    # One customer alone brought something: there is one to find, not two.
    one = backtest([0, 200, *[0] * 8], [0, 9, *[0] * 8])
    found = value_methods.compare([one], shop_of(SHOP)).set_index("method")
    assert found.loc["CLV", "found"] == 1.0


def test_when_nobody_brought_anything_nothing_is_said():
    nothing = backtest([0] * 10, range(10))
    found = value_methods.compare([nothing], shop_of(SHOP))
    assert found.found.isna().all()
    assert "nothing can be said" in words.of_methods(found)


def test_seconds_are_those_of_the_test_for_clv_and_of_the_query_for_the_others(test_at_shop):
    other = backtest([0, 1, *[0] * 8], range(10), seconds=np.nan)
    found = value_methods.compare([test_at_shop, other], shop_of(SHOP)).set_index("method")
    assert found.loc["CLV", "seconds"] == 7.0
    assert (found.seconds.drop("CLV") > 0).all()
    assert "CLV takes" in words.of_methods(found.reset_index())
    unknown = found.assign(seconds=found.seconds.replace(7.0, np.nan)).reset_index()
    assert "The time of CLV is not known" in words.of_methods(unknown)


def test_a_customer_of_two_moments_is_one_customer(test_at_shop):
    once = value_methods.compare([test_at_shop], shop_of(SHOP))
    twice = value_methods.compare([test_at_shop, test_at_shop], shop_of(SHOP))
    measured = [name for name in COLUMNS if name not in ("origins", "seconds")]
    pd.testing.assert_frame_equal(once[measured], twice[measured])
    assert set(twice.origins) == {2}


def test_without_a_value_test_there_are_no_rows_and_no_words(test_at_shop):
    risk = Backtest(test_at_shop.origin, None, test_at_shop.held_out[["customer_id"]], None)
    for tests in ([], [risk]):
        found = value_methods.compare(tests, shop_of(SHOP))
        assert found.empty
        assert tuple(found.columns) == COLUMNS
        assert words.of_methods(found) == ""


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        ((0.05, 0.02, 0.08), "CLV finds more of them than ABC: +5.0 points (+2.0 to +8.0)"),
        ((-0.05, -0.08, -0.02), "CLV finds fewer of them than ABC"),
        ((0.01, -0.02, 0.04), "CLV is no better and no worse than ABC beyond chance"),
    ],
)
def test_the_words_follow_the_interval(gain, said, test_at_shop):
    found = value_methods.compare([test_at_shop], shop_of(SHOP))
    ends = ["behind_clv", "behind_low", "behind_high"]
    found.loc[found.method == "ABC", ends] = gain
    text = words.of_methods(found)
    assert said in text
    assert "10 customers" in text
    assert all(f"{method.name} reads: {method.needs}" in text for method in METHODS)


def test_on_a_business_every_way_ranks_everybody_of_the_test(trained):
    test, store = trained.learned.value_test, FeatureStore(trained.space)
    for method in METHODS:
        scores = method.score(test, store).reindex(test.held_out.customer_id)
        assert np.isfinite(scores.to_numpy(float)).all(), method.name
    found = value_methods.compare([test], store)
    shares = found[["found", "captured"]]
    assert ((shares > 0.2) & (shares < 1)).all(axis=None)  # better than chance, and no oracle
    assert test.seconds > 0
