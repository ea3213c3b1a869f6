"""The HTTP service: scores by customer id or by given features; the only file that imports bentoml.

POST /score and /score_features; GET /version, /livez (the process), /readyz (models and online
store), /metrics, /docs.json. Start it with `run_service.serve`.
"""

from features.errors import UserError  # before any vendor: its room switches telemetry off

# isort: split
import asyncio
import contextlib
import logging
import os
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import anyio
import bentoml
import numpy as np
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from features.columns import Columns
from features.moment import parse_moment
from features.workspace import Workspace
from serving.answer import Call, answer
from serving.answer_schema import Answer
from serving.given_rows import refusal, to_frame
from serving.middleware import BodyLimit, FailureCount
from serving.policy import POLICY, Policy
from serving.schemas import (
    MOST_CUSTOMERS,
    FeatureRow,
    FeaturesRequest,
    ScoreRequest,
    ScoreResponse,
)
from serving.together import Together
from training import champion
from training.model_set import ModelSet

if TYPE_CHECKING:
    import prometheus_client

    from features.store import FeatureStore

log = logging.getLogger(__name__)

# 1,000 rows of 400 features with their names, about 30 bytes each.
MOST_BODY_BYTES = 12_000_000
THREADS = 2  # that score given features; more would only wait for each other
SECONDS_BETWEEN_LOOKS = 10.0  # at which models are the champion
LONGEST_REQUEST_ID = 100
ROUTES = frozenset({"/score", "/score_features"})
_NOBODY = "?"  # an id to ask the online store for; whose it is does not matter


@dataclass(frozen=True)
class Loaded:
    """The models and the store that answer together; replaced as one."""

    models: ModelSet
    store: "FeatureStore"

    @classmethod
    def from_workspace(cls, space: Workspace) -> "Loaded":
        """The champion of a workspace and its feature store."""
        from features.store import FeatureStore  # takes seconds; only workers need it

        return cls(champion.load(space), FeatureStore(space))

    def lacks(self) -> str | None:
        """Why these cannot answer now; None when they can."""
        if self.store.newest_online() is None:
            return "the online store holds nobody yet; load it: holdfast materialize"
        found = self.store.latest([_NOBODY]).values.columns
        absent = [name for name in self.models.reference.features if name not in found]
        if absent:
            return f"the online store lacks {len(absent)} features, such as {absent[0]}"
        return None

    def known(self, asked: list[tuple[str, str]]) -> Columns:
        """The newest online values of some customers, one row per (customer_id, request_id)."""
        customer_ids, request_ids = map(list, zip(*asked, strict=True)) if asked else ([], [])
        who = {"customer_id": customer_ids, "request_id": request_ids}
        arrays = {name: np.array(values, dtype=object) for name, values in who.items()}
        return self.store.newest(customer_ids).with_columns(arrays)


async def _version(_: Request) -> JSONResponse:
    return JSONResponse(bentoml.get_current_service().version())


