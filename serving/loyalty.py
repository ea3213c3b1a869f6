"""Whether a customer is loyal in deed and at heart, to what his loyalty is due, and what breaks it.

Behaviour and attitude by two make four classes (PRODUCT 24); six types name what a habit rests on
(PRODUCT 25). A score is as high as the lowest of its parts, each 0 to 1, since a type needs them
all (Zadeh, 1965, Information and Control 8(3): the conjunction of fuzzy sets).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.columns import Rows, numbers_of
from training.business_facts import ALTERNATIVES, BusinessFacts, numbers_if_any

FloatArray: TypeAlias = NDArray[np.float64]

# Loyal in both, at heart alone, in deed alone, in neither.
CLASSES = ("true", "latent", "spurious", "none")
UNDETERMINED = "undetermined"
# Detractors answer up to 6 of 10, promoters from 9 (NPS): between them attitude goes from low to
# high.
LOW_ATTITUDE, HIGH_ATTITUDE = 0.6, 0.9
# PRODUCT 25: a channel or day that has more than 0.8 dominates; one that has half is one of two.
HALF, DOMINANT = 0.5, 0.8
WEEKS = 13.0  # of 90 days; a visit or an opened email in each is all the engagement there can be


@dataclass(frozen=True)
class LoyaltyRule:
    """The thresholds of loyalty.

    habit_days: purchase days from which repeating is a habit, as on the ladder. kept: share of the
    purchases his own pace lets expect that a loyal customer still makes; a fifth less is luck.
    positive: attitude from which he is loyal at heart. sharpness: of the softmax; with 5 a score
    a quarter of the scale above five equal ones reaches `least_share`. least_share: from PRODUCT
    25. least_score: a type that its own data deny is not named for want of others.
    """

    habit_days: int = 3
    kept: float = 0.8
    positive: float = HIGH_ATTITUDE
    sharpness: float = 5.0
    least_share: float = 0.4
    least_score: float = 0.5


LOYALTY = LoyaltyRule()


@dataclass(frozen=True)
class LoyaltyType:
    """What a habit may rest on, and what breaks it.

    needs: the data, by the codes of abstention.NEEDS, without which there is no score. score: from
    rows and attitude, (n,), 0 to 1, for who has a habit; `scores` has it beside `repeat`.
    """

    name: str
    trigger: str
    needs: tuple[str, ...]
    score: Callable[[Rows, FloatArray], FloatArray]


def repeat(rows: Rows, rule: LoyaltyRule = LOYALTY) -> FloatArray:
    """Share of the expected purchases of a year that were made, (n,), 0 to 1; 0 without a habit.

    Of a quarter, where nothing was bought before the last year; 1 where all is newer.
    """
    made = numbers_if_any(rows, "behavioral_loyalty_365d")
    made = np.where(np.isnan(made), numbers_if_any(rows, "behavioral_loyalty_90d"), made)
    made = np.fmin(made, 1.0)  # of null and 1 it is 1
    return np.where(numbers_of(rows, "purchase_days_total") >= rule.habit_days, made, 0.0)


def loyalty(rows: Rows, attitude: FloatArray, rule: LoyaltyRule = LOYALTY) -> NDArray[np.object_]:
    """The class of each row, (n,): loyal in both true, at heart latent, in deed spurious, or none.

    attitude: 0 to 1 (BusinessFacts.attitude). Where no survey tells, who has referred others is
    loyal at heart; of who has not, nothing is known, and the class is null.
    """
    refers = numbers_if_any(rows, "referrals") > 0
    is_positive = np.where(np.isnan(attitude), refers, attitude >= rule.positive)
    is_known = ~np.isnan(attitude) | refers
    is_habit = repeat(rows, rule) >= rule.kept
    places = 2 * ~is_positive.astype(bool) + ~is_habit
    found = np.array(CLASSES, dtype=object)[places]
    found[~is_known] = None
    return found


def _high(attitude: FloatArray) -> FloatArray:
    return _rise(attitude, LOW_ATTITUDE, HIGH_ATTITUDE)


def _rise(value: FloatArray, low: float, high: float) -> FloatArray:
    """0 up to `low`, 1 from `high`, even between them."""
    return np.minimum(np.maximum((value - low) / (high - low), 0.0), 1.0)


def _lowest(*parts: FloatArray) -> FloatArray:
    """The lowest part, (n,); null where one is."""
    return reduce(np.minimum, parts)


def _effective(rows: Rows) -> FloatArray:
    """Over how many things he spreads his money: categories, or products where there are none."""
    categories = numbers_if_any(rows, "categories_effective")
    products = numbers_if_any(rows, "products_effective")
    return np.where(np.isnan(categories), products, categories)


def _engaged(rows: Rows) -> FloatArray:
    """Visits and opened emails of 90 days, as a share of one a week."""
    names = ("use_days_90d", "count_email_open_90d")
    seen = np.zeros(len(rows))
    for name in names:
        seen += np.fmax(numbers_if_any(rows, name), 0.0)  # of null and 0 it is 0
    return np.minimum(seen / WEEKS, 1.0)


def _monopoly(rows: Rows, attitude: FloatArray) -> FloatArray:
    """Low attitude, at most one alternative."""
    others = numbers_if_any(rows, ALTERNATIVES)
    is_bound = np.where(np.isnan(others), np.nan, others <= 1)
    return _lowest(1.0 - _high(attitude), is_bound)


def _inertia(rows: Rows, attitude: FloatArray) -> FloatArray:
    """Even gaps, one thing, little engagement, neutral attitude (7 to 8 of 10)."""
    even = 1.0 - np.minimum(numbers_of(rows, "gap_variation"), 1.0)
    neutral = 1.0 - np.abs(2.0 * _high(attitude) - 1.0)
    return _lowest(even, 1.0 / _effective(rows), 1.0 - _engaged(rows), neutral)


def _convenience(rows: Rows, attitude: FloatArray) -> FloatArray:
    """One channel or one day of the week dominates."""
    channel = numbers_if_any(rows, "main_purchase_channel_share")
    most = np.fmax(channel, numbers_if_any(rows, "weekday_share"))
    return _rise(most, HALF, DOMINANT)


def _price(rows: Rows, attitude: FloatArray) -> FloatArray:
    """The share of money spent on discount, and not because we called."""
    called = np.fmax(numbers_if_any(rows, "response_rate_365d"), 0.0)
    return _lowest(numbers_if_any(rows, "discounted_share_365d"), 1.0 - called)


def _incentive(rows: Rows, attitude: FloatArray) -> FloatArray:
    """The share of money spent on discount, and the share of our contacts answered.

    No data set tells coupons and points from other discounts; who buys on discount and comes when
    we call is taken to buy for the incentive.
    """
    called = numbers_if_any(rows, "response_rate_365d")
    return _lowest(numbers_if_any(rows, "discounted_share_365d"), called)


def _super_value(rows: Rows, attitude: FloatArray) -> FloatArray:
    """High attitude, full prices, a referral, many things."""
    refers = (numbers_if_any(rows, "referrals") > 0).astype(np.float64)
    full_price = 1.0 - numbers_if_any(rows, "discounted_share_365d")
    wide = 1.0 - 1.0 / _effective(rows)
    return _lowest(_high(attitude), full_price, refers, wide)


# Of equal scores the first is named.
TYPES: tuple[LoyaltyType, ...] = (
    LoyaltyType("monopoly", "another supplier comes, or the contract ends",
                ("alternatives", "surveys"), _monopoly),
    LoyaltyType("inertia", "something makes the customer choose anew, such as a failed delivery",
                ("surveys",), _inertia),
    LoyaltyType("convenience", "a rival is nearer, or the usual channel or day is gone",
                ("channels",), _convenience),
    LoyaltyType("price", "a rival is cheaper, or the discounts end",
                ("discounts",), _price),
    LoyaltyType("incentive", "the programme ends, or its rewards shrink",
                ("discounts", "contacts"), _incentive),
    LoyaltyType("super_value", "quality or care falls behind what the customer came to expect",
                ("surveys", "discounts", "referrals"), _super_value),
)  # fmt: skip
TRIGGERS: Mapping[str, str] = {kind.name: kind.trigger for kind in TYPES}


def scores(rows: Rows, attitude: FloatArray, facts: BusinessFacts) -> dict[str, FloatArray]:
    """The score of each type, each (n,), 0 to 1, never above `repeat`; null without its data."""
    habit, unknown = repeat(rows), np.full(len(rows), np.nan)
    return {
        kind.name: _lowest(habit, kind.score(rows, attitude))
        if all(code in facts.given for code in kind.needs)
        else unknown
        for kind in TYPES
    }


def loyalty_type(
    rows: Rows, attitude: FloatArray, facts: BusinessFacts, rule: LoyaltyRule = LOYALTY
) -> NDArray[np.object_]:
    """The type each habit rests on, (n,); see `strongest`."""
    return strongest(scores(rows, attitude, facts), rule)


def strongest(found: Mapping[str, FloatArray], rule: LoyaltyRule = LOYALTY) -> NDArray[np.object_]:
    """The type whose score leads, (n,): the largest part of a softmax over the known scores.

    undetermined where it is below the rule's least_share, or its score below least_score; null
    where no score is known.
    """
    table = np.column_stack(list(found.values()))
    is_known = ~np.isnan(table).all(axis=1)
    known = np.where(np.isnan(table), -np.inf, table)
    best = known.argmax(axis=1)
    score = np.where(is_known, known.max(axis=1), 0.0)
    # exp(-inf) is 0: a score that is not known has no part. The best one's own part is 1 / the sum.
    share = 1.0 / np.maximum(np.exp(rule.sharpness * (known - score[:, None])).sum(axis=1), 1.0)
    is_clear = (share >= rule.least_share) & (score >= rule.least_score)
    names = np.array(list(found), dtype=object)[best]
    names[~is_clear] = UNDETERMINED
    names[~is_known] = None
    return names
