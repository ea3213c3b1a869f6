"""What Prometheus is told of each request: by route, code and model version, and how long it took.

holdfast_requests_total{code,model,route}      answers
holdfast_request_failures_total{code,route}    those of 400 and above, refusals included
holdfast_request_duration_seconds{route}       a histogram

and, when it asks, what monitoring saw last (monitoring/gauges.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.routes import is_open, route_of

if TYPE_CHECKING:
    import prometheus_client

GONE = 499  # the code, as nginx has it, of a client who left before there was an answer
UNKNOWN = "other"  # all paths without a route together, or anyone could make endless labels


class Metrics:
    """Count and time every request but those of the open routes, which probes ask all the time.

    Stands outermost, so that what is refused before the routes is counted too.
    model: names the version of the models that answer now, such as "churn@12".
    registry: default: Prometheus' own. before_reading: called when the metrics are asked for.
    """

    def __init__(
        self,
        app: ASGIApp,
        model: Callable[[], str],
        registry: prometheus_client.CollectorRegistry | None = None,
        before_reading: Callable[[], None] = lambda: None,
    ) -> None:
        self.app, self._model, self._registry = app, model, registry
        self._before_reading = before_reading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        if scope["type"] == "http" and scope["path"] == "/metrics":
            await anyio.to_thread.run_sync(self._before_reading)
        if scope["type"] != "http" or is_open(scope["path"]):
            await self.app(scope, receive, send)
            return
        code, start = GONE, time.perf_counter()

        async def seen(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, seen)
        except Exception:
            code = 500  # which the server answers for whoever raises
            raise
        finally:
            route = route_of(scope["path"]) or UNKNOWN
            self._note(route, str(code), time.perf_counter() - start)

    def _note(self, route: str, code: str, seconds: float) -> None:
        requests, failures, duration = self._made
        requests.labels(code=code, model=self._model(), route=route).inc()
        if code >= "400":
            failures.labels(code=code, route=route).inc()
        duration.labels(route=route).observe(seconds)

    @cached_property
    def _made(
        self,
    ) -> tuple[prometheus_client.Counter, prometheus_client.Counter, prometheus_client.Histogram]:
        import prometheus_client as prometheus  # not before BentoML has named its folder

        where = self._registry or prometheus.REGISTRY
        return (
            prometheus.Counter(
                "holdfast_requests",
                "Requests answered, by route, code and model version.",
                ["code", "model", "route"],
                registry=where,
            ),
            prometheus.Counter(
                "holdfast_request_failures",
                "Requests refused or failed.",
                ["code", "route"],
                registry=where,
            ),
            prometheus.Histogram(
                "holdfast_request_duration_seconds",
                "Time from a request to the end of its answer.",
                ["route"],
                registry=where,
            ),
        )