@bentoml.asgi_app(Starlette(routes=[Route("/version", _version)]))
@bentoml.service(workers=1, traffic={"timeout": 60}, logging={"access": {"enabled": False}})
class Holdfast:
    """Scores of customers: churn risk and its cause, value, tier, and what it pays to do.

    Raises UserError at the start when the workspace has no champion.
    """

    def __init__(self) -> None:
        self._space = Workspace.from_environment()
        self._policy: Policy = POLICY
        self._loaded = Loaded.from_workspace(self._space)
        # Even one row takes longer than the event loop may be blocked, so all work is in threads.
        self._together = Together(self._of_customers, most=MOST_CUSTOMERS)
        self._threads = anyio.CapacityLimiter(THREADS)
        now()  # a moment that cannot be read is better known at the start

    @bentoml.api(route="/score")
    async def score(self, request: ScoreRequest, /, ctx: bentoml.Context) -> ScoreResponse:
        """Score customers by id, from the newest features of the online store."""
        request_id = _request_id(ctx)
        asked = [(customer_id, request_id) for customer_id in request.customer_ids]
        return _response(await self._together.results(asked))

    @bentoml.api(route="/score_features")
    async def score_features(
        self, request: FeaturesRequest, /, ctx: bentoml.Context
    ) -> ScoreResponse:
        """Score given features; what is not given is null."""
        work = partial(self._of_features, request.rows, _request_id(ctx))
        return _response(await anyio.to_thread.run_sync(work, limiter=self._threads))

    def _of_customers(self, asked: list[tuple[str, str]]) -> list[Answer]:
        loaded = self._loaded
        return answer(loaded.known(asked), loaded.models, Call(self._policy, now()))

    def _of_features(self, given: list[FeatureRow], request_id: str) -> list[Answer]:
        models, call = self._loaded.models, Call(self._policy, now(), refuses_stale=False)
        rows = to_frame(given, models, call.now, request_id)
        try:
            return answer(rows, models, call)
        except UserError as error:  # of the given values, which nobody else has checked
            raise refusal("unfit_rows", str(error)) from None

    def version(self) -> dict:
        """Which models, definitions and policy answer."""
        models = self._loaded.models
        return {
            "models": dict(models.versions),
            "alias": "champion",
            "trained_as_of": models.reference.trained_as_of.isoformat(),
            "definitions": {
                name: {"definition": task.definition, "about": task.sentence()}
                for name, task in models.tasks.items()
            },
            "policy": self._policy.label,
            "catalog": models.reference.catalog,
            "now": now().isoformat(),
        }

    async def __is_ready__(self) -> bool:
        """Whether the models are loaded and the online store answers with their features."""
        try:
            lack = await anyio.to_thread.run_sync(self._loaded.lacks)
        except Exception as error:  # whatever a store can raise, it does not answer
            lack = f"the online store does not answer: {error}"
        if lack:
            log.warning("not ready: %s", lack)
        return lack is None

    @bentoml.on_startup
    async def start_following(self) -> None:
        """Look from now on whether another champion was promoted."""
        await self.__is_ready__()  # opens the store before the first call needs it
        self._follower = asyncio.create_task(self._follow())

    @bentoml.on_shutdown
    async def stop_following(self) -> None:
        """Stop looking."""
        self._follower.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._follower

    async def _follow(self) -> None:
        """Take over a new champion with its store; calls under way end with the former one."""
        while True:
            await anyio.sleep(SECONDS_BETWEEN_LOOKS)
            try:
                if self._is_outdated():
                    load = partial(Loaded.from_workspace, self._space)
                    self._loaded = await anyio.to_thread.run_sync(load)
                    log.info("the champion is now %s", self._loaded.models.versions)
            except Exception:  # a broken promotion must not end the service
                log.exception("the new champion cannot be loaded; the former one goes on")

    def _is_outdated(self) -> bool:
        promoted = champion.versions(self._space)
        labels = {name: f"{name}@{version}" for name, version in promoted.items()}
        return labels != self._loaded.models.versions


def now() -> datetime:
    """The moment the service stands at, naive UTC: HOLDFAST_NOW where it is set, else the clock.

    Raises UserError when HOLDFAST_NOW cannot be read.
    """
    text = os.environ.get("HOLDFAST_NOW")
    return parse_moment(text) if text else datetime.now(UTC).replace(tzinfo=None)


def _request_id(ctx: bentoml.Context) -> str:
    """The caller's own id of the call where the header X-Request-ID gives one, else a new one."""
    return ctx.request.headers.get("x-request-id", "")[:LONGEST_REQUEST_ID] or uuid.uuid4().hex


def _response(answers: list[Answer]) -> ScoreResponse:
    for status, count in Counter(one["status"] for one in answers).items():
        _scores_total().labels(status).inc(count)
    return ScoreResponse.model_construct(scores=answers)


@cache
def _scores_total() -> "prometheus_client.Counter":
    import prometheus_client  # not before BentoML has named its folder

    return prometheus_client.Counter("holdfast_scores", "Answers given, by status.", ["status"])


@cache
def _failures_total() -> "prometheus_client.Counter":
    import prometheus_client

    return prometheus_client.Counter(
        "holdfast_request_failures", "Calls refused or failed.", ["route", "code"]
    )


def _count_failure(route: str, code: int) -> None:
    _failures_total().labels(route, str(code)).inc()


class _CallersMistake(logging.Filter):
    """Keep refused requests out of the log: BentoML writes a stack trace for each."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], ValidationError))


logging.getLogger("bentoml._internal.server.http_app").addFilter(_CallersMistake())
_service: Any = Holdfast  # which the decorator has made a bentoml.Service
_service.add_asgi_middleware(FailureCount, routes=ROUTES, count=_count_failure)
_service.add_asgi_middleware(BodyLimit, most_bytes=MOST_BODY_BYTES)
