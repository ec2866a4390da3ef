"""Jobs beside the requests: they come again whatever happened, and stop with the service."""

import asyncio
from contextlib import suppress

import pytest

from authsvc.background import Job, running
from authsvc.errors import Unavailable
from authsvc.metrics import JOB_FAILURES
from tests.fixtures.logs import written


def failures(name: str) -> float:
    return float(JOB_FAILURES.labels(name)._value.get())  # noqa: SLF001 - the library has no public way to one value


class Turns:
    """Work that fails at its first turn and tells when it has had its second."""

    def __init__(self, failure: BaseException) -> None:
        self.failure = failure
        self.count = 0
        self.first, self.second = asyncio.Event(), asyncio.Event()

    async def __call__(self) -> None:
        self.count += 1
        self.first.set()
        if self.count == 1:
            raise self.failure
        self.second.set()


@pytest.mark.parametrize(
    "failure",
    [Unavailable("away"), RuntimeError("a mistake"), asyncio.CancelledError("cancelled within")],
    ids=["away", "a mistake", "cancelled within"],
)
async def test_a_job_that_fails_is_counted_and_has_its_next_turn(failure: BaseException) -> None:
    name = f"fails with {failure}"
    turns = Turns(failure)

    async with running([Job(name, 0.001, turns)]):
        await asyncio.wait_for(turns.second.wait(), 5)

    assert failures(name) == 1


async def test_a_turn_that_hangs_is_given_up_and_told() -> None:
    second = asyncio.Event()

    async def hang_once() -> None:
        if not failures("hangs"):
            await asyncio.Event().wait()
        second.set()

    with written() as log:
        async with running([Job("hangs", 0.001, hang_once, limit=0.01)]):
            await asyncio.wait_for(second.wait(), 5)

    assert failures("hangs") == 1
    [told] = log.events("job_failed")
    assert (told["job"], told["reason"]) == ("hangs", "It took longer than 0.01 s.")
    assert "exception" not in told


async def test_a_job_that_is_woken_does_not_wait_for_its_turn() -> None:
    turns = Turns(Unavailable("away"))
    job = Job("once an hour", 3600, turns)

    async with running([job]):
        job.wake.set()
        await asyncio.wait_for(turns.first.wait(), 5)
        job.wake.set()
        await asyncio.wait_for(turns.second.wait(), 5)


async def test_a_job_whose_library_swallows_the_end_does_not_hold_it_up() -> None:
    began = asyncio.Event()

    async def swallow_once() -> None:
        if not began.is_set():
            began.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    async def end_at_once() -> None:
        async with running([Job("swallows", 0.001, swallow_once)]):
            await began.wait()

    ending = asyncio.create_task(end_at_once())
    await asyncio.wait([ending], timeout=5)

    is_over = ending.done()
    ending.cancel()
    assert is_over


async def test_no_job_outlives_the_service() -> None:
    started = asyncio.Event()

    async def work() -> None:
        started.set()
        await asyncio.Event().wait()

    async with running([Job("never done", 0.001, work)]):
        await asyncio.wait_for(started.wait(), 5)

    assert "never done" not in {task.get_name() for task in asyncio.all_tasks()}
