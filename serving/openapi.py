"""The page that tells other programs of the service: OpenAPI 3.1, made from what the routes read.

BentoML writes one too, of 3.0, which has no word for null, and of its own routes alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field
from pydantic.json_schema import models_json_schema

from serving.event_schemas import (
    EventsRequest,
    EventsResponse,
    Profile,
    ProfileRequest,
    Receipt,
)
from serving.routes import ROLE_OF
from serving.schemas import FeaturesRequest, ScoreRequest, ScoreResponse

VERSION = "1"  # of the interface: raised when a caller has to change
_REFERENCE = "#/components/schemas/{model}"
_WHEN = {
    "401": "No API key, or one that nobody holds.",
    "403": "The key has another role.",
    "408": "The body came too slowly.",
    "413": "The body is too large.",
    "415": "The body is no JSON.",
    "429": "Too many requests; see Retry-After.",
    "500": "Unforeseen; the log says what.",
    "503": "The store does not answer, or too many wait; see Retry-After.",
    "504": "It took too long.",
    "507": "The disk is full; nothing was stored.",
}


class Mistake(BaseModel):
    """One place of a request that cannot be used."""

    loc: list[str | int] = Field(description="Where: the steps from the body to the field.")
    msg: str
    type: str


class Refusal(BaseModel):
    """Why there is no answer, in a sentence; with the places where the request is to blame."""

    error: str
    detail: list[Mistake] = Field(default_factory=list)


@dataclass(frozen=True)
class Operation:
    """A route as it is told of: what it reads and gives, and an example of what it reads."""

    about: str
    request: type[BaseModel] | None
    response: type[BaseModel]
    example: Any = None
    method: str = "post"


OPERATIONS: Mapping[str, Operation] = {
    "/score": Operation(
        "Score customers by id, from the newest features.", ScoreRequest, ScoreResponse,
        {"customer_ids": ["C000001", "C000002"], "explain": True},
    ),
    "/score_features": Operation(
        "Score given features; what is not given is null.", FeaturesRequest, ScoreResponse,
        {"rows": [{"purchase_days_total": 3, "recency": 10, "age": 200, "spend_total": 99.5}]},
    ),
    "/profile": Operation(
        "All that is known of one customer, and what was said of him before.",
        ProfileRequest, Profile, {"customer_id": "C000001"},
    ),
    "/events": Operation(
        "Take what has just happened; the next score of these customers knows of it.",
        EventsRequest, EventsResponse,
        {"transactions": [{"event_id": "till-7-000123", "customer_id": "C000001",
                           "happened_at": "2025-03-31T18:05:00", "amount": 49.9}]},
    ),
    "/customers/{customer_id}": Operation(
        "Erase a customer everywhere; the receipt names the models that may have learnt from him.",
        None, Receipt, method="delete",
    ),
}  # fmt: skip


def page(title: str, about: str) -> dict[str, Any]:
    """The whole page, JSON-ready."""
    models: dict[str, type[BaseModel]] = {"Refusal": Refusal}
    for one in OPERATIONS.values():
        models |= {model.__name__: model for model in (one.request, one.response) if model}
    _, schemas = models_json_schema(
        [(model, "validation") for model in models.values()], ref_template=_REFERENCE
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "description": about, "version": VERSION},
        "servers": [{"url": "."}],
        "security": [{}, {"bearer": []}, {"api_key": []}],
        "paths": {route: {one.method: _operation(route, one)} for route, one in OPERATIONS.items()},
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }


def _operation(route: str, one: Operation) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": f"{one.method}{route.split('{')[0].strip('/')}",
        "summary": one.about,
        "description": f"Needs a key with the role {ROLE_OF[route]}, where keys are in use.",
        "parameters": [_parameter(name) for name in _names(route)],
        "responses": {
            "200": {"description": "The answer.", "content": _content(one.response)},
            "400": {"description": "The request is to blame.", "content": _content(Refusal)},
            **{code: {"description": when, "content": _content(Refusal)}
               for code, when in _WHEN.items()},
        },
    }  # fmt: skip
    if one.request:
        told["requestBody"] = {"required": True, "content": _content(one.request, one.example)}
    return told


def _names(route: str) -> list[str]:
    return [part.strip("{}") for part in route.split("/") if part.startswith("{")]


def _parameter(name: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": 200}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _content(model: type[BaseModel], example: Any = None) -> dict[str, Any]:
    body: dict[str, Any] = {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}}
    if example is not None:
        body["example"] = example
    return {"application/json": body}
