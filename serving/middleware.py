"""What stands before the service's routes: a limit to what is read, in size and in time."""

from __future__ import annotations

import asyncio

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# For a whole body. The largest one then needs 10 Mbit/s, which any line between servers has, and
# who sends a byte now and then does not hold a place in the service for longer.
MOST_BODY_SECONDS = 10.0


class _TooLarge(Exception):
    pass


class _Gone(Exception):
    pass


class BodyLimit:
    """Refuse a body of more than `most_bytes` with 413, announced or not, and a slow one with 408.

    A body is read whole before the routes see it, which they would do themselves; when its sender
    leaves in the middle, nothing is done. seconds: that a body may take.
    """

    def __init__(self, app: ASGIApp, most_bytes: int, seconds: float = MOST_BODY_SECONDS) -> None:
        self.app, self.most_bytes, self.seconds = app, most_bytes, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self.seconds):
                body = await self._body(scope, receive)
        except _TooLarge:
            await self._too_large()(scope, receive, send)
        except TimeoutError:
            await self._too_slow()(scope, receive, send)
        except _Gone:
            return
        else:
            await self.app(scope, _replayed(body, receive), send)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        if _announced(scope) > self.most_bytes:
            raise _TooLarge
        body, has_more = bytearray(), True
        while has_more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            body += message.get("body", b"")
            if len(body) > self.most_bytes:
                raise _TooLarge
            has_more = message.get("more_body", False)
        return bytes(body)

    def _too_large(self) -> JSONResponse:
        return _refused(
            413,
            f"The request body is larger than the {self.most_bytes:,} bytes that are read. "
            "Ask for fewer customers at a time, or use the batch: holdfast score.",
        )

    def _too_slow(self) -> JSONResponse:
        return _refused(
            408,
            f"The request body was not complete within {self.seconds:g} seconds. "
            "Ask for fewer customers at a time, or over a faster line.",
        )


def _refused(status: int, sentence: str) -> JSONResponse:
    # What is left of the body is not read, so the connection cannot carry another request.
    return JSONResponse({"error": sentence}, status_code=status, headers={"connection": "close"})


def _announced(scope: Scope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the body that was read, then whatever comes after it."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
