"""The simulated business: the same for the same seed, hard enough, and its truth comes true."""

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.metrics import log_loss, roc_auc_score

from features.datasets import simulated
from features.datasets.simulator.causes import CAUSE_NAMES, CAUSES
from features.errors import UserError
from features.events import INTERACTION_KINDS, TABLES

AS_OF = datetime(2025, 3, 31, 23, 59, 59, 999999)
YEAR_BEFORE = datetime(2024, 6, 30, 12)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def world():
    return simulated.simulate()


@pytest.fixture(scope="module")
def sold(world):
    """The transactions without their dirt."""
    rows = world.transactions.drop_duplicates()
    is_clean = rows["customer_id"].notna() & rows["happened_at"].notna()
    return rows[is_clean & np.isfinite(rows["amount"]) & (rows["category"] != "sample")]


@pytest.fixture(scope="module")
def met(world):
    """The interactions without their dirt."""
    rows = world.interactions.drop_duplicates()
    is_clean = rows["happened_at"].notna() & rows["customer_id"].isin(world.customers.customer_id)
    return rows[is_clean]


@pytest.fixture(scope="module")
def fates(world):
    """When and for what each customer left, if ever: death (NaT), cause (None), persuadability."""
    blocks = world.blocks
    death = np.concatenate([block.fates.death for block in blocks])
    death[np.isinf(death)] = np.nan
    cause = np.concatenate([block.fates.death_cause for block in blocks])
    return pd.DataFrame(
        {
            "death": pd.to_datetime(world.start) + pd.to_timedelta(death, unit="D"),
            "cause": np.array([*CAUSE_NAMES, None], dtype=object)[cause],
            "persuadability": np.concatenate([block.people.persuadability for block in blocks]),
        },
        index=np.concatenate([block.ids for block in blocks]),
    )


def truth_and_future(world, sold, as_of, horizon_days):
    """The truth, with the columns `bought` and `value` of what then happened."""
    truth = world.truth(as_of, horizon_days)
    end = as_of + horizon_days * DAY
    future = sold[(sold["happened_at"] > as_of) & (sold["happened_at"] <= end)]
    value = future.groupby("customer_id")["amount"].sum()
    bought = truth["customer_id"].isin(future.loc[future["amount"] > 0, "customer_id"])
    return truth.assign(bought=bought, value=truth["customer_id"].map(value).fillna(0.0))


# The tables


def test_load_gives_the_canonical_tables_of_the_default_simulation(world):
    tables = simulated.load(None)

    assert_frame_equal(tables["customers"], world.customers)
    assert_frame_equal(tables["transactions"], world.transactions)
    assert_frame_equal(tables["interactions"], world.interactions)
    for name in ("transactions", "interactions"):
        assert tuple(tables[name].columns) == TABLES[name].column_names()
        assert tables[name]["happened_at"].dtype == tables[name]["known_at"].dtype
        assert tables[name]["known_at"].dtype == "datetime64[us]"
    assert set(TABLES["customers"].column_names()) <= set(tables["customers"].columns)
    assert tables["customers"]["first_seen_at"].dtype == "datetime64[us]"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    first, again, other = (simulated.simulate(300, seed=seed) for seed in (7, 7, 8))

    for table in TABLES:
        bytes_of = [getattr(made, table).to_csv().encode() for made in (first, again, other)]
        assert bytes_of[0] == bytes_of[1]
        assert bytes_of[0] != bytes_of[2]


def test_a_larger_simulation_contains_the_smaller_one_unchanged():
    small, large = simulated.simulate(1_200), simulated.simulate(2_100)

    assert len(small.customers) == 1_200
    for table in TABLES:
        rows = getattr(large, table)
        ids = small.customers["customer_id"]
        dangling = "X" + ids.str[1:]
        same = rows[rows["customer_id"].isin([*ids, *dangling])].reset_index(drop=True)
        given = getattr(small, table)
        assert_frame_equal(same, given[given["customer_id"].notna()].reset_index(drop=True))
    truth = large.truth(AS_OF, 90)
    of_small = truth["customer_id"].isin(small.customers["customer_id"])
    assert_frame_equal(truth[of_small].reset_index(drop=True), small.truth(AS_OF, 90))


