"""The short way from a request to its answer, before BentoML's own.

A request that BentoML routes passes through its tracing, its timeout, its traffic metrics and its
context, and each answer through them in three parts: more work than a score (DECISIONS.md). Here
the same methods of the service are called with the same request, and everything that can go wrong
is said in one form: {"error": sentence}, with pydantic's `detail` where a field is to blame.
"""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import traceback
import uuid
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from features.errors import Unavailable, UserError
from serving import mistakes

log = logging.getLogger(__name__)

# Longer than a store that hangs takes to say so (two seconds) and a wait behind others; a caller
# in the middle of a click has gone long before.
MOST_SECONDS = 15.0
LONGEST_REQUEST_ID = 100
CUSTOMERS = "/customers/"
SECONDS_TO_RETRY = b"1"
_JSON = b"application/json"
_NO_JSON = ("The body was not sent as JSON, and nothing else is read. "
            "Send JSON with the header Content-Type: application/json.")  # fmt: skip
# How a disk that has no room is told of by the system, for a disk, a share of one and a file, and
# by SQLite. DuckDB and the stores have no code for it, only these words within theirs.
_FULL = (*map(os.strerror, (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)), "disk is full")

request_id: ContextVar[str] = ContextVar("request_id", default="")


@dataclass(frozen=True)
class Route:
    """What a route reads, and the method that answers it."""

    request: type[BaseModel]
    answer: Callable[[Any], Awaitable[Any]]


class Lane:
    """Answers JSON that is posted to some routes, and the erasure of customers.

    Everything else goes on to the app behind. service: gives what answers, asked for at each
    request since there is none before the start: its `routes`, path -> Route, and its `erase`.
    """

    def __init__(self, app: ASGIApp, service: Callable[[], Any]) -> None:
        self.app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        asked = headers.get(b"x-request-id", b"").decode("latin-1")[:LONGEST_REQUEST_ID]
        request_id.set(asked or uuid.uuid4().hex)
        if scope["method"] == "DELETE" and scope["path"].startswith(CUSTOMERS):
            # Not by a pattern: an id may hold what ends a path elsewhere, or a line.
            customer_id = scope["path"].removeprefix(CUSTOMERS)
            await _send(send, *await self._service().erase(customer_id))
            return
        is_posted = scope["method"] == "POST"
        route = self._service().routes.get(scope["path"]) if is_posted else None
        if route is None:
            await self.app(scope, receive, send)
        elif not headers.get(b"content-type", _JSON).lower().startswith(_JSON):
            await _send(send, 415, {"error": _NO_JSON})
        else:
            await _send(send, *await _answered(route, await _body(receive)))


async def _body(receive: Receive) -> bytes:
    body, has_more = b"", True
    while has_more:
        message = await receive()
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
    return body


async def _answered(route: Route, body: bytes) -> tuple[int, Any]:
    """The code and the content of an answer."""
    try:
        request = route.request.model_validate_json(body)
        async with asyncio.timeout(MOST_SECONDS):
            return 200, await route.answer(request)
    except Exception as error:  # each kind has its code; none reaches a caller as a trace
        return told(error)


def told(error: Exception) -> tuple[int, dict[str, Any]]:
    """The code and the words for what went wrong; what nobody foresaw goes into the log."""
    match error:
        case ValidationError():
            detail = error.errors(include_context=False, include_input=False, include_url=False)
            return 400, {"error": mistakes.sentence(detail), "detail": detail}
        case Unavailable():
            is_full = any(words in str(error) for words in _FULL)
            return 507 if is_full else 503, {"error": str(error)}
        case UserError():
            return 400, {"error": str(error)}
        case TimeoutError():
            return 504, {"error": f"There was no answer within {MOST_SECONDS:g} seconds. "
                                  "Ask for fewer customers, or later."}  # fmt: skip
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return 507, {"error": "The disk of the service is full, so nothing of this was stored. "
                                  "Make room there and send it again."}  # fmt: skip
    # Where, but not with which words: an error may repeat what it was given of a customer.
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("a request failed with %s at\n%s", type(error).__name__, where)
    return 500, {"error": "An unexpected error has occurred; the log of the service says which."}


async def _send(send: Send, status: int, content: Any) -> None:
    """One JSON answer."""
    # A model is not dumped by pydantic, which would look into every answer once more: its fields
    # are JSON's own types, or models in their turn.
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":"), default=dict).encode()
    headers = [
        (b"content-type", _JSON),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id.get().encode("latin-1", "replace")),
    ]
    if status == 503:
        headers.append((b"retry-after", SECONDS_TO_RETRY))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
