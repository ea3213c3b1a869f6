"""Ask a Holdfast service from Python: scores, profiles, events, erasure.

    with Client("http://127.0.0.1:3000", key="holdfast_...") as client:
        client.score(["C000001", "C000002"])

What fails for a while (no connection, no answer in time, 429, 502, 503, 504) is asked again after a
growing pause. That is harmless for everything here: a question changes nothing, an erased customer
cannot be erased twice, and an event is known by its id.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any, Literal, Self, TypeVar, cast
from urllib.parse import quote

import httpx
from typing_extensions import TypedDict

from features.errors import UserError
from serving.answer_schema import Answer

MOST_A_CALL = 1000  # customers, rows or events; schemas.MOST_CUSTOMERS, without its vendors
TIMEOUT = 60.0  # seconds; the service gives up on a request after as many
RETRIES = 4  # after the first try: about 0.2 + 0.4 + 0.8 + 1.6 seconds, a worker's restart
FIRST_PAUSE = 0.2  # seconds, doubled with each retry
MOST_PAUSE = 60.0  # seconds; who is told to wait longer is told so by Refused instead
_PASSES = frozenset({429, 502, 503, 504})

Item = TypeVar("Item")
Kind = Literal["transactions", "interactions"]
Event = Mapping[str, Any]


class RefusedEvent(TypedDict):
    """An event that was not taken: where it stood in the list that was given, and why."""

    position: int
    event_id: str
    reason: str


class Taken(TypedDict):
    """What became of events of one kind; `repeated` counts those that were there already."""

    taken: int
    repeated: int
    refused: list[RefusedEvent]


class EventsAnswer(TypedDict):
    """What became of events: by kind, whose they are, and the moment of the new features."""

    transactions: Taken
    interactions: Taken
    customers: list[str]
    as_of: str | None


class Refused(RuntimeError):
    """The service has said no: `status` is the HTTP code, `sentence` the reason.

    field: where in the request the mistake is, such as ("rows", 3, "recency"); empty where the
    service names no place. After a split call a place counts from the beginning of its part.
    """

    def __init__(self, status: int, sentence: str, field: tuple[str | int, ...] = ()) -> None:
        where = f" at {'.'.join(str(step) for step in field)}" if field else ""
        super().__init__(f"{status}{where}: {sentence}")
        self.status, self.sentence, self.field = status, sentence, field


class Unreachable(RuntimeError):
    """No answer of a Holdfast service came, however often it was asked."""


class Client:
    """A connection to one service; use it as a context manager, or close it.

    url: such as http://127.0.0.1:3000. key: the API key, where the service needs one. timeout:
    seconds to wait for one answer. retries: how often more to ask what fails for a while.
    Every question raises Refused when the service says no, and Unreachable when it says nothing.
    Raises UserError for an address that is no http or https.
    """

    def __init__(
        self, url: str, key: str | None = None, *, timeout: float = TIMEOUT, retries: int = RETRIES
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise UserError(
                f"The service was to be found at {url!r}, which is no web address. "
                "Write it with its beginning, such as http://127.0.0.1:3000."
            )
        headers = {"content-type": "application/json", "accept": "application/json"}
        if key:
            headers["authorization"] = f"Bearer {key}"
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout)
        self._url, self._retries = url, retries

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give up the connections."""
        self._http.close()

    def score(
        self,
        customer_ids: Sequence[str],
        explain: bool = False,
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> list[Answer]:
        """One answer per customer id, in order.

        explain: whether the answers name the factors. overrides: customer id -> features to take
        other values for, as in a what-if.
        """
        asked, scores = set(customer_ids), []
        for ids in _parts(customer_ids):
            body: dict[str, Any] = {"customer_ids": ids, "explain": explain}
            # Those of nobody who is asked for go along too, for the service to refuse.
            elsewhere = asked.difference(ids)
            own = {k: v for k, v in (overrides or {}).items() if k not in elsewhere}
            if own:
                body["overrides"] = own
            scores += self._ask("POST", "/score", body)["scores"]
        return cast(list[Answer], scores)

    def score_features(self, rows: Sequence[Event], explain: bool = True) -> list[Answer]:
        """One answer per row of given features, in order; what a row does not give is null."""
        scores = []
        for part in _parts(rows):
            body = {"rows": part, "explain": explain}
            scores += self._ask("POST", "/score_features", body)["scores"]
        return cast(list[Answer], scores)

    def profile(self, customer_id: str) -> dict[str, Any]:
        """What is known of one customer."""
        return self._ask("POST", "/profile", {"customer_id": customer_id})

    def post_events(
        self, transactions: Iterable[Event] = (), interactions: Iterable[Event] = ()
    ) -> EventsAnswer:
        """Hand in what has happened; returns what became of it.

        An event without an `event_id` gets one for this call, so that a retry is no second event.
        After an error only events with ids of your own can be handed in again without harm.
        """
        given: dict[Kind, list[dict[str, Any]]] = {
            "transactions": [_identified(event) for event in transactions],
            "interactions": [_identified(event) for event in interactions],
        }
        every = [(kind, event) for kind, events in given.items() for event in events]
        total = _nothing_yet()
        before: dict[Kind, int] = {"transactions": 0, "interactions": 0}
        for part in _parts(every):
            body = {kind: [event for own, event in part if own == kind] for kind in given}
            _add(total, cast(EventsAnswer, self._ask("POST", "/events", body)), before)
            for kind in before:
                before[kind] += len(body[kind])
        return total

    def erase(self, customer_id: str) -> dict[str, Any]:
        """Erase everything about one customer; returns the receipt. Needs an admin's key."""
        return self._ask("DELETE", f"/customers/{quote(customer_id, safe='')}")

    def version(self) -> dict[str, Any]:
        """Which models, definitions and policy answer."""
        return self._ask("GET", "/version")

    def ready(self) -> bool:
        """Whether the service can answer now; asked once."""
        try:
            return self._http.get("/readyz").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        content = None if body is None else _json(body)
        for attempt in count():
            pause = FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.5)
            last = attempt >= self._retries
            try:
                response = self._http.request(method, path, content=content)
            except httpx.TransportError as error:
                if last:
                    raise Unreachable(
                        f"{self._url} did not answer {method} {path} in {attempt + 1} tries "
                        f"({type(error).__name__}: {error}). Is the service running there?"
                    ) from error
            else:
                told = _retry_after(response)
                if last or response.status_code not in _PASSES or told > MOST_PAUSE:
                    break
                pause = max(pause, told)
            time.sleep(min(pause, MOST_PAUSE))
        return self._content(response)

    def _content(self, response: httpx.Response) -> dict[str, Any]:
        try:
            content = response.json()
        except ValueError:
            content = None
        if not response.is_success:
            raise _refusal(response.status_code, content)
        if not isinstance(content, dict):
            raise Unreachable(
                f"{self._url} answered {response.status_code} without JSON, as no Holdfast service "
                "does. Correct the address."
            )
        return content


