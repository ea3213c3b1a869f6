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
from typing import Generic, TypeVar

from features.errors import Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


class Together(Generic[Item, Result]):
    """One lane of work in a thread beside the event loop.

    work: some items -> one result for each, in order. most: items of a batch, unless one call alone
    brings more. most_waiting: items beyond which a call is refused; default: no end.
    """

    def __init__(
        self,
        work: Callable[[list[Item]], Sequence[Result]],
        most: int,
        most_waiting: int | None = None,
    ) -> None:
        self._work, self._most, self._most_waiting = work, most, most_waiting
        self._items_waiting = 0
        # Of its own: to find a free one among many takes a tenth of the time of a score.
        self._thread = ThreadPoolExecutor(1)
        self._waiting: deque[tuple[list[Item], asyncio.Future[list[Result]]]] = deque()
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
        while self._waiting:
            batch = self._next()
            items = [item for one, _ in batch for item in one]
            self._items_waiting -= len(items)
            try:
                results = iter(await loop.run_in_executor(self._thread, self._work, items))
            except Exception as error:  # belongs to the callers, not to the lane
                for _, answered in batch:
                    if not answered.done():  # a caller who has gone has cancelled it
                        answered.set_exception(error)
                continue
            for one, answered in batch:
                own = list(islice(results, len(one)))
                if not answered.done():
                    answered.set_result(own)

    def _next(self) -> list[tuple[list[Item], asyncio.Future[list[Result]]]]:
        batch = [self._waiting.popleft()]
        size = len(batch[0][0])
        while self._waiting and size + len(self._waiting[0][0]) <= self._most:
            size += len(self._waiting[0][0])
            batch.append(self._waiting.popleft())
        return batch


def too_many(waiting: int) -> Unavailable:
    """The refusal of a call before which too many wait already."""
    return Unavailable(
        f"{waiting:,} wait already for what was asked, more than can be answered soon. "
        "Ask again in a moment."
    )
