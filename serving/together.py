"""Calls that wait at the same moment are worked on together.

Scoring has a cost per call that is worth some hundred rows. So what arrives while one batch is
worked on makes the next one: nobody waits for company, and a busy service works in larger batches.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Generic, TypeAlias, TypeVar

from features.errors import Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")
_Call: TypeAlias = tuple[list[Item], asyncio.Future[list[Result]]]


class Together(Generic[Item, Result]):
    """One lane of work in a thread beside the event loop.

    work: some items -> one result for each, in order. most: items of a batch, unless one call alone
    brings more. most_waiting: items beyond which a call is refused; default: no end. after: what
    the thread does once the results of a batch were given; it must not raise.
    """

    def __init__(
        self,
        work: Callable[[list[Item]], Sequence[Result]],
        most: int,
        most_waiting: int | None = None,
        after: Callable[[], object] = lambda: None,
    ) -> None:
        self._work, self._most, self._most_waiting = work, most, most_waiting
        self._after = after
        self._items_waiting = 0
        # Of its own: to find a free one among many takes a tenth of the time of a score.
        self._thread = ThreadPoolExecutor(1)
        self._waiting: deque[_Call[Item, Result]] = deque()
        self._lane: asyncio.Task[None] | None = None

    async def results(self, items: list[Item]) -> list[Result]:
        """The results of one call's items, in order; raises what the work raises.

        Raises Unavailable at once when too many wait already.
        """
        if self._most_waiting is not None and self._items_waiting > self._most_waiting:
            raise too_many(self._items_waiting)
        self._items_waiting += len(items)
        answered: asyncio.Future[list[Result]] = asyncio.get_running_loop().create_future()
        self._waiting.append((items, answered))
        if self._lane is None or self._lane.done():
            self._lane = asyncio.create_task(self._empty())
        return await answered

    async def _empty(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := self._next():
            items = [item for one, _ in batch for item in one]
            await loop.run_in_executor(self._thread, self._worked, loop, batch, items)

    def _worked(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: Sequence[_Call[Item, Result]],
        items: list[Item],
    ) -> None:
        """Work on a batch, in the thread: its callers have their results before `after` begins."""
        try:
            results = self._work(items)
        except Exception as error:  # belongs to the callers, not to the lane
            loop.call_soon_threadsafe(_refuse, batch, error)
        else:
            loop.call_soon_threadsafe(_give, batch, results)
        self._after()

    def _next(self) -> list[_Call[Item, Result]]:
        """The calls of the next batch; whoever has gone while waiting is worked for no more."""
        batch: list[_Call[Item, Result]] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0][0]) <= self._most):
            items, answered = self._waiting.popleft()
            self._items_waiting -= len(items)
            if not answered.done():
                size += len(items)
                batch.append((items, answered))
        return batch


def _give(batch: Sequence[_Call[Item, Result]], results: Sequence[Result]) -> None:
    rest = iter(results)
    for items, answered in batch:
        own = list(islice(rest, len(items)))
        if not answered.done():  # a caller who has gone has cancelled it
            answered.set_result(own)


def _refuse(batch: Sequence[_Call[Item, Result]], error: Exception) -> None:
    for _, answered in batch:
        if not answered.done():
            answered.set_exception(error)


def too_many(waiting: int) -> Unavailable:
    """The refusal of a call before which too many wait already."""
    return Unavailable(
        f"{waiting:,} wait already for what was asked, more than can be answered soon. "
        "Ask again in a moment."
    )
