"""Calls that wait at the same moment are worked on together."""

import asyncio
import threading

import pytest

from serving.together import Together
from tests.waiting import PATIENCE, until


class Slow:
    """Work that doubles numbers, waits until it may, and remembers its batches."""

    def __init__(self):
        self.batches, self.may_go_on = [], threading.Event()

    def __call__(self, items):
        self.batches.append(items)
        assert self.may_go_on.wait(PATIENCE)
        if 0 in items:
            raise ZeroDivisionError("nothing to double")
        return [2 * item for item in items]


def results(work, *calls, most=10):
    """What each call got; the first is under way when the others arrive."""

    async def run():
        lane = Together(work, most)
        first = asyncio.create_task(lane.results(calls[0]))
        while not work.batches:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(lane.results(items)) for items in calls[1:]]
        await asyncio.sleep(0.01)
        work.may_go_on.set()
        return await asyncio.gather(first, *others, return_exceptions=True)

    return asyncio.run(run())


def test_what_arrives_meanwhile_is_one_batch_and_each_call_gets_its_own():
    work = Slow()
    assert results(work, [1], [2, 3], [], [4]) == [[2], [4, 6], [], [8]]
    assert work.batches == [[1], [2, 3, 4]]


@pytest.mark.parametrize(
    ("most", "batches"),
    [(3, [[1], [2, 3, 4], [5]]), (2, [[1], [2, 3], [4, 5]]), (1, [[1], [2, 3], [4], [5]])],
)
def test_a_batch_is_no_larger_than_allowed_unless_by_one_call(most, batches):
    work = Slow()
    assert results(work, [1], [2, 3], [4], [5], most=most) == [[2], [4, 6], [8], [10]]
    assert work.batches == batches


def test_a_failure_reaches_its_callers_and_the_lane_goes_on():
    work = Slow()
    failed, fine = results(work, [0], [1])
    assert isinstance(failed, ZeroDivisionError)
    assert fine == [2]


def test_a_caller_who_has_gone_does_not_keep_the_others_waiting():
    work = Slow()

    async def run():
        lane = Together(work, 10)
        gone = asyncio.create_task(lane.results([1]))
        while not work.batches:
            await asyncio.sleep(0.001)
        waiting = asyncio.create_task(lane.results([2]))
        gone.cancel()
        work.may_go_on.set()
        return await waiting

    assert asyncio.run(run()) == [4]


def test_who_has_gone_while_waiting_is_worked_for_no_more():
    work = Slow()

    async def run():
        lane = Together(work, 2, most_waiting=4)
        first = asyncio.create_task(lane.results([1]))
        while not work.batches:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(lane.results([k])) for k in (2, 3, 4, 5)]
        await asyncio.sleep(0)
        for gone in others[:3]:
            gone.cancel()
        await asyncio.sleep(0)
        work.may_go_on.set()
        told = [await first, await others[3]]
        return told, await asyncio.gather(*(lane.results([k]) for k in (6, 7, 8)))

    assert asyncio.run(run()) == ([[2], [10]], [[12], [14], [16]])
    assert work.batches[:2] == [[1], [5]]


def test_callers_have_their_results_before_what_is_done_after_is_over():
    given, done = threading.Event(), []

    def after():
        done.append(given.wait(PATIENCE))  # the thread is held until the caller has his answer

    async def run():
        lane = Together(lambda items: [1 / item for item in items], 10, after=after)
        assert await lane.results([2]) == [0.5]
        given.set()
        with pytest.raises(ZeroDivisionError):
            await lane.results([0])
        assert await lane.results([4]) == [0.25]

    asyncio.run(run())
    until(lambda: len(done) == 3)  # the last caller has gone while the thread goes on
    assert done == [True, True, True]
