"""Given everybody's rows, what the business is known to have, and on which scale it asks."""

import numpy as np
import pandas as pd
import pytest

from features.columns import Columns
from training.business_facts import INDIVIDUAL_PERCENTILE, BusinessFacts

SHOP = pd.DataFrame({"purchase_days_total": [1.0, 4.0, 2.0], "spend_total": 10.0})


def test_of_transactions_alone_nothing_more_is_given():
    assert BusinessFacts.of(SHOP) == BusinessFacts((), None, None)


@pytest.mark.parametrize(
    ("columns", "given"),
    [
        ({"margin_total": [np.nan, 0.0, np.nan]}, ("margin",)),  # stated, were it 0
        ({"margin_total": np.nan}, ()),
        ({"discount_share": [0.0, np.nan, 0.0]}, ("discounts",)),
        ({"count_payment_due_365d": [0.0, 1.0, 0.0]}, ("payments",)),
        ({"count_payment_due_365d": 0.0}, ()),
        ({"referrals": [0.0, 0.0, 2.0]}, ("referrals",)),
        ({"campaigns_treated_365d": 1.0, "campaigns_control_365d": 0.0}, ()),
        ({"campaigns_treated_365d": 1.0, "campaigns_control_365d": [0.0, 1, 0]}, ("campaigns",)),
        ({"channels_total": 1.0, "main_purchase_channel": "shop"}, ()),  # no choice
        ({"channels_total": 1.0, "main_purchase_channel": ["shop", "web", None]}, ("channels",)),
        ({"channels_total": [1.0, 2.0, 1.0], "main_purchase_channel": "shop"}, ("channels",)),
        ({"profile_alternatives": [0.0, 3.0, np.nan]}, ("alternatives",)),
    ],
)
def test_what_shows_each_kind_of_data(columns, given):
    assert BusinessFacts.of(SHOP.assign(**columns)).given == given


@pytest.mark.parametrize(
    ("answers", "top"),
    [
        ([1.0, 5.0] * 15, 5.0),
        ([1.0, 5.0] * 14, None),  # too few to tell
        ([6.5] + [3.0] * 29, 7.0),
        ([0.0, 9.0] * 15, 10.0),
        ([80.0] * 30, 100.0),
        ([0.4, 1.0] * 15, 1.0),
        ([-1.0, 1.0] * 15, None),  # a mood below 0 is on no scale known here
        ([500.0] * 30, None),
        ([np.nan] * 40, None),
    ],
)
def test_the_scale_is_the_lowest_that_holds_all_answers(answers, top):
    rows = pd.DataFrame({"survey_lowest": answers})
    assert BusinessFacts.of(rows).survey_top == top


def test_attitude_is_the_answer_as_a_share_of_the_highest_possible():
    rows = pd.DataFrame({"survey_mean_recent_365d": [4.5, 9.0, np.nan]})
    stars, marks = BusinessFacts(survey_top=5.0), BusinessFacts(survey_top=10.0)
    assert stars.attitude(rows)[0] == marks.attitude(Columns.of(rows))[1] == 0.9
    assert np.isnan(stars.attitude(rows)[2])
    assert np.isnan(BusinessFacts().attitude(rows)).all()
    assert np.isnan(stars.attitude(SHOP)).all()


def test_an_individual_need_is_further_than_that_of_seventy_of_a_hundred():
    rows = pd.DataFrame({"need_distance": [*np.arange(101.0) / 100, np.nan]})
    facts = BusinessFacts.of(rows)
    assert facts.individual_need == INDIVIDUAL_PERCENTILE / 100
    assert "categories" in facts.given


def test_facts_are_stored_whole():
    facts = BusinessFacts(("surveys", "margin"), 5.0, None)
    assert BusinessFacts.from_dict(facts.to_dict()) == facts
