"""Who may ask for what, and how often: stands before every route, and says why it refuses."""

from __future__ import annotations

import math

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from features.workspace import Workspace
from serving.keys import ADMIN, Holder, Keys
from serving.rate_limit import RateLimit, rate_from_environment
from serving.routes import ROLE_OF, is_open, route_of

_POLICY_VIOLATION = 1008  # the code with which a websocket is closed


class Access:
    """Let a request through when its key's role allows the route and its holder is not too fast.

    A key comes as `Authorization: Bearer KEY` or as `X-API-Key: KEY`. Refused are, with a sentence:
    401 no key or one of nobody's, 403 another role, 429 too many requests. Without any keys, which
    is for this machine only (`keys.refuse_open_to_network`), only the rate is limited, by address.
    keys, rate: default: as the environment says.
    Raises UserError when the environment cannot be read.
    """

    def __init__(self, app: ASGIApp, keys: Keys | None = None, rate: float | None = None) -> None:
        self.app = app
        self._keys = keys or Keys.from_environment(Workspace.from_environment())
        rate = rate_from_environment() if rate is None else rate
        self._limit = RateLimit(rate) if rate else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        if scope["type"] == "websocket":  # no route speaks it
            await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
            return
        refused = self._refusal(scope) if scope["type"] == "http" else None
        await (refused or self.app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        path = scope["path"]
        if is_open(path):
            return None
        if self._keys.are_none():
            return self._too_fast((scope.get("client") or ("",))[0])
        key = _key(scope)
        if not key:
            return _unknown("needs an API key, and none was sent. Send yours")
        holder = self._keys.holder(key)
        if holder is None:
            return _unknown("was sent a key that nobody holds. Send a valid one")
        return self._too_fast(holder.name) or _not_allowed(holder, path)

    def _too_fast(self, asker: str) -> JSONResponse | None:
        seconds = self._limit.wait(asker) if self._limit else 0.0
        if not (self._limit and seconds):
            return None
        return _refused(
            429,
            f"More than {self._limit.rate:g} requests a second came from the same asker. "
            "Wait as long as Retry-After says, or ask for more customers in one request.",
            {"retry-after": str(math.ceil(seconds))},
        )


def _key(scope: Scope) -> str:
    """The key that a request brings; empty when there is none."""
    other = ""
    for name, value in scope["headers"]:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return value[7:].strip().decode("latin-1")
        if name == b"x-api-key":
            other = value.decode("latin-1")
    return other


def _unknown(what: str) -> JSONResponse:
    sentence = f"This route {what} as Authorization: Bearer KEY or as X-API-Key: KEY."
    return _refused(401, sentence, {"www-authenticate": "Bearer"})


def _not_allowed(holder: Holder, path: str) -> JSONResponse | None:
    route = route_of(path)
    needed = ROLE_OF[route] if route else ADMIN
    if holder.role in (needed, ADMIN):
        return None
    return _refused(
        403,
        f"{route or 'This route'} needs the role {needed}, and the key of {holder.name} has the "
        f"role {holder.role}. Use a key with the role {needed}.",
    )


def _refused(status: int, sentence: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": sentence}, status_code=status, headers=headers)
