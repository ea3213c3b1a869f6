"""Given contacts and orders by channel, expected capability of each channel."""

import pandas as pd
import pytest

from features.moment import parse_moment
from serving.channels import COLUMNS, channels
from tests.world import world

AS_OF = parse_moment("2024-12-31")  # one churn horizon of 90 days before: 2 October

GIVEN = world(
    "ann  2024-09-01  10  channel=web",
    "ann  2024-09-01   5  channel=web",  # of the same order
    "ann  2024-11-01  10  channel=web",  # stayed
    "bob  2024-09-01  10  channel=store",  # left
    "cid  2024-09-01  10  channel=store",
    "cid  2024-12-01  10",  # stayed
    "dan  2024-01-10  10  channel=store",  # not active in October
    "our  2024-09-01  10  channel=test",
    customers=["our  2024-01-01  is_internal=true"],
    interactions=[
        "ann  2024-06-01T08:00  contact    out  email",
        "ann  2024-06-02T08:00  contact    in   phone  c1",  # the answer, and a case
        "ann  2024-06-02T12:00  contact    out  email  c1",  # after 4 hours; no answer to it
        "bob  2024-07-01T00:00  complaint  in   phone  c2",
        "bob  2024-07-01T10:00  complaint_resolved  out  phone  c2",
        "bob  2024-08-01T00:00  complaint  in   phone  c3",  # open
        "bob  2024-08-05T00:00  survey     in   email  value=2",
        "cid  2024-09-03T00:00  survey     in   email  value=5",  # after his order
        "cid  2024-09-20T00:00  campaign   out  letter  value=0",  # kept apart: no contact
    ],
)

EXPECTED = [
    # side, channel, volume, share, response_rate, response_hours, resolution, complaints, survey,
    # customers, bought after, odds ratio: (left + .5) (others stayed + .5) / ((stayed + .5) ...)
    ("contact", "email", 4, 4 / 8, 1 / 2, None, None, 0, None, 3, 2 / 3, None),
    ("contact", "phone", 4, 4 / 8, 0, 7, 1 / 2, 2 / 3, 2, 2, 1 / 2, 1.5 * 1.5 / (1.5 * 0.5)),
    ("purchase", "web", 2, 2 / 5, None, None, None, None, None, 1, 1, 0.5 * 1.5 / (1.5 * 1.5)),
    ("purchase", "store", 3, 3 / 5, None, None, None, None, 5, 2, 1 / 2, 1.5 * 1.5 / (1.5 * 0.5)),
]


@pytest.mark.parametrize("row", EXPECTED, ids=lambda row: "-".join(row[:2]))
def test_a_channel(row):
    table = channels(GIVEN.events, AS_OF).set_index(["side", "channel"])
    found = table.loc[row[:2]].to_dict()
    found = {name: None if pd.isna(value) else value for name, value in found.items()}
    expected = dict(zip(COLUMNS[2:], row[2:], strict=True))
    assert found == pytest.approx(expected)


def test_the_most_used_channel_comes_first():
    table = channels(GIVEN.events, AS_OF)
    assert list(table.channel) == ["email", "phone", "store", "web"]  # of equals the first by name


def test_without_channels_there_is_no_row():
    given = world("ann  2024-09-01  10", interactions=["ann  2024-09-02  visit  in"])
    table = channels(given.events, AS_OF)
    assert list(table.columns) == list(COLUMNS)
    assert table.empty
