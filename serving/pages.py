"""What the service answers in the place of BentoML's own pages.

BentoML's page at `/` loads a script from an outside address; nothing here names one.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

# Of BentoML: its page at /, what that is made of, and what it says of the routes at /docs.json.
_REPLACED = frozenset({"index", "static_content", "openapi-spec"})
_ABOUT = {
    "service": "Holdfast",
    "interface": "/docs.json",
    "ready": "/readyz",
    "version": "/version",
}


async def about(_: Request) -> JSONResponse:
    """What this is, and where the rest is said."""
    return JSONResponse(_ABOUT)


def put_into(app: Starlette, pages: Sequence[Route]) -> None:
    """Answer these pages, and nothing that BentoML would show a browser."""
    routes = app.router.routes
    kept = [one for one in routes if getattr(one, "name", None) not in _REPLACED]
    routes[:] = [*pages, *kept]