def test_a_customer_has_about_as_many_rows_as_in_a_shop(world, sold):
    assert 8 < len(world.transactions) / 4_000 < 15
    assert 10 < len(world.interactions) / 4_000 < 20
    orders = sold[sold["amount"] > 0].groupby("customer_id")["order_id"].nunique()
    assert 0.15 < (orders == 1).mean() < 0.35


def test_rows_are_known_when_they_happen_or_later_and_a_few_much_later(sold, met):
    for rows in (sold, met):
        delay = rows["known_at"] - rows["happened_at"]
        assert delay.min() == pd.Timedelta(0)
        assert 0.01 < (delay > pd.Timedelta(0)).mean() < 0.06
        assert delay.max() > pd.Timedelta(days=14)


def test_nothing_happens_outside_of_the_simulated_time(world, sold, met):
    for rows in (sold, met):
        assert rows["happened_at"].min() >= world.start
        assert rows["happened_at"].max() <= world.end


def test_a_return_takes_back_a_line_of_its_order_within_a_month(sold):
    back = sold[sold["amount"] < 0]
    lines = sold[sold["amount"] > 0].assign(amount=lambda rows: -rows["amount"])

    found = back.merge(lines, on=["customer_id", "order_id", "product_id", "amount"])

    assert len(found) >= len(back) > 0.02 * len(sold)
    wait = (found["happened_at_x"] - found["happened_at_y"]) / DAY
    assert wait.between(3, 30).all()


def test_every_kind_of_interaction_is_of_the_known_vocabulary(met):
    assert set(met["kind"]) == set(INTERACTION_KINDS) - {"usage"}


def test_every_kind_of_dirt_is_there_and_little_of_all(world, sold, met):
    rows, contacts = world.transactions, world.interactions

    assert rows["customer_id"].isna().any()
    assert rows["happened_at"].isna().any()
    assert rows["amount"].isna().any()
    assert np.isinf(rows["amount"]).any()
    assert (rows["amount"] == 0).any()
    assert rows.duplicated().any()
    assert contacts["customer_id"].isna().any()
    assert contacts["happened_at"].isna().any()
    assert contacts["customer_id"].str.startswith("X").any()
    assert contacts.duplicated().any()
    assert 0.0 < 1 - len(sold) / len(rows) < 0.02
    assert 0.0 < 1 - len(met) / len(contacts) < 0.02


def test_some_customers_are_prospects_and_some_our_own(world, sold, met):
    has_bought = world.customers["customer_id"].isin(sold["customer_id"])
    prospects = world.customers.loc[~has_bought, "customer_id"]

    assert 0 < len(prospects) < 0.08 * len(world.customers)
    assert prospects.isin(met["customer_id"]).all()
    assert 0 < world.customers["is_internal"].sum() < 0.02 * len(world.customers)


# Leaving


def test_all_six_causes_take_customers_and_natural_and_malicious_fewest(fates):
    deaths = fates["cause"].value_counts()

    assert set(deaths.index) == set(CAUSE_NAMES)
    assert deaths.min() >= 40
    assert set(deaths.index[:2]) == {"fault", "competitive"}
    assert set(deaths.index[-2:]) == {"natural", "malicious"}


def test_nobody_buys_after_leaving(sold, fates):
    bought = sold[sold["amount"] > 0]
    death = bought["customer_id"].map(fates["death"])

    assert (death.isna() | (bought["happened_at"] <= death)).all()


