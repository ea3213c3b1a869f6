"""The HTTP service: scores, profiles, events, erasure; the only file that imports bentoml.

POST /score, /score_features, /profile and /events; DELETE /customers/ID; GET / (where to go on),
/version, /livez (the process), /readyz (models and online store), /metrics, /docs.json.
`run_service.serve` starts it.
"""

from features.errors import UserError  # before any vendor: its room switches telemetry off

# isort: split
import asyncio
import contextlib
import logging
import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Mapping
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import bentoml
import numpy as np
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from features.columns import Columns
from features.workspace import Workspace
from serving import lane, openapi, pages, posted
from serving.access import Access
from serving.answer import Call, answer
from serving.answer_schema import Answer
from serving.erasure import erase
from serving.event_schemas import EventsRequest, EventsResponse, Profile, ProfileRequest
from serving.following import Following
from serving.given_rows import overridden, refusal, to_frame
from serving.keeping import Handed, Keeping
from serving.lane import Lane
from serving.loaded import Asked, Loaded
from serving.metrics import Metrics
from serving.middleware import BodyLimit
from serving.monitoring.gauges import Gauges
from serving.policy import POLICY, Policy
from serving.posted import Outcome, Posted
from serving.profile import profile
from serving.schemas import (
    LONGEST_ID,
    MOST_CUSTOMERS,
    FeaturesRequest,
    ScoreRequest,
    ScoreResponse,
)
from serving.standing import now
from serving.together import Together, too_many

if TYPE_CHECKING:
    import prometheus_client

log = logging.getLogger(__name__)

# BentoML calls a method of pydantic by its old name at each route: advice to its authors.
warnings.filterwarnings("ignore", message="The `__get_pydantic_core_schema__` method of the")

# 1,000 rows of 400 features with their names, about 30 bytes each.
MOST_BODY_BYTES = 12_000_000
WORKERS = int(os.environ.get("HOLDFAST_WORKERS", "1"))  # set by run_service
THREADS = 2  # that work beside the lanes; more would only wait for each other
# Calls that may wait for these threads: a second of profiles, or ten of a thousand rows each. More
# would only come to their time limit, and each may hold a body of MOST_BODY_BYTES in the meantime.
MOST_BESIDE = 100
# A thread that scores gives way to the one that reads and answers after so long; after Python's own
# five milliseconds, an answer that is ready would wait as long as the next ones are computed.
SECONDS_OF_A_TURN = 0.0005
# Customers, or events, that may wait for their turn: a few seconds of work. More are told to come
# again, which helps them more than an answer they no longer wait for.
MOST_WAITING = 10 * MOST_CUSTOMERS


async def _version(_: Request) -> JSONResponse:
    return JSONResponse(bentoml.get_current_service().version())


async def _page(_: Request) -> JSONResponse:
    return JSONResponse(openapi.page("Holdfast", str(_service.inner.__doc__)))


_PAGES = (Route("/", pages.about), Route("/version", _version), Route("/docs.json", _page))


