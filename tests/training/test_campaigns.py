"""Campaigns in the events of a small business, and what is refused."""

from datetime import datetime

import ibis
import pandas as pd
import pytest

from features import workspace as workspaces
from features.datasets.simulated import simulate
from features.errors import UserError
from features.store import FeatureStore
from features.workspace import Workspace
from training import campaigns

AS_OF = datetime(2023, 12, 31, 23, 59, 59, 999999)


@pytest.fixture(scope="module")
def made():
    """900 customers of a year with campaigns in March, June, August and November."""
    return simulate(customers=900, start=datetime(2023, 1, 1), end=AS_OF)


def business(made, root, change):
    """A feature store over the business, its interactions changed."""
    space = Workspace(root / "workspace")
    tables = {"customers": made.customers, "transactions": made.transactions,
              "interactions": change(made.interactions)}  # fmt: skip
    workspaces.ingest(space, {name: ibis.memtable(rows) for name, rows in tables.items()})
    return FeatureStore(space)


def test_a_row_is_a_customer_of_a_campaign_with_what_was_known_before_it(made, tmp_path):
    store = business(made, tmp_path, lambda rows: rows)
    rows = campaigns.panel(store, AS_OF, 60)
    # The campaign of late November has not had its 60 days by the end of the year.
    assert sorted(rows.campaign.unique()) == [
        "retention 2023-03 2023-03-02", "retention 2023-06 2023-06-01",
        "retention 2023-08 2023-08-31",
    ]  # fmt: skip
    assert (rows.as_of + pd.Timedelta(microseconds=1)).dt.strftime("%Y-%m-%d").tolist() == [
        name[-10:] for name in rows.campaign
    ]
    sent = made.interactions[made.interactions.kind == "campaign"]
    sent = sent.assign(name=sent.detail + " " + sent.happened_at.dt.strftime("%Y-%m-%d"))
    lot = sent.drop_duplicates(["customer_id", "name"]).set_index(["customer_id", "name"]).value
    assert rows.treated.tolist() == lot.loc[list(zip(rows.customer_id, rows.campaign))].tolist()  # noqa: B905
    assert (rows.recency < 120).all()
    # The first campaign is not in what was known before it.
    first = rows[rows.campaign == "retention 2023-03 2023-03-02"]
    assert first.days_since_campaign_treated.isna().all()
    share = campaigns.shares_treated(rows)
    assert (abs(share - 0.5) < 0.15).all()


@pytest.mark.parametrize(
    ("change", "horizon", "sentence"),
    [
        (lambda rows: rows[rows.kind != "campaign"], 60, "there are no past campaigns"),
        (
            lambda rows: rows[(rows.kind != "campaign") | (rows.value == 1)],
            60,
            "no past campaign has a control group",
        ),
        (lambda rows: rows, 320, "no campaign with a control group is as long ago"),
    ],
    ids=["no campaign", "no control", "too young"],
)
def test_what_cannot_be_learnt_from_is_refused_in_a_sentence(
    made, tmp_path, change, horizon, sentence
):
    store = business(made, tmp_path, change)
    with pytest.raises(UserError) as refused:
        campaigns.panel(store, AS_OF, horizon)
    assert sentence in str(refused.value)


def test_too_few_of_a_group_are_refused(made, tmp_path):
    spared = made.interactions[
        (made.interactions.kind == "campaign") & (made.interactions.value == 0)
    ]
    dropped = spared.index[40:]
    store = business(made, tmp_path, lambda rows: rows.drop(index=dropped))
    with pytest.raises(UserError, match="At least 100 of each are needed"):
        campaigns.panel(store, AS_OF, 60)
