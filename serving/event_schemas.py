"""What the service accepts and gives for events and profiles."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field

from serving.answer_schema import Answer
from serving.schemas import MOST_CUSTOMERS, CustomerId, Number

MOST_EVENTS = MOST_CUSTOMERS  # of each kind in a call; more at once are a file: holdfast ingest
LONGEST_TEXT = 2_000  # characters; a detail or a note

Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
_STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True)


class _Event(BaseModel):
    """What every event has."""

    model_config = _STRICT

    event_id: CustomerId = Field(
        description="Yours, the same at every try: an event of this id is taken once.",
        examples=["till-7-000123"],
    )
    customer_id: CustomerId = Field(examples=["C000001"])
    happened_at: Text = Field(description="ISO 8601, UTC.", examples=["2025-03-31T18:05:00"])
    known_at: Text | None = Field(None, description="When it was learned of; default: happened_at.")
    source: Text | None = Field(None, description="The system it comes from.", examples=["till"])
    collection_channel: Text | None = Field(None, description="direct or indirect.")
    collection_method: Text | None = Field(None, description="Such as survey, club, purchase.")
    lawful_basis: Text | None = Field(None, description="Why it may be held, such as contract.")


class Transaction(_Event):
    """One order line, or one order."""

    amount: Number = Field(description="Net money; negative for a return.", examples=[49.9])
    order_id: Text | None = Field(None, description="The order a line belongs to.")
    quantity: Number | None = None
    product_id: Text | None = None
    category: Text | None = None
    channel: Text | None = None
    discount: Number | None = None
    margin: Number | None = None


class Interaction(_Event):
    """One contact or event."""

    kind: Text = Field(description="Such as visit, complaint, survey.", examples=["complaint"])
    channel: Text | None = None
    direction: Text | None = Field(None, description="in: from the customer; out: from us.")
    value: Number | None = Field(None, description="Such as the points of a survey.")
    case_id: Text | None = None
    detail: Text | None = None


class EventsRequest(BaseModel):
    """What has just happened. Each row is checked like a row of a file, and told what became of."""

    model_config = _STRICT | ConfigDict(title="Request")

    transactions: Annotated[list[Transaction], FailFast()] = Field(
        default_factory=list, max_length=MOST_EVENTS
    )
    interactions: Annotated[list[Interaction], FailFast()] = Field(
        default_factory=list, max_length=MOST_EVENTS
    )


class RefusedEvent(BaseModel):
    """A row that was not taken: its position in the list, from 0, its id, and why."""

    position: int
    event_id: str
    reason: str


class Taken(BaseModel):
    """What became of the rows of one list; repeated: taken at an earlier try already."""

    taken: int
    repeated: int
    refused: list[RefusedEvent]


class EventsResponse(BaseModel):
    """What changed: the rows taken, and whose features stand now at which moment."""

    transactions: Taken
    interactions: Taken
    customers: list[str]
    as_of: str | None


class ProfileRequest(BaseModel):
    """The customer to tell of."""

    model_config = _STRICT | ConfigDict(title="Request")

    customer_id: CustomerId = Field(examples=["C000001"])


class Feature(BaseModel):
    """One feature: its family, what it says, and its value, null where not known."""

    name: str
    family: str
    about: str
    value: float | str | None


class Profile(BaseModel):
    """What is known of a customer now, what happened last, and what was said of him before.

    events: newest first, each with its `table` and the columns that are not empty. history: of the
    batches, newest first, the columns of score tables that tell of risk and value.
    """

    customer_id: str
    score: Answer
    features: list[Feature]
    events: list[dict[str, Any]]
    history: list[dict[str, Any]]


class Receipt(BaseModel):
    """What an erasure reached; see erasure.py.

    kept_features: batches whose kept features held him. served_answers: kept answers about him.
    """

    customer: str
    erased_at: str
    rows: dict[str, int]
    snapshots: int
    was_online: bool
    score_tables: int
    kept_features: int = 0
    served_answers: int = 0
    models: list[str]
    note: Literal["retrain"] | None
    signature: str