@bentoml.service(workers=WORKERS, traffic={"timeout": 60}, logging={"access": {"enabled": False}})
class Holdfast:
    """Customers: churn risk and its cause, value, tier, what it pays to do, and what has happened.

    Raises UserError at the start when the workspace has no champion, or one that is broken.
    """

    def __init__(self) -> None:
        self._space = Workspace.from_environment()
        self._policy: Policy = POLICY
        self._following = Following(self._space, _note_swap)
        self._keeping = Keeping(self._space, _note_dropped)
        # Even one row takes longer than the event loop may be blocked, so all work is in threads.
        self._scores = Together(
            self._of_customers, MOST_CUSTOMERS, MOST_WAITING, after=self._keeping.pack
        )
        self._events = Together(self._of_events, MOST_CUSTOMERS, MOST_WAITING)
        self._threads = anyio.CapacityLimiter(THREADS)
        sys.setswitchinterval(SECONDS_OF_A_TURN)
        now()  # a moment that cannot be read is better known at the start

    @bentoml.api(route="/score")
    async def score(self, request: ScoreRequest, /) -> ScoreResponse:
        """Score customers by id, from the newest features of the online store."""
        call = lane.request_id.get()
        asked = [Asked(customer, call, request.explain) for customer in request.customer_ids]
        if request.overrides:
            return _response(await self._beside(self._what_if, asked, request.overrides))
        return _response(await self._scores.results(asked))

    @bentoml.api(route="/score_features")
    async def score_features(self, request: FeaturesRequest, /) -> ScoreResponse:
        """Score given features; what is not given is null."""
        return _response(await self._beside(self._of_features, request, lane.request_id.get()))

    @bentoml.api(route="/profile")
    async def profile(self, request: ProfileRequest, /) -> Profile:
        """All that is known of one customer, and what was said of him before."""
        return await self._beside(
            profile, request.customer_id, lane.request_id.get(), self._loaded, self._space,
            Call(self._policy, now()), self._keeping.hand,
        )  # fmt: skip

    @bentoml.api(route="/events")
    async def events(self, request: EventsRequest, /) -> EventsResponse:
        """Take what has just happened; the next score of these customers knows of it."""
        rows = posted.rows_of(request)
        return posted.response(rows, await self._events.results(rows) if rows else [])

    async def erase(self, customer_id: str) -> tuple[int, Any]:
        """Erase a customer; the code and the receipt, or the reason why not."""
        try:
            if not 0 < len(customer_id) <= LONGEST_ID:
                message = f"A customer_id has 1 to {LONGEST_ID} characters"
                raise refusal("string_length", message, "customer_id")
            store = self._loaded.store
            receipt = await self._beside(erase, self._space, store, customer_id, now())
        except Exception as error:
            return lane.told(error)
        return 200, receipt.model_dump()

    async def _beside(self, work: Any, *args: Any) -> Any:
        """Work of one call alone, in a thread beside the lanes."""
        if (waiting := self._threads.statistics().tasks_waiting) >= MOST_BESIDE:
            raise too_many(waiting)
        return await anyio.to_thread.run_sync(partial(work, *args), limiter=self._threads)

    @cached_property
    def routes(self) -> Mapping[str, lane.Route]:
        """The methods above by their routes, for the short way to them."""
        requests: dict[str, type[BaseModel]] = {
            "score": ScoreRequest,
            "score_features": FeaturesRequest,
            "profile": ProfileRequest,
            "events": EventsRequest,
        }
        return {
            f"/{name}": lane.Route(request, getattr(self, name).local)
            for name, request in requests.items()
        }

    @property
    def _loaded(self) -> Loaded:
        return self._following.loaded

    def _of_customers(self, asked: list[Asked]) -> list[Answer]:
        began, loaded, call = time.time(), self._loaded, Call(self._policy, now())
        rows = loaded.known(asked)
        answers = answer(rows, loaded.models, call)
        self._keeping.hand(Handed(rows, answers, loaded.models, call, began))
        return answers

    def _what_if(
        self, asked: list[Asked], overrides: Mapping[str, Mapping[str, Any]]
    ) -> list[Answer]:
        began, loaded, call = time.time(), self._loaded, Call(self._policy, now())
        rows = overridden(loaded.known(asked), overrides, loaded.models)
        try:
            answers = answer(rows, loaded.models, call)
        except UserError as error:  # of values that do not fit together
            raise refusal("unfit_values", str(error), "overrides") from None
        self._keeping.hand(Handed(rows, answers, loaded.models, call, began))
        return answers

    def _of_features(self, request: FeaturesRequest, request_id: str) -> list[Answer]:
        began, loaded = time.time(), self._loaded
        models, call = loaded.models, Call(self._policy, now(), refuses_stale=False)
        given = to_frame(request.rows, models, call.now, request_id)
        rows = Columns.of(loaded.former.joined(given)).with_columns({
            "explain": np.full(len(given), request.explain)
        })  # fmt: skip
        try:
            answers = answer(rows, models, call)
        except UserError as error:  # of the given values, which nobody else has checked
            raise refusal("unfit_rows", str(error), "rows") from None
        self._keeping.hand(Handed(rows, answers, models, call, began))
        return answers

    def _of_events(self, rows: list[Posted]) -> list[Outcome]:
        return posted.store(rows, self._loaded.store, now())

    def version(self) -> dict:
        """Which models, definitions and policy answer."""
        models = self._loaded.models
        return {
            "models": dict(models.versions),
            "alias": "champion",
            "refused": self._following.refused,
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
        """Look from now on whether another champion was promoted, and keep what is answered."""
        _reserve_metrics()
        if await self.__is_ready__():  # which opens the store before the first call needs it
            await anyio.to_thread.run_sync(self._loaded.prepare)
        self._keeping.open()
        self._follower = asyncio.create_task(self._following.follow())

    @bentoml.on_shutdown
    async def stop_following(self) -> None:
        """Stop looking, and keep what was answered last."""
        self._follower.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._follower
        await anyio.to_thread.run_sync(self._keeping.close)


def _response(answers: list[Answer]) -> ScoreResponse:
    for status, count in Counter(one["status"] for one in answers).items():
        _scores_total().labels(status).inc(count)
    return ScoreResponse.model_construct(scores=answers)


@cache
def _scores_total() -> "prometheus_client.Counter":
    import prometheus_client  # not before BentoML has named its folder

    return prometheus_client.Counter("holdfast_scores", "Answers given, by status.", ["status"])


@cache
def _swaps_total() -> "prometheus_client.Counter":
    import prometheus_client

    return prometheus_client.Counter(
        "holdfast_model_swaps", "New champions, taken or refused.", ["result"]
    )


def _note_swap(result: str) -> None:
    _swaps_total().labels(result).inc()


@cache
def _dropped_total() -> "prometheus_client.Counter":
    import prometheus_client

    return prometheus_client.Counter(
        "holdfast_answers_not_kept", "Answers that could not be kept for replay."
    )


def _note_dropped(count: int) -> None:
    _dropped_total().inc(count)


def _reserve_metrics() -> None:
    """Take the room on disk that the metrics of this process need.

    They lie in mapped files with holes: the system kills who writes into a hole on a full disk.
    """
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    for path in folder.glob(f"*_{os.getpid()}.db"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


def _model() -> str:
    return bentoml.get_current_service()._loaded.models.versions["churn"]


_service: Any = Holdfast  # which the decorator has made a bentoml.Service


class _Fronted(type(_service)):  # type: ignore[misc]
    """The service with what stands before its routes outermost, where BentoML allows nothing."""

    __slots__ = ()

    def to_asgi(self, is_main: bool = True) -> ASGIApp:
        """The whole application: counted, admitted, limited, then the short way or BentoML's."""
        behind = super().to_asgi(is_main=is_main)
        pages.put_into(behind, _PAGES)
        front = Lane(behind, bentoml.get_current_service)
        gauges = Gauges(Workspace.from_environment())
        limited = Access(BodyLimit(front, MOST_BODY_BYTES))
        return Metrics(limited, model=_model, before_reading=gauges.tell)


_service.__class__ = _Fronted