@pytest.mark.parametrize(
    ("cause", "kind"),
    [(cause.name, kind) for cause in CAUSES for kind in sorted({s.kind for s in cause.signs})],
)
def test_signs_of_a_cause_are_more_frequent_before_it_than_among_those_who_stay(
    cause, kind, met, fates, sold
):
    rows = met[met["kind"] == kind]
    if kind == "survey":
        rows = rows[rows["value"] <= 2]
    first_order = sold.groupby("customer_id")["happened_at"].min()
    gone = fates[fates["cause"] == cause]
    survivors = fates[(fates["death"].isna() | (fates["death"] > AS_OF))].index
    survivors = survivors.intersection(first_order.index[first_order < AS_OF - 60 * DAY])

    def share_with_sign(moments):
        """Share of customers with a sign in the 60 days to a moment, (customer -> moment)."""
        moment = rows["customer_id"].map(moments)
        is_near = (rows["happened_at"] <= moment) & (rows["happened_at"] > moment - 60 * DAY)
        return rows.loc[is_near, "customer_id"].nunique() / len(moments)

    before = share_with_sign(gone["death"])
    without = share_with_sign(pd.Series(AS_OF, index=survivors))
    assert before > without + 0.05
    assert before < 0.9  # some leave without


def test_most_complaints_before_fault_are_answered_late_or_never(met, fates):
    complaints = met[met["kind"] == "complaint"]
    answers = met[met["kind"] == "complaint_resolved"].set_index("case_id")["happened_at"]
    assert complaints["case_id"].is_unique
    assert answers.index.isin(complaints["case_id"]).all()

    wait = complaints["case_id"].map(answers) - complaints["happened_at"]
    is_slow = wait.isna() | (wait > 7 * DAY)
    death = complaints["customer_id"].map(fates["death"])
    is_fault = complaints["customer_id"].map(fates["cause"]) == "fault"
    is_before = is_fault & (complaints["happened_at"] > death - 60 * DAY)

    assert is_slow[is_before].mean() > 0.6
    assert is_slow[is_before].mean() > is_slow[death.isna()].mean() + 0.2


def test_some_closures_tell_the_cause_and_some_come_late(met, fates):
    closures = met[met["kind"] == "closure"].set_index("customer_id")
    gone = fates[fates["cause"].notna()]

    assert 0.35 < len(closures) / len(gone) < 0.45
    assert (closures["detail"] == gone["cause"].reindex(closures.index)).all()
    assert 0.1 < (closures["known_at"] > closures["happened_at"] + 7 * DAY).mean() < 0.3


def test_a_campaign_keeps_those_who_can_be_persuaded(met, fates):
    campaigns = met[met["kind"] == "campaign"]
    person = fates.reindex(campaigns["customer_id"]).set_index(campaigns.index)
    is_here = person["death"].isna() | (person["death"] > campaigns["happened_at"])
    leaves = is_here & (person["death"] <= campaigns["happened_at"] + 60 * DAY)
    leaves = leaves & ~person["cause"].isin(["natural", "malicious"])

    def effect(rows):
        treated = campaigns["value"] == 1.0
        return leaves[rows & treated].mean() - leaves[rows & ~treated].mean()

    assert set(campaigns["value"]) == {0.0, 1.0}
    assert effect(is_here & (person["persuadability"] > 0)) < -0.02
    assert abs(effect(is_here & (person["persuadability"] == 0))) < 0.015
    assert effect(is_here & (person["persuadability"] < 0)) > 0.0


# The truth


@pytest.mark.parametrize(("as_of", "horizon_days"), [(AS_OF, 90), (YEAR_BEFORE, 365)])
def test_the_truth_comes_true(as_of, horizon_days, world, sold, fates):
    told = truth_and_future(world, sold, as_of, horizon_days)
    chance = told["purchase_probability"]

    def standard_errors_off(chance, happened):
        return abs(chance.sum() - happened.sum()) / np.sqrt((chance * (1 - chance)).sum())

    assert standard_errors_off(chance, told["bought"]) < 3
    for _, part in told.groupby(pd.qcut(chance, 10, duplicates="drop"), observed=True):
        assert standard_errors_off(part["purchase_probability"], part["bought"]) < 3.5
    miss = told["value"] - told["expected_value"]
    assert abs(miss.mean()) < 3 * miss.std() / np.sqrt(len(miss))
    death = told["customer_id"].map(fates["death"])
    dies = (death > as_of) & (death <= as_of + horizon_days * DAY)
    for cause in CAUSE_NAMES:
        died = dies & (told["cause"] == cause)
        assert standard_errors_off(told[f"cause_{cause}"], died) < 3