def _parts(items: Sequence[Item]) -> Iterator[list[Item]]:
    for start in range(0, len(items), MOST_A_CALL):
        yield list(items[start : start + MOST_A_CALL])


def _identified(event: Event) -> dict[str, Any]:
    return {**event, "event_id": event.get("event_id") or str(uuid.uuid4())}


def _nothing_yet() -> EventsAnswer:
    return {
        "transactions": {"taken": 0, "repeated": 0, "refused": []},
        "interactions": {"taken": 0, "repeated": 0, "refused": []},
        "customers": [],
        "as_of": None,
    }


def _add(total: EventsAnswer, part: EventsAnswer, before: Mapping[Kind, int]) -> None:
    """Add the answer to a part to the total; before: events of each kind in earlier parts."""
    for kind, offset in before.items():
        total[kind]["taken"] += part[kind]["taken"]
        total[kind]["repeated"] += part[kind]["repeated"]
        total[kind]["refused"] += [
            {**one, "position": one["position"] + offset} for one in part[kind]["refused"]
        ]
    total["customers"] = list(dict.fromkeys(total["customers"] + part["customers"]))
    total["as_of"] = part["as_of"]


def _json(body: object) -> str:
    try:
        return json.dumps(body, default=_plain, allow_nan=False)
    except ValueError:
        raise UserError(
            "A request holds a number that JSON has no word for: NaN, or an infinite one. "
            "Send None for what is not known."
        ) from None


def _plain(value: object) -> str:
    """Moments as the service reads them."""
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    raise TypeError(f"A {type(value).__name__} cannot be sent. Send texts, numbers and moments.")


def _retry_after(response: httpx.Response) -> float:
    """Seconds that the answer asks to wait, given as such or as a date; 0 when it does not."""
    text = response.headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    try:
        return (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):  # none, or one without a zone
        return 0.0


def _refusal(status: int, content: object) -> Refused:
    """What the service says, in its two forms: a sentence, or pydantic's list of mistakes."""
    said = content if isinstance(content, dict) else {}
    mistakes = said.get("detail")
    if isinstance(mistakes, list) and mistakes:
        first = mistakes[0]
        return Refused(status, str(first.get("msg")), tuple(first.get("loc", ())))
    return Refused(status, str(said.get("error") or "no reason was given"))
