"""Work that an instance does beside its requests: each job at its pace, and none of them dies unnoticed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import structlog

from authsvc.errors import Unavailable
from authsvc.metrics import JOB_FAILURES

_log = structlog.stdlib.get_logger("authsvc.background")


LIMIT_SECONDS = 60.0
"""How long a turn may take, unless its job says otherwise."""


@dataclass(frozen=True)
class Job:
    """One piece of work, done again `every` so many seconds, or at once when `wake` is set."""

    name: str
    every: float
    work: Callable[[], Awaitable[object]]
    limit: float = LIMIT_SECONDS
    wake: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def running(jobs: Sequence[Job]) -> AsyncIterator[None]:
    """Do the jobs for the length of the block."""
    tasks = [asyncio.create_task(_for_ever(job), name=job.name) for job in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def _for_ever(job: Job) -> None:
    was_away = False
    # Asked at each turn: a library can swallow a cancellation that comes while it ends of itself.
    while not _is_told_to_stop():
        due = asyncio.get_running_loop().call_later(job.every, job.wake.set)
        try:
            await job.wake.wait()
        finally:
            due.cancel()
        job.wake.clear()
        was_away = await _once(job, was_away=was_away)


async def _once(job: Job, *, was_away: bool) -> bool:
    """Do the job and return whether a store was away.

    Whatever it raises is counted and told, an outage once, and the job's next turn comes.
    """
    try:
        async with asyncio.timeout(job.limit) as limit:
            await job.work()
    except Unavailable as error:
        JOB_FAILURES.labels(job.name).inc()
        if not was_away:
            _log.warning("job_waits", job=job.name, reason=error.description)
        return True
    # A library that is cancelled within raises the last of these: it is not we who are told to stop.
    except (Exception, asyncio.CancelledError) as error:
        if isinstance(error, asyncio.CancelledError) and _is_told_to_stop():
            raise
        JOB_FAILURES.labels(job.name).inc()
        if limit.expired():
            _log.error("job_failed", job=job.name, reason=f"It took longer than {job.limit:g} s.")
        else:
            _log.exception("job_failed", job=job.name)
    return False


def _is_told_to_stop() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