def test_the_truth_knows_more_than_the_base_rate(world, sold):
    told = truth_and_future(world, sold, AS_OF, 90)
    told = told[told["is_alive"]]

    knowing = log_loss(told["bought"], told["purchase_probability"])
    base = log_loss(told["bought"], np.full(len(told), told["bought"].mean()))
    assert knowing < 0.75 * base


def test_the_parts_of_the_truth_fit_together(world, sold):
    truth = world.truth(AS_OF, 90)
    incidence = truth[[f"cause_{cause}" for cause in CAUSE_NAMES]]
    gone = truth[~truth["is_alive"]]
    buyers = sold[(sold["amount"] > 0) & (sold["happened_at"] <= AS_OF)]["customer_id"]

    assert sorted(truth["customer_id"]) == sorted(buyers.unique())
    assert np.allclose(truth["purchase_probability"] + truth["churn_probability"], 1.0)
    assert truth["purchase_probability"].between(0, 1).all()
    assert (incidence >= 0).all(axis=None)
    assert (incidence.sum(axis=1) < 1).all()
    assert (incidence.loc[gone.index] == 0).all(axis=None)
    assert (gone["purchase_probability"] == 0).all()
    assert gone["cause"].notna().all()
    assert (gone["expected_value"] <= 0).all()  # only what comes back
    assert (truth["value_if_retained"] > truth["expected_value"]).all()


def test_it_is_not_easy_to_tell_who_will_buy(world, sold):
    told = truth_and_future(world, sold, AS_OF, 90).set_index("customer_id")
    bought = sold[(sold["amount"] > 0) & (sold["known_at"] <= AS_OF)]
    recency = (AS_OF - bought.groupby("customer_id")["happened_at"].max()) / DAY
    active = recency[recency < 180]
    churned = ~told["bought"].reindex(active.index)

    assert 0.25 < churned.mean() < 0.55
    assert 0.66 < roc_auc_score(churned, active) < 0.76
    best = roc_auc_score(churned, told["churn_probability"].reindex(active.index))
    assert 0.85 < best < 0.91


# What the truth is made of


def test_a_simulation_of_nobody_is_refused():
    with pytest.raises(UserError) as refusal:
        simulated.simulate(0)
    assert str(refusal.value) == (
        "A simulation of 0 customers was asked for, but there is nothing in it. "
        "Give a number of at least 1."
    )


def test_a_start_within_a_day_is_refused():
    with pytest.raises(UserError) as refusal:
        simulated.simulate(10, start=datetime(2023, 1, 1, 8))
    assert str(refusal.value) == (
        "The simulation was to start at 2023-01-01 08:00:00, but it can start at a midnight only. "
        "Use 2023-01-01."
    )


def test_a_simulation_of_a_few_weeks_is_refused():
    with pytest.raises(UserError) as refusal:
        simulated.simulate(10, start=datetime(2023, 1, 1), end=datetime(2023, 2, 1))
    assert str(refusal.value) == (
        "The simulation was to run from 2023-01-01 00:00:00 to 2023-02-01 00:00:00, but it needs "
        "at least 90 days. Use a later end."
    )


def test_a_truth_outside_of_the_simulated_time_is_refused(world):
    with pytest.raises(UserError) as refusal:
        world.truth(datetime(2026, 1, 1), 90)
    assert str(refusal.value) == (
        "The truth was asked for 2026-01-01 00:00:00, but the simulation runs from "
        "2023-01-01 00:00:00 to 2025-06-30 23:59:59.999999. Choose a moment within it."
    )


def test_a_truth_without_a_horizon_is_refused(world):
    with pytest.raises(UserError) as refusal:
        world.truth(AS_OF, 0)
    assert str(refusal.value) == (
        "A truth needs a horizon of at least one day, but horizon_days is 0. "
        "Give a whole number of days, such as 90."
    )
