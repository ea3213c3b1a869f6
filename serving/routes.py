"""The routes, and the role that may ask each: what is not in the tables is the admin's alone."""

from __future__ import annotations

from serving.keys import ADMIN, SCORER, WRITER

ROLE_OF = {
    "/score": SCORER,
    "/score_features": SCORER,
    "/profile": SCORER,
    "/events": WRITER,
    "/customers/{customer_id}": ADMIN,
}
# For probes, for Prometheus, and for readers of the interface, which tell nothing of a customer.
OPEN = frozenset({"/", "/livez", "/readyz", "/healthz", "/metrics", "/version", "/docs.json"})

_BY_PREFIX = {name.split("{", 1)[0]: name for name in ROLE_OF if "{" in name}


def is_open(path: str) -> bool:
    """Whether a path is answered to everybody."""
    return path in OPEN


def route_of(path: str) -> str | None:
    """The route of ROLE_OF that a path belongs to; None when there is none."""
    if path in ROLE_OF:
        return path
    for prefix, name in _BY_PREFIX.items():
        if path.startswith(prefix):
            return name
    return None
