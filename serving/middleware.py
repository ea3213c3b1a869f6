"""What stands before the service's routes: a limit to what is read, and a count of failures."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """Refuse a request body of more than `most_bytes` with 413, announced or not.

    A body is read whole before the routes see it, which they would do themselves.
    """

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self.app, self.most_bytes = app, most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _announced(scope) > self.most_bytes:
            await self._refuse(scope, receive, send)
            return
        body, has_more = b"", True
        while has_more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if len(body) > self.most_bytes:
                await self._refuse(scope, receive, send)
                return
            has_more = message.get("more_body", False)
        await self.app(scope, _replayed(body, receive), send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = (
            f"The request body is larger than the {self.most_bytes:,} bytes that are read. "
            "Ask for fewer customers at a time, or use the batch: holdfast score."
        )
        await JSONResponse({"error": message}, status_code=413)(scope, receive, send)


class FailureCount:
    """Report each answer of 400 and above on the routes of interest."""

    def __init__(
        self, app: ASGIApp, routes: frozenset[str], count: Callable[[str, int], None]
    ) -> None:
        self.app, self.routes, self.count = app, routes, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        if scope["type"] != "http" or scope["path"] not in self.routes:
            await self.app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                self.count(scope["path"], message["status"])
            await send(message)

        await self.app(scope, receive, counted)


def _announced(scope: Scope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return int(lengths[0]) if lengths and lengths[0].isdigit() else 0


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the body that was read, then whatever comes after it."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay
