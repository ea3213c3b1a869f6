"""What the service accepts and gives for scores: requests that name what is wrong with them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, Field, model_validator

from features.moment import parse_moment
from serving.answer_schema import Answer

MOST_CUSTOMERS = 1000  # a call; about half a second of work. Everyone at once is for the batch
LONGEST_ID = 200  # characters
# Beyond any count of days or money, and far below what single precision can hold.
MOST = 1e15

Number = Annotated[float, Field(ge=-MOST, le=MOST, allow_inf_nan=False)]
Days = Annotated[float, Field(ge=0.0, le=MOST, allow_inf_nan=False)]
CustomerId = Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]
# An error shows where it is, not what was sent: customers' data do not belong into logs.
_STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True, title="Request")


def _moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("A moment is a text, such as 2025-03-31.")
    try:
        return parse_moment(value)
    except OverflowError:
        raise ValueError(f"The moment {value!r} lies outside of the calendar.") from None


class ScoreRequest(BaseModel):
    """Customers to score, by id; an id may come twice and is then answered twice."""

    model_config = _STRICT

    customer_ids: Annotated[list[CustomerId], FailFast()] = Field(
        max_length=MOST_CUSTOMERS, examples=[["C000001", "C000002"]]
    )
    explain: bool = Field(
        False, description="Whether to name what the churn model looked at; it takes longer."
    )
    overrides: dict[CustomerId, dict[str, Number | str | None]] = Field(
        default_factory=dict,
        max_length=MOST_CUSTOMERS,
        description="What if: by customer, features to take other values for. Nothing else changes "
        "with them, such as a total with one of its parts.",
        examples=[{"C000001": {"open_complaints": 0}}],
    )


class FeatureRow(BaseModel):
    """The features of one customer at one moment, by their names in the catalogue.

    Every feature that is not given is null. Two may be left out although the models need them:
    gap_log_sum is then that of equal gaps, and day_amount_sum the money spent and returned.
    """

    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)
    __pydantic_extra__: dict[str, Number | str | None]

    customer_id: CustomerId | None = None
    as_of: Annotated[datetime, BeforeValidator(_moment)] | None = Field(
        None, description="The moment of the features, ISO 8601, UTC; default: now."
    )
    purchase_days_total: Days = Field(description="Days with a purchase so far, a count.")
    recency: Days | None = Field(description="Days since the last purchase; null if never bought.")
    age: Days | None = Field(description="Days since the first purchase; null if never bought.")
    spend_total: Number = Field(description="Money spent so far, net of returns, currency units.")

    @model_validator(mode="after")
    def _is_a_history(self) -> Self:
        if self.purchase_days_total == 0:
            return self
        if self.recency is None or self.age is None:
            raise ValueError("recency and age must be numbers for a customer who has bought")
        repeats, days = self.purchase_days_total - 1.0, self.age - self.recency
        if repeats != round(repeats) or not repeats <= days or (repeats == 0.0) != (days == 0.0):
            raise ValueError(
                "purchase_days_total, recency and age do not fit together: after the first there "
                "are age - recency days for the other purchase days, a whole number of them"
            )
        return self

    def features(self) -> dict[str, Any]:
        """The values by the names of their features."""
        return self.model_dump(exclude={"customer_id", "as_of"})


class FeaturesRequest(BaseModel):
    """Customers to score by given features, such as those of a test or of a what-if."""

    model_config = _STRICT

    rows: Annotated[list[FeatureRow], FailFast()] = Field(max_length=MOST_CUSTOMERS)
    explain: bool = Field(
        True, description="Whether to name what the churn model looked at; it takes longer."
    )


class ScoreResponse(BaseModel):
    """One answer for each customer or row asked for, in the order asked."""

    scores: list[Answer]
