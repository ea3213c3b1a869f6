"""Given a cause and what is known of a customer: how it is known, how sure, what speaks for it."""

import numpy as np
import pandas as pd
import pytest

from features.columns import Columns
from serving import causes
from serving.levers import LEVER_RULE
from training.business_facts import BusinessFacts

TELLS = BusinessFacts(given=("contacts",))
# A customer of a year to whom we spoke last week, and with whom all is well.
CALM = {
    "age": 365.0, "days_since_going_out": 7.0, "count_complaint_90d": 0.0, "open_complaints": 0.0,
    "first_response_mean_recent_90d": 2.0, "returned_share_365d": 0.0, "how_to_contacts_90d": 0.0,
    "features_used_90d": 3.0, "features_used_365d": 3.0, "count_price_check_90d": 0.0,
    "competitor_mentions_price_90d": 0.0, "competitor_mentions_service_90d": 0.0,
}  # fmt: skip


def codes(*given):
    return np.array(given, dtype=object)


def rows(*changes):
    return pd.DataFrame([{**CALM, **change} for change in changes])


def test_a_given_reason_beats_the_model_and_the_model_the_rules():
    cause, left_for = codes("fault", None, None), codes(None, "natural", None)
    assert causes.source(cause, left_for, has_model=True).tolist() == ["model", "reason_code", None]
    assert causes.source(cause, left_for, has_model=False).tolist() == [
        "rule", "reason_code", None,
    ]  # fmt: skip


def test_the_confidence_is_the_share_of_the_likeliest_cause():
    shares = np.array([[0.1, 0.6, 0.3, np.nan, np.nan, np.nan]] * 3)
    found = causes.confidence(codes("competitive", "competitive", None), codes(None, None, None),
                              shares)  # fmt: skip
    assert found.tolist()[:2] == [0.6, 0.6]
    assert np.isnan(found[2])


FAULTS = [
    ({}, "unexplained", []),
    ({"count_complaint_90d": 1.0}, "evidenced", []),  # told with its day already
    ({"first_response_mean_recent_90d": 25.0}, "evidenced",
     ["badly served: slow answers, or a complaint still open"]),
    ({"returned_share_365d": 0.2}, "evidenced", ["much of what was bought came back"]),
    ({"days_since_going_out": 181.0}, "evidenced", ["no word from us for long"]),
    ({"days_since_going_out": 180.0}, "unexplained", []),
    ({"days_since_going_out": None}, "evidenced", ["no word from us for long"]),
    ({"days_since_going_out": None, "age": 180.0}, "unexplained", []),  # not here that long
    ({"how_to_contacts_90d": 1.0}, "evidenced", ["asked how to use it"]),
    ({"features_used_90d": 0.0}, "evidenced", ["uses nothing of it any more"]),
    ({"features_used_90d": 0.0, "features_used_365d": 0.0}, "unexplained", []),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected", "words"), FAULTS)
def test_a_fault_is_evidenced_by_something_of_ours(change, expected, words):
    given, fault = rows(change).astype(float), codes("fault")
    assert causes.fault_evidence(fault, given, TELLS, LEVER_RULE).tolist() == [expected]
    assert causes.fault_words(fault, given, TELLS, LEVER_RULE) == [words]


def test_who_leaves_for_another_cause_leaves_by_no_fault():
    given, natural = rows({"how_to_contacts_90d": 1.0}), codes("natural")
    assert causes.fault_evidence(natural, given, TELLS, LEVER_RULE).tolist() == [None]
    assert causes.fault_words(natural, given, TELLS, LEVER_RULE) == [[]]


def test_a_business_that_tells_nobody_anything_has_not_left_him_out():
    given = rows({"days_since_going_out": None}).astype(float)
    found = causes.fault_evidence(codes("fault"), given, BusinessFacts(), LEVER_RULE)
    assert found.tolist() == ["unexplained"]


RIVALS = [
    ({}, None),
    ({"count_price_check_90d": 1.0}, "price"),
    ({"competitor_mentions_price_90d": 1.0}, "price"),
    ({"competitor_mentions_service_90d": 1.0}, "service"),
    ({"count_complaint_90d": 1.0}, "service"),
    ({"open_complaints": 1.0}, "service"),
    ({"count_complaint_90d": 1.0, "count_price_check_90d": 1.0}, "price"),
    ({"competitor_mentions_service_90d": 1.0, "count_price_check_90d": 1.0}, "service"),
    ({"competitor_mentions_service_90d": 1.0, "competitor_mentions_price_90d": 1.0}, "price"),
]


def test_a_competitor_wins_over_the_price_or_over_the_service():
    given = rows(*(change for change, _ in RIVALS))
    rival = np.full(len(RIVALS), "competitive", dtype=object)
    expected = [over for _, over in RIVALS]
    assert causes.competitive_over(rival, given, LEVER_RULE).tolist() == expected
    assert causes.competitive_over(rival, Columns.of(given), LEVER_RULE).tolist() == expected
    singles = [causes.competitive_over(rival[:1], given.iloc[[k]], LEVER_RULE)[0]
               for k in range(len(RIVALS))]  # fmt: skip
    assert singles == expected
    others = np.full(len(RIVALS), "fault", dtype=object)
    assert causes.competitive_over(others, given, LEVER_RULE).tolist() == [None] * len(RIVALS)


def test_without_interactions_a_fault_is_unexplained_and_a_competitor_wins_over_nothing_known():
    given = pd.DataFrame({"age": [400.0]})
    found = causes.fault_evidence(codes("fault"), given, BusinessFacts(), LEVER_RULE)
    assert found.tolist() == ["unexplained"]
    assert causes.competitive_over(codes("competitive"), given, LEVER_RULE).tolist() == [None]
