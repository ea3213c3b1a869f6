"""What the service answers in the place of BentoML's own pages: `/`, and paths it does not have.

BentoML's page at `/` loads a script from an outside address; nothing here names one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
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
    """Answer these pages, nothing that BentoML would show a browser, and say no in our form."""
    routes = app.router.routes
    kept = [one for one in routes if getattr(one, "name", None) not in _REPLACED]
    routes[:] = [*pages, *kept]
    app.add_exception_handler(404, _no_such_path)
    app.add_exception_handler(405, _other_method)


async def _no_such_path(_: Request, __: Exception) -> JSONResponse:
    return _refused(404, "The service has no such path. GET /docs.json tells which it has.")


async def _other_method(request: Request, error: Exception) -> JSONResponse:
    headers = error.headers if isinstance(error, HTTPException) else None
    allowed = (headers or {}).get("Allow", "another method").split(", ")
    methods = " or ".join(sorted(allowed))
    sentence = f"This path does not answer {request.method}. Ask it by {methods}; see /docs.json."
    return _refused(405, sentence, headers)


def _refused(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": sentence}, status_code=status, headers=headers)
