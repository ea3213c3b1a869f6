"""Sources against their own past: rows where an alarm must ring, and rows where it must not."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from serving.monitoring import sources, usual
from serving.monitoring.flows import Flows, flows, silences, weekly
from tests.world import world

AS_OF = datetime(2025, 6, 29, 23, 59, 59, 999999)
DAYS = 7 * 70


def counts(per_day, source="interactions:visit", late=0):
    """One row per day: how many rows of it, the newest day first, known some days late."""
    ago = np.arange(len(per_day))
    table = {"source": source, "ago": ago, "known_ago": np.maximum(ago - late, 0), "rows": per_day}
    return pd.DataFrame(table)[lambda rows: rows.rows > 0]


def given(rows=None, prices=None, named=None, days=DAYS):
    empty = pd.DataFrame({"ago": [], "known_ago": []})
    none = empty.assign(source="", rows=0), empty.assign(category="", lines=0, log_sum=0.0)
    return Flows(
        none[0] if rows is None else rows,
        none[1] if prices is None else prices,
        empty.assign(column="", value="", rows=0) if named is None else named,
        days,
    )


def ringing(readings):
    return {reading.subject for reading in readings if reading.rings}


def test_weeks_are_counted_as_they_were_known_at_their_end():
    rows = pd.DataFrame({"ago": [0, 6, 7, 8, 13], "known_ago": [0, 1, 7, 3, 9], "rows": [1] * 5})
    # The row of 8 days ago was known 3 days ago, when its week was over.
    assert weekly(rows, "rows", 2).tolist() == [2, 2]


def test_a_silence_ends_when_an_event_is_known():
    rows = pd.DataFrame({"ago": [3, 5], "known_ago": [1, 5], "rows": [1, 1]})
    # Today and yesterday the event of 3 days ago is known; 2 to 4 days ago only that of 5.
    assert silences(rows, 7).tolist() == [3, 2, 3, 2, 1, 0, np.inf]


def test_a_source_that_stopped_rings_and_says_since_when():
    daily = counts([0] * 5 + [4] * 400)
    (found,) = [r for r in sources.silence(given(daily), AS_OF) if r.rings]
    assert (found.subject, found.figure, found.limit) == ("interactions:visit", 5.0, 2.0)
    assert found.facts["since"] == "2025-06-24"
    assert found.advice == "look_at_source"


def test_a_source_that_pauses_every_quarter_does_not_ring_in_its_pause():
    quarterly = counts([0] * 80 + ([30] + [0] * 90) * 3)
    (found,) = sources.silence(given(quarterly), AS_OF)
    assert (found.figure, found.limit, found.rings) == (80.0, 180.0, False)


def test_of_a_rare_source_nothing_is_said():
    assert list(sources.silence(given(counts([0] * 200 + [1] * 20)), AS_OF)) == []


def test_a_week_of_half_the_rows_rings_and_one_of_nine_tenths_does_not():
    usual_days = [20, 21, 19, 20, 22, 18, 20] * 70
    halved = counts([10] * 7 + usual_days[7:])
    fewer = counts([18] * 7 + usual_days[7:])
    (found,) = [r for r in sources.volume(given(halved)) if r.rings]
    assert found.facts["change"] == pytest.approx(-0.5, abs=0.01)
    assert found.cause == "fewer_rows"
    assert ringing(sources.volume(given(fewer))) == set()


def test_a_week_as_full_as_last_years_peak_does_not_ring():
    days = np.full(DAYS, 20)
    days[:7] = 40
    days[52 * 7 : 53 * 7] = 40
    assert ringing(sources.volume(given(counts(days)))) == set()
    assert ringing(sources.volume(given(counts(np.r_[[40] * 7, [20] * (DAYS - 7)])))) != set()


def priced(change, weeks, category="tea"):
    """Ten lines a day at a log price of 0, the newest weeks changed, with a little noise."""
    ago = np.arange(DAYS)
    level = np.where(ago < 7 * weeks, change, 0.0) + 0.01 * np.sin(ago // 7)
    return pd.DataFrame({
        "category": category, "ago": ago, "known_ago": ago, "lines": 10, "log_sum": 10 * level
    })  # fmt: skip


def test_prices_that_rise_everywhere_ring_and_say_so():
    shop = pd.concat([priced(np.log(1.3), 1, name) for name in ("tea", "tin", "cup")])
    found = [r for r in sources.prices(given(prices=shop)) if r.rings]
    assert found[0].cause == "prices_everywhere"
    assert found[0].facts["change"] == pytest.approx(0.3, abs=0.03)
    assert (found[0].facts["categories"], found[0].facts["of"]) == (3, 3)


def test_prices_that_rise_in_one_category_are_told_from_those_of_all():
    shop = pd.concat([priced(np.log(1.3), 2, "tea"), priced(0.0, 2, "tin"), priced(0.0, 2, "cup")])
    assert {r.cause for r in sources.prices(given(prices=shop)) if r.rings} == {"prices_somewhere"}


def test_another_mix_of_categories_is_no_change_of_prices():
    cheap, dear = priced(0.0, 1, "tea"), priced(0.0, 1, "gold")
    dear["log_sum"] += 3.0 * dear.lines
    newest = dear.ago < 7
    dear.loc[newest, ["lines", "log_sum"]] *= 5
    assert ringing(sources.prices(given(prices=pd.concat([cheap, dear])))) == set()


def named(values, column="customers.source"):
    """value -> rows a day of the newest four weeks, and of the days before."""
    ago = np.arange(DAYS)
    parts = [
        pd.DataFrame({"column": column, "value": value, "ago": ago, "known_ago": ago,
                      "rows": np.where(ago < 28, new, old)})
        for value, (new, old) in values.items()
    ]  # fmt: skip
    return pd.concat(parts)[lambda rows: rows.rows > 0]


def test_a_value_never_seen_rings_as_a_new_segment():
    found = list(sources.names(given(named=named({"web": (90, 90), "kiosk": (10, 0)}))))
    (rings,) = [reading for reading in found if reading.rings]
    assert (rings.subject, rings.figure, rings.cause) == (
        "customers.source=kiosk", 0.1, "new_segment",
    )  # fmt: skip
    assert rings.facts["days"] == 28


def test_a_slip_of_the_pen_is_no_segment_and_a_known_value_is_not_new():
    slip = named({"web": (90, 90)})
    once = pd.DataFrame({"column": "customers.source", "value": "wbe", "ago": [3],
                         "known_ago": [3], "rows": [2]})  # fmt: skip
    assert ringing(sources.names(given(named=pd.concat([slip, once])))) == set()
    assert ringing(sources.names(given(named=named({"web": (50, 90), "app": (50, 10)})))) == set()


def test_a_mix_that_shifts_rings_and_names_what_shifted_most():
    shifted = named({"web": (5, 9), "app": (5, 1)})
    (found,) = [r for r in sources.mix(given(named=shifted)) if r.rings]
    assert found.figure == pytest.approx(0.4)
    assert found.facts["value"] in ("web", "app")
    assert ringing(sources.mix(given(named=named({"web": (9, 9), "app": (1, 1)})))) == set()


def test_too_short_a_history_says_nothing():
    short = given(counts([5] * 60), priced(0.5, 1), named({"web": (1, 1)}), days=60)
    every = [sources.silence(short, AS_OF), sources.volume(short), sources.prices(short),
             sources.names(short), sources.mix(short)]  # fmt: skip
    assert [list(readings) for readings in every] == [[]] * 5


def test_what_is_usual_is_the_largest_of_the_past_without_the_newest():
    past = np.r_[0.5, [0.4] * 3, [0.1] * 10, -0.2, [0.1] * 10]
    found = usual.judged(past, 0.0)
    assert found.limit == pytest.approx(usual.FACTOR * 0.2)
    assert found.is_unusual
    assert usual.judged(past[:10], 0.0) is None


def test_the_arrivals_are_counted_as_they_were_known():
    shop = world(
        "ann  2025-06-20  10  quantity=2 category=tea channel=web",
        "ann  2025-06-28  40  quantity=2 category=tea channel=web",
        "bob  2025-06-29  5   category=tea channel=app",
        "bob  2025-06-29T12:00  7  known_at=2025-07-02",
        interactions=["ann  2025-06-27  visit"],
        customers=["ann  2025-06-01  source=web"],
    )
    found = flows(shop.events, AS_OF)
    rows = found.counts.groupby("source").rows.sum().to_dict()
    assert rows == {"transactions": 3, "transactions:web": 2, "transactions:app": 1,
                    "interactions:visit": 1, "customers:new": 2}  # fmt: skip
    assert found.days == 29
    # ann paid 5 and 20 a piece, log(2) below and above her mean; bob his own mean.
    assert found.prices.set_index("ago").log_sum.round(6).to_dict() == {
        0: 0.0, 1: round(np.log(2), 6), 9: round(-np.log(2), 6),
    }  # fmt: skip
    assert set(found.named["column"]) >= {"transactions.channel", "customers.source"}


def test_half_a_day_is_not_held_against_whole_ones():
    shop = world("ann  2025-06-28  10", "bob  2025-06-29T01:00  5")
    noon = AS_OF.replace(hour=12, minute=0, second=0, microsecond=0)
    assert flows(shop.events, noon).counts.groupby("source").rows.sum()["transactions"] == 1
