"""The shape of an answer, for those who read it and for the service's OpenAPI page."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict  # pydantic takes the standard library's from Python 3.12


class TypeShare(TypedDict):
    """One cause and its part of the churn probability; "unavailable" when it cannot be known."""

    type: str
    p: float | Literal["unavailable"]


class Churn(TypedDict):
    """The risk to leave within `horizon_days`; the types' p sum to `probability`.

    low, high: 90 % interval, by the test at an earlier moment; null without one. percentile: rank
    among active customers, 0 to 100; percentile_in_stage: among those of the same lifecycle stage,
    null where there is nobody to rank among. leaving_probability: P(still there, and leaves within
    the horizon); who has left already or buys seldom counts in `probability` alone. cause: the
    likeliest of the types, and cause_confidence P(it | churn); cause_source: by the rules or by a
    model. fault_evidence: of a fault, whether anything of ours speaks for it. competitive_over: of
    a competitor's win, over what, null where it is not known. evidence: the signs seen, in words
    with their day. lever: what fits the
    cause (levers.LEVERS).
    """

    probability: float
    low: float | None
    high: float | None
    percentile: float
    percentile_in_stage: float | None
    band: str
    leaving_probability: float
    horizon_days: int
    definition: str
    types: list[TypeShare]
    cause: str | None
    cause_source: Literal["rule", "model"] | None
    cause_confidence: float | None
    fault_evidence: Literal["evidenced", "unexplained"] | None
    competitive_over: Literal["price", "service"] | None
    evidence: list[str]
    lever: str
    retain_advised: bool


class Value(TypedDict):
    """Customer lifetime value, currency units: historical + future = total.

    future: discounted, over `horizon_days`, with its 90 % interval, net of the expected cost to
    serve, and of that of an attempt to keep him, where they are known. historical_present: with
    the interest of the time since at the discount rate, null where that is not the house's or 0;
    no part of the total. future_if_retained: the same if the customer does not leave.
    now: margin of the last 365 days, and quadrant: high or low now, then later (high_low); null
    where what is needed was not given. currency: null where nobody has said it.
    """

    historical: float
    historical_present: float | None
    future: float
    future_low: float
    future_high: float
    future_if_retained: float
    total: float
    now: float | None
    quadrant: str | None
    horizon_days: int
    value_basis: Literal["margin", "revenue"]
    currency: str | None


class Rfm(TypedDict):
    """Recency (5 the newest), frequency and money in bands from 1, and the class by their means."""

    recency: float
    frequency: float
    monetary: float
    score: float
    code: str


class TierCuts(TypedDict):
    """Where the tiers begin, by their basis.

    clv: in forecast money over the value horizon, as `expected_value` is. mvc: from it on, and what
    is above his own cost to serve where that is known; null where nobody can be. mgc: up to it, for
    who is growing. abc: mvc and mgc from so much money of a year on. rfm: null. below_zero: up to
    so much forecast money; null where the cost to serve is not known. policy: that sets them,
    name@version.
    """

    basis: Literal["clv", "abc", "rfm"]
    mvc: float | None
    mgc: float | None
    below_zero: float | None
    policy: str


class Tier(TypedDict):
    """The value class by `policy`, why, and P(class) one churn horizon from now.

    previous: that of the last scores before; null without any. below_zero: of who is, `certain`
    where the upper bound of his value is below zero too, else `watch`; unavailable where the cost
    to serve is not known; null of all others. next: null where the basis is not clv.
    """

    code: str
    previous: str | None
    policy: str
    cuts: TierCuts
    reason: str
    below_zero: Literal["certain", "watch", "unavailable"] | None
    next: dict[str, float | None]


class Relationship(TypedDict):
    """How the customer stands to the business.

    stage_next: P(lifecycle stage) one churn horizon from now, null where nobody was in his stage.
    lifetime_days: since the first contact; remaining_days: expected until he leaves. ladder:
    customer, client, advocate, partner. loyalty: true, latent, spurious, none, by what he does and
    what he says; null where he was never asked. loyalty_type: what it rests on; loyalty_scores: how
    much of it on each type, 0 to 1, null without the data of that type; breaks_when: the event that
    would end it.
    """

    stage_next: dict[str, float | None]
    lifetime_days: float | None
    remaining_days: float | None
    ladder: str | None
    loyalty: str | None
    loyalty_type: str | None
    loyalty_scores: dict[str, float | None]
    breaks_when: str | None


class Unavailable(TypedDict):
    """A field that these data cannot tell, and the code of the data that would."""

    field: str
    needs: str


class Factor(TypedDict):
    """What the churn model looked at: a family's effect, and the feature that led it.

    value: in the feature's own unit, null where not known. effect: probability, above 0 where it
    raises the risk. actionable: whether the business itself does what is counted. An association
    in past data, not a cause.
    """

    family: str
    feature: str
    about: str
    value: float | str | None
    effect: float
    actionable: bool


class FeatureFacts(TypedDict):
    """Age of the features in hours, and the names of those too old or not known."""

    age_hours: float | None
    stale: list[str]
    missing: list[str]


class Answer(TypedDict):
    """What is said of one customer; the parts are null unless `status` allows them.

    status: scored; value only: not_active (who is silent too long cannot leave again),
    already_churned (who has told that he leaves, `left_for` this cause), insufficient_history and
    out_of_range (unlike all whom the models were made for); nothing: prospect (never bought),
    stale_features, unknown. abc: class by the money of the last 365 days, A, B or C; rfm: by
    recency, frequency and money. days_past_due: of the oldest payment due; null without one.
    purchase_probability is of the churn horizon;
    expected_orders and expected_value* (undiscounted money) are of the value horizon. factors: when
    they were asked for. saveable_loss: leaving_probability times what he brings if he stays, money.
    what_if: the features whose values the caller has overridden.
    """

    customer_id: str | None
    as_of: str | None
    status: str
    left_for: str | None
    churn: Churn | None
    clv: Value | None
    abc: str | None
    rfm: Rfm | None
    purchase_probability: float | None
    expected_orders: float | None
    expected_value: float | None
    expected_value_median: float | None
    expected_value_low: float | None
    expected_value_high: float | None
    tier: Tier | None
    stage: str | None
    relationship: Relationship | None
    marketing_mode: str | None
    days_past_due: float | None
    expected_loss: float | None
    save_rate: float
    max_spend: float | None
    saveable_loss: float | None
    factors: list[Factor]
    unavailable: list[Unavailable]
    features: FeatureFacts
    what_if: list[str]
    model: dict[str, str]
    policy: str
    request_id: str
