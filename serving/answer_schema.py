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
    among active customers, 0 to 100. evidence: the signs seen, in words.
    """

    probability: float
    low: float | None
    high: float | None
    percentile: float
    band: str
    horizon_days: int
    definition: str
    types: list[TypeShare]
    evidence: list[str]
    retain_advised: bool


class Value(TypedDict):
    """Customer lifetime value, currency units: historical + future = total.

    future: discounted, over `horizon_days`, with its 90 % interval; future_if_retained: the same
    if the customer does not leave.
    """

    historical: float
    future: float
    future_low: float
    future_high: float
    future_if_retained: float
    total: float
    horizon_days: int
    value_basis: Literal["margin", "revenue"]


class Tier(TypedDict):
    """The value class by `policy`, why, and P(class) one churn horizon from now."""

    code: str
    policy: str
    reason: str
    next: dict[str, float]


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
    insufficient_history and out_of_range (unlike all whom the models were made for); nothing:
    prospect (never bought), stale_features, unknown. purchase_probability is of the churn horizon;
    expected_orders and expected_value* (undiscounted money) are of the value horizon. factors: when
    they were asked for. what_if: the features whose values the caller has overridden.
    """

    customer_id: str | None
    as_of: str | None
    status: str
    churn: Churn | None
    clv: Value | None
    purchase_probability: float | None
    expected_orders: float | None
    expected_value: float | None
    expected_value_median: float | None
    expected_value_low: float | None
    expected_value_high: float | None
    tier: Tier | None
    stage: str | None
    expected_loss: float | None
    save_rate: float
    max_spend: float | None
    factors: list[Factor]
    features: FeatureFacts
    what_if: list[str]
    model: dict[str, str]
    policy: str
    request_id: str
