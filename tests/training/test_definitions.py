"""Four meanings of losing a customer: given rows, who has left by each."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from features.columns import Columns
from features.errors import UserError
from serving.report_parts.retold import retold
from serving.report_parts.words import CHINESE
from tests.world import world
from training.definitions import (
    DEFINITIONS,
    INACTIVITY,
    INTERACTION,
    OWN_PACE,
    SUBSCRIPTION,
    Definition,
    chosen,
)
from training.tasks import CHURN, churn_by

AS_OF = datetime(2024, 3, 31, 23, 59, 59, 999999)  # 30 days later: 2024-04-30T23:59:59.999999
LATER = datetime(2024, 12, 31)


EIGHT = ("ann", "bob", "cat", "dan", "eve", "flo", "gus", "hal")


def stayed(rule, given, rows, known_by=LATER):
    """Customer -> 1 who stayed or 0 who left in the 30 days asked about."""
    frame = pd.DataFrame(rows).assign(as_of=pd.Timestamp(AS_OF))
    found = rule.stayed(given.events, frame, 30, known_by)
    return dict(zip(frame.customer_id, found, strict=True))


def customers(*ids, **features):
    return [{"customer_id": who, **features} for who in ids]


def test_inactivity_is_no_purchase_in_the_days_asked_about():
    given = world("ann  2024-04-01  5", "bob  2024-05-01  5", "cat  2024-04-03  -5")
    whom = customers("ann", "bob", "cat", "dan")
    assert stayed(INACTIVITY, given, whom) == {"ann": 1, "bob": 0, "cat": 0, "dan": 0}


def test_a_gap_moves_the_days_asked_about():
    given = world("ann  2024-04-07T23:59:59.999999  5", "bob  2024-04-08  5", "cat  2024-05-07  5")
    rule = replace(INACTIVITY, gap_days=7)
    assert stayed(rule, given, customers("ann", "bob", "cat")) == {"ann": 0, "bob": 1, "cat": 1}


def test_what_is_learnt_after_the_training_is_not_used():
    given = world("ann  2024-04-10  5  known_at=2024-06-01")
    assert stayed(INACTIVITY, given, customers("ann"), datetime(2024, 5, 31)) == {"ann": 0}
    assert stayed(INACTIVITY, given, customers("ann"), datetime(2024, 6, 1)) == {"ann": 1}


SUBSCRIBERS = world(
    "ann  2024-03-01  9",
    "bob  2024-04-20T10:00:00  9",
    "cat  2024-05-20T10:00:00.000001  9",
    "dan  2024-05-10  9",
    "eve  2024-04-10  9",
    "flo  2024-04-02  9",
    interactions=[
        "bob  2024-04-10T10:00:00  closure",
        "cat  2024-04-20T10:00:00  closure",
        "dan  2024-04-20  closure",
        "eve  2024-04-10  closure",
        "flo  2024-04-05  closure",
        "gus  2024-05-01  closure",
        "hal  2024-04-05  complaint in",
    ],
)


def test_a_subscription_is_lost_when_it_ends_and_is_not_renewed_in_time():
    found = stayed(
        SUBSCRIPTION,
        SUBSCRIBERS,
        customers(*EIGHT),
    )
    assert found == {
        "ann": 1,  # nothing ended, and nothing needed to be bought
        "bob": 1,  # back after 10 days
        "cat": 0,  # back a microsecond after the 30 days of grace
        "dan": 1,  # back in the grace, after the days asked about
        "eve": 1,  # a change of plan, both at one time
        "flo": 0,  # the purchase came before the end
        "gus": 1,  # ends a day too late to be asked about
        "hal": 1,  # a complaint ends nothing
    }


def test_the_grace_and_the_gap_of_a_subscription_are_those_given():
    whom = customers("bob", "dan", "flo", "gus")
    short = stayed(replace(SUBSCRIPTION, grace_days=9), SUBSCRIBERS, whom)
    assert short == {"bob": 0, "dan": 0, "flo": 0, "gus": 1}
    late = stayed(replace(SUBSCRIPTION, gap_days=5), SUBSCRIBERS, whom)
    assert late == {"bob": 1, "dan": 1, "flo": 1, "gus": 0}


def test_of_several_ends_one_without_renewal_is_enough():
    given = world(
        "ann  2024-04-06  9",
        interactions=["ann  2024-04-05  closure", "ann  2024-04-20  closure"],
    )
    assert stayed(SUBSCRIPTION, given, customers("ann")) == {"ann": 0}


def test_interaction_is_anything_the_customer_does_himself():
    given = world(
        "ann  2024-04-10  5",
        interactions=[
            "bob  2024-04-10  usage",
            "cat  2024-04-10  contact in",
            "dan  2024-04-10  contact out",
            "eve  2024-04-10  payment_failed",
            "flo  2024-04-10  visit in event",
            "gus  2024-04-10  closure in",
            "hal  2024-03-31  usage",
        ],
    )
    found = stayed(INTERACTION, given, customers(*EIGHT))
    assert found == {"ann": 1, "bob": 1, "cat": 1} | dict.fromkeys(
        ("dan", "eve", "flo", "gus", "hal"), 0
    )


def test_own_pace_is_the_silence_at_the_end_beside_the_own_limit():
    given = world("cat  2024-04-05  5", "dan  2024-04-05  5")
    rows = [
        # 40 days silent, and 30 more until the end of April.
        {"customer_id": "ann", "recency": 40.0, "gap_limit_95": 70.0},
        {"customer_id": "bob", "recency": 40.0, "gap_limit_95": 69.0},
        # Bought on 5 April: 25 days of silence.
        {"customer_id": "cat", "recency": 40.0, "gap_limit_95": 25.0},
        {"customer_id": "dan", "recency": 40.0, "gap_limit_95": 24.0},
    ]
    assert stayed(OWN_PACE, given, rows) == {"ann": 1, "bob": 0, "cat": 1, "dan": 0}


def test_a_gap_lengthens_the_silence_of_the_own_pace():
    rows = [{"customer_id": "ann", "recency": 40.0, "gap_limit_95": 70.0}]
    assert stayed(replace(OWN_PACE, gap_days=1), world(), rows) == {"ann": 0}


ROWS = pd.DataFrame(
    {
        "recency": [59.0, 60.0, 10.0, 10.0, 10.0],
        "age": [300.0, 300.0, 300.0, 10.0, 300.0],
        "days_since_closure": [np.nan, 5.0, 9.0, 10.0, 11.0],
        "days_since_usage": [np.nan, 59.0, np.nan, np.nan, np.nan],
        "gap_limit_95": [58.0, 60.0, 10.0, 9.0, 100.0],
    }
)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (INACTIVITY, [True, False, True, True, True]),
        (SUBSCRIPTION, [True, False, False, True, True]),
        (INTERACTION, [True, True, True, True, True]),
        (OWN_PACE, [False, True, True, False, True]),
        (replace(INACTIVITY, active_days=11), [False, False, True, True, True]),
        (replace(OWN_PACE, active_days=60), [False, False, True, False, True]),
        (replace(SUBSCRIPTION, newcomer_days=30), [True, False, False, False, True]),
    ],
    ids=lambda value: value.label(30) if isinstance(value, Definition) else "",
)
def test_who_is_asked_about(rule, expected):
    assert rule.is_asked(ROWS, 30).tolist() == expected
    assert rule.is_asked(Columns.of(ROWS), 30).tolist() == expected


def test_without_interactions_nothing_has_ended_and_purchases_are_all_that_is_done():
    rows = ROWS[["recency", "age"]]
    assert SUBSCRIPTION.is_active(rows, 30).all()
    assert INTERACTION.is_active(rows, 30).tolist() == INACTIVITY.is_active(rows, 30).tolist()


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ({}, "churn-90d@1"),
        ({"kind": "subscription"}, "churn-subscription-90d@1"),
        ({"kind": "subscription", "gap_days": 14}, "churn-subscription-90d-gap14@1"),
        ({"kind": "subscription", "grace_days": 10}, "churn-subscription-90d-grace10@1"),
        ({"kind": "own_pace", "newcomer_days": 60}, "churn-own_pace-90d-new60@1"),
        ({"active_days": 365, "gap_days": 7}, "churn-90d-active365-gap7@1"),
    ],
)
def test_the_label_names_the_kind_and_the_days_that_are_not_its_own(given, label):
    assert churn_by(chosen(**given), 90).definition == label


def test_a_purchase_is_asked_for_by_inactivity_without_a_gap_alone():
    assert churn_by(chosen(), 90) == CHURN
    assert chosen(active_days=30, newcomer_days=9).asks_for_purchase
    assert not chosen(gap_days=1).asks_for_purchase
    assert not any(DEFINITIONS[kind].asks_for_purchase for kind in DEFINITIONS if kind[:3] != "ina")


def test_a_definition_comes_back_as_it_was_stored():
    rule = chosen("subscription", gap_days=7, grace_days=14, active_days=90, newcomer_days=30)
    assert Definition.from_dict(rule.to_dict()) == rule


def test_grace_is_of_what_ends():
    assert [chosen(kind, grace_days=9).grace_days for kind in DEFINITIONS] == [0, 9, 0, 0]


def test_the_sentence_says_every_number_and_is_told_in_chinese():
    rule = chosen("subscription", gap_days=7, grace_days=14, active_days=90, newcomer_days=30)
    sentence = churn_by(rule, 60).sentence()
    assert sentence == (
        "Has a closure in the 60 days after the cut-off and makes no purchase within 14 days of "
        "it, having bought and not closed before. Only who bought in the 90 days before the "
        "cut-off is asked about. These days begin 7 days after the cut-off. Who first bought less "
        "than 30 days before the cut-off is not asked about."
    )
    assert retold(sentence, CHINESE) == (
        "截止时间之后 60 天内终止关系，且此后 14 天内没有再次购买；此前购买过且尚未终止。"
        "只针对截止时间之前 90 天内购买过的客户。这段时间从截止时间之后 7 天开始计算。"
        "截止时间之前不足 30 天才首次购买的客户不在范围内。"
    )


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_every_definition_is_told_in_chinese(kind):
    sentence = churn_by(DEFINITIONS[kind], 90).sentence()
    assert retold(sentence, CHINESE) != sentence


def test_an_unknown_kind_is_refused_with_those_there_are():
    with pytest.raises(UserError) as refused:
        chosen("silence")
    assert str(refused.value) == (
        "Churn by 'silence' was asked for, but it is defined by inactivity, subscription, "
        "interaction, own_pace. Use one of these."
    )


def test_a_kind_that_the_data_cannot_tell_is_refused():
    given = world(
        "ann  2024-01-01  5",
        interactions=["ann  2024-04-01  closure", "ann  2024-01-02  payment_due"],
    )
    with pytest.raises(UserError) as refused:
        SUBSCRIPTION.refuse_unknowable(given.events, AS_OF)
    assert str(refused.value) == (
        "Churn by subscription was asked for, but there is no interaction that is a closure (a "
        "cancellation, or a term that ran out) by 2024-03-31. Bring them, or use another "
        "definition: --churn inactivity."
    )
    with pytest.raises(UserError, match="something a customer does himself"):
        INTERACTION.refuse_unknowable(given.events, AS_OF)
    SUBSCRIPTION.refuse_unknowable(given.events, datetime(2024, 4, 2))
    INACTIVITY.refuse_unknowable(given.events, AS_OF)
